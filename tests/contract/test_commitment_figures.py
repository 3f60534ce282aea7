"""The backing of many deals, read from their facts, is what their streams tell."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from api.storage.log_reader import LogReader
from domain.acts import contacts_of
from domain.close_date import pushes_of
from domain.commitments import KEPT_COUNTS_FOR, broken_level, dated_next, live_level
from domain.events.life import DealOpened
from domain.replay import Event, view
from projections.batch import Batch
from projections.commitments.figures import Backing, backings_at, backings_of, backings_query
from projections.commitments.projection import commitments_projection
from projections.facts import Rows
from tests.support.commitments import INSTANTS, KNOWN, histories, words_of
from tests.support.framing import ToldFrames
from tests.support.histories import recorded_as, stamp_at
from tests.support.promises import commits, keeps
from tests.support.told import named, opened

Streams = Mapping[UUID, list[Event]]
DEALS = [named("deal one"), named("deal two")]
MOMENTS = st.tuples(st.integers(1, 12), st.none() | st.sampled_from(INSTANTS))


def project(connection: Rows, streams: Streams, *, steps: Sequence[int]) -> None:
    """Follow the streams as a worker does, in batches that end at these positions."""
    projection = commitments_projection()
    for after, upto in zip([0, *steps], steps, strict=False):
        known = {d: [e for e in events if e.position <= upto] for d, events in streams.items()}
        touched = {d: own for d, own in known.items() if own and own[-1].position > after}
        projection.project(connection, Batch(after, upto, touched, ToldFrames((), lambda _: KNOWN)))


def folded(events: list[Event], as_of: int, cut: datetime | None) -> Backing:
    seen = view(events, as_of=as_of, effective_at=cut)
    if not any(isinstance(event.data, DealOpened) for event in seen):
        return Backing()
    words = sorted(words_of(seen), key=repr)
    return Backing(tuple(words), len(pushes_of(seen)), len(contacts_of(seen)))


def summed_up(backing: Backing, at: datetime) -> tuple[object, ...]:
    today = KNOWN.calendar.day_of(at)
    return (
        live_level(backing.words, at),
        broken_level(backing.words, at),
        bool(dated_next(backing.words, today, at)),
        backing.pushes,
        backing.contacts,
    )


def asked_for(
    connection: Rows, as_of: int, at: datetime, cut: datetime | None
) -> dict[UUID, tuple[Any, ...]]:
    asked = sql.SQL("SELECT unnest({}::uuid[]) AS deal_id").format([str(one) for one in DEALS])
    today = KNOWN.calendar.day_of(at)
    found = connection.execute(
        backings_query(asked), backings_at(as_of=as_of, at=at, cut=cut, today=today)
    )
    return {deal_id: tuple(rest) for deal_id, *rest in found.fetchall()}


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    streams=st.tuples(histories(), histories()),
    steps=st.sets(st.integers(1, 11), max_size=3),
    moments=st.lists(MOMENTS, min_size=4, max_size=8),
)
def test_backings_from_facts_are_those_of_the_streams(
    projecting: LogReader,
    streams: tuple[list[Event], ...],
    steps: set[int],
    moments: list[tuple[int, datetime | None]],
) -> None:
    told = dict(zip(DEALS, streams, strict=True))
    with projecting.connection() as connection, connection.transaction(force_rollback=True):
        project(connection, told, steps=[*sorted(steps), 12])

        for as_of, cut in moments:
            found = backings_of(connection, DEALS, as_of=as_of, cut=cut)
            assert {
                deal_id: Backing(tuple(sorted(b.words, key=repr)), b.pushes, b.contacts)
                for deal_id, b in found.items()
            } == {deal_id: folded(events, as_of, cut) for deal_id, events in told.items()}
            for at in INSTANTS if cut is None else [cut]:
                assert asked_for(connection, as_of, at, cut) == {
                    deal_id: summed_up(backing, at) for deal_id, backing in found.items()
                }


def test_a_word_changes_at_the_very_instant_of_its_deadline(projecting: LogReader) -> None:
    events: list[Event] = []
    said = [opened(), commits("k1", 3, due="2025-01-10"), commits("k2", 2), keeps("k2")]
    for hours, data in enumerate(said):
        events.append(recorded_as(events, data, stamp_at(hours)))
    overdue = next(one.overdue_at for one in words_of(events) if one.overdue_at)
    kept = next(one.settled_at for one in words_of(events) if one.settled_at) + KEPT_COUNTS_FOR
    moment = timedelta(microseconds=1)
    with projecting.connection() as connection, connection.transaction(force_rollback=True):
        project(connection, {DEALS[0]: events}, steps=[4])
        backing = folded(events, 4, None)

        for last, first in ((overdue - moment, overdue), (kept, kept + moment)):
            found = [asked_for(connection, 4, at, None)[DEALS[0]] for at in (last, first)]
            assert found == [summed_up(backing, at) for at in (last, first)]
            assert found[0] != found[1]
