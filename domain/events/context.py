"""The context that a replay freezes with the deals: quotas, processes, policy, calendar, people."""

from typing import ClassVar, Literal

from pydantic import ConfigDict, Field, JsonValue, model_validator

from domain.events.base import DomainEvent, Part, either_of
from domain.events.life import ProcessVersion
from domain.process import Closing, Stage
from domain.values import (
    CurrencyCode,
    FiscalQuarterName,
    FiscalYear,
    Identifier,
    LocalDate,
    LongText,
    Money,
    Rate,
    ShortText,
)


class ForRepOrTeam(Part):
    """Somebody's figure: of one rep or of one team, never of both."""

    model_config = ConfigDict(json_schema_extra=either_of("rep", "team"))

    rep: Identifier | None = None
    team: Identifier | None = None

    @model_validator(mode="after")
    def _one_of_the_two(self) -> "ForRepOrTeam":
        if (self.rep is None) == (self.team is None):
            message = "name either `rep` or `team`"
            raise ValueError(message)
        return self


class QuotaAssigned(DomainEvent, ForRepOrTeam):
    """A rep or a team is expected to book this much in a fiscal quarter."""

    TOPIC: ClassVar[str] = "quota.quota_assigned.v1"

    quarter: FiscalQuarterName
    amount: Money


class QuotaRevised(DomainEvent):
    """The quota is another one from now on."""

    TOPIC: ClassVar[str] = "quota.quota_revised.v1"

    amount: Money


class QuotaWithdrawn(DomainEvent):
    """There is no quota any more."""

    TOPIC: ClassVar[str] = "quota.quota_withdrawn.v1"

    reason: LongText | None = None


class ProcessPublished(DomainEvent):
    """A version of the sales process; versions never change, deals stay pinned to theirs."""

    TOPIC: ClassVar[str] = "process.process_published.v1"

    version: ProcessVersion
    name: ShortText
    stages: list[Stage] = Field(min_length=1)
    closing: Closing


class PolicyPublished(DomainEvent):
    """The numbers that verdicts are made with, as one version."""

    TOPIC: ClassVar[str] = "policy.policy_published.v1"

    version: ProcessVersion
    numbers: dict[Identifier, JsonValue]


class CalendarAdopted(DomainEvent):
    """The organisation's fiscal calendar from this local day on."""

    TOPIC: ClassVar[str] = "calendar.calendar_adopted.v1"

    zone: Identifier
    kind: Literal["months", "weeks", "explicit"]
    parameters: dict[str, JsonValue]
    effective_from: LocalDate


class MemberJoined(DomainEvent):
    """Somebody belongs to a team from now on, perhaps under a manager."""

    TOPIC: ClassVar[str] = "organisation.member_joined.v1"

    rep: Identifier
    team: Identifier
    manager: Identifier | None = None
    role: Literal["rep", "manager", "process_owner", "auditor", "admin"]


class MemberLeft(DomainEvent):
    """Somebody belongs to no team any more."""

    TOPIC: ClassVar[str] = "organisation.member_left.v1"

    rep: Identifier


class PlanRateSet(DomainEvent):
    """What one unit of a currency counts for in the currency of the quotas, for a fiscal year."""

    TOPIC: ClassVar[str] = "rates.plan_rate_set.v1"

    fiscal_year: FiscalYear
    currency: CurrencyCode
    rate: Rate


class ForecastCalled(DomainEvent, ForRepOrTeam):
    """Somebody says what a quarter will bring."""

    TOPIC: ClassVar[str] = "forecast.forecast_called.v1"

    quarter: FiscalQuarterName
    commit: Money
    best_case: Money | None = None
    statement: LongText | None = None
