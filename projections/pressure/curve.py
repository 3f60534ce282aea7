"""Quota pressure at an instant and over a quarter (METRICS section 2)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Final

from domain.bookings import RunningTotal
from domain.values import Money


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a rep stands against the quota: pressure never stands alone (METRICS section 2).

    `elapsed` is the share of the quarter that has passed; None where the bookings are not all
    known, so that no pressure follows from them.
    """

    quota: Money | None
    attained: Decimal
    elapsed: Fraction | None

    @property
    def pressure(self) -> Fraction | None:
        """The quota pressure, from 0 to 1."""
        if self.quota is None or self.elapsed is None:
            return None
        return pressure(self.quota.amount, self.attained, self.elapsed)

    @property
    def shortfall(self) -> Fraction | None:
        """The share of the quota by which the rep is behind pace."""
        if self.quota is None or self.elapsed is None:
            return None
        return shortfall(self.quota.amount, self.attained, self.elapsed)


def pressure(quota: Decimal | None, attained: Decimal, elapsed: Fraction) -> Fraction | None:
    """Give clamp01((Q*F - A) / (Q - A)) at linear pace F = tau; None without a quota.

    0 where nothing is missing: Q <= 0 or A >= Q.
    """
    if quota is None:
        return None
    if quota <= 0 or attained >= quota:
        return Fraction(0)
    target, booked = Fraction(quota), Fraction(attained)
    return min(Fraction(1), max(Fraction(0), (target * elapsed - booked) / (target - booked)))


def shortfall(quota: Decimal | None, attained: Decimal, elapsed: Fraction) -> Fraction | None:
    """Give max(0, (Q*F - A) / Q): the share of the quota by which the rep is behind pace."""
    if quota is None:
        return None
    if quota <= 0:
        return Fraction(0)
    return max(Fraction(0), elapsed - Fraction(attained) / Fraction(quota))


def pivotality(value: Decimal | None, quota: Decimal | None, attained: Decimal) -> Fraction | None:
    """Give min(1, v / (Q - A)): how much of what is missing this deal would bring.

    0 where nothing is missing; None without a value or a quota.
    """
    if value is None or quota is None:
        return None
    if quota <= 0 or attained >= quota:
        return Fraction(0)
    return min(Fraction(1), max(Fraction(0), Fraction(value) / Fraction(quota - attained)))


def standing(
    quota: Money | None, booked: RunningTotal, elapsed: Fraction, at: datetime
) -> Standing:
    """Give where a rep stands at an instant by which a share of the quarter has passed.

    Unknown where a credit could not be converted.
    """
    return Standing(quota, booked.before(at), elapsed if booked.complete_before(at) else None)


def curve(
    quota_at: Callable[[datetime], Money | None],
    booked: RunningTotal,
    elapsed: Callable[[datetime], Fraction],
    changes: Iterable[datetime],
    *,
    start: datetime,
    end: datetime,
) -> list[tuple[datetime, Fraction | None]]:
    """Give the points of the pressure line of one rep in a quarter between two instants.

    Between two points the line is straight, but for its kink where the rep falls behind pace.
    `changes` are the instants at which the quota, the bookings or the pace change: there the line
    jumps or bends, so it has a point at the instant and one just after it.
    """
    inside = {at + after for at in changes for after in (timedelta(0), _JUST_AFTER)}
    marks = sorted({start, end, *(at for at in inside if start < at < end)})
    daily = [start + _DAY * day for day in range(1, (end - start) // _DAY + 1)]
    instants = sorted({*marks, *(at for at in daily if at < end)})
    return [(at, standing(quota_at(at), booked, elapsed(at), at).pressure) for at in instants]


_DAY: Final = timedelta(days=1)
_JUST_AFTER: Final = timedelta(microseconds=1)
"""Bookings count strictly before an instant, so a win shows a microsecond after it."""
