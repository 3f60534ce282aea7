"""The progress of many deals, read from their facts, is what their streams tell."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import product
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from api.storage.log_reader import LogReader
from domain.replay import Event
from projections.batch import Batch
from projections.facts import Rows
from projections.progress.answer import answer, movement_of
from projections.progress.figures import Deals, each, grouped, movements_of, shares_of
from projections.progress.fold import Progress
from projections.progress.projection import progress_projection
from projections.progress.shares import Movement, TickShares
from projections.progress.status import STATUS_SQL
from projections.progress.ticks import Tick
from tests.support.framing import ToldFrames
from tests.support.progress import DAY, INSTANTS, KNOWN, START, histories, progress_of
from tests.support.told import Teller, named, opened
from tests.support.told import tick as ticked

Streams = Mapping[UUID, list[Event]]
DEALS = [named("deal north 1"), named("deal north 2"), named("deal south")]
GROUPS = dict(zip(DEALS, ["north", "north", "south"], strict=True))
MOMENTS = st.tuples(st.integers(1, 24), st.sampled_from(INSTANTS), st.booleans())


def project(connection: Rows, streams: Streams, *, steps: Sequence[int]) -> None:
    """Follow the streams as a worker does, in batches that end at these positions."""
    projection = progress_projection()
    for after, upto in zip([0, *steps], steps, strict=False):
        known = {d: [e for e in events if e.position <= upto] for d, events in streams.items()}
        touched = {
            d: events for d, events in known.items() if events and events[-1].position > after
        }
        frames = ToldFrames((), lambda _: KNOWN)
        projection.project(connection, Batch(after, upto, touched, frames))


def folded(streams: Streams, as_of: int, cut: datetime | None) -> dict[UUID, Progress]:
    found = {
        deal_id: progress_of([e for e in events if e.position <= as_of], cut)
        for deal_id, events in streams.items()
    }
    return {deal_id: progress for deal_id, progress in found.items() if progress}


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    streams=st.tuples(histories(), histories(), histories()),
    steps=st.sets(st.integers(1, 23), max_size=3),
    moments=st.lists(MOMENTS, min_size=4, max_size=8),
)
def test_figures_from_facts_are_those_of_the_streams(
    projecting: LogReader,
    streams: tuple[list[Event], ...],
    steps: set[int],
    moments: list[tuple[int, datetime, bool]],
) -> None:
    told = dict(zip(DEALS, streams, strict=True))
    with projecting.connection() as connection, connection.transaction(force_rollback=True):
        project(connection, told, steps=[*sorted(steps), 24])

        for as_of, at, hindsight in moments:
            cut = at if hindsight else None
            progress = folded(told, as_of, cut)
            shares = shares_of(connection, each(DEALS), as_of=as_of, at=at, cut=cut)
            movements = movements_of(connection, each(DEALS), as_of=as_of, cut=cut)
            assert shares.keys() == progress.keys()
            for deal_id, folded_one in progress.items():
                whole = answer(folded_one, at)
                assert shares[deal_id].answer().items() <= whole.items()
                movement = movements.get(deal_id, Movement())
                assert movement.checkbox_only_progress() == whole["checkbox_only_progress"]
                assert {"led": movement.led, "steps": movement.steps} == whole[
                    "customer_led_movement"
                ]
            assert totals(connection, as_of, at, cut) == {
                group: added_up([p for d, p in progress.items() if GROUPS[d] == group], at)
                for group in {GROUPS[deal_id] for deal_id in progress}
            }


def totals(
    connection: Rows, as_of: int, at: datetime, cut: datetime | None
) -> dict[str, tuple[TickShares, Movement]]:
    shares = shares_of(connection, grouped(GROUPS), as_of=as_of, at=at, cut=cut)
    movements = movements_of(connection, grouped(GROUPS), as_of=as_of, cut=cut)
    return {group: (one, movements.get(group, Movement())) for group, one in shares.items()}


def added_up(progresses: Sequence[Progress], at: datetime) -> tuple[TickShares, Movement]:
    """Add up deals as the answer about one adds up its activities and advances."""
    shares = TickShares.of((a.status(at), a.weight) for p in progresses for a in p.activities)
    return shares, movement_of(a for p in progresses for a in p.advances)


def test_deals_may_be_named_by_a_query(projecting: LogReader) -> None:
    deals: Deals[str] = Deals(
        sql.SQL("SELECT DISTINCT deal_id, %(all)s::text AS key FROM plans"), {"all": "all"}
    )
    teller = Teller(deal=DEALS[0])
    teller.tell(opened(), "2025-01-01")
    teller.tell(ticked("meet"), "2025-01-02")
    with projecting.connection() as connection, connection.transaction(force_rollback=True):
        project(connection, {DEALS[0]: teller.events}, steps=[2])

        shares = shares_of(connection, deals, as_of=2, at=START + DAY, cut=None)

    assert shares["all"].counts["pending"] == 1
    assert shares["all"].counts["not_ticked"] == 3


def test_a_status_is_the_same_in_sql_and_in_python(projecting: LogReader) -> None:
    days = [START + DAY * day for day in range(3)]
    with projecting.connection() as connection:
        query = sql.SQL(
            "SELECT {} FROM (SELECT %(expressible)s::boolean AS expressible,"
            " %(settles_at)s::timestamptz AS settles_at, %(reached_at)s::timestamptz AS reached_at,"
            " %(asserted_at)s::timestamptz AS asserted_at) AS tick"
        ).format(sql.SQL(STATUS_SQL))
        for case in product([True, False], days, [None, *days], [None, *days], days, [None, *days]):
            expressible, settles_at, reached_at, asserted_at, at, cut = case
            columns = {
                "expressible": expressible,
                "settles_at": settles_at,
                "reached_at": reached_at,
                "asserted_at": asserted_at,
            }
            moment = {"progress_at": at, "progress_cut": "infinity" if cut is None else cut}
            row = connection.execute(query, {**columns, **moment}).fetchone()
            tick = Tick(
                START, None, "meet", Decimal(1), expressible, settles_at, reached_at, asserted_at
            )
            assert row == (tick.status(at, cut),)
