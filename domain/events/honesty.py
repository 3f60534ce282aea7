"""Corrections and gaps: what was said wrongly, taken back, or never known."""

from typing import Annotated, ClassVar

from pydantic import Field, JsonValue, model_validator

from domain.events.base import DomainEvent
from domain.values import EventId, Identifier, LongText, ZonedInstant


class EventAmended(DomainEvent):
    """An earlier event was wrong: this payload replaces its whole payload, both stay visible."""

    TOPIC: ClassVar[str] = "deal.event_amended.v1"

    event_id: EventId
    data: dict[str, JsonValue]
    reason: LongText


class EventRetracted(DomainEvent):
    """An earlier event never should have been recorded; it stays visible and no longer counts."""

    TOPIC: ClassVar[str] = "deal.event_retracted.v1"

    event_id: EventId
    reason: LongText


class HistoryGap(DomainEvent):
    """Between two instants the source does not say what happened to these fields."""

    TOPIC: ClassVar[str] = "deal.history_gap.v1"

    start: Annotated[ZonedInstant, Field(alias="from")]
    end: Annotated[ZonedInstant, Field(alias="to")]
    fields: list[Identifier] = Field(min_length=1)

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> "HistoryGap":
        if self.end < self.start:
            message = "`to` lies before `from`"
            raise ValueError(message)
        return self
