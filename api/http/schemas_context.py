"""The shapes of answers about quotas, quarters, processes, policies, calendars, teams, rates."""

from datetime import date, datetime
from uuid import UUID

from pydantic import JsonValue

from api.http.schemas import Answer, Money, Standing


class Figures(Answer):
    """Where somebody stands in a quarter; null where a figure cannot be known."""

    quota: Money | None
    attained: Money | None
    attainment: float | None
    pace: Money | None
    pressure: float | None
    shortfall: float | None
    unconverted: list[Money]
    booked: list[Money]
    wins: int
    taken_back: int


class QuotaStep(Answer):
    """A quota from an instant on; no amount is a withdrawn one."""

    since: datetime
    amount: Money | None
    event_id: UUID


class Quota(Figures):
    """The quota of a rep or a team in a quarter, and where they stand."""

    stream_id: str
    rep: str | None
    team: str | None
    quarter: str
    history: list[QuotaStep]


class QuotaAnswer(Standing, Quota):
    """One quota."""


class QuotaList(Standing):
    """Quotas."""

    quotas: list[Quota]


class Quarter(Answer):
    """A fiscal quarter and how far through it the moment is."""

    quarter: str
    start: date
    end: date
    zone: str
    start_instant: datetime
    end_instant: datetime
    days: int
    days_left: int
    elapsed: float


class RepFigures(Figures):
    """Where a rep stands."""

    rep: str


class TeamFigures(Figures):
    """Where a team stands: what its people booked while they were in it."""

    team: str


class QuarterOfInstant(Standing):
    """The quarter that an instant lies in; null outside the periods that a calendar lists."""

    at: datetime
    in_quarter: Quarter | None


class ProcessSummary(Answer):
    """A process with the versions published of it."""

    id: str
    name: str
    versions: list[int]
    latest: int


class ProcessList(Standing):
    """The sales processes."""

    processes: list[ProcessSummary]


class ProcessDetail(Answer):
    """One version of a process; the built-in one was published by nobody."""

    version: int
    name: str
    stages: list[dict[str, JsonValue]]
    closing: dict[str, JsonValue]
    published_at: datetime | None
    event_id: UUID | None


class ProcessAnswer(Standing):
    """A process with its versions, oldest first."""

    id: str
    versions: list[ProcessDetail]


class PublishedPolicy(Answer):
    """A policy as it was published."""

    version: int
    numbers: dict[str, JsonValue]
    published_at: datetime
    event_id: UUID


class PolicyAnswer(Standing):
    """The numbers that verdicts are made with, and the policies published so far."""

    in_force: dict[str, JsonValue]
    published: list[PublishedPolicy]


class AdoptedCalendar(Answer):
    """A calendar as it was adopted."""

    zone: str
    kind: str
    parameters: dict[str, JsonValue]
    effective_from: date
    adopted_at: datetime
    event_id: UUID


class CalendarAnswer(Standing):
    """The fiscal calendars adopted so far, and the quarters around the moment."""

    adopted: list[AdoptedCalendar]
    previous: Quarter | None
    current: Quarter | None
    following: Quarter | None


class Member(Answer):
    """Somebody's time in a team."""

    rep: str
    team: str
    role: str
    manager: str | None
    joined: datetime
    left: datetime | None


class Team(Answer):
    """A team and who is in it."""

    team: str
    members: list[Member]


class TeamsAnswer(Standing):
    """The teams at the moment, and everybody's time in teams so far."""

    teams: list[Team]
    memberships: list[Member]


class PlanRate(Answer):
    """What one unit of a currency counts for in a fiscal year."""

    fiscal_year: int
    currency: str
    rate: str
    set_at: datetime
    event_id: UUID


class RatesAnswer(Standing):
    """The plan rates in force."""

    rates: list[PlanRate]
