"""How shares, intervals and the lack of data read in the sentences about a quarter."""

from domain.comparisons import COUNTS_ONLY, NO_VERDICT, Rate
from domain.intervals import Interval


def percent(share: float) -> str:
    """Write a share from 0 to 1 in whole per cent."""
    return f"{100 * share:.0f} %"


def between(interval: Interval, *, points: bool = False) -> str:
    """Write an interval of shares, or of percentage points."""
    low, high = (f"{one:.1f}" if points else percent(one) for one in interval)
    return f"95 % interval {low} to {high}"


def rated(rate: Rate, what: str) -> str:
    """Write a rate with its counts and its interval, as far as it is told."""
    counts = f"{rate.successes} of {rate.n} {what}"
    if rate.share is None or rate.interval is None:
        return counts
    return f"{counts} ({percent(float(rate.share))}, {between(rate.interval)})"


def too_few(n: int, what: str) -> str:
    """Say that nothing is concluded, and why."""
    if n == 0:
        return f"No {what}: nothing can be said."
    if n < COUNTS_ONLY:
        return f"Too few {what} ({n}) to say more than their number."
    return f"{n} {what} are fewer than the {NO_VERDICT} that a conclusion takes, so none is drawn."
