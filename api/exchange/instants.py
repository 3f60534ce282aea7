"""Dates and instants as exports write them, read by what is declared and never by a guess."""

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Literal, TypeAlias

from domain.fiscal import local_day, zone_named
from domain.values import local_date, utc_instant

DateOrder: TypeAlias = Literal["DMY", "MDY", "YMD"]

_DAY: Final = timedelta(days=1)
_SECOND: Final = timedelta(seconds=1)
_ISO_DATE: Final = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})(?:[T ]00:00:00(?:\.0+)?\s?(?:Z|UTC|\+00(?::?00)?)?)?"
)
_ISO_INSTANT: Final = re.compile(
    r"(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2})(?:(:\d{2})(\.\d{1,6})?\d*)?"
    r"\s?(?:(Z|UTC)|([+-]\d{2})(?::?(\d{2}))?)?"
)
"""What databases write stands for itself: `+00` is an offset, and a minute has begun."""
_NAMED: Final = re.compile(
    r"(?P<day>\d{1,2})[-/. ](?P<month>[A-Za-z]{3,9})\.?[-/., ]{1,2}(?P<year>\d{4})"
    r"|(?P<month_>[A-Za-z]{3,9})\.? (?P<day_>\d{1,2}),? (?P<year_>\d{4})"
)
"""A date whose month is named in English, so that it has one meaning."""
_MONTHS: Final = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_PARTS: Final = re.compile(r"(\d{1,4})[-/. ](\d{1,2})[-/. ](\d{1,4})")
_YEAR_DIGITS: Final = 4
_PLACES: Final[dict[DateOrder, tuple[int, int, int]]] = {
    "DMY": (3, 2, 1),
    "MDY": (3, 1, 2),
    "YMD": (1, 2, 3),
}
"""Which group of the pattern is the year, the month and the day."""


class OrderUndeclaredError(ValueError):
    """The date could mean several days, and the profile declares no order."""


class OrderContradictedError(ValueError):
    """The date fits another order than the declared one, so the declaration is wrong."""


def parse_instant(text: str, zone: str) -> datetime:
    """The instant; one without an offset is local time of the zone.

    A local time that the clock showed twice is the earlier one.
    """
    match = _ISO_INSTANT.fullmatch(text.strip().upper())
    if match is None:
        raise ValueError(f'expected an instant such as "2024-12-31 23:59:59", not {text!r}')
    day, clock, seconds, fraction, utc, hours, minutes = match.groups()
    written = f"{day}T{clock}{seconds or ':00'}{fraction or ''}"
    if hours is not None:
        return utc_instant(f"{written}{hours}:{minutes or '00'}")
    instant = utc_instant(f"{written}Z")
    if utc is not None:
        return instant
    local = datetime.fromisoformat(written)
    return local.replace(tzinfo=zone_named(zone)).astimezone(UTC)


def parse_day(text: str, order: DateOrder | None) -> date:
    """The day; with the year first or a named month it needs no declared order.

    Raises:
        OrderUndeclaredError: the order of day and month is not declared.
        OrderContradictedError: the text is a date only in another order.
        ValueError: the text is no date in any order.
    """
    text = text.strip()
    iso = _ISO_DATE.fullmatch(text)
    if iso is not None:
        return local_date(f"{iso[1]}-{iso[2]}-{iso[3]}")
    named = _NAMED.fullmatch(text)
    if named is not None:
        return _named_day(named)
    fitting = orders_of(text)
    if not fitting:
        raise ValueError(f"expected a date, not {text!r}")
    if order is None:
        raise OrderUndeclaredError(
            f"{text!r} needs a declared date order: set `date_order` in the profile "
            "to DMY, MDY or YMD"
        )
    if order not in fitting:
        raise OrderContradictedError(
            f"{text!r} does not fit the declared date order {order}; it fits {_either(fitting)}"
        )
    return fitting[order]


def _named_day(found: re.Match[str]) -> date:
    day, name, year = (found[part] or found[f"{part}_"] for part in ("day", "month", "year"))
    months = [
        number for number, month in enumerate(_MONTHS, start=1) if month.startswith(name.lower())
    ]
    if len(months) != 1:
        raise ValueError(f"expected a date, not {found[0]!r}")
    try:
        return date(int(year), months[0], int(day))
    except ValueError as error:
        raise ValueError(f"expected a date, not {found[0]!r}") from error


def orders_of(text: str) -> dict[DateOrder, date]:
    """Every order in which the text is a date with a year of four digits, and that date."""
    match = _PARTS.fullmatch(text.strip())
    found: dict[DateOrder, date] = {}
    if match is None:
        return found
    for order, (year, month, day) in _PLACES.items():
        if len(match[year]) == _YEAR_DIGITS:
            try:
                found[order] = date(int(match[year]), int(match[month]), int(match[day]))
            except ValueError:
                continue
    return found


def _either(fitting: dict[DateOrder, date]) -> str:
    return " or ".join(fitting)


def start_of_day(day: date, zone: str) -> datetime:
    """The first instant of the local day."""
    return datetime.combine(day, time.min, zone_named(zone)).astimezone(UTC)


def end_of_day(day: date, zone: str) -> datetime:
    """The last whole second of the local day."""
    return start_of_day(day + _DAY, zone) - _SECOND


def won_at(*, closed_on: date, told_at: datetime, zone: str) -> datetime:
    """When a win happened that was recorded at `told_at` with this close date.

    On its close date: at the recording if that was on the same local day, else at the day's
    end where the recording came later. A close date still to come proves nothing yet, so
    the recording counts.
    """
    return told_at if local_day(told_at, zone) <= closed_on else end_of_day(closed_on, zone)
