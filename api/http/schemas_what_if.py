"""The shapes of a draft policy that is asked about, and of what another policy would say."""

from typing import Literal, TypeAlias
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from api.http.schemas import Answer
from api.http.schemas_organisation import CostAnswer
from api.http.schemas_pressure import PressureAnswer, PressureMoney
from api.http.schemas_replay import QuarterAnswer
from domain.events.base import either_of
from domain.values import Identifier

Verdict: TypeAlias = Literal[
    "pressure_shaped", "pressure_consistent", "not_pressure_shaped", "not_evaluable"
]


class PolicyDraft(BaseModel):
    """The numbers of a policy, as `policy_published` takes them, and what they are tried on."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra=either_of("deal_id", "quarter"),
    )

    numbers: dict[Identifier, JsonValue] = Field(
        description="The numbers that differ from the built-in policy; the others are its own."
    )
    deal_id: str | None = Field(
        None,
        max_length=200,
        description="The deal to ask about.",
        json_schema_extra={"format": "uuid"},
    )
    quarter: str | None = Field(
        None, pattern="^FY[0-9]{4}Q[1-4]$", description="Or else the quarter, such as FY2026Q3."
    )


class VerdictChange(Answer):
    """A seller event whose verdict would be another."""

    event_id: UUID
    deal_id: UUID
    type: str
    rep: str
    before: Verdict
    after: Verdict


class VerdictCounts(Answer):
    """How many seller events have each verdict."""

    pressure_shaped: int
    pressure_consistent: int
    not_pressure_shaped: int
    not_evaluable: int


class CountsOfBoth(Answer):
    """The verdicts under the policy in force, and under the other."""

    then: VerdictCounts
    now: VerdictCounts


class MoneyOfBoth(Answer):
    """What a deal's discounts cost, or what pressure may have cost in a quarter's wins."""

    then: PressureMoney | CostAnswer
    now: PressureMoney | CostAnswer


class Effect(Answer):
    """What the other policy would change, counted."""

    counts: CountsOfBoth
    money: MoneyOfBoth


class WhatIf(Answer):
    """What would be told had the other policy been in force all along; the answer's own fields too.

    `policy` are its numbers.
    """

    policy: dict[str, JsonValue]
    verdict_changes: list[VerdictChange]
    effect: Effect


class Different(Answer):
    """A value that would be another, by its place in the answer; null is not there."""

    at: str
    then: JsonValue
    now: JsonValue


class DealUnderDraft(PressureAnswer):
    """A deal's pressure, and what it would be under the draft."""

    what_if: WhatIf
    difference: list[Different]


class QuarterUnderDraft(QuarterAnswer):
    """Where a quarter stood, and what would be told of it under the draft."""

    what_if: WhatIf
    difference: list[Different]


DraftAnswer: TypeAlias = DealUnderDraft | QuarterUnderDraft
