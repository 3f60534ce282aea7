"""The shape of the answer about a deal's quota pressure."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from pydantic import JsonValue

from api.http.schemas import Answer, LateEvent, Money, Standing
from api.http.schemas_patterns import Pattern


class Fact(Answer):
    """One fact that a verdict stands on, with the events that show it."""

    fact: Literal["window", "behind", "no_customer_action", "abnormal"]
    value: JsonValue
    threshold: JsonValue
    holds: bool | None
    evidence: list[UUID]


class Origin(Answer):
    """Where an event came from: as it says itself, or by the role of who did it."""

    who: str
    by: Literal["requested_by", "role"]


class Managed(Answer):
    """Where the team of the rep's manager stood then; no part of the verdict."""

    manager: str
    reps: list[str]
    quota: Money | None
    attained: Money | None
    pressure: float | None
    shortfall: float | None
    evidence: list[UUID]


class UsualPace(Answer):
    """What share of a quarter's bookings is usually there by then; no part of the verdict.

    `share` is `weight` times the rep's own and the rest the team's.
    """

    share: float
    own: float | None
    team: float
    weight: float
    deals: int
    quarters: list[str]
    pressure: float | None


class Exposure(Answer):
    """For which share of the deal's open time its owner was behind, and of how many days."""

    share: float | None
    open_days: float
    known_days: float
    behind_days: float
    evidence: list[UUID]


class JudgedEvent(Answer):
    """A seller event with its verdict."""

    event_id: UUID
    type: str
    action_time: datetime
    quarter: str | None
    days_left: int | None
    quota: Money | None
    attained: Money | None
    pressure: float | None
    shortfall: float | None
    pivotality: float | None
    elapsed: float | None
    origin: Origin | None
    manager: Managed | None
    usual_pace: UsualPace | None
    cause: Literal["seller_only", "customer_linked", "customer_preceded"]
    modifiers: list[str]
    verdict: str
    rules: list[str]
    facts: list[Fact]
    sentence: str


class PressureShares(Answer):
    """How many events are pressure-shaped, of how many that could be judged."""

    shaped: int
    evaluable: int


class PressureMoney(Answer):
    """What discounts cost: put to the customer, signed, and beyond the usual."""

    offered: Money | None
    realised: Money | None
    floor: Money | None


class Counterfactual(Answer):
    """Where the deal stood before its pressure-shaped events."""

    net: Money | None
    close_date: date | None


class PressureAnswer(Standing):
    """How quota pressure shows in a deal's history, event by event and in patterns."""

    deal_id: UUID
    policy_version: int
    events: list[JudgedEvent]
    shares: PressureShares
    money: PressureMoney
    counterfactual: Counterfactual
    recording_coverage: float | None
    recording_coverage_of: int
    exposure: Exposure
    patterns: list[Pattern]
    late: list[LateEvent]
