"""The verdicts of many acts, judged from stored facts, equal those folded from each deal's stream.

Holds `docs/guarantees.md`: the same question about the same instants gives the same answer.
"""

import random
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import get_args
from uuid import UUID, uuid5

import psycopg
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from psycopg import sql

from api.query.fields import RULES
from api.storage.connections import conninfo
from domain.bookings import Booking
from domain.events.life import DealOpened, DealWon
from domain.policy import Policy, policy_from
from domain.replay import Event, view
from projections.attainment.fold import credits_of
from projections.attainment.projection import attainment_projection, ledger
from projections.batch import DEAL_PREFIX
from projections.facts import Rows
from projections.pressure.baseline import Peers
from projections.pressure.candidates import may_be, may_hold
from projections.pressure.context import ACTS, STAYS, KnownContext, RepQuarter
from projections.pressure.derive import derive_acts, derive_stays
from projections.pressure.fold import Judged, Judgement, Verdict, fold
from projections.pressure.others import Reading
from projections.pressure.projection import pressure_projection
from projections.pressure.recording import Coverage
from projections.pressure.rules import Finding, level, rush, step
from projections.pressure.stays import StaysIn
from projections.pressure.verdicts import (
    Counts,
    counts_by_deal,
    counts_by_rep,
    judgements,
    told,
    verdicts,
)
from tests.support.many_deals import DEALS, LOGS, REPS, START, Log, Telling, log_of
from tests.support.postgres import PostgresServer
from tests.support.told import NAMESPACE, usd

Chance = random.Random
CHANCES = st.randoms(use_true_random=False)
SCHEMA = "dealtrail"
END = datetime(2026, 1, 1, tzinfo=UTC)
"""After everything that a log tells."""
OPENED: dict[str, object] = {
    "name": "Fleet",
    "account": {"id": "a", "name": "A"},
    "owner": "ann",
}
WON: dict[str, object] = {"net": usd("300"), "closed_on": START.date()}
WON_TWICE = log_of(
    [
        Telling(f"{DEAL_PREFIX}{DEALS[0]}", "deal_opened", OPENED),
        Telling(f"{DEAL_PREFIX}{DEALS[0]}", "deal_won", WON),
        Telling(f"{DEAL_PREFIX}{DEALS[0]}", "deal_won", WON),
        Telling(f"{DEAL_PREFIX}{DEALS[0]}", "win_reversed", {}),
    ]
)
"""One event takes two equal wins back, as imports may tell of them."""


@pytest.fixture(scope="module")
def rows(postgres_server: PostgresServer) -> Iterator[Rows]:
    """A connection to an empty ledger."""
    with (
        postgres_server.ledger(SCHEMA) as dsn,
        psycopg.connect(conninfo(dsn, schema=SCHEMA), autocommit=True) as connection,
    ):
        yield connection


@contextmanager
def followed(rows: Rows, log: Log, sizes: Callable[[], int]) -> Iterator[None]:
    """Keep a log and its facts for as long as they are asked about."""
    with rows.transaction(force_rollback=True):
        keep(rows, log)
        for batch in log.batches(sizes):
            attainment_projection().project(rows, batch)
            pressure_projection().project(rows, batch)
        yield


def keep(rows: Rows, log: Log) -> None:
    """Store the events of a log, as far as questions look at them beside the facts."""
    columns = "position, stream_id, version, event_id, topic, occurred_at, recorded_at"
    copied = f"COPY events ({columns}, ingested_at, actor, channel, caller, clock, data) FROM STDIN"
    with rows.cursor() as cursor, cursor.copy(copied.encode()) as copy:
        for version, event in enumerate(log.events, start=1):
            told = (event.data.TOPIC, event.occurred_at, event.recorded_at, event.recorded_at)
            place = (event.position, event.stream_id, version, event.event_id)
            copy.write_row((*place, *told, event.actor, "api", event.actor, "server", "{}"))


def context_at(
    rows: Rows,
    log: Log,
    position: int,
    *,
    at: datetime | None = None,
    gate: str | None = None,
    policy: Policy | None = None,
) -> KnownContext:
    """Give the context at a position, hiding what occurred after an instant.

    `gate` is what the policy asks of recording; `policy` another one that is supposed.
    """
    known = log.known(position)
    if gate is not None:
        known = known.under(known.policy.model_copy(update={"coverage_gate": Decimal(gate)}))
    if policy is not None:
        known = known.under(policy)
    reading = Reading(lambda ids, upto: {i: log.streams(upto)[i] for i in ids}, at)
    return KnownContext(
        rows, known=known, as_of=position, at=at or END, ledger=ledger, reading=reading
    )


def folded(
    context: KnownContext, log: Log, position: int, cut: datetime | None
) -> dict[UUID, list[Judged]]:
    """Judge each deal by itself, from its stream."""
    found = {}
    for deal_id, stream in log.streams(position).items():
        events = view(stream, effective_at=cut)
        found[deal_id] = fold(deal_id, events, context.known.processes(events), context)
    return found


def unplaced(judged: Sequence[Judged]) -> list[Judged]:
    """Give judgements without the places of their events in the log, which another log numbers."""
    return [replace(one, event=replace(one.event, position=0)) for one in judged]


def counted(judged: Sequence[Judged]) -> Counts:
    found = [one.verdict for one in judged]
    return Counts(
        shaped=found.count("pressure_shaped"),
        consistent=found.count("pressure_consistent"),
        evaluable=len(found) - found.count("not_evaluable"),
    )


@settings(max_examples=20, deadline=None)
@given(log=LOGS, chance=CHANCES)
def test_the_facts_of_any_position_are_those_of_the_prefix(
    rows: Rows, log: Log, chance: Chance
) -> None:
    with followed(rows, log, lambda: chance.randint(1, 12)):
        for position in range(0, log.head + 1, 7):
            known = log.known(position)
            acts, stays = set(), set()
            for deal_id, stream in log.streams(position).items():
                acts |= {(deal_id, act) for act in derive_acts(view(stream), known)}
                stays |= {(deal_id, stay) for stay in derive_stays(view(stream), known)}

            assert set(ACTS.known(rows, as_of=position)) == acts
            assert set(STAYS.known(rows, as_of=position)) == stays


@settings(max_examples=30, deadline=None)
@given(log=LOGS, chance=CHANCES)
def test_what_is_answered_from_facts_is_what_the_streams_say(
    rows: Rows, log: Log, chance: Chance
) -> None:
    # To keep a log takes longer than most questions, so that each log is asked all of them.
    with followed(rows, log, lambda: chance.randint(1, 40)):
        for position in (log.head, chance.randint(0, log.head)):
            for at in (None, chance.choice(log.instants)):
                gate = chance.choice([None, "0.5", "1"])
                ensure_same_verdicts(rows, log, position, at, gate)
        ensure_same_counts_of_quarters(rows, log, position, at)
        ensure_same_coverage(rows, log)


def ensure_same_verdicts(
    rows: Rows, log: Log, position: int, at: datetime | None, gate: str | None
) -> None:
    one, other, third = (context_at(rows, log, position, at=at, gate=gate) for _ in range(3))
    expected = folded(one, log, position, at)

    found = verdicts(other)
    by_deal = counts_by_deal(third, expected)

    assert set(found) == {one for d, all_ in expected.items() for one in told(d, all_)}
    assert len(found) == sum(map(len, expected.values()))
    assert by_deal == {deal_id: counted(all_) for deal_id, all_ in expected.items()}


def ensure_same_counts_of_quarters(
    rows: Rows, log: Log, position: int, at: datetime | None
) -> None:
    """Hold the counts of a quarter, and its verdicts alone, against those of all acts."""
    context = context_at(rows, log, position, at=at)
    judged = [one for all_ in folded(context, log, position, at).values() for one in all_]
    for quarter in ("FY2025Q1", "FY2025Q2", "FY2026Q1"):
        of_quarter = [j for j in judged if j.quarter and j.quarter.name == quarter]
        reps = sorted({j.event.rep for j in of_quarter})

        found = counts_by_rep(context, quarter)
        some = verdicts(context, where="quarter = %s", params=(quarter,))

        expected = {rep: counted([j for j in of_quarter if j.event.rep == rep]) for rep in reps}
        assert list(found.items()) == list(expected.items())
        assert {one.event_id for one in some} == {j.event.event_id for j in of_quarter}


def ensure_same_coverage(rows: Rows, log: Log) -> None:
    """Hold coverage against the causes that events had at an instant."""
    known, streams = log.known(log.head), log.streams(log.head).values()
    for at in log.instants[::3]:
        seen = [a for s in streams for a in derive_acts(view(s, effective_at=at), known)]
        judged = [act for act in seen if act.outside and act.action_time <= at]
        expected = Coverage(sum(act.cause != "seller_only" for act in judged), len(judged))

        assert context_at(rows, log, log.head, at=at).coverage("ann") == expected


@settings(max_examples=30, deadline=None)
@given(log=LOGS, chance=CHANCES)
def test_what_was_judged_so_is_found_among_the_acts_that_may_be(
    rows: Rows, log: Log, chance: Chance
) -> None:
    position = chance.randint(log.head // 2, log.head)
    with followed(rows, log, lambda: 40):
        for at in (None, chance.choice(log.instants)):
            gate = chance.choice([None, "0.5", "1"])
            context = context_at(rows, log, position, at=at, gate=gate)
            judged = judgements(context, rules=True)
            policy = context.policy

            unsettled = {
                act.event_id
                for _, act in ACTS.known(rows, as_of=position)
                if at and act.unsettled_until and act.unsettled_until > at
            }

            for verdict in get_args(Verdict):
                found = {j.act.event_id for j in judged if j.verdict == verdict} | unsettled
                assert found <= acts_where(rows, position, may_be([verdict], policy, at))
            for rule in RULES:
                found = {
                    j.act.event_id
                    for j in judged
                    if any(one.holds and one.rule == rule for one in [*j.findings, *at_worst(j)])
                } | unsettled
                assert found <= acts_where(rows, position, may_hold([rule], policy, at))


LONG_STAYS = StaysIn.of(
    (uuid5(NAMESPACE, f"long {number}"), datetime(1970, 1, 1, tzinfo=UTC), END - timedelta(days=1))
    for number in range(100)
)


def at_worst(judgement: Judgement) -> Iterator[Finding]:
    """Give what rules would find of an act among others to which it is far from normal."""
    act, policy = judgement.act, judgement.context.policy
    if act.kind == "stage_entered":
        yield rush(act, lambda: LONG_STAYS.dwell(judgement.deal_id, END, Policy()))
    if act.depth is not None:
        peers = Peers("rep", (Decimal(0),) * 100, Decimal(0))
        yield level(act.depth, act.previous, peers, policy)
        if (found := step(act.depth, act.previous, peers, policy)) is not None:
            yield found


def acts_where(rows: Rows, position: int, condition: sql.Composed) -> set[UUID]:
    """Give the events of the acts known at a position that a condition holds for."""
    statement = sql.SQL(
        "SELECT event_id FROM acts a WHERE ({}) AND from_position <= %(at)s"
        " AND (until_position IS NULL OR until_position > %(at)s)"
    ).format(condition)
    return {event_id for (event_id,) in rows.execute(statement, {"at": position}).fetchall()}


@settings(max_examples=10, deadline=None)
@given(log=LOGS)
@example(log=WON_TWICE)
def test_bookings_are_read_once_for_all_and_are_those_of_each_rep_and_quarter(
    rows: Rows, log: Log
) -> None:
    quarters = ("FY2024Q4", "FY2025Q1", "FY2025Q2", "FY2026Q1")
    wanted = [(rep, quarter) for rep in REPS for quarter in quarters]
    credited: dict[RepQuarter, list[tuple[datetime, UUID, Decimal]]] = {key: [] for key in wanted}
    for stream in log.streams(log.head).values():
        for credit in credits_of(view(stream), log.known(log.head).calendar):
            if (key := (credit.rep, credit.quarter or "")) in credited:
                credited[key].append((credit.occurred_at, credit.event_id, credit.amount))

    with followed(rows, log, lambda: 40):
        found = ledger(rows, wanted, log.head)
        alone = {key: list(ledger(rows, [key], log.head).get(key, ())) for key in wanted}
        ensure_read_once(rows, log)

    assert {key: found.get(key, []) for key in wanted} == alone
    assert {
        key: [(b.occurred_at, b.event_id, b.amount.amount) for b in booked]
        for key, booked in alone.items()
    } == {key: sorted(booked) for key, booked in credited.items()}


def ensure_read_once(rows: Rows, log: Log) -> None:
    asked: list[Collection[RepQuarter]] = []

    def counting(
        connection: Rows, wanted: Collection[RepQuarter], as_of: int
    ) -> Mapping[RepQuarter, Sequence[Booking]]:
        asked.append(wanted)
        return ledger(connection, wanted, as_of)

    known = log.known(log.head)
    verdicts(KnownContext(rows, known=known, as_of=log.head, at=END, ledger=counting))

    assert len(asked) <= 1


@settings(max_examples=30, deadline=None)
@given(log=LOGS, chance=CHANCES)
def test_another_policy_says_of_old_facts_what_it_says_of_its_own(
    rows: Rows, log: Log, chance: Chance
) -> None:
    numbers: dict[str, object] = {
        **log.known(log.head).policy.model_dump(mode="json", exclude={"version", "coverage_gate"}),
        "window_days": chance.choice([10, 40, 55, 70]),
        "opening_days": chance.choice([0, 10]),
        "lookback_days": chance.choice([0, 1, 3, 7, 30]),
        "late_explanation_hours": chance.choice([1, 48, 300]),
        "coverage_gate": chance.choice([None, "0.5"]),
    }
    published = log.and_then(
        Telling("policy", "policy_published", {"version": 9, "numbers": numbers})
    )
    at = chance.choice([None, *log.instants])
    with followed(rows, published, lambda: 40):
        supposing = context_at(rows, log, log.head, at=at, policy=policy_from(9, numbers))
        found = folded(supposing, log, log.head, at)
        coverage = [supposing.coverage(rep) for rep in (*REPS, None)]
        own = context_at(rows, published, published.head, at=at)
        expected = folded(own, published, published.head, at)

        assert found == expected
        assert coverage == [own.coverage(rep) for rep in (*REPS, None)]


@settings(max_examples=30, deadline=None)
@given(log=LOGS, chance=CHANCES)
def test_hindsight_compares_with_what_a_ledger_holds_that_was_told_no_more(
    rows: Rows, log: Log, chance: Chance
) -> None:
    at = chance.choice(log.instants)
    # No ledger takes a win dated before its deal was opened. It is credited to whom the deal was
    # opened with, of which a ledger that was not told of the opening knows nothing.
    assume(not any(won_unopened(view(s), at) for s in log.streams(log.head).values()))
    hidden = log.hiding(at)
    gate = chance.choice([None, "0.5", "1"])
    with followed(rows, log, lambda: 40):
        looking_back = context_at(rows, log, log.head, at=at, gate=gate)
        found = folded(looking_back, log, log.head, at)
        coverage = [looking_back.coverage(rep) for rep in (*REPS, None)]
    with followed(rows, hidden, lambda: 40):
        then = context_at(rows, hidden, hidden.head, at=at, gate=gate)
        expected = folded(then, hidden, hidden.head, None)

        assert {deal: unplaced(judged) for deal, judged in expected.items()} == {
            deal: unplaced(judged) for deal, judged in found.items() if deal in expected
        }
        assert all(not judged for deal, judged in found.items() if deal not in expected)
        assert coverage == [then.coverage(rep) for rep in (*REPS, None)]


def won_unopened(events: Sequence[Event], at: datetime) -> bool:
    """Say whether a deal had been won by an instant, and was opened after it."""
    opened = [e.occurred_at for e in events if isinstance(e.data, DealOpened)]
    won = [e.occurred_at for e in events if isinstance(e.data, DealWon)]
    return any(first <= at for first in won) and any(first > at for first in opened)


def test_deals_without_acts_are_counted_as_nothing(rows: Rows) -> None:
    context = context_at(rows, Log([]), 0)

    assert counts_by_deal(context, DEALS) == dict.fromkeys(DEALS, Counts(0, 0, 0))
    assert verdicts(context) == []
