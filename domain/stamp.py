"""Who said it, when it happened and when we were told: what stands around every event."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Generic, Literal, TypeAlias, TypeVar
from uuid import UUID

from domain.errors import OccurredInFutureError
from domain.events.base import DomainEvent

Channel: TypeAlias = Literal["ui", "api", "import", "rule"]
ClockName: TypeAlias = Literal["server", "source"]
Payload_co = TypeVar("Payload_co", bound=DomainEvent, covariant=True)

FUTURE_TOLERANCE: Final = timedelta(minutes=5)
"""How far a client's clock may run ahead of ours before an event counts as not yet happened."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where an imported event comes from.

    `stream` is the deal's own id in the source, `recorded_at` the source's own recording time.
    """

    system: str
    external_id: str | None = None
    stream: str | None = None
    file_sha256: str | None = None
    recorded_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a decision is told about its moment: the one place where `now` enters the model."""

    occurred_at: datetime
    recorded_at: datetime
    actor: str
    on_behalf_of: str | None = None
    channel: Channel = "api"
    correlation_id: str | None = None
    caused_by: UUID | None = None
    source: Source | None = None

    def __post_init__(self) -> None:
        """Refuse what has not happened yet."""
        if self.occurred_at > self.recorded_at + FUTURE_TOLERANCE:
            message = (
                f"occurred_at {self.occurred_at.isoformat()} lies after the recording time "
                f"{self.recorded_at.isoformat()}; an event is recorded when it has happened"
            )
            raise OccurredInFutureError(message, field="occurred_at")


@dataclass(frozen=True, slots=True)
class RecordedEvent(Generic[Payload_co]):
    """One fact of the log: the payload and everything that stands around it."""

    event_id: UUID
    stream_id: str
    version: int
    position: int
    occurred_at: datetime
    recorded_at: datetime
    ingested_at: datetime
    actor: str
    data: Payload_co
    on_behalf_of: str | None = None
    channel: Channel = "api"
    idempotency_key: str | None = None
    correlation_id: str | None = None
    caused_by: UUID | None = None
    clock: ClockName = "server"
    source: Source | None = None

    @property
    def rep(self) -> str:
        """Whom metrics attribute the event to (METRICS section 1, attribution)."""
        return self.on_behalf_of or self.actor

    @property
    def order(self) -> tuple[datetime, datetime, int]:
        """The order of every fold: as it happened, then as it was recorded, then by position."""
        return (self.occurred_at, self.recorded_at, self.position)

    @property
    def ordinary_import(self) -> bool:
        """Whether it came with a file long after it was recorded elsewhere.

        A founding import, told on the source's own clock, is none.
        """
        return self.channel == "import" and self.clock == "server"

    @property
    def told_at(self) -> datetime:
        """When the system of record was told.

        An ordinary import is recorded here years after it was recorded there, so its own
        recording time says nothing about lateness: the source's counts, else the event's.
        """
        if self.ordinary_import:
            recorded = self.source.recorded_at if self.source else None
            return recorded or self.occurred_at
        return self.recorded_at

    @property
    def bookkeeping_time(self) -> datetime:
        """The action time of a bookkeeping act: when it was recorded, imports when it occurred."""
        return self.occurred_at if self.ordinary_import else self.recorded_at
