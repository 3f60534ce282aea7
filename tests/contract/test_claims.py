"""Claims and openings, read as of any moment, are what the streams of that moment tell."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.storage.log_reader import LogReader
from domain.known import Known
from domain.replay import Event, view
from projections.batch import Batch
from projections.facts import FactTable, Rows
from projections.progress.claims import derive_claims
from projections.progress.openings import derive_openings
from projections.progress.projection import CLAIMS, OPENINGS, progress_projection
from projections.stretches import Stretch
from tests.support.framing import ToldFrames
from tests.support.progress import INSTANTS, KNOWN, histories, standing
from tests.support.told import DEAL

Fact = TypeVar("Fact", bound=Stretch)
Derive = Callable[[Sequence[Event], Known], list[Fact]]
SINCE_THEN = (
    "from_at <= coalesce(%s::timestamptz, 'infinity') AND (until_at IS NULL OR until_at > %s)"
)


def stored(
    connection: Rows, table: FactTable[Fact], as_of: int, cut: datetime | None
) -> set[tuple[UUID, Fact]]:
    return set(table.known(connection, as_of=as_of, where=SINCE_THEN, params=(cut, cut)))


def told(
    events: Sequence[Event], derive: Derive[Fact], as_of: int, cut: datetime | None
) -> set[tuple[UUID, Fact]]:
    seen = view(events, as_of=as_of)
    return {(DEAL, fact) for fact in standing(derive(seen, KNOWN), cut)}


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    events=histories(),
    steps=st.sets(st.integers(1, 23), max_size=3),
    moments=st.lists(
        st.tuples(st.integers(1, 24), st.sampled_from([None, *INSTANTS])), min_size=4, max_size=8
    ),
)
def test_claims_and_openings_are_kept_at_every_position(
    projecting: LogReader,
    events: list[Event],
    steps: set[int],
    moments: list[tuple[int, datetime | None]],
) -> None:
    projection, ends = progress_projection(), [*sorted(steps), 24]
    with projecting.connection() as connection, connection.transaction(force_rollback=True):
        for after, upto in zip([0, *ends], ends, strict=False):
            known = [event for event in events if event.position <= upto]
            touched = {DEAL: known} if known and known[-1].position > after else {}
            frames = ToldFrames((), lambda _: KNOWN)
            projection.project(connection, Batch(after, upto, touched, frames))

        for as_of, cut in moments:
            claims, openings = (
                told(events, derive_claims, as_of, cut),
                told(events, derive_openings, as_of, cut),
            )
            assert stored(connection, CLAIMS, as_of, cut) == claims
            assert stored(connection, OPENINGS, as_of, cut) == openings
