"""The shapes of forecasts: what a quarter will probably bring, and what was called for it."""

from datetime import datetime
from uuid import UUID

from api.http.schemas import Answer, Money, Rate, Standing
from api.http.schemas_replay import Replayed


class ExpectedAmount(Answer):
    """What the open deals of one currency will probably bring by the end of the quarter.

    Only the `evaluable` deals count: those whose chance is known. What the others amount to is
    `left_out`. `low` and `high` hold the sum in 95 % of cases, if deals are won independently.
    """

    currency: str
    deals: int
    evaluable: int
    open: Money
    left_out: Money
    expected: Money
    sd: Money
    low: Money
    high: Money


class DealChance(Answer):
    """How likely a deal is won by the end of the quarter; null where too little is known.

    It rests on `n` stays of deals in the same stage.
    """

    deal_id: UUID
    owner: str
    process: str | None
    stage: str | None
    age_days: int
    amount: Money | None
    chance: float | None
    n: int


class StageChance(Answer):
    """How deals have ended after entering a stage, and the chance of one that enters it now."""

    process: str
    stage: str
    n: int
    won: int
    lost: int
    open: int
    chance: float | None


class PastExpected(ExpectedAmount):
    """What was expected at the start of a quarter, and what the same deals brought."""

    won: Money


class PastForecast(Answer):
    """How the chances at the start of an earlier quarter came out.

    `brier` is their mean squared distance from what came, `bias` the mean chance minus the share
    that was won.
    """

    quarter: str
    deals: int
    evaluable: int
    won: int
    brier: float | None
    bias: float | None
    conclusive: bool
    expected: list[PastExpected]
    slip: Rate


class CategoryAmount(Answer):
    """Open deals of one forecast category and currency that should close in the quarter."""

    category: str | None
    deals: int
    amount: Money | None


class CalledAmounts(Answer):
    """What somebody called for a quarter."""

    event_id: UUID
    position: int
    called_at: datetime
    actor: str
    rep: str | None
    team: str | None
    commit: Money
    best_case: Money | None
    statement: str | None


class ForecastCall(CalledAmounts):
    """What somebody called for the quarter, and what could be known then."""

    booked: list[Money]
    closing_in_quarter: list[CategoryAmount]


class Scope(Answer):
    """Whose deals count."""

    rep: str | None
    team: str | None


class ForecastAnswer(Replayed):
    """What a quarter will probably bring, how such chances came out, and what was called.

    `slip`: of the open deals that should close in the quarter at its start, how many were not won.
    """

    scope: Scope
    expected: list[ExpectedAmount]
    deals: list[DealChance]
    next: str | None
    stages: list[StageChance]
    slip: Rate
    past: list[PastForecast]
    calls: list[ForecastCall]


class CallOfQuarter(CalledAmounts):
    """What somebody called for a quarter, by the quarter's name."""

    quarter: str


class CallList(Standing):
    """What was called, in the order in which it was."""

    calls: list[CallOfQuarter]
