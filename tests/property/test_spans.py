"""The states of deals on both clocks equal their folds, whatever the log brings.

Holds `docs/guarantees.md`: as-of questions are answered as they were then, at any position.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from random import Random
from uuid import UUID

import pytest

from api.storage.streams import told_since
from projections.facts import Rows
from projections.spans import clocks
from projections.spans.clocks import CLOCKS, HINDSIGHT, KNOWN, Clock, instant_of, micros
from projections.spans.days import Days, coordinates, days_between, last_slabs, zones
from projections.spans.fold import CORRECTIONS, TOPICS, DealState
from projections.spans.read import (
    KINDS,
    At,
    Difference,
    Kind,
    Outline,
    Step,
    all_deals,
    day_deltas,
    differences,
    happened_by,
    known_at,
    open_deals,
    states,
    steps,
    stood,
    totals,
)
from projections.spans.rebuild import fill, load
from tests.support.postgres import PostgresServer
from tests.support.spans import (
    SLAB_POSITIONS,
    SLAB_TIME,
    Log,
    contents,
    forget,
    ledger_of,
    project_in_batches,
    random_log,
)


@dataclass(frozen=True, slots=True)
class Projected:
    """A ledger whose views have followed a log, which all tests read and none changes."""

    connection: Rows
    log: Log
    seed: int


@pytest.fixture(scope="module", params=range(8))
def projected(
    postgres_server: PostgresServer, request: pytest.FixtureRequest
) -> Iterator[Projected]:
    with pytest.MonkeyPatch.context() as small:
        small.setattr(clocks, "SLAB_POSITIONS", SLAB_POSITIONS)
        small.setattr(clocks, "SLAB_TIME", SLAB_TIME)
        chance = Random(request.param)
        log = random_log(chance)
        with ledger_of(postgres_server, log) as connection:
            project_in_batches(connection, log, chance)
            yield Projected(connection, log, request.param)


def test_what_was_known_at_any_position_is_the_fold_of_its_prefix(projected: Projected) -> None:
    connection, log = projected.connection, projected.log
    for position in range(log.head + 1):
        at = known_at(position)
        assert_reads_as(connection, at, log.states(position))


def test_what_had_happened_by_any_instant_is_the_fold_of_the_view(projected: Projected) -> None:
    connection, log, chance = projected.connection, projected.log, Random(projected.seed)
    instants = {e.occurred_at for e in log.events} | {e.recorded_at for e in log.events}
    moments = {i + timedelta(microseconds=d) for i in instants for d in (-1, 0, 1)}
    far = max(moments) + 20 * SLAB_TIME
    for instant in (*sorted(chance.sample(sorted(moments), 40)), far):
        at = happened_by(connection, instant, views=log.head)
        assert_reads_as(connection, at, log.states(log.head, instant))


def assert_reads_as(connection: Rows, at: At, expected: dict[UUID, DealState]) -> None:
    def texts(found: dict[UUID, DealState]) -> dict[UUID, str]:
        return {deal_id: str(state) for deal_id, state in found.items()}

    every = stood(connection, all_deals(at))
    assert len(every) == len({row.deal_id for row in every})
    assert texts({row.deal_id: row.state for row in every}) == texts(expected)
    asked = states(connection, at, expected)
    assert texts({i: row.state for i, row in asked.items()}) == texts(expected)
    opened = {i: state for i, state in expected.items() if state.open}
    found = stood(connection, open_deals(at))
    assert texts({row.deal_id: row.state for row in found}) == texts(opened)


def test_the_rows_of_a_deal_neither_overlap_nor_leave_a_hole(projected: Projected) -> None:
    connection, log = projected.connection, projected.log
    for clock in CLOCKS:
        for rows in rows_by_deal(connection, clock).values():
            assert rows[-1][2] is None
            assert all(one[2] == other[1] for one, other in pairwise(rows))
            if clock is KNOWN:
                assert all(one[2] > one[1] for one in rows[:-1])
    assert set(rows_by_deal(connection, HINDSIGHT)) == set(log.states(log.head))


def rows_by_deal(connection: Rows, clock: Clock) -> dict[UUID, list[tuple[UUID, int, int]]]:
    rows = connection.execute(
        clock.statement("SELECT deal_id, {since}, {until} FROM {spans} ORDER BY {since}, {key}")
    ).fetchall()
    found: dict[UUID, list[tuple[UUID, int, int]]] = {}
    for row in rows:
        found.setdefault(row[0], []).append(row)
    return found


def test_live_in_any_batches_equals_rebuilt_in_any_parts(projected: Projected) -> None:
    connection, log = projected.connection, projected.log
    live = contents(connection)
    for parts in (1, 2):
        with connection.transaction(force_rollback=True):
            forget(connection)
            deals = sorted(log.streams(log.head).items())
            for part in range(parts):
                load(connection, dict(deals[part::parts]))
            for part in range(parts):
                with connection.transaction():
                    calendars = log.known(log.head).calendar
                    fill(connection, upto=log.head, calendars=calendars, part=part, parts=parts)
            assert contents(connection) == live


def test_slabs_are_the_rows_of_open_deals_cut_where_slabs_end(projected: Projected) -> None:
    connection, log = projected.connection, projected.log
    for clock in CLOCKS:
        (last,) = last_slabs(connection, clock, [log.head])
        rows = connection.execute(
            clock.statement(
                "SELECT deal_id, {since}, coalesce({until}, %s), {key}, ROW({state})::text"
                " FROM {spans} WHERE closed IS NULL AND NOT deleted"
            ),
            ((last + 1) * clock.width,),
        ).fetchall()
        cut = [
            (at // clock.width, deal, max(at, since), min(at + clock.width, until), *rest)
            for deal, since, until, *rest in rows
            for at in range(since - since % clock.width, until, clock.width)
            if since < until
        ]
        found = connection.execute(
            clock.statement(
                "SELECT slab, deal_id, {since}, {until}, since_position, ROW({state})::text"
                " FROM {slabs}"
            )
        ).fetchall()
        assert sorted(found) == sorted(cut)


def test_the_days_add_up_to_the_totals_at_the_end_of_each(projected: Projected) -> None:
    connection, log, chance = projected.connection, projected.log, Random(projected.seed)
    first, last = log.events[0].recorded_at, log.events[-1].recorded_at
    views = log.known(log.head).calendar
    for position in (log.head, chance.randint(1, log.head)):
        calendars = log.known(position).calendar
        at = log.events[position - 1].recorded_at
        days = days_between(calendars, first - timedelta(days=20), last)
        for upto in (known_at(position), happened_by(connection, at, views=log.head)):
            for owners in (None, ["ann", "bob"]):
                assert_days_add_up(connection, upto, days, owners)
    assert zones(views)


def assert_days_add_up(
    connection: Rows, upto: At, days: Days, owners: Sequence[str] | None
) -> None:
    starts = coordinates(connection, upto.clock, [*days.starts, days.end])
    deltas = day_deltas(connection, upto, days, owners=owners)
    running: Counter[tuple[str | None, ...]] = Counter()
    amounts: Counter[tuple[str | None, ...]] = Counter()
    for day, end in zip(days.days, starts[1:], strict=True):
        for one in (delta for delta in deltas if (delta.day, delta.zone) == day):
            key = (one.owner, one.stage, one.forecast_category, one.currency)
            running[key] += one.deals
            amounts[key] += one.amount  # type: ignore[assignment]  # a Counter of decimals
        at = At(upto.clock, min(end - 1, upto.coordinate))
        by: tuple[Kind, ...] = ("stage", "forecast_category", "currency")
        found = totals(connection, at, by=by if owners is None else KINDS, owners=owners)
        kinds = {(t.owner, t.stage, t.forecast_category, t.currency): t for t in found}
        assert {key: n for key, n in running.items() if n} == {k: t.deals for k, t in kinds.items()}
        assert {k: a for k, a in amounts.items() if a} == {
            k: t.amount for k, t in kinds.items() if t.amount
        }


def test_the_differences_of_two_places_are_those_of_the_folds(projected: Projected) -> None:
    connection, log, chance = projected.connection, projected.log, Random(projected.seed)
    for _ in range(12):
        one, other = sorted(chance.sample(range(log.head + 1), 2))
        found = differences(connection, known_at(one), known_at(other))
        assert_differ(found, log.states(one), log.states(other))
        early, late = sorted(e.occurred_at for e in chance.sample(log.events, 2))
        found = differences(
            connection,
            happened_by(connection, early, views=log.head),
            happened_by(connection, late, views=log.head),
        )
        assert_differ(found, log.states(log.head, early), log.states(log.head, late))


def assert_differ(
    found: Sequence[Difference], before: dict[UUID, DealState], after: dict[UUID, DealState]
) -> None:
    assert {one.deal_id: (one.before, one.after) for one in found} == {
        deal_id: (outline(before.get(deal_id)), outline(state))
        for deal_id, state in after.items()
        if outline(before.get(deal_id)) != outline(state)
    }


def outline(state: DealState | None) -> Outline | None:
    return state and Outline(*(getattr(state, name) for name in Outline._fields))


def test_the_steps_between_two_places_lead_from_one_to_the_other(projected: Projected) -> None:
    connection, log, chance = projected.connection, projected.log, Random(projected.seed)
    for _ in range(6):
        one, other = sorted(chance.sample(range(log.head + 1), 2))
        found = steps(connection, KNOWN, after=one, upto=other)
        assert all(one < step.position == step.coordinate <= other for step in found)
        assert_lead(found, log.states(one), log.states(other))
        early, late = sorted(e.occurred_at for e in chance.sample(log.events, 2))
        found = steps(connection, HINDSIGHT, after=micros(early), upto=micros(late))
        assert [instant_of(s.coordinate) for s in found] == [
            log.events[s.position - 1].occurred_at for s in found
        ]
        assert_lead(found, log.states(log.head, early), log.states(log.head, late))


def assert_lead(
    found: Sequence[Step], before: dict[UUID, DealState], after: dict[UUID, DealState]
) -> None:
    states = dict(before)
    for step in found:
        assert str(states.get(step.deal_id)) == str(step.before)
        assert str(step.before) != str(step.after)
        states[step.deal_id] = step.after
    assert {i: str(state) for i, state in states.items()} == {
        i: str(state) for i, state in after.items()
    }


def test_what_was_told_since_names_every_deal_that_reads_otherwise_now(
    projected: Projected,
) -> None:
    connection, log, chance = projected.connection, projected.log, Random(projected.seed)
    for _ in range(12):
        position, instant = chance.randint(0, log.head), chance.choice(log.events).occurred_at
        then, now = log.states(position, instant), log.states(log.head, instant)
        told = told_since(
            connection,
            topics=TOPICS,
            whole=CORRECTIONS,
            after=position,
            upto=log.head,
            occurred_by=instant,
        )
        assert {i for i in now if str(now[i]) != str(then.get(i))} <= set(told)
