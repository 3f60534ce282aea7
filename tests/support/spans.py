"""Logs as imports may bring them: late, amended and retracted events of several deals."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any, Final
from uuid import UUID, uuid5

import psycopg

from api.storage.connections import conninfo
from domain.events.base import DomainEvent
from domain.events.catalogue import TYPES_BY_NAME, parse
from domain.events.honesty import EventAmended, EventRetracted
from domain.known import Known
from domain.replay import Event, view
from domain.stamp import RecordedEvent, Source
from projections.batch import Batch, deal_of
from projections.facts import Rows
from projections.spans.clocks import TABLES
from projections.spans.fold import DealState, fold
from projections.spans.projection import SpansProjection
from tests.support.framing import ToldFrames
from tests.support.log import SCHEMA
from tests.support.postgres import PostgresServer
from tests.support.told import NAMESPACE

START: Final = datetime(2025, 3, 28, 20, tzinfo=UTC)
"""Clocks are put forward in the days that follow, in Europe."""
SLAB_POSITIONS: Final = 8
SLAB_TIME: Final = timedelta(days=2)
"""Slabs so small that a short log has many."""

_MONEY: Final = (("1000.00", "USD"), ("1000.0", "USD"), ("9.5", "USD"), ("990.50", "EUR"))
_ZONES: Final = ("Europe/Berlin", "America/New_York", "UTC", "Pacific/Auckland")
_PAUSES: Final = (0, 0, 60, 1800, 20_000, 70_000, 200_000)


def _money(chance: Random) -> dict[str, object]:
    amount, currency = chance.choice(_MONEY)
    return {"amount": amount, "currency": currency}


def _opened(chance: Random) -> dict[str, object]:
    return {
        "name": chance.choice(["Fleet renewal", "A \\ B", "Näher\u2028dran"]),
        "account": {"id": "acme", "name": "Acme", "segment": chance.choice(["smb", "ent"])},
        "owner": chance.choice(["ann", "bob"]),
        **({"amount": _money(chance)} if chance.random() < 0.7 else {}),
    }


_DATA: Final[Mapping[str, Callable[[Random], dict[str, object]]]] = {
    "deal_opened": _opened,
    "stage_entered": lambda c: {"stage": c.choice(["qualify", "propose"])},
    "amount_changed": lambda c: {"amount": _money(c)},
    "close_date_moved": lambda c: {"to": c.choice(["2025-06-30", "2025-07-15"])},
    "owner_changed": lambda c: {"owner": c.choice(["ann", "bob"])},
    "forecast_category_changed": lambda c: {"category": c.choice(["commit", "pipeline"])},
    "discount_offered": lambda c: {"percent": c.choice(["10", "10.0"])},
    "discount_withdrawn": lambda _: {},
    "deal_moved_to_process": lambda _: {
        "process": {"id": "linear", "version": 2},
        "mapping": {"qualify": "propose"},
    },
    "deal_won": lambda c: {"net": _money(c), "closed_on": "2025-04-01"},
    "deal_lost": lambda _: {},
    "deal_reopened": lambda _: {},
    "win_reversed": lambda _: {},
    "deal_deleted": lambda _: {},
    "activity_ticked": lambda _: {"activity": "demo"},
}
_WEIGHTS: Final = {
    "stage_entered": 5,
    "activity_ticked": 4,
    "amount_changed": 4,
    "deal_deleted": 0.3,
}


@dataclass(slots=True, eq=False)
class Log:
    """The events of a log in the order of positions.

    They are only added to, so that what was folded of those up to a position is kept: questions
    about every day and every scope ask for the same again.
    """

    events: list[Event]
    _states: dict[tuple[UUID, int, datetime | None], DealState | None] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    """By deal, how many events it had, and the instant."""
    _known: dict[int, Known] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def head(self) -> int:
        return len(self.events)

    def streams(self, upto: int) -> dict[UUID, list[Event]]:
        """Every deal as known at a position."""
        found: dict[UUID, list[Event]] = {}
        for event in self.events[:upto]:
            if deal_id := deal_of(event.stream_id):
                found.setdefault(deal_id, []).append(event)
        return found

    def states(self, upto: int, at: datetime | None = None) -> dict[UUID, DealState]:
        """What every deal is as known at a position and as true at an instant, by the fold."""
        found = {i: self._state(i, events, at) for i, events in self.streams(upto).items()}
        return {deal_id: state for deal_id, state in found.items() if state is not None}

    def _state(self, deal_id: UUID, events: list[Event], at: datetime | None) -> DealState | None:
        key = (deal_id, len(events), at)
        if key not in self._states:
            self._states[key] = fold(view(events, effective_at=at))
        return self._states[key]

    def known(self, upto: int) -> Known:
        upto = min(upto, self.head)
        if upto not in self._known:
            self._known[upto] = Known(e for e in self.events[:upto] if deal_of(e.stream_id) is None)
        return self._known[upto]


def random_log(chance: Random, *, size: int = 60, deals: int = 4) -> Log:
    """A log in which anything may come, in any order, that an import would store."""
    log = Log([])
    recorded = START
    for _ in range(size):
        recorded += timedelta(seconds=chance.choice(_PAUSES))
        if chance.random() < 0.04:
            _adopt(log, chance, recorded)
            continue
        deal_id = uuid5(NAMESPACE, f"deal {chance.randrange(deals)}")
        stream = [e for e in log.events if e.stream_id == f"deal:{deal_id}"]
        data = _said(chance, stream)
        _append(log, f"deal:{deal_id}", data, recorded, _occurred(chance, recorded, stream))
    return log


def _said(chance: Random, stream: Sequence[Event]) -> DomainEvent:
    if not stream and chance.random() < 0.9:
        return parse(TYPES_BY_NAME["deal_opened"], _opened(chance))
    if stream and chance.random() < 0.12:
        return _correction(chance, chance.choice(stream))
    if chance.random() < 0.04:
        # An import brings corrections in the order of its lines, perhaps before what they correct.
        to_come = event_id(stream[-1].position + chance.randint(1, 8) if stream else 1)
        return EventRetracted(event_id=to_come, reason="told wrongly")
    kinds = [kind for kind in _DATA if kind != "deal_opened" or chance.random() < 0.1]
    kind = chance.choices(kinds, [_WEIGHTS.get(kind, 1) for kind in kinds])[0]
    return parse(TYPES_BY_NAME[kind], _DATA[kind](chance))


def _correction(chance: Random, target: Event) -> DomainEvent:
    name = target.data.TOPIC.split(".")[1]
    about = {"event_id": str(target.event_id), "reason": "told wrongly"}
    if name in _DATA and (name == "deal_opened" or chance.random() < 0.5):
        return parse(EventAmended, {**about, "data": _DATA[name](chance)})
    return parse(EventRetracted, about)


def _occurred(chance: Random, recorded: datetime, stream: Sequence[Event]) -> datetime:
    """Mostly at once; else late, a little ahead, together with another, or as a slab begins."""
    match chance.randrange(12):
        case 0:
            return recorded - timedelta(seconds=chance.choice([3600, 100_000, 400_000]))
        case 1:
            return recorded + timedelta(minutes=5)
        case 2 if stream:
            return chance.choice(stream).occurred_at
        case 3:
            days = (recorded - datetime(1970, 1, 1, tzinfo=UTC)) // SLAB_TIME
            return datetime(1970, 1, 1, tzinfo=UTC) + days * SLAB_TIME
        case _:
            return recorded


def event_id(position: int) -> UUID:
    return uuid5(NAMESPACE, f"event {position}")


def _adopt(log: Log, chance: Random, recorded: datetime) -> None:
    zone = chance.choice(_ZONES)
    since = chance.choice([date(2000, 1, 1), date(2025, 3, 30), date(2025, 4, 2)])
    data = {
        "zone": zone,
        "kind": "months",
        "parameters": {"start_month": 2},
        "effective_from": since.isoformat(),
    }
    _append(log, "calendar", parse(TYPES_BY_NAME["calendar_adopted"], data), recorded, recorded)


def _append(
    log: Log, stream_id: str, data: DomainEvent, recorded: datetime, occurred: datetime
) -> None:
    position = log.head + 1
    log.events.append(
        RecordedEvent(
            event_id=event_id(position),
            stream_id=stream_id,
            version=1 + sum(event.stream_id == stream_id for event in log.events),
            position=position,
            occurred_at=occurred,
            recorded_at=recorded,
            ingested_at=recorded,
            actor="ann",
            data=data,
            channel="import",
            clock="source",
            source=Source("crm", f"line {position}", "D\\1") if position % 3 else None,
        )
    )


def tell(dsn: str, log: Log) -> None:
    """Put a log into an empty ledger, with the times it says."""
    with psycopg.connect(conninfo(dsn, schema=SCHEMA)) as connection:
        with connection.cursor().copy(
            "COPY events (position, stream_id, version, event_id, topic, occurred_at, recorded_at,"
            " ingested_at, actor, channel, caller, clock, source_system, external_id,"
            " external_stream, caused_by, data) FROM STDIN"
        ) as copy:
            for e in log.events:
                source = (
                    (e.source.system, e.source.external_id, e.source.stream) if e.source else ()
                )
                copy.write_row(
                    (e.position, e.stream_id, e.version, e.event_id, e.data.TOPIC, e.occurred_at)
                    + (e.recorded_at, e.recorded_at, e.actor, "import", "tests", "source")
                    + ((*source,) or (None, None, None))
                    + (e.caused_by, e.data.to_json().decode())
                )
        connection.execute(
            "UPDATE log_head SET position = %s, recorded_at = %s",
            (log.head, log.events[-1].recorded_at if log.events else START),
        )


def project(connection: Rows, log: Log, after: int, upto: int) -> None:
    """Let the projection follow a stretch of the log, in one transaction."""
    touched = {deal_of(event.stream_id) for event in log.events[after:upto]}
    streams = {i: events for i, events in log.streams(upto).items() if i in touched}
    frames = ToldFrames.of(log.events, log.known)
    with connection.transaction():
        SpansProjection().project(connection, Batch(after, upto, streams, frames))


def project_in_batches(connection: Rows, log: Log, chance: Random, *, most: int = 30) -> None:
    """Let the projection follow a whole log in stretches of any length."""
    after = 0
    while after < log.head:
        upto = min(log.head, after + chance.choice([1, 2, chance.randint(1, most)]))
        project(connection, log, after, upto)
        after = upto


def contents(connection: Rows) -> Mapping[str, list[str]]:
    """Everything that the projection holds."""
    found: dict[str, list[str]] = {}
    for table in TABLES:
        rows = connection.execute(f"SELECT row_to_json(t)::text FROM {table} t".encode())
        found[table] = sorted(row[0] for row in rows.fetchall())
    return found


def forget(connection: Rows) -> None:
    connection.execute(f"TRUNCATE {', '.join(TABLES)}".encode())


@contextmanager
def ledger_of(server: PostgresServer, log: Log) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    """A session in a ledger of its own that holds a log and no views."""
    with server.ledger(SCHEMA) as dsn:
        tell(dsn, log)
        with psycopg.connect(conninfo(dsn, schema=SCHEMA), autocommit=True) as connection:
            yield connection
