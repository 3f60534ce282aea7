"""What becomes of open deals in time, of which some are still open, in pure Python."""

from bisect import bisect_left, bisect_right
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import erfc, sqrt
from typing import Generic, TypeVar

Ending = TypeVar("Ending", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Incidence(Generic[Ending]):
    """The share that has ended in each way by each duration, and the share that has not ended.

    The estimate of Aalen and Johansen (1978, Scand. J. Stat. 5:141) for endings that exclude each
    other. What is still running counts as present until its duration, and no longer;
    `longest` is the longest duration that anything was followed for, `durations` are all of them,
    the shortest first.
    """

    n: int
    longest: Decimal
    durations: tuple[Decimal, ...]
    times: tuple[Decimal, ...]
    running: tuple[float, ...]
    ended: Mapping[Ending, tuple[float, ...]]

    def by(self, duration: Decimal, ending: Ending) -> float:
        """The share that has ended this way by a duration."""
        index = bisect_right(self.times, duration)
        return self.ended[ending][index - 1] if index and ending in self.ended else 0.0

    def beyond(self, duration: Decimal) -> int:
        """How many were followed for longer than a duration."""
        return self.n - bisect_right(self.durations, duration)

    def running_at(self, duration: Decimal) -> float:
        """The share that runs longer than a duration."""
        index = bisect_right(self.times, duration)
        return self.running[index - 1] if index else 1.0

    def expected(self, age: Decimal, horizon: Decimal, ending: Ending) -> float | None:
        """How likely what still runs at an age ends this way by a later duration.

        None where nothing is known to run longer than the age, and where what still ran was not
        followed until the horizon: what became of it later was not seen.
        """
        running = self.running_at(age)
        if running <= 0 or (horizon > self.longest and self.running_at(horizon) > 0):
            return None
        return (self.by(horizon, ending) - self.by(age, ending)) / running


def aalen_johansen(
    observations: Mapping[tuple[Decimal, Ending | None], int],
) -> Incidence[Ending]:
    """Incidence from how many lasted each duration and then ended so; None: still running then.

    Raises ValueError where a duration is negative.
    """
    if any(duration < 0 for duration, _ in observations):
        raise ValueError("expected durations of 0 or more")
    at: dict[Decimal, dict[Ending | None, int]] = {}
    for (duration, ending), count in observations.items():
        at.setdefault(duration, {})[ending] = count
    kinds = {ending for _, ending in observations if ending is not None}
    reached: dict[Ending, float] = dict.fromkeys(kinds, 0.0)
    ended: dict[Ending, list[float]] = {kind: [] for kind in kinds}
    times: list[Decimal] = []
    running: list[float] = []
    n = at_risk = sum(observations.values())
    share = 1.0
    durations: list[Decimal] = []
    for duration in sorted(at):
        here = at[duration]
        count = sum(here.values())
        if over := count - here.get(None, 0):
            for kind in kinds:
                reached[kind] += share * here.get(kind, 0) / at_risk
                ended[kind].append(reached[kind])
            share *= 1 - over / at_risk
            times.append(duration)
            running.append(share)
        at_risk -= count
        durations += [duration] * count
    steps = {kind: tuple(shares) for kind, shares in ended.items()}
    longest = durations[-1] if durations else Decimal(0)
    return Incidence(n, longest, tuple(durations), tuple(times), tuple(running), steps)


@dataclass(frozen=True, slots=True)
class LogRank:
    """How unlike the durations of two groups are: the statistic, and its p-value."""

    statistic: float
    p: float


def log_rank(
    one: tuple[Sequence[Decimal], Sequence[bool]], other: tuple[Sequence[Decimal], Sequence[bool]]
) -> LogRank | None:
    """Compare the durations of two groups, each with which of them ended.

    The test of Mantel (1966, Cancer Chemother. Rep. 50:163), chi-square with one degree of freedom,
    two-sided. None where nothing ended while both groups were there.
    """
    lasted = [sorted(durations) for durations, _ in (one, other)]
    ended = [
        sorted(time for time, over in zip(*group, strict=True) if over) for group in (one, other)
    ]
    surplus, variance = 0.0, 0.0
    for time in sorted({*ended[0], *ended[1]}):
        at_risk = [len(group) - bisect_left(group, time) for group in lasted]
        ends = [bisect_right(group, time) - bisect_left(group, time) for group in ended]
        total, here = sum(at_risk), sum(ends)
        surplus += ends[0] - here * at_risk[0] / total
        if total > 1:
            left = here * (total - here) / (total - 1)
            variance += left * at_risk[0] * at_risk[1] / (total * total)
    if variance == 0:
        return None
    statistic = surplus**2 / variance
    return LogRank(statistic, erfc(sqrt(statistic / 2)))
