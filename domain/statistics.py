"""Small exact statistics that verdicts and rates rest on, in pure Python.

Each function names the formula that it follows, so that a reader can check it by hand.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import sqrt
from typing import Final

Z_95: Final = 1.959963984540054
"""The 97.5th percentile of the standard normal distribution: two-sided 95 %."""


def wilson(successes: int, n: int) -> tuple[float, float] | None:
    """The 95 % score interval of a rate (Wilson 1927, J. Am. Stat. Assoc. 22:209).

    None where there is no observation. Raises ValueError where successes are not in 0 to n.
    """
    if not 0 <= successes <= n:
        raise ValueError(f"expected from 0 to {n} successes, not {successes}")
    if n == 0:
        return None
    z_squared = Z_95 * Z_95
    rate = successes / n
    scale = 1 + z_squared / n
    centre = (rate + z_squared / (2 * n)) / scale
    half = Z_95 / scale * sqrt(rate * (1 - rate) / n + z_squared / (4 * n * n))
    # The bound is exactly 0 or 1 at the extremes; rounding would leave a trace beyond it.
    low = 0.0 if successes == 0 else centre - half
    high = 1.0 if successes == n else centre + half
    return low, high


def median(values: Iterable[Decimal]) -> Decimal | None:
    """The middle value, or the mean of the two middle ones; None where there are no values."""
    ordered = sorted(values)
    if not ordered:
        return None
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) / 2


def conformal_p(observed: Decimal, baseline: Iterable[Decimal]) -> Fraction:
    """How unusual a high value is among its peers: (1 + those at least as high) / (n + 1).

    The conformal p-value of Vovk, Gammerman and Shafer (2005), ties counted against the
    suspicion. 1 where there is no baseline: the caller decides how many peers are enough.
    """
    peers = list(baseline)
    as_high = sum(peer >= observed for peer in peers)
    return Fraction(1 + as_high, len(peers) + 1)


def union_length(intervals: Iterable[tuple[Decimal, Decimal]]) -> Decimal:
    """The length that the intervals cover together, overlaps counted once.

    An interval whose end does not lie above its start is empty.
    """
    covered = Decimal(0)
    reached: Decimal | None = None
    for start, end in sorted(intervals):
        begin = start if reached is None else max(start, reached)
        if end > begin:
            covered += end - begin
            reached = end
    return covered


@dataclass(frozen=True, slots=True)
class Survival:
    """The share still there at each duration, for observations of which some are not over.

    The product-limit estimate of Kaplan and Meier (1958, J. Am. Stat. Assoc. 53:457): a step
    function that falls at the durations at which something ended.
    """

    n: int
    times: tuple[Decimal, ...]
    shares: tuple[Fraction, ...]

    def at(self, duration: Decimal) -> Fraction:
        """The share that lasts longer than the duration."""
        index = bisect_right(self.times, duration)
        return self.shares[index - 1] if index else Fraction(1)

    def percentile_of(self, duration: Decimal) -> Fraction:
        """The share that is over by the duration."""
        return 1 - self.at(duration)

    def quantile(self, share: Fraction) -> Decimal | None:
        """The first duration by which at least this share is over; None if it never is."""
        for duration, remaining in zip(self.times, self.shares, strict=True):
            if remaining <= 1 - share:
                return duration
        return None

    def median(self) -> Decimal | None:
        return self.quantile(Fraction(1, 2))

    def restricted_mean(self, horizon: Decimal) -> Fraction:
        """The mean duration if every one were cut at the horizon: the area under the steps."""
        area, since, remaining = Fraction(0), Fraction(0), Fraction(1)
        for duration, share in zip(self.times, self.shares, strict=True):
            if duration >= horizon:
                break
            area += remaining * (Fraction(duration) - since)
            since, remaining = Fraction(duration), share
        return area + remaining * (Fraction(horizon) - since)


def kaplan_meier(durations: Sequence[Decimal], observed: Sequence[bool]) -> Survival:
    """Survival from durations that ended (observed) or were still running (not observed).

    What is still running at a duration counts as present at it. Raises ValueError where the
    two sequences differ in length or a duration is negative.
    """
    if len(durations) != len(observed):
        raise ValueError(f"{len(durations)} durations but {len(observed)} observed marks")
    if any(duration < 0 for duration in durations):
        raise ValueError("expected durations of 0 or more")
    ordered = sorted(durations)
    ended = sorted(time for time, over in zip(durations, observed, strict=True) if over)
    times: list[Decimal] = []
    shares: list[Fraction] = []
    remaining = Fraction(1)
    for time in sorted(set(ended)):
        at_risk = len(ordered) - bisect_left(ordered, time)
        ends = bisect_right(ended, time) - bisect_left(ended, time)
        remaining *= 1 - Fraction(ends, at_risk)
        times.append(time)
        shares.append(remaining)
    return Survival(n=len(ordered), times=tuple(times), shares=tuple(shares))
