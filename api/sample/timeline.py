"""The simulated calendar: the quarters around a day, and moments in office hours."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from api.sample.cast import START_MONTH, ZONE
from api.sample.chance import Chance
from domain.fiscal import FiscalCalendar, FiscalQuarter, MonthsCalendar, days_left, zone_named

CLOSED: Final = 3
"""Closed quarters of the sample company; the running one has this index."""
CALENDAR: Final = MonthsCalendar(zone=ZONE, start_month=START_MONTH)
WINDOW: Final = 14
"""Days at the end of a quarter in which habits show."""
LEAD_DAYS: Final = 75
"""How long before the first quarter the history begins."""
_FRIDAY: Final = 4
_OPENS: Final = 9
_CLOSES: Final = 16


class Timeline:
    """Some closed quarters and the running one, as seen from the beginning of a day in UTC."""

    def __init__(
        self,
        now: datetime,
        *,
        closed: int = CLOSED,
        calendar: FiscalCalendar = CALENDAR,
    ) -> None:
        if now.tzinfo is None:
            raise ValueError("now: expected an instant with its zone, not a local time")
        self.horizon = datetime.combine(now.astimezone(UTC).date(), time.min, UTC)
        self.calendar = calendar
        self.closed = closed
        running = self.calendar.quarter_of(self.horizon)
        quarters = [self.calendar.after(running), running]
        while len(quarters) < closed + 3:
            quarters.append(self.calendar.before(quarters[-1]))
        self._quarters = quarters[::-1]
        self.first_day = self.quarter(0).start - timedelta(days=LEAD_DAYS)

    def quarter(self, index: int) -> FiscalQuarter:
        """Give the quarter by index: 0 the first closed one; there is one more on either side."""
        return self._quarters[index + 1]

    def index_of(self, instant: datetime) -> int:
        """Give the index of the quarter that the instant lies in."""
        quarter = self.calendar.quarter_of(instant)
        return next(
            (at - 1 for at, one in enumerate(self._quarters) if one.name == quarter.name),
            self.closed,
        )

    def in_window(self, instant: datetime) -> bool:
        return days_left(self.calendar.quarter_of(instant), instant) < WINDOW


def office_moment(day: date, chance: Chance) -> datetime:
    """Draw a moment in office hours of the day, or of the Friday before it."""
    day -= timedelta(days=max(0, day.weekday() - _FRIDAY))
    local = datetime.combine(
        day, time(chance.between(_OPENS, _CLOSES), chance.between(0, 59), chance.between(0, 59))
    )
    return local.replace(tzinfo=zone_named(ZONE)).astimezone(UTC)


def local_date(instant: datetime) -> date:
    return instant.astimezone(zone_named(ZONE)).date()
