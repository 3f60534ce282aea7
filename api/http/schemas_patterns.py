"""The shape of patterns in the answer about a deal's pressure."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import JsonValue

from api.http.schemas import Answer


class PatternFact(Answer):
    """One fact of a pattern, with the events that show it."""

    fact: str
    value: JsonValue
    threshold: JsonValue
    holds: bool | None
    evidence: list[UUID]


class Pattern(Answer):
    """What several events together are consistent with; outside the shares."""

    pattern_id: str
    rule: Literal["PS-6", "PS-7", "PS-8", "PS-9", "HB-1"]
    name: str
    policy_version: int
    event_id: UUID
    rep: str
    at: datetime
    holds: bool | None
    facts: list[PatternFact]
    evidence: list[UUID]
    sentence: str
