"""The organisation's fiscal calendar: how an adopted one is read, and which is in force when."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, Strict, ValidationError

from domain.errors import CalendarRefusedError
from domain.fiscal import (
    DaySpan,
    ExplicitCalendar,
    FiscalCalendar,
    FiscalQuarter,
    MonthsCalendar,
    OutsideCalendarError,
    Period,
    Weekday,
    WeeksCalendar,
    WeeksPattern,
    YearEndRule,
    local_day,
    local_midnight,
    zone_named,
)
from domain.values import FiscalQuarterName, LocalDate

_Month = Annotated[int, Strict(), Field(ge=1, le=12)]


class _Parameters(BaseModel):
    """What a kind of calendar needs to know, as `calendar_adopted` carries it."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class _Months(_Parameters):
    """The month that the fiscal year begins with."""

    start_month: _Month


class _Weeks(_Parameters):
    """The weekday and month at which a year of whole weeks ends, and how."""

    weekday: Weekday
    month: _Month
    rule: YearEndRule
    pattern: WeeksPattern


class _ListedPeriod(_Parameters):
    """One quarter of a list, its last day included."""

    name: FiscalQuarterName
    start: LocalDate
    end: LocalDate


class _Explicit(_Parameters):
    """The quarters themselves."""

    periods: list[_ListedPeriod] = Field(min_length=1)


def calendar_from(*, kind: str, zone: str, parameters: Mapping[str, object]) -> FiscalCalendar:
    """The calendar that `calendar_adopted` describes.

    Raises CalendarRefusedError, whose `field` names the parameter at fault.
    """
    try:
        match kind:
            case "months":
                return MonthsCalendar(
                    zone=zone, start_month=_Months.model_validate(parameters).start_month
                )
            case "weeks":
                weeks = _Weeks.model_validate(parameters)
                return WeeksCalendar(
                    zone=zone,
                    weekday=weeks.weekday,
                    month=weeks.month,
                    rule=weeks.rule,
                    pattern=weeks.pattern,
                )
            case "explicit":
                listed = _Explicit.model_validate(parameters).periods
                return ExplicitCalendar(
                    zone=zone,
                    periods=tuple(Period(one.name, one.start, one.end) for one in listed),
                )
            case _:
                raise CalendarRefusedError(
                    f"kind: expected one of months, weeks, explicit, not {kind!r}", field="kind"
                )
    except ValidationError as error:
        raise _refusal(error) from error


def _refusal(error: ValidationError) -> CalendarRefusedError:
    first = error.errors(include_url=False, include_input=False)[0]
    path = "parameters"
    for step in first["loc"]:
        path += f"[{step}]" if isinstance(step, int) else f".{step}"
    return CalendarRefusedError(f"{path}: {first['msg']}", field=path)


DEFAULT_CALENDAR: Final = MonthsCalendar(zone="UTC", start_month=1)
"""In force until a calendar is adopted: calendar quarters in UTC."""


@dataclass(frozen=True, slots=True)
class AdoptedCalendar:
    """A calendar and the local day, in its own zone, from which it is in force."""

    effective_from: date
    calendar: FiscalCalendar
    since: datetime = field(init=False, compare=False)

    def __post_init__(self) -> None:
        midnight = datetime.combine(self.effective_from, time.min, zone_named(self.calendar.zone))
        object.__setattr__(self, "since", midnight.astimezone(UTC))


@dataclass(frozen=True, slots=True)
class CalendarHistory:
    """Every calendar adopted so far, oldest first by the day it took effect.

    An instant lies in a quarter of the calendar in force at that instant, and that quarter
    keeps its full span: one that a change of calendar cuts short still counts its days, and
    its days left, to the end it was planned with.
    """

    adopted: tuple[AdoptedCalendar, ...] = ()

    def with_adopted(self, calendar: FiscalCalendar, *, effective_from: date) -> "CalendarHistory":
        """The history with one more; of two that start on one day the later adopted rules."""
        added = (*self.adopted, AdoptedCalendar(effective_from, calendar))
        return CalendarHistory(tuple(sorted(added, key=lambda one: one.effective_from)))

    def calendar_at(self, instant: datetime) -> FiscalCalendar:
        for one in reversed(self.adopted):
            if one.since <= instant:
                return one.calendar
        return DEFAULT_CALENDAR

    def calendar_on(self, day: date) -> FiscalCalendar:
        for one in reversed(self.adopted):
            if one.effective_from <= day:
                return one.calendar
        return DEFAULT_CALENDAR

    def day_of(self, instant: datetime) -> date:
        """The day on the wall calendar of the zone in force at the instant."""
        return local_day(instant, self.calendar_at(instant).zone)

    def first_instant_of(self, day: date) -> datetime:
        """The first instant whose day, by `day_of`, is this one or a later one.

        Where a calendar of another zone takes over, the day before it is longer or shorter.
        """
        for number, (since, calendar) in enumerate(self._by_turns):
            begins = max(since, local_midnight(day, calendar.zone))
            if all(begins < turn for turn, _ in self._by_turns[number + 1 :]):
                return begins
        raise AssertionError("the last calendar is in force for good")

    @property
    def _by_turns(self) -> list[tuple[datetime, FiscalCalendar]]:
        """Every calendar and the instant from which it is in force, unless a later one is."""
        always = datetime.min.replace(tzinfo=UTC)
        adopted = [(one.since, one.calendar) for one in self.adopted]
        return [(always, DEFAULT_CALENDAR), *adopted]

    def quarter_of(self, instant: datetime) -> FiscalQuarter:
        """The quarter that the instant lies in; OutsideCalendarError where there is none."""
        return self.calendar_at(instant).quarter_of(instant)

    def quarter_at(self, instant: datetime) -> FiscalQuarter | None:
        """The quarter that the instant lies in; None outside the periods a calendar lists."""
        try:
            return self.quarter_of(instant)
        except OutsideCalendarError:
            return None

    def name_at(self, instant: datetime) -> str | None:
        """The name of the quarter that the instant lies in; None where there is none."""
        quarter = self.quarter_at(instant)
        return quarter.name if quarter else None

    def quarter_on(self, day: date) -> FiscalQuarter:
        """The quarter that has this local day; OutsideCalendarError where there is none."""
        return self.calendar_on(day).quarter_on(day)

    def quarter_named(self, name: str) -> FiscalQuarter:
        """The quarter of that name, of the newest calendar that was in force during it.

        Raises OutsideCalendarError where no calendar in force ever had such a quarter.
        """
        until = date.max
        for effective_from, calendar in self._newest_first():
            quarter = _named(calendar, name)
            if quarter is not None and quarter.end >= effective_from and quarter.start < until:
                return quarter
            until = effective_from
        raise OutsideCalendarError(f"no fiscal calendar in force had a quarter {name!r}")

    def months_of(self, quarter: FiscalQuarter) -> list[DaySpan]:
        """The fiscal months of a quarter, as the newest calendar that has it divides it."""
        calendars = (calendar for _, calendar in self._newest_first())
        having = (one for one in calendars if _named(one, quarter.name) == quarter)
        return next(having, DEFAULT_CALENDAR).months_of(quarter)

    def _newest_first(self) -> list[tuple[date, FiscalCalendar]]:
        adopted = [(one.effective_from, one.calendar) for one in reversed(self.adopted)]
        return [*adopted, (date.min, DEFAULT_CALENDAR)]


def _named(calendar: FiscalCalendar, name: str) -> FiscalQuarter | None:
    try:
        return calendar.quarter_named(name)
    except OutsideCalendarError:
        return None
