"""Whether the wins of a quarter's end are missing afterwards (METRICS section 7)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import Final, Literal, TypeAlias

from domain.comparisons import COUNTS_ONLY, NO_VERDICT
from domain.fiscal import DaySpan, FiscalQuarter
from domain.intervals import Interval, Weighed, ratio_interval
from projections.quarter.closings import Parts

Finding: TypeAlias = Literal["no_excess", "paid_back", "not_paid_back", "open"]
_FIRST: Final = 6
_LAST: Final = 33
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Payback:
    """The wins of a window beyond what is normal, and how many fewer came afterwards.

    `daily` is c0, the mean of both interiors. `excess` and `trough` are weighed sums of the wins
    of days, each day's a Poisson count of its own; they and `daily` are told from `COUNTS_ONLY`
    wins on. `ratio` is trough / excess, None unless there is an excess; its interval is None where
    the excess may as well be nothing.
    """

    days: tuple[DaySpan, DaySpan, DaySpan, DaySpan]
    wins: int
    in_window: int
    in_trough: int
    daily: float | None
    excess: Weighed | None
    trough: Weighed | None
    ratio: float | None
    interval: Interval | None

    @property
    def finding(self) -> Finding | None:
        """What the excess and what followed are consistent with; None with too few wins to tell."""
        if self.wins < NO_VERDICT or self.excess is None:
            return None
        if self.interval is None or self.excess.interval[0] <= 0:
            return "no_excess"
        if self.interval[0] > 0:
            return "paid_back"
        return "not_paid_back" if self.interval[1] < 1 else "open"


def trough_days(following: FiscalQuarter) -> DaySpan:
    """Give the days 6 to 33 of the quarter that follows."""
    return DaySpan(following.start + _DAY * (_FIRST - 1), following.start + _DAY * (_LAST - 1))


def payback(
    wins: Mapping[date, int], parts: Parts, following: FiscalQuarter, later: Parts
) -> Payback | None:
    """Hold the wins of a window and of the days after it against both quarters' interiors.

    None where the policy leaves no interior. `later` are the parts of the quarter that follows.
    """
    window, trough = parts.window, trough_days(following)
    interior = {*parts.interior, *later.interior}
    if not interior:
        return None
    days = sorted({*window, *interior, *trough})
    counts = [wins.get(day, 0) for day in days]
    per_day = {day: Fraction(day in interior, len(interior)) for day in days}
    of_excess = [(day in window) - len(window) * per_day[day] for day in days]
    of_trough = [len(trough) * per_day[day] - (day in trough) for day in days]
    excess, missing = Weighed.of(counts, of_excess), Weighed.of(counts, of_trough)
    shared = float(sum(c * e * t for c, e, t in zip(counts, of_excess, of_trough, strict=True)))
    told = sum(counts) >= COUNTS_ONLY
    over = told and excess.value > 0
    return Payback(
        days=(parts.interior, window, trough, later.interior),
        wins=sum(counts),
        in_window=sum(wins.get(day, 0) for day in window),
        in_trough=sum(wins.get(day, 0) for day in trough),
        daily=sum(wins.get(day, 0) for day in interior) / len(interior) if told else None,
        excess=excess if told else None,
        trough=missing if told else None,
        ratio=missing.value / excess.value if over else None,
        interval=ratio_interval(missing, excess, shared) if over else None,
    )
