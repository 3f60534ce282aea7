"""Requests to the log, and what the log must always be."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final

import psycopg

from api.storage.connections import conninfo
from api.storage.event_store import EventStore
from api.storage.requests import Appended, AppendRequest, NewEvent, new_event_id
from domain.events.base import DomainEvent
from domain.events.catalogue import TYPES_BY_NAME, parse
from domain.stamp import Source

SCHEMA: Final = "ledger"
NOON: Final = datetime(2025, 3, 31, 12, tzinfo=UTC)
_KEYS: Final = itertools.count(1)


def said(name: str, /, **data: object) -> DomainEvent:
    """A payload by the name that the API uses."""
    return parse(TYPES_BY_NAME[name], data)


TICK: Final = said("activity_ticked", activity="demo")


def new_event(
    data: DomainEvent = TICK, *, occurred_at: datetime = NOON, source: Source | None = None
) -> NewEvent:
    return NewEvent(
        event_id=new_event_id(), data=data, occurred_at=occurred_at, actor="ana", source=source
    )


def ask(
    stream_id: str,
    *events: NewEvent,
    expected: int | None = None,
    key: str | None = None,
    caller: str = "tests",
    body_hash: str = "hash",
) -> AppendRequest:
    """A request for the given events, or for one tick."""
    return AppendRequest(
        stream_id=stream_id,
        events=events or (new_event(),),
        expected_version=expected,
        caller=caller,
        idempotency_key=key,
        body_hash=body_hash,
    )


def imported(system: str, external_id: str) -> NewEvent:
    return new_event(source=Source(system=system, external_id=external_id))


def appended(verdict: object) -> Appended:
    assert isinstance(verdict, Appended), verdict
    return verdict


@contextmanager
def session(dsn: str) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    """A plain session in the ledger's schema, past the storage."""
    with psycopg.connect(conninfo(dsn, schema=SCHEMA), autocommit=True) as connection:
        yield connection


def assert_gapless(store: EventStore) -> int:
    """Positions 1..n, versions 1..n in each stream, time never going back; gives n."""
    versions: dict[str, int] = {}
    position, told = 0, datetime.min.replace(tzinfo=UTC)
    for events in store.log(batch=1000):
        for event in events:
            position += 1
            assert event.position == position
            versions[event.stream_id] = versions.get(event.stream_id, 0) + 1
            assert event.version == versions[event.stream_id]
            assert event.recorded_at >= told
            told = event.recorded_at
    assert store.head().position == position
    return position


def fresh_key() -> str:
    return f"key-{next(_KEYS)}"
