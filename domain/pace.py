"""How much of the time in which somebody can sell in a quarter has passed (METRICS section 2)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Final
from uuid import UUID

from domain.fiscal import FiscalQuarter, tau


@dataclass(frozen=True, slots=True)
class Active:
    """Somebody's time in the organisation; `until` is None while it lasts."""

    since: datetime
    until: datetime | None
    events: tuple[UUID, ...]

    def covers(self, quarter: FiscalQuarter) -> bool:
        """Say whether a whole quarter lies in it."""
        return self.since < quarter.start_instant and (
            self.until is None or self.until >= quarter.end_instant
        )


@dataclass(frozen=True, slots=True)
class Pace:
    """The share F of a quarter that has passed for somebody, from 0 to 1.

    `events` are those by which somebody came or left in mid-quarter; empty if nobody did.
    """

    elapsed: Fraction
    events: tuple[UUID, ...] = ()


def pace(quarter: FiscalQuarter, at: datetime, active: Sequence[Active] = ()) -> Pace:
    """Give F' = (F(tau) - F(a)) / (F(b) - F(a)) at linear F, a to b being the active time.

    Somebody who left and came back was active for the sum of both times. Who was never in a team,
    or not during the quarter, has the whole quarter: their quota says that it is theirs.
    """
    now = tau(quarter, at)
    # Nearly everybody, so that the fractions below need not be added up for them.
    if len(active) == 1 and active[0].covers(quarter):
        return Pace(now)
    spans = [(tau(quarter, one.since), _end(quarter, one), one) for one in active]
    inside = [(start, end, one) for start, end, one in spans if end > start]
    total = sum((end - start for start, end, _ in inside), Fraction(0))
    if total in (0, 1):
        return Pace(now)
    gone = sum((min(max(now, start), end) - start for start, end, _ in inside), Fraction(0))
    return Pace(gone / total, tuple(event for _, _, one in inside for event in one.events))


def _end(quarter: FiscalQuarter, active: Active) -> Fraction:
    return Fraction(1) if active.until is None else tau(quarter, active.until)


def first_instant(holds: Callable[[datetime], bool], start: datetime, end: datetime) -> datetime:
    """Give from when on something holds that, once it holds, does until the end; else the end."""
    if holds(start):
        return start
    while end - start > _MICROSECOND:
        middle = start + (end - start) // 2
        start, end = (start, middle) if holds(middle) else (middle, end)
    return end


_MICROSECOND: Final = timedelta(microseconds=1)
