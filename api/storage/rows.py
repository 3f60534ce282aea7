"""Reads rows of the log as events."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, LiteralString, TypeAlias

from pydantic import ValidationError

from api.storage.errors import UnreadableEventError
from api.storage.upcasts import UnknownTopicError, read_payload
from domain.events.base import DomainEvent
from domain.stamp import RecordedEvent, Source

Event: TypeAlias = RecordedEvent[DomainEvent]
Row: TypeAlias = tuple[Any, ...]

SELECT: Final[LiteralString] = (
    "SELECT event_id, stream_id, version, position, occurred_at, recorded_at, ingested_at, actor,"
    " on_behalf_of, channel, idempotency_key, correlation_id, caused_by, clock, source_system,"
    " external_id, external_stream, file_sha256, source_recorded_at, topic, data::text FROM events"
)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An event that this version cannot read: where it lies, and why."""

    stream_id: str
    position: int
    reason: str


def read_events(rows: Iterable[Row]) -> list[Event]:
    """The events of rows that were selected by `SELECT`.

    Raises:
        UnreadableEventError: naming the position of the first that cannot be read.
    """
    return [read_event(row) for row in rows]


def read_what_can_be(rows: Iterable[Row]) -> tuple[list[Event], list[Unreadable]]:
    """The events of rows that were selected by `SELECT`, and those that cannot be read."""
    events: list[Event] = []
    unreadable: list[Unreadable] = []
    for row in rows:
        try:
            events.append(read_event(row))
        except UnreadableEventError as error:
            unreadable.append(Unreadable(row[1], row[3], str(error)))
    return events, unreadable


def read_event(row: Row) -> Event:
    data = payload(row[19], row[20], row[3])
    source = None if row[14] is None else Source(*row[14:19])
    fields: Row = (*row[:8], data, *row[8:14], source)
    return RecordedEvent(*fields)


def payload(
    topic: str, data: str, position: int, *, read: Callable[[str, str], DomainEvent] = read_payload
) -> DomainEvent:
    """The payload of the event at a position.

    Raises:
        UnreadableEventError: it cannot be read.
    """
    try:
        return read(topic, data)
    except (UnknownTopicError, ValidationError) as error:
        message = f"the event at position {position} cannot be read: {error}"
        raise UnreadableEventError(message, position=position) from error
