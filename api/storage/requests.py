"""What is asked of the log and what it answers."""

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from uuid_utils.compat import uuid7

from domain.events.base import DomainEvent
from domain.replay import Event
from domain.stamp import Channel, RecordedEvent, Source


def new_event_id() -> UUID:
    """A UUIDv7: ids made later sort later, so that the index of ids grows at one end."""
    return uuid7()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEvent:
    """An event that is decided and not yet in the log."""

    event_id: UUID
    data: DomainEvent
    occurred_at: datetime
    actor: str
    on_behalf_of: str | None = None
    channel: Channel = "api"
    correlation_id: str | None = None
    caused_by: UUID | None = None
    source: Source | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AppendRequest:
    """Events of one stream that are appended together or not at all.

    `expected_version` is what the stream must stand at, 0 for a new one, None for whatever it is.
    A `caller` that sends the same `idempotency_key` again gets the first answer again.
    """

    stream_id: str
    events: tuple[NewEvent, ...]
    caller: str
    expected_version: int | None = None
    idempotency_key: str | None = None
    body_hash: str = ""

    def __post_init__(self) -> None:
        """Refuse a request that asks for nothing."""
        if not self.events:
            message = f"an append to {self.stream_id} needs at least one event"
            raise ValueError(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Appended:
    """The events are in the log, at these positions."""

    version: int
    first_position: int
    last_position: int
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionConflict:
    """Somebody was first: the stream does not stand at the expected version."""

    current_version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicate:
    """The caller has used this idempotency key before; this is what was stored then."""

    body_hash: str
    stream_id: str
    version: int
    first_position: int
    last_position: int
    recorded_at: datetime


def as_recorded(request: AppendRequest, appended: Appended) -> tuple[Event, ...]:
    """Give the events of a request as the log has them by now, without reading them back."""
    first = appended.version - len(request.events) + 1
    return tuple(
        RecordedEvent(
            event_id=event.event_id,
            stream_id=request.stream_id,
            version=first + index,
            position=appended.first_position + index,
            occurred_at=event.occurred_at,
            recorded_at=appended.recorded_at,
            ingested_at=appended.recorded_at,
            actor=event.actor,
            data=event.data,
            on_behalf_of=event.on_behalf_of,
            channel=event.channel,
            idempotency_key=request.idempotency_key,
            correlation_id=event.correlation_id,
            caused_by=event.caused_by,
            source=event.source,
        )
        for index, event in enumerate(request.events)
    )


Verdict: TypeAlias = Appended | VersionConflict | Duplicate


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The end of the log: its last position and when that was recorded; 0 and None if empty."""

    position: int
    recorded_at: datetime | None
