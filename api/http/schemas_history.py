"""The shapes of timelines: every event of a deal in words, with both clocks and its verdict."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import JsonValue

from api.http.schemas import Answer, Standing
from api.http.schemas_pressure import JudgedEvent


class Correction(Answer):
    """What a later event did to an earlier one."""

    event_id: UUID
    rep: str
    recorded_at: datetime
    reason: str
    data: dict[str, JsonValue] | None


class HistoryEntry(Answer):
    """One event of a timeline, in words."""

    event_id: UUID
    position: int
    version: int
    type: str
    title: str
    detail: str | None
    data: dict[str, JsonValue]
    occurred_at: datetime
    recorded_at: datetime
    ingested_at: datetime
    rep: str
    actor: str
    on_behalf_of: str | None
    channel: str
    clock: str
    caused_by: UUID | None
    stage: str | None
    driver: Literal["customer", "seller", "other"]
    explained_by: UUID | None
    lag_hours: float | None
    late_recorded: bool | None
    backdated_across_boundary: bool | None
    amended: Correction | None
    retracted: Correction | None
    pressure: JudgedEvent | None


class HistoryAnswer(Standing):
    """A deal's timeline."""

    deal_id: UUID
    events: list[HistoryEntry]
