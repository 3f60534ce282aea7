"""An event re-derives the verdicts that rest on what it changed, and no others.

METRICS section 7. Holds `docs/guarantees.md`: the same question about the same instants gives the
same answer.
"""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from random import Random
from typing import Final
from uuid import UUID

import psycopg
import pytest

from api.context import REFRAMING_TOPICS
from api.storage.connections import conninfo
from projections.attainment.projection import attainment_projection, ledger
from projections.batch import DEAL_PREFIX, deal_of
from projections.facts import Rows
from projections.pressure.baseline import Question
from projections.pressure.context import ACTS, KnownContext
from projections.pressure.dirty import Reason, Rederived, rederived
from projections.pressure.projection import pressure_projection
from projections.pressure.verdicts import verdicts
from tests.support.many_deals import DEALS, NUMBERS, Log, Telling, log_of, published
from tests.support.postgres import PostgresServer
from tests.support.told import usd

SCHEMA = "dealtrail"


@pytest.fixture(scope="module")
def rows(postgres_server: PostgresServer) -> Iterator[Rows]:
    """A connection to an empty ledger."""
    with (
        postgres_server.ledger(SCHEMA) as dsn,
        psycopg.connect(conninfo(dsn, schema=SCHEMA), autocommit=True) as connection,
    ):
        yield connection


def busy_log(chance: Random) -> Log:
    """Deals of one rep that bear on each other: late wins, offers, moves and quotas."""
    deals = [f"{DEAL_PREFIX}{deal_id}" for deal_id in DEALS]
    tellings = [
        *BEGUN,
        *(Telling(deal, "deal_opened", OPENED) for deal in deals),
    ]
    for _ in range(110):
        stream, kind, data = chance.choice(deals), *chance.choice(SAID)
        if kind == "quota_revised":
            stream, data = "quota:ann:FY2025Q1", {"amount": usd(chance.choice(AMOUNTS))}
        tellings.append(
            Telling(
                stream,
                kind,
                data,
                after=timedelta(days=chance.choice([0.1, 0.5, 1, 2])),
                lag=timedelta(days=chance.choice([0, 0, 0, 3, 12])),
                points_at=chance.randrange(10),
            )
        )
    return log_of(tellings)


OPENED: Final[dict[str, object]] = {
    "name": "Fleet",
    "account": {"id": "a", "name": "A", "segment": "big"},
    "owner": "ann",
    "process": {"id": "linear", "version": 1},
}
BEGUN: Final = [
    Telling("policy", "policy_published", {"version": 1, "numbers": NUMBERS}),
    Telling("process:linear", "process_published", published(1)),
    Telling(
        "quota:ann:FY2025Q1",
        "quota_assigned",
        {"rep": "ann", "quarter": "FY2025Q1", "amount": usd("1000")},
    ),
]
AMOUNTS: Final = ("200", "900", "4000")
SAID: Final[list[tuple[str, dict[str, object]]]] = [
    ("discount_offered", {"percent": "5"}),
    ("discount_offered", {"percent": "10"}),
    ("discount_offered", {"percent": "40"}),
    ("stage_entered", {"stage": "qualify"}),
    ("stage_entered", {"stage": "discover"}),
    ("stage_entered", {"stage": "propose"}),
    ("deal_won", {"net": usd("400"), "closed_on": date(2025, 2, 20)}),
    ("win_reversed", {}),
    ("quota_revised", {}),
    ("quota_revised", {}),
    ("event_retracted", {}),
    ("event_amended", {}),
    ("customer_request_received", {"topic": "discount", "level": 3}),
]


def test_what_an_event_re_derives_is_all_that_changes_and_rests_on_it(rows: Rows) -> None:
    turned: set[Reason] = set()
    for seed in range(8):
        log = busy_log(Random(seed))
        with rows.transaction(force_rollback=True):
            for batch in log.batches(lambda: 50):
                attainment_projection().project(rows, batch)
                pressure_projection().project(rows, batch)
            contexts = contexts_of(rows, log)
            every = [{v.event_id: v.verdict for v in verdicts(context)} for context in contexts]
            for event in log.events:
                if event.data.TOPIC not in REFRAMING_TOPICS:
                    at, deal_id = event.position, deal_of(event.stream_id)
                    found = rederived(contexts.__getitem__, at, deal_id)
                    assert_rests(contexts[at - 1], contexts[at], deal_id, found)
                    was, now = every[at - 1], every[at]
                    changed = {key for key in {*was, *now} if was.get(key) != now.get(key)}
                    assert changed == {one.event_id for one in found if one.changed}
                    turned |= {w for one in found if one.changed for w in one.reasons}
    assert turned >= {"deal", "bookings", "quota", "offers"}


def test_a_stay_that_is_taken_back_re_derives_the_rush_that_was_held_against_it(
    rows: Rows,
) -> None:
    rushed, first, second = (f"{DEAL_PREFIX}{deal_id}" for deal_id in DEALS)
    days = timedelta(days=1)

    def entered(stream: str, stage: str, after: timedelta) -> Telling:
        return Telling(stream, "stage_entered", {"stage": stage}, after=after)

    log = log_of(
        [
            *BEGUN,
            *(Telling(deal, "deal_opened", OPENED) for deal in (rushed, first, second)),
            *(entered(deal, "qualify", 0 * days) for deal in (first, second)),
            *(entered(deal, "discover", 5 * days) for deal in (first, second)),
            entered(rushed, "qualify", 10 * days),
            entered(rushed, "discover", days),
            Telling(second, "event_retracted", {}, after=days, points_at=0),
        ]
    )
    with rows.transaction(force_rollback=True):
        for batch in log.batches(lambda: 50):
            attainment_projection().project(rows, batch)
            pressure_projection().project(rows, batch)

        found = rederived(contexts_of(rows, log).__getitem__, log.head, DEALS[2])

    (one,) = [one for one in found if one.deal_id == DEALS[0]]
    assert one.reasons == ("stays",)
    assert one.before is not None
    assert one.after is not None
    assert (one.before.verdict, one.after.verdict) == ("pressure_shaped", "not_evaluable")


def contexts_of(rows: Rows, log: Log) -> list[KnownContext]:
    """Give what is known at each position of a log."""
    return [
        KnownContext(rows, known=log.known(at), as_of=at, at=log.instants[-1], ledger=ledger)
        for at in range(log.head + 1)
    ]


def assert_rests(
    before: KnownContext, after: KnownContext, deal_id: UUID | None, found: Sequence[Rederived]
) -> None:
    """Hold that nothing is re-derived in vain."""
    for one in found:
        assert one.reasons
        assert one.deal_id == deal_id or rests_on_what_changed(before, after, one)


def rests_on_what_changed(before: KnownContext, after: KnownContext, one: Rederived) -> bool:
    """Say whether anything that the verdict is made from reads otherwise than before."""
    return from_others(before, one.event_id) != from_others(after, one.event_id)


def from_others(context: KnownContext, event_id: UUID) -> object:
    """Give all that the verdict of an act takes from beyond its own deal."""
    known = ACTS.known(
        context.connection, as_of=context.as_of, where="event_id = %s", params=(event_id,)
    )
    if not known:
        return None
    ((deal_id, act),) = known
    question = Question(deal_id, act.rep, act.segment, act.action_time)
    quarter = act.quarter or ""
    dwell = context.dwell(act.process or "", act.left_stage or "", deal_id, act.occurred_at)
    return (
        context.quota(act.rep, quarter, act.action_time),
        context.booked(act.rep, quarter, "USD").before(act.action_time),
        context.wins(act.rep, quarter, act.action_time),
        [context.comparables.peers(m, question, context.policy) for m in ("level", "step")],
        (dwell.n, dwell.shortest_normal()) if dwell else None,
    )
