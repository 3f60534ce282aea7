"""How long deals stay in a stage, those that are still in it counted as far as they have come."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Final

from domain.comparisons import COUNTS_ONLY, NO_VERDICT
from domain.survival import Incidence, aalen_johansen, log_rank
from projections.process.paths import Path
from projections.rates import number

HORIZON_DAYS: Final = Decimal(90)
"""A stay counts up to so many days in the restricted mean: about a quarter."""
_DAY: Final = timedelta(days=1)
_ROUNDING: Final = 1e-9
_SECONDS: Final = Decimal(86_400)


@dataclass(frozen=True)
class Durations:
    """Stays in one stage: their days, and whether each is over."""

    days: tuple[Decimal, ...]
    over: tuple[bool, ...]

    @property
    def n(self) -> int:
        """How many stays there are."""
        return len(self.days)

    @cached_property
    def incidence(self) -> Incidence[str]:
        """Give the share that is over by each duration (Kaplan and Meier)."""
        ended = ("left" if over else None for over in self.over)
        return aalen_johansen(Counter(zip(self.days, ended, strict=True)))


def durations_in(paths: Iterable[Path], stage: str, at: datetime) -> Durations:
    """Give the stays of deals in a stage; one that lasts counts up to an instant, and as not over.

    A close ends a stay like a move does.
    """
    stays = [stay for path in paths for stay in path.stays if stay.stage == stage]
    return Durations(
        days=tuple(
            _days((stay.left_at or max(at, stay.entered_at)) - stay.entered_at) for stay in stays
        ),
        over=tuple(stay.left_at is not None for stay in stays),
    )


def median(incidence: Incidence[str]) -> Decimal | None:
    """Give the days by which half are over; None where fewer ever are."""
    for time, running in zip(incidence.times, incidence.running, strict=True):
        if running <= 0.5 + _ROUNDING:
            return time
    return None


def restricted_mean(found: Durations, horizon: Decimal = HORIZON_DAYS) -> float | None:
    """Give the mean of days, each cut at a horizon: the area under the Kaplan-Meier steps.

    None where nothing was followed as far as the horizon and something was still running.
    """
    incidence = found.incidence
    if incidence.running_at(horizon) > 0 and horizon > incidence.longest:
        return None
    area, since, running = 0.0, Decimal(0), 1.0
    for time, share in zip(incidence.times, incidence.running, strict=True):
        if time >= horizon:
            break
        area += running * float(time - since)
        since, running = time, share
    return area + running * float(horizon - since)


def durations_json(found: Durations) -> dict[str, object]:
    """Give the stays in the shape of the API; of a few only how many they are."""
    told = found.n >= COUNTS_ONLY
    half = median(found.incidence) if told else None
    return {
        "n": found.n,
        "over": sum(found.over),
        "median_days": None if half is None else number(float(half)),
        "restricted_mean_days": number(restricted_mean(found)) if told else None,
    }


def log_rank_json(one: Durations, other: Durations) -> dict[str, object] | None:
    """Compare two groups of stays; None where one has too few, or none was over in time."""
    if min(one.n, other.n) < COUNTS_ONLY:
        return None
    found = log_rank((one.days, one.over), (other.days, other.over))
    if found is None:
        return None
    return {
        "statistic": number(found.statistic),
        "p": number(found.p),
        "conclusive": min(one.n, other.n) >= NO_VERDICT,
    }


def _days(lasted: timedelta) -> Decimal:
    whole, rest = divmod(lasted, _DAY)
    if not rest:
        return Decimal(whole)
    seconds = Decimal(rest.seconds) + Decimal(rest.microseconds).scaleb(-6)
    return whole + seconds / _SECONDS


def stages_json(
    stages: Sequence[str], paths: Sequence[Path], at: datetime
) -> list[dict[str, object]]:
    """Give the time in each stage."""
    return [{"stage": stage, **durations_json(durations_in(paths, stage, at))} for stage in stages]
