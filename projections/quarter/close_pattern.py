"""When in a quarter its deals are won: the shape of its closings (METRICS section 7)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from itertools import accumulate
from typing import Final, Literal, TypeAlias

from domain.comparisons import COUNTS_ONLY, Rate, gini, newcombe
from domain.fiscal import DaySpan, FiscalQuarter
from projections.quarter.closings import Closing

Finding: TypeAlias = Literal["more_than_even", "less_than_even", "as_even"]
Comparison: TypeAlias = Literal["higher", "lower", "not_apart"]
WEEKS: Final = 13
_DAYS_OF_A_WEEK: Final = 7


@dataclass(frozen=True, slots=True)
class Part:
    """The wins of some days of a quarter, among all of its wins.

    `even` is the share that these days would have if every day, or for single days every business
    day, had as many.
    """

    days: DaySpan
    rate: Rate
    even: Fraction

    @property
    def finding(self) -> Finding | None:
        """Whether more wins lie here than evenly spread ones would; None with too few to tell."""
        interval = self.rate.interval
        if interval is None or not self.rate.conclusive:
            return None
        if interval[0] > self.even:
            return "more_than_even"
        return "less_than_even" if interval[1] < self.even else "as_even"


@dataclass(frozen=True, slots=True)
class ClosePattern:
    """How the wins of a quarter that is over lie in it.

    `spike_ratio` is None where no other business day has a win. It, `weekly_gini` and `linearity`
    are None below `COUNTS_ONLY` wins.
    """

    first_day: Part
    last_day: Part
    window: Part
    months: tuple[Part, ...]
    spike_ratio: Fraction | None
    weekly_gini: Fraction | None
    linearity: Fraction | None

    @property
    def wins(self) -> int:
        """How many deals were won in the quarter."""
        return self.last_day.rate.n


def close_pattern(
    wins: Mapping[date, int],
    quarter: FiscalQuarter,
    *,
    window: DaySpan,
    months: Sequence[DaySpan],
) -> ClosePattern:
    """Give the pattern of the wins by local day; days outside the quarter do not count.

    First and last day are the first and the last Monday-to-Friday day.
    """
    whole = DaySpan(quarter.start, quarter.end)
    by_day = [wins.get(day, 0) for day in whole]
    total = sum(by_day)
    business = quarter.business_days

    def part(days: DaySpan, even: Fraction) -> Part:
        return Part(days, Rate(sum(wins.get(day, 0) for day in days), total), even)

    def single(day: date) -> Part:
        return part(DaySpan(day, day), Fraction(1, max(1, len(business))))

    def share(days: DaySpan) -> Part:
        return part(days, Fraction(len(days), len(whole)))

    enough = total >= COUNTS_ONLY
    return ClosePattern(
        first_day=single(business[0] if business else quarter.start),
        last_day=single(quarter.last_business_day),
        window=share(window),
        months=tuple(share(days) for days in months),
        spike_ratio=spike_ratio([wins.get(day, 0) for day in business]) if enough else None,
        weekly_gini=gini(_weeks(by_day)) if enough else None,
        linearity=linearity(by_day) if enough else None,
    )


def spike_ratio(by_business_day: Sequence[int]) -> Fraction | None:
    """Give the wins of the last business day over the mean of the other ones; None if that is 0."""
    *others, last = by_business_day or [0]
    total = sum(others)
    return Fraction(last * len(others), total) if total else None


def linearity(by_day: Sequence[int]) -> Fraction | None:
    """Give how far the wins kept pace with the days: 1 if at every day's end, 0 if never.

    One less the widest gap between the share of the wins and the share of the days, at the ends of
    local days. All on the last of n days give 1/n. None where there is no win.
    """
    total, days = sum(by_day), len(by_day)
    if total == 0:
        return None
    # In whole numbers, as shares of total * days, because every rep's quarter is asked for.
    gaps = (abs(won * days - day * total) for day, won in enumerate(accumulate(by_day), 1))
    return 1 - Fraction(max(gaps), total * days)


def _weeks(by_day: Sequence[int]) -> list[int]:
    """Add up 13 weeks from the first day on; what is left of the days belongs to the last."""
    weeks = [0] * WEEKS
    for number, count in enumerate(by_day):
        weeks[min(number // _DAYS_OF_A_WEEK, WEEKS - 1)] += count
    return weeks


@dataclass(frozen=True, slots=True)
class MonthOutcomes:
    """How the deals ended that were closed in a fiscal month."""

    days: DaySpan
    won: int
    lost: int
    disqualified: int

    @property
    def rate(self) -> Rate:
        """The wins among wins and losses; who was disqualified was not lost to anybody."""
        return Rate(self.won, self.won + self.lost)


@dataclass(frozen=True, slots=True)
class WinRates:
    """The win rates of the months of a quarter, and its last month against the ones before."""

    months: tuple[MonthOutcomes, ...]

    @property
    def last(self) -> Rate:
        """The win rate of the month that ends with the quarter."""
        return self.months[-1].rate

    @property
    def others(self) -> Rate:
        """The win rate of the months before it."""
        rates = [month.rate for month in self.months[:-1]]
        return Rate(sum(rate.successes for rate in rates), sum(rate.n for rate in rates))

    @property
    def difference(self) -> tuple[float, float] | None:
        """The 95 % interval of the last month's rate minus the others' (Newcombe)."""
        if self.last.share is None or self.others.share is None:
            return None
        return newcombe(self.last, self.others)

    @property
    def finding(self) -> Comparison | None:
        """Whether the last month's rate is apart from the others'; None with too few to tell."""
        apart = self.difference
        if apart is None or not (self.last.conclusive and self.others.conclusive):
            return None
        if apart[0] > 0:
            return "higher"
        return "lower" if apart[1] < 0 else "not_apart"


def win_rates(closings: Sequence[Closing], months: Sequence[DaySpan]) -> WinRates:
    """Count how the deals ended that were closed in each of the months."""
    return WinRates(
        tuple(
            MonthOutcomes(
                days=days,
                won=_ended(closings, days, "won"),
                lost=_ended(closings, days, "lost"),
                disqualified=_ended(closings, days, "disqualified"),
            )
            for days in months
        )
    )


def _ended(closings: Sequence[Closing], days: DaySpan, outcome: str) -> int:
    return sum(one.outcome == outcome and one.day in days for one in closings)
