"""The shapes of the answers about an organisation: close patterns and pressure of a quarter."""

from datetime import date
from typing import Literal
from uuid import UUID

from pydantic import Field

from api.http.schemas import Answer, Standing
from api.http.schemas_replay import LateEvents, ScopeAnswer

Interval = list[float]


class Rated(Answer):
    """A rate with its counts and its 95 % interval.

    Below 5 observations (`n`) there are counts only; below 20 (`conclusive` is false) nothing is
    concluded.
    """

    count: int
    n: int
    share: float | None
    interval: Interval | None
    conclusive: bool


class Days(Answer):
    """Local days, both included."""

    from_: date = Field(alias="from")
    to: date


class PatternPart(Rated, Days):
    """The wins of some days among all of the quarter; `even` is what an even spread would give."""

    even: float
    finding: Literal["more_than_even", "less_than_even", "as_even"] | None


class Pattern(Answer):
    """How the wins of a quarter lie in it."""

    first_business_day: PatternPart
    last_business_day: PatternPart
    window: PatternPart
    months: list[PatternPart]
    spike_ratio: float | None
    weekly_gini: float | None
    linearity: float | None


class Patterned(Answer):
    """How many deals were won, and their pattern; null until the quarter is over."""

    wins: int
    pattern: Pattern | None
    sentence: str


class TeamPattern(Patterned):
    """The pattern of one team's wins."""

    team: str


class RepPattern(Patterned):
    """The pattern of one rep's wins."""

    rep: str


class MonthRate(Rated, Days):
    """The wins among wins and losses of a fiscal month."""

    lost: int
    disqualified: int


class LastAgainstOthers(Answer):
    """The win rate of a quarter's last month and of the ones before, and the difference's ends."""

    last: Rated
    others: Rated
    difference: Interval | None
    finding: Literal["higher", "lower", "not_apart"] | None


class WinRatesAnswer(Answer):
    """The win rates of the months of a quarter."""

    months: list[MonthRate]
    last_against_others: LastAgainstOthers | None
    sentence: str


class ClosedDay(Answer):
    """The deals that were closed on a local day, and the events that closed them."""

    day: date
    won: int
    lost: int
    disqualified: int
    won_by: list[UUID]
    lost_by: list[UUID]
    disqualified_by: list[UUID]


class OfQuarter(Standing):
    """What every answer about a quarter's organisation carries."""

    quarter: str
    start: date
    end: date
    scope: ScopeAnswer
    over: bool


class ClosePatternAnswer(OfQuarter, Patterned):
    """When in a quarter its deals were won and lost; `days` names the events of every figure."""

    win_rates: WinRatesAnswer
    days: list[ClosedDay]
    teams: list[TeamPattern]
    reps: list[RepPattern]
    late: LateEvents
