"""Discounts against the days that a quarter has left: how deep they are, and how much deeper."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Final, Literal, TypeAlias
from uuid import UUID

from domain.comparisons import COUNTS_ONLY, NO_VERDICT, benjamini_hochberg, sign_flip, spearman
from domain.fiscal import DaySpan, FiscalQuarter
from domain.intervals import Interval, Mean, spearman_interval
from projections.quarter.closings import Parts

Finding: TypeAlias = Literal["deeper", "shallower", "not_apart"]
SHIFT: Final = timedelta(days=45)
"""How long before the window a placebo looks (METRICS section 7)."""
LEVEL: Final = 0.05
"""A p from which on nothing is concluded; the level of the intervals beside it."""
_EDGES: Final = (0, 1, 7, 14, 28, 42, 56)
_QUARTER_STARTS: Final = (1, 4, 7, 10)


@dataclass(frozen=True, slots=True)
class Offer:
    """A discount that was offered on a local day of the quarter, in per cent."""

    event_id: UUID
    rep: str
    segment: str | None
    day: date
    percent: Decimal


@dataclass(frozen=True, slots=True)
class Bin:
    """The discounts offered while so many days were left; without `most`, these or more."""

    least: int
    most: int | None
    mean: Mean
    event_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Trend:
    """How discounts go with the days left: their rank correlation, and means of bins.

    Below 0, discounts are deeper the fewer days are left. Offers count as independent here; the
    test by rep does not suppose that.
    """

    n: int
    rho: float | None
    interval: Interval | None
    bins: tuple[Bin, ...]

    @property
    def finding(self) -> Finding | None:
        """Whether discounts deepen toward the end; None with too few offers to tell."""
        if self.n < NO_VERDICT or self.interval is None:
            return None
        if self.interval[1] < 0:
            return "deeper"
        return "shallower" if self.interval[0] > 0 else "not_apart"


def trend(offers: Sequence[Offer], quarter: FiscalQuarter) -> Trend:
    """Give how the discounts of a quarter go with the days that it had left."""
    left = [(quarter.end - offer.day).days for offer in offers]
    pairs = [(float(days), float(o.percent)) for days, o in zip(left, offers, strict=True)]
    rho = spearman(pairs) if len(pairs) >= COUNTS_ONLY else None
    bins: list[Bin] = []
    for least, following in pairwise((*_EDGES, None)):
        most = None if following is None else following - 1
        own = [
            offer
            for days, offer in zip(left, offers, strict=True)
            if days >= (least or 0) and (most is None or days <= most)
        ]
        mean = Mean.of([float(offer.percent) for offer in own])
        bins.append(Bin(least or 0, most, mean, tuple(offer.event_id for offer in own)))
    interval = None if rho is None else spearman_interval(rho, len(pairs))
    return Trend(len(pairs), rho, interval, tuple(bins))


@dataclass(frozen=True, slots=True)
class RepDifference:
    """The discounts of one rep inside some days and outside them."""

    rep: str
    inside: tuple[Offer, ...]
    outside: tuple[Offer, ...]

    @property
    def difference(self) -> float:
        """The mean discount inside minus the one outside, in percentage points."""
        return _mean(self.inside) - _mean(self.outside)


@dataclass(frozen=True, slots=True)
class Effect:
    """How much deeper reps discount inside some days than outside them; the unit is the rep.

    `reps` are those with offers on both sides, by name. `p` is that of the sign-flip test over
    them, or of many such tests the adjusted one; None below `COUNTS_ONLY` reps.
    """

    reps: tuple[RepDifference, ...]
    mean: Mean
    p: float | None

    @property
    def finding(self) -> Finding | None:
        """Whether reps discount deeper inside; None with too few reps to tell."""
        if not self.mean.conclusive or self.mean.value is None or self.p is None:
            return None
        if self.p > LEVEL:
            return "not_apart"
        return "deeper" if self.mean.value > 0 else "shallower"


def effect(offers: Iterable[Offer], inside: Collection[date], outside: Collection[date]) -> Effect:
    """Compare each rep's mean discount inside some days with their mean outside.

    Days that are both count as inside.
    """
    by_rep: dict[str, tuple[list[Offer], list[Offer]]] = {}
    for offer in offers:
        both = by_rep.setdefault(offer.rep, ([], []))
        if offer.day in inside:
            both[0].append(offer)
        elif offer.day in outside:
            both[1].append(offer)
    reps = tuple(
        RepDifference(rep, tuple(within), tuple(without))
        for rep, (within, without) in sorted(by_rep.items())
        if within and without
    )
    differences = [rep.difference for rep in reps]
    p = sign_flip(differences) if len(differences) >= COUNTS_ONLY else None
    return Effect(reps, Mean.of(differences), p)


def by_segment(
    offers: Sequence[Offer], inside: Collection[date], outside: Collection[date]
) -> list[tuple[str, Effect, float | None]]:
    """Compare within each segment, by name, with p adjusted for their number and p as it was.

    Offers to accounts without a segment are in none (Benjamini and Hochberg).
    """
    names = sorted({offer.segment for offer in offers if offer.segment is not None})
    found = [(n, effect((o for o in offers if o.segment == n), inside, outside)) for n in names]
    raw = [one.p for _, one in found if one.p is not None]
    adjusted = iter(benjamini_hochberg(raw))
    return [
        (name, Effect(one.reps, one.mean, None if one.p is None else next(adjusted)), one.p)
        for name, one in found
    ]


def shifted_window(parts: Parts) -> DaySpan | None:
    """Give the window 45 days earlier; None where it does not lie in the interior."""
    return _within(DaySpan(parts.window.first - SHIFT, parts.window.last - SHIFT), parts)


def calendar_window(quarter: FiscalQuarter, parts: Parts) -> DaySpan | None:
    """Give as many days before the end of the calendar's quarter, where the fiscal one differs.

    None where both end together, or so near to each other that the days do not all lie in the
    interior.
    """
    one_day = timedelta(days=1)
    for day in DaySpan(quarter.start, quarter.end - one_day):
        following = day + one_day
        if following.day == 1 and following.month in _QUARTER_STARTS:
            return _within(DaySpan(day - one_day * (len(parts.window) - 1), day), parts)
    return None


def _within(days: DaySpan, parts: Parts) -> DaySpan | None:
    inside = len(days) > 0 and days.first in parts.interior and days.last in parts.interior
    return days if inside else None


def _mean(offers: Sequence[Offer]) -> float:
    return float(sum((offer.percent for offer in offers), Decimal(0)) / len(offers))
