"""The shapes of the answers about an organisation: close patterns and pressure of a quarter."""

from datetime import date
from typing import Literal
from uuid import UUID

from pydantic import Field

from api.http.schemas import Answer, Money, Rate, Standing
from api.http.schemas_replay import Counted, LateEvents, ScopeAnswer

Interval = list[float]


class Days(Answer):
    """Local days, both included."""

    from_: date = Field(alias="from")
    to: date


class PatternPart(Rate, Days):
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


class MonthRate(Rate, Days):
    """The wins among wins and losses of a fiscal month."""

    lost: int
    disqualified: int


class LastAgainstOthers(Answer):
    """The win rate of a quarter's last month and of the ones before, and the difference's ends."""

    last: Rate
    others: Rate
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


class Averaged(Answer):
    """A mean and its 95 % interval; told from 5 values on, conclusive from 20."""

    n: int
    mean: float | None
    interval: Interval | None
    conclusive: bool


Apart = Literal["deeper", "shallower", "not_apart"]


class LeftBetween(Answer):
    """Days left in the quarter, both included; null: these or more."""

    from_: int = Field(alias="from")
    to: int | None


class DiscountBin(Averaged):
    """The discounts, in per cent, offered while so many days were left."""

    days_left: LeftBetween
    event_ids: list[UUID]


class DiscountTrend(Answer):
    """How discounts go with the days left; below 0 they deepen as the quarter runs out."""

    n: int
    spearman: float | None
    interval: Interval | None
    bins: list[DiscountBin]
    finding: Apart | None
    sentence: str


class RepEffect(Answer):
    """The discounts of one rep inside some days and outside them, with their events."""

    rep: str
    inside: Averaged
    outside: Averaged
    inside_events: list[UUID]
    outside_events: list[UUID]


class EffectAnswer(Averaged):
    """The mean over `n` reps of the discount inside minus outside, in percentage points.

    `p` is that of the sign-flip test over reps, who come by name.
    """

    p: float | None
    reps: list[RepEffect]
    finding: Apart | None


class SegmentEffect(EffectAnswer):
    """The effect within a segment; `p` is adjusted for the number of segments."""

    segment: str
    p_unadjusted: float | None


class Placebo(Answer):
    """The same test where no fiscal quarter ends; null where the quarter has no such days."""

    placebo: str
    days: Days | None
    effect: EffectAnswer | None
    sentence: str


class WindowEffect(EffectAnswer):
    """The effect of the window against the interior, by segment, and of the placebos."""

    window: Days
    interior: Days
    segments: list[SegmentEffect]
    placebos: list[Placebo]
    sentence: str


class PullInsAnswer(Rate):
    """The close dates pulled into the quarter (`n`), and how many of them in the window."""

    event_ids: list[UUID]
    sentence: str


class ExcessAndTrough(Answer):
    """The wins of the window beyond the usual, and those missing after it.

    Null where not evaluable; the events are those of the days in the close patterns of both
    quarters. `payback` is trough / excess, null unless there is an excess.
    """

    days: dict[str, Days] | None
    wins: int | None
    in_window: int | None
    in_trough: int | None
    daily: float | None
    excess: float | None
    excess_interval: Interval | None
    trough: float | None
    trough_interval: Interval | None
    payback: float | None
    payback_interval: Interval | None
    finding: Literal["no_excess", "paid_back", "not_paid_back", "open"] | None
    sentence: str


class FlaggedWin(Answer):
    """A win with flagged discounts, and by how much they exceed the baseline median."""

    deal_id: UUID
    won_by: UUID | None
    event_ids: list[UUID]
    excess: Money | None


class CostAnswer(Answer):
    """The excess of flagged discounts as a share of what was signed in the quarter."""

    wins: int
    unknown: int
    excess: Money | None
    net: Money | None
    share: float | None
    interval: Interval | None
    conclusive: bool
    flagged: list[FlaggedWin]
    sentence: str


class NewDeal(Answer):
    """A deal that was opened and won in the window."""

    deal_id: UUID
    opened_by: UUID | None
    won_by: UUID | None


class NewAndWonLate(Rate):
    """The wins in the window (`n`), and those that no earlier pipeline showed."""

    deals: list[NewDeal]
    sentence: str


class VerdictShare(Rate):
    """The seller events of one verdict among those that could be judged."""

    event_ids: list[UUID]


class VerdictShares(Answer):
    """How many seller events are pressure-shaped, and consistent, of those judged."""

    shaped: VerdictShare
    consistent: VerdictShare
    not_evaluable: Counted


class RepShares(VerdictShares):
    """The shares of one rep."""

    rep: str


class QuarterShares(VerdictShares):
    """The shares of everybody, and of each rep by name."""

    reps: list[RepShares]
    sentence: str


class QuarterPressureAnswer(OfQuarter):
    """What of a quarter is consistent with quota pressure, each figure with its sentence."""

    policy_version: int
    discounts_by_days_left: DiscountTrend
    window_effect: WindowEffect
    pull_ins: PullInsAnswer
    excess_and_trough: ExcessAndTrough
    cost: CostAnswer
    new_and_won_late: NewAndWonLate
    shares: QuarterShares
    late: LateEvents
