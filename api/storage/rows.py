"""Reads rows of the log as events."""

from collections.abc import Iterable
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


def read_events(rows: Iterable[Row]) -> list[Event]:
    """The events of rows that were selected by `SELECT`.

    Raises:
        UnreadableEventError: naming the position of the first that cannot be read.
    """
    return [read_event(row) for row in rows]


def read_event(row: Row) -> Event:
    position: int = row[3]
    try:
        data = read_payload(row[19], row[20])
    except (UnknownTopicError, ValidationError) as error:
        message = f"the event at position {position} cannot be read: {error}"
        raise UnreadableEventError(message, position=position) from error
    source = None if row[14] is None else Source(*row[14:19])
    fields: Row = (*row[:8], data, *row[8:14], source)
    return RecordedEvent(*fields)
