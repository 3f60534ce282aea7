"""Fiscal calendars: the quarter that an instant or a day belongs to, and how far through it is."""

import calendar as gregorian
import re
from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from math import ceil
from typing import Final, Literal, TypeAlias, get_args
from zoneinfo import ZoneInfo

from domain.errors import CalendarRefusedError
from domain.values import FIRST_DATE_YEAR, LAST_YEAR

Weekday: TypeAlias = Literal["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"]
YearEndRule: TypeAlias = Literal["last", "nearest"]
WeeksPattern: TypeAlias = Literal["4-4-5", "4-5-4", "5-4-4"]

_DAY: Final = timedelta(days=1)
_MICROSECOND: Final = timedelta(microseconds=1)
_MICROSECONDS_A_DAY: Final = _DAY // _MICROSECOND
_QUARTER_NAME: Final = re.compile(r"FY([0-9]{4})Q([1-4])")
_FRIDAY: Final = 4
_MONTHS: Final = 12
_LAST_QUARTER: Final = 3
_DAYS_OF_A_WEEK: Final = 7
_DAYS_OF_13_WEEKS: Final = 91


class OutsideCalendarError(ValueError):
    """The fiscal calendar has no quarter for this day or of this name."""


@lru_cache(maxsize=256)
def zone_named(name: str) -> ZoneInfo:
    """The IANA zone of that name; CalendarRefusedError if there is none."""
    # Some systems offer "localtime", which means something else on each of them.
    zone = None if name == "localtime" else _zone(name)
    if zone is None:
        raise CalendarRefusedError(
            f'zone: expected an IANA time zone such as "Europe/Berlin", not {name!r}', field="zone"
        )
    return zone


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        return None


def local_day(instant: datetime, zone: str) -> date:
    """The day on the wall calendar of the zone; ValueError for an instant without a zone."""
    if instant.tzinfo is None:
        raise ValueError("an instant needs its zone; a local time is not enough")
    return instant.astimezone(zone_named(zone)).date()


def local_midnight(day: date, zone: str) -> datetime:
    """The first instant of a local day.

    Where midnight comes twice this is the first; where it is skipped, the moment after.
    """
    return datetime.combine(day, time.min, zone_named(zone)).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class DaySpan:
    """Local days from the first to the last, both included; none where the last lies before."""

    first: date
    last: date

    def __len__(self) -> int:
        return max(0, (self.last - self.first).days + 1)

    def __contains__(self, day: object) -> bool:
        return isinstance(day, date) and self.first <= day <= self.last

    def __iter__(self) -> Iterator[date]:
        return (self.first + _DAY * number for number in range(len(self)))


@dataclass(frozen=True, slots=True)
class FiscalQuarter:
    """A span of local days, first and last included; as instants, half-open."""

    name: str
    start: date
    end: date
    zone: str
    start_instant: datetime
    end_instant: datetime

    @property
    def days(self) -> int:
        return (self.end - self.start).days + 1

    @property
    def fiscal_year(self) -> int:
        """The year that the quarter's fiscal year is named by: the one it ends in."""
        return int(self.name[2:6])

    @property
    def number(self) -> int:
        return int(self.name[-1])

    @property
    def last_business_day(self) -> date:
        """The last Monday-to-Friday day; public holidays are not known here."""
        return self.end - _DAY * max(0, self.end.weekday() - _FRIDAY)

    @property
    def business_days(self) -> list[date]:
        """The Monday-to-Friday days, in order; public holidays are not known here."""
        return [day for day in DaySpan(self.start, self.end) if day.weekday() <= _FRIDAY]

    def contains(self, instant: datetime) -> bool:
        return self.start_instant <= instant < self.end_instant


def tau(quarter: FiscalQuarter, instant: datetime) -> Fraction:
    """How much of the quarter has passed on the wall clock, exactly: 0 at its start.

    0 before the quarter, 1 from its end on, below 1 within. Wall-clock time makes each local
    day the same share of the quarter, also the days of 23 and of 25 hours.
    """
    if instant < quarter.start_instant:
        return Fraction(0)
    if instant >= quarter.end_instant:
        return Fraction(1)
    wall = instant.astimezone(zone_named(quarter.zone)).replace(tzinfo=None)
    elapsed = (wall - datetime.combine(quarter.start, time.min)) // _MICROSECOND
    # Clocks put back over midnight show the day before the quarter after it has begun.
    return Fraction(max(elapsed, 0), quarter.days * _MICROSECONDS_A_DAY)


def instant_at(quarter: FiscalQuarter, share: Fraction) -> datetime:
    """Give the instant at which a share of the quarter has passed on the wall clock.

    The first such instant where clocks are put back, and the one after where they skip it.
    """
    if share >= 1:
        return quarter.end_instant
    passed = ceil(share * quarter.days * _MICROSECONDS_A_DAY) * _MICROSECOND
    wall = datetime.combine(quarter.start, time.min, zone_named(quarter.zone)) + passed
    return wall.astimezone(UTC)


def days_left(quarter: FiscalQuarter, instant: datetime) -> int:
    """Local days to the quarter's last one: 0 on that day and after, days - 1 on the first."""
    left = (quarter.end - local_day(instant, quarter.zone)).days
    return min(max(left, 0), quarter.days - 1)


@dataclass(frozen=True, slots=True)
class FiscalCalendar(ABC):
    """A rule that divides local days into fiscal quarters, without a gap or an overlap.

    A fiscal year is named by the year it ends in.
    """

    zone: str
    # Replays ask for the same days millions of times; the answers never change.
    _by_day: dict[date, FiscalQuarter] = field(
        init=False, repr=False, compare=False, default_factory=dict
    )

    def __post_init__(self) -> None:
        zone_named(self.zone)

    def quarter_of(self, instant: datetime) -> FiscalQuarter:
        """The quarter that the instant lies in; OutsideCalendarError where there is none."""
        quarter = self.quarter_on(local_day(instant, self.zone))
        # Clocks put back over midnight show the old day again after the new one has begun.
        return quarter if instant < quarter.end_instant else self.after(quarter)

    def quarter_on(self, day: date) -> FiscalQuarter:
        """The quarter that has this local day; OutsideCalendarError where there is none."""
        quarter = self._by_day.get(day)
        if quarter is None:
            if not FIRST_DATE_YEAR <= day.year <= LAST_YEAR:
                raise OutsideCalendarError(f"{day} is outside every fiscal calendar")
            quarter = self._find(day)
            self._by_day[day] = quarter
        return quarter

    def after(self, quarter: FiscalQuarter) -> FiscalQuarter:
        return self.quarter_on(quarter.end + _DAY)

    def before(self, quarter: FiscalQuarter) -> FiscalQuarter:
        return self.quarter_on(quarter.start - _DAY)

    def months_of(self, quarter: FiscalQuarter) -> list[DaySpan]:
        """The fiscal months of one of its quarters, in order: by default the calendar's months."""
        firsts = [day for day in DaySpan(quarter.start, quarter.end) if day.day == 1]
        return _spans([quarter.start, *(day for day in firsts if day > quarter.start)], quarter)

    @abstractmethod
    def quarter_named(self, name: str) -> FiscalQuarter:
        """The quarter called, say, "FY2026Q3"; OutsideCalendarError where there is none."""

    @abstractmethod
    def _find(self, day: date) -> FiscalQuarter: ...

    def _quarter(self, *, name: str, start: date, end: date) -> FiscalQuarter:
        return FiscalQuarter(
            name=name,
            start=start,
            end=end,
            zone=self.zone,
            start_instant=local_midnight(start, self.zone),
            end_instant=local_midnight(end + _DAY, self.zone),
        )


@dataclass(frozen=True, slots=True)
class MonthsCalendar(FiscalCalendar):
    """Quarters of three calendar months; the year begins with `start_month` (1 to 12)."""

    start_month: int

    def __post_init__(self) -> None:
        FiscalCalendar.__post_init__(self)
        _ensure_month(self.start_month, name="start_month")

    def quarter_named(self, name: str) -> FiscalQuarter:
        year, number = _parsed(name)
        return self._in_year(year, number - 1)

    def _find(self, day: date) -> FiscalQuarter:
        begun = day.year if day.month >= self.start_month else day.year - 1
        year = begun if self.start_month == 1 else begun + 1
        return self._in_year(year, (day.month - self.start_month) % _MONTHS // 3)

    def _in_year(self, year: int, index: int) -> FiscalQuarter:
        begun = year if self.start_month == 1 else year - 1
        months = begun * _MONTHS + self.start_month - 1 + index * 3
        return self._quarter(
            name=f"FY{year:04}Q{index + 1}",
            start=_first_of_month(months),
            end=_first_of_month(months + 3) - _DAY,
        )


@dataclass(frozen=True, slots=True)
class WeeksCalendar(FiscalCalendar):
    """Years of 52 or 53 whole weeks that end on a weekday at, or nearest to, a month's end.

    A year has the number of the calendar year whose `month` it ends by, also where "nearest"
    lets it run a few days into the next. Its 53rd week, if any, belongs to the fourth quarter.
    The pattern divides a quarter into fiscal months and moves no quarter's boundary; a 53rd week
    belongs to the last of them.
    """

    weekday: Weekday
    month: int
    rule: YearEndRule
    pattern: WeeksPattern

    def __post_init__(self) -> None:
        FiscalCalendar.__post_init__(self)
        _ensure_month(self.month, name="month")

    def months_of(self, quarter: FiscalQuarter) -> list[DaySpan]:
        """The fiscal months of one of its quarters, as the pattern counts their weeks."""
        first, second, _ = (int(weeks) * _DAYS_OF_A_WEEK for weeks in self.pattern.split("-"))
        starts = [quarter.start + _DAY * days for days in (0, first, first + second)]
        return _spans(starts, quarter)

    def year_end(self, year: int) -> date:
        """The last day of the fiscal year."""
        month_end = date(year, self.month, gregorian.monthrange(year, self.month)[1])
        back = (month_end.weekday() - get_args(Weekday).index(self.weekday)) % _DAYS_OF_A_WEEK
        if self.rule == "nearest" and back > _DAYS_OF_A_WEEK // 2:
            back -= _DAYS_OF_A_WEEK
        return month_end - _DAY * back

    def quarter_named(self, name: str) -> FiscalQuarter:
        year, number = _parsed(name)
        return self._in_year(year, number - 1)

    def _find(self, day: date) -> FiscalQuarter:
        year = day.year - 1
        while self.year_end(year) < day:
            year += 1
        year_start = self.year_end(year - 1) + _DAY
        return self._in_year(year, min((day - year_start).days // _DAYS_OF_13_WEEKS, _LAST_QUARTER))

    def _in_year(self, year: int, index: int) -> FiscalQuarter:
        start = self.year_end(year - 1) + _DAY * (1 + index * _DAYS_OF_13_WEEKS)
        ends_year = index == _LAST_QUARTER
        return self._quarter(
            name=f"FY{year:04}Q{index + 1}",
            start=start,
            end=self.year_end(year) if ends_year else start + _DAY * (_DAYS_OF_13_WEEKS - 1),
        )


@dataclass(frozen=True, slots=True)
class Period:
    """One quarter of an explicit calendar: its name, its first and its last local day."""

    name: str
    start: date
    end: date


@dataclass(frozen=True, slots=True)
class ExplicitCalendar(FiscalCalendar):
    """Quarters as a company lists them, one after the other without a gap."""

    periods: tuple[Period, ...]

    def __post_init__(self) -> None:
        FiscalCalendar.__post_init__(self)
        if not self.periods:
            raise _refused("expected at least one period", "periods")
        for index, period in enumerate(self.periods):
            _ensure_period(period, name=f"periods[{index}]")
        for index, (earlier, later) in enumerate(pairwise(self.periods), start=1):
            if later.start != earlier.end + _DAY:
                raise _refused(
                    f"expected {later.name} to start on {earlier.end + _DAY}, the day after "
                    f"{earlier.name} ends, not on {later.start}",
                    f"periods[{index}].start",
                )
            if later.name <= earlier.name:
                raise _refused(
                    f"expected a later quarter after {earlier.name}, not {later.name}",
                    f"periods[{index}].name",
                )

    def quarter_named(self, name: str) -> FiscalQuarter:
        _parsed(name)
        for period in self.periods:
            if period.name == name:
                return self.quarter_on(period.start)
        raise OutsideCalendarError(
            f"the fiscal calendar lists {self.periods[0].name} to {self.periods[-1].name}, "
            f"not {name}"
        )

    def _find(self, day: date) -> FiscalQuarter:
        if not self.periods[0].start <= day <= self.periods[-1].end:
            raise OutsideCalendarError(
                f"the fiscal calendar lists {self.periods[0].start} to {self.periods[-1].end}, "
                f"not {day}"
            )
        index = bisect_right(self.periods, day, key=lambda period: period.start) - 1
        period = self.periods[index]
        return self._quarter(name=period.name, start=period.start, end=period.end)


def _spans(starts: Sequence[date], quarter: FiscalQuarter) -> list[DaySpan]:
    """Divide a quarter into spans that begin on these days."""
    lasts = [*(day - _DAY for day in starts[1:]), quarter.end]
    return [DaySpan(first, last) for first, last in zip(starts, lasts, strict=True)]


def _first_of_month(months: int) -> date:
    """The first day of a month counted from January of year 0."""
    return date(months // _MONTHS, months % _MONTHS + 1, 1)


def _parsed(name: str) -> tuple[int, int]:
    match = _QUARTER_NAME.fullmatch(name)
    if match is None:
        raise OutsideCalendarError(f'expected a quarter such as "FY2026Q3", not {name!r}')
    year = int(match[1])
    if not FIRST_DATE_YEAR <= year <= LAST_YEAR:
        raise OutsideCalendarError(
            f"expected a fiscal year from {FIRST_DATE_YEAR} to {LAST_YEAR}, not {year}"
        )
    return year, int(match[2])


def _refused(detail: str, parameter: str) -> CalendarRefusedError:
    field_name = f"parameters.{parameter}"
    return CalendarRefusedError(f"{field_name}: {detail}", field=field_name)


def _ensure_month(value: int, *, name: str) -> None:
    if not 1 <= value <= _MONTHS:
        raise _refused(f"expected a month from 1 to 12, not {value!r}", name)


def _ensure_period(period: Period, *, name: str) -> None:
    if _QUARTER_NAME.fullmatch(period.name) is None:
        raise _refused(
            f'expected a quarter such as "FY2026Q3", not {period.name!r}', f"{name}.name"
        )
    if period.end < period.start:
        raise _refused(f"ends on {period.end}, before it starts", f"{name}.end")
