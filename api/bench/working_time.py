"""Time as a generated company has it: working seconds, which are cheap to add, sort and write."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from domain.fiscal import MonthsCalendar

START: Final = date(2021, 2, 1)
"""A Monday, and the first day of a fiscal quarter."""
CALENDAR: Final = MonthsCalendar(zone="America/New_York", start_month=2)
QUARTERS: Final = 12
"""How many quarters a history is spread over."""
DAY: Final = 9 * 3600
"""Seconds that are worked a day: from nine to six in New York, in winter."""

_WORK_DAYS: Final = 5
_OPENING_HOUR: Final = 14
_DAYS: Final = 2600
"""Working days that can be written: ten years, for deals that close long after the last opening."""
_DATES: Final = [
    START + timedelta(days=day // _WORK_DAYS * 7 + day % _WORK_DAYS) for day in range(_DAYS)
]
_DAY_TEXTS: Final = [day.isoformat() for day in _DATES]
_DAY_MILLISECONDS: Final = [
    int(datetime.combine(day, time(_OPENING_HOUR), UTC).timestamp()) * 1000 for day in _DATES
]
_CLOCK_TEXTS: Final = [
    f"{_OPENING_HOUR + second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
    for second in range(DAY)
]


def text_of(second: int) -> str:
    """Give a working second, counted from `START`, as UTC without its zone."""
    return f"{_DAY_TEXTS[second // DAY]} {_CLOCK_TEXTS[second % DAY]}"


def milliseconds_of(second: int) -> int:
    """Give a working second in milliseconds since 1970, as a UUIDv7 begins with."""
    return _DAY_MILLISECONDS[second // DAY] + second % DAY * 1000


def date_of(second: int) -> date:
    return _DATES[second // DAY]


def second_of(day: date) -> int:
    """Give the first working second on or after a day."""
    weeks, weekday = divmod((day - START).days, 7)
    return (weeks * _WORK_DAYS + min(weekday, _WORK_DAYS)) * DAY


def quarter_names(count: int) -> list[str]:
    """Give the names of the first fiscal quarters."""
    names, quarter = [], CALENDAR.quarter_on(START)
    for _ in range(count):
        names.append(quarter.name)
        quarter = CALENDAR.after(quarter)
    return names


def quarter_start(name: str) -> int:
    """Give the working second that a fiscal quarter starts with."""
    return second_of(CALENDAR.quarter_named(name).start)
