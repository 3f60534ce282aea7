"""Random logs around a quarter: deals of people who change teams, told late and corrected."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final, TypeAlias
from uuid import UUID, uuid5

from api.bootstrap import Ledger
from domain.events.base import DomainEvent
from domain.events.catalogue import TYPES_BY_NAME, parse
from domain.replay import Event
from domain.stamp import RecordedEvent
from tests.support.log import SCHEMA
from tests.support.postgres import PostgresServer
from tests.support.roles import under_roles
from tests.support.spans import Log, tell
from tests.support.told import NAMESPACE

START: Final = datetime(2024, 12, 20, 9, tzinfo=UTC)
REPS: Final = ("ann", "bob", "cyd")
TEAMS: Final = ("north", "south")
CATEGORIES: Final = ("commit", "best_case", "pipeline")
_DATES: Final = ("2024-12-30", "2025-01-15", "2025-02-28", "2025-03-31", "2025-04-01", "2025-07-15")
_PAUSES: Final = (0, 30, 3_600, 40_000, 90_000, 200_000)


Told: TypeAlias = tuple[str, dict[str, Any]]
"""An event: its type and its data."""
Streamed: TypeAlias = tuple[str, Told]
Said: TypeAlias = Callable[[Random], dict[str, Any]]


def money(chance: Random) -> dict[str, str]:
    return {
        "amount": chance.choice(["1000.00", "2500.50", "990.10"]),
        "currency": chance.choice(["USD", "USD", "EUR"]),
    }


def _opened(chance: Random) -> dict[str, object]:
    return {
        "name": chance.choice(["Fleet renewal", "Line 4"]),
        "account": {"id": "acme", "name": "Acme"},
        "owner": chance.choice(REPS),
        **({"amount": money(chance)} if chance.random() < 0.8 else {}),
        **({"close_date": chance.choice(_DATES)} if chance.random() < 0.8 else {}),
    }


DATA: Final[dict[str, Said]] = {
    "stage_entered": lambda c: {"stage": c.choice(["qualify", "propose"])},
    "amount_changed": lambda c: {"amount": money(c)},
    "close_date_moved": lambda c: {"to": c.choice(_DATES)},
    "owner_changed": lambda c: {"owner": c.choice(REPS)},
    "forecast_category_changed": lambda c: {"category": c.choice(CATEGORIES)},
    "deal_won": lambda c: {"net": money(c), "closed_on": "2025-02-01"},
    "deal_lost": lambda _: {},
    "deal_disqualified": lambda _: {},
    "deal_reopened": lambda _: {},
    "win_reversed": lambda _: {},
    "deal_deleted": lambda _: {},
    "activity_ticked": lambda _: {"activity": "meet-decision-makers"},
    "discount_offered": lambda c: {"percent": c.choice(["10", "12.5"])},
}
_WEIGHTS: Final[Mapping[str, float]] = {
    "close_date_moved": 5,
    "owner_changed": 3,
    "amount_changed": 3,
    "deal_deleted": 0.2,
}


def membership(chance: Random, _: Log) -> Streamed:
    """Somebody joins a team, or leaves theirs."""
    rep = chance.choice(REPS)
    joined = {"rep": rep, "team": chance.choice(TEAMS), "role": "rep"}
    if chance.random() < 0.2:
        return "organisation", ("member_left", {"rep": rep})
    return "organisation", ("member_joined", joined)


def quarter_log(
    chance: Random,
    *,
    size: int = 150,
    deals: int = 8,
    pace: float = 1,
    kinds: Mapping[str, Said] = DATA,
    weights: Mapping[str, float] = _WEIGHTS,
    around: Callable[[Random, Log], Streamed] = membership,
    around_share: float = 0.1,
    late: float = 0.2,
    actors: Sequence[str] = ("ann",),
) -> Log:
    """A log from before FY2025Q1 until after it, in the built-in calendar.

    `kinds` are what deals are told, each as often as `weights` says or else once, and `around`
    makes what the organisation is told,
    which is that share of the log; `late` is the share told some hours or weeks
    afterwards, and `actors` take turns.
    """
    log = Log([])
    recorded = START
    for _ in range(size):
        recorded += timedelta(seconds=chance.choice(_PAUSES)) / pace
        if chance.random() < around_share:
            stream, told = around(chance, log)
        else:
            stream = f"deal:{uuid5(NAMESPACE, f'deal {chance.randrange(deals)}')}"
            own = [event for event in log.events if event.stream_id == stream]
            told = _said(chance, own, kinds, weights)
        occurred = _when(chance, recorded, late)
        append(log, stream, told, recorded, occurred, actor=actors[log.head % len(actors)])
    return log


def _said(
    chance: Random, own: list[Event], kinds: Mapping[str, Said], weights: Mapping[str, float]
) -> Told:
    if not own:
        return "deal_opened", _opened(chance)
    if chance.random() < 0.1:
        target = chance.choice(own)
        name = target.data.TOPIC.split(".")[1]
        about = {"event_id": str(target.event_id), "reason": "told wrongly"}
        if name in kinds and chance.random() < 0.5:
            return "event_amended", {**about, "data": kinds[name](chance)}
        if name != "deal_opened":
            return "event_retracted", about
    kind = chance.choices(list(kinds), [weights.get(name, 1) for name in kinds])[0]
    return kind, kinds[kind](chance)


def _when(chance: Random, recorded: datetime, late: float) -> datetime:
    if chance.random() < late:
        return recorded - timedelta(hours=chance.choice([1, 30, 300, 900]))
    return recorded


def append(
    log: Log,
    stream: str,
    told: Told,
    recorded: datetime,
    occurred: datetime,
    *,
    actor: str = "ann",
    caused_by: UUID | None = None,
) -> UUID:
    """Put an event at the end of a log, and give its id."""
    kind, data = told
    position = log.head + 1
    payload: DomainEvent = parse(TYPES_BY_NAME[kind], data)
    event = RecordedEvent(
        event_id=uuid5(NAMESPACE, f"event {position}"),
        stream_id=stream,
        version=1 + sum(event.stream_id == stream for event in log.events),
        position=position,
        occurred_at=occurred,
        recorded_at=recorded,
        ingested_at=recorded,
        actor=actor,
        caused_by=caused_by,
        data=payload,
    )
    log.events.append(event)
    return event.event_id


@contextmanager
def ledger_with(server: PostgresServer, log: Log) -> Iterator[Ledger]:
    """A ledger of its own that holds a log, with its views brought up."""
    with server.ledger(SCHEMA) as dsn:
        tell(dsn, log)
        with under_roles(dsn, schema=SCHEMA) as ledger:
            ledger.worker.catch_up()
            yield ledger


def deal_ids(log: Log) -> set[UUID]:
    return set(log.streams(log.head))
