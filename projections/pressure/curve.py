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
    behind, _, missing = _in_whole_numbers(quota, attained, elapsed)
    if behind <= 0:
        return Fraction(0)
    return Fraction(1) if behind >= missing else Fraction(behind, missing)


def shortfall(quota: Decimal | None, attained: Decimal, elapsed: Fraction) -> Fraction | None:
    """Give max(0, (Q*F - A) / Q): the share of the quota by which the rep is behind pace."""
    if quota is None:
        return None
    if quota <= 0:
        return Fraction(0)
    behind, whole, _ = _in_whole_numbers(quota, attained, elapsed)
    return Fraction(0) if behind <= 0 else Fraction(behind, whole)


def _in_whole_numbers(quota: Decimal, attained: Decimal, elapsed: Fraction) -> tuple[int, int, int]:
    """Give Q*F - A, Q and Q - A, each times the same number that makes them whole.

    A curve has a point for every day, and fractions take long to be shortened at every step.
    """
    (target, target_of), (booked, booked_of) = quota.as_integer_ratio(), attained.as_integer_ratio()
    target, booked = target * booked_of, booked * target_of
    passed, of = elapsed.as_integer_ratio()
    return target * passed - booked * of, target * of, (target - booked) * of


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
