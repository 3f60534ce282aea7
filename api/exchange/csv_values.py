"""Values of tables as their profile says they are written: numbers, moments, nothing at all."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from typing import Final, cast

from api.exchange.instants import (
    DateOrder,
    OrderContradictedError,
    OrderUndeclaredError,
    end_of_day,
    parse_day,
    parse_instant,
    start_of_day,
)
from api.exchange.lines import ExportRefusedError
from api.exchange.profile import Profile
from api.exchange.records import BadRecordError, plain_number
from api.exchange.texts import CsvRow
from domain.fiscal import local_day, zone_named
from domain.values import MAX_DECIMALS, MAX_DIGITS, utc_instant

_TIMED: Final = re.compile(r"(.+?),?[T ]+(\d{1,2}):(\d{2})(?::(\d{2}))?(?:\s?([AaPp])\.?[Mm]\.?)?")
"""A day in any order, and a time of it on a clock of 24 or of 12 hours."""
_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,9})?")
_LEAST: Final = Decimal(1).scaleb(-MAX_DECIMALS)
_NOON: Final = 12
_MIDNIGHT: Final = time(0)


def number_text(text: str) -> str:
    """The number as a payload writes it, 1054.0 as 1054; ValueError if it is none.

    Of more decimals than a payload takes, as binary numbers of sources have, the last is rounded.
    """
    text = text.strip()
    if _NUMBER.fullmatch(text) is None:
        raise ValueError(f"expected a number, not {text!r}")
    number = Decimal(text)
    if abs(number.adjusted()) > MAX_DIGITS:
        raise ValueError(f"expected a number of at most {MAX_DIGITS} digits, not {text!r}")
    if -cast("int", number.as_tuple().exponent) > MAX_DECIMALS:
        with localcontext(prec=MAX_DIGITS + MAX_DECIMALS + 1):
            number = number.quantize(_LEAST, rounding=ROUND_HALF_EVEN)
    return plain_number(number if number else abs(number))


def declared_number(text: str, *, decimal: str, thousands: str | None) -> str:
    """The number as a payload writes it, read by its declared signs and never by a guess.

    Raises:
        ValueError: it is no number that is written so.
    """
    if thousands is not None and thousands in text:
        whole = r"[+-]?\d{1,3}(?:" + re.escape(thousands) + r"\d{3})+"
        if not re.fullmatch(whole + "(?:" + re.escape(decimal) + r"\d*)?", text):
            raise ValueError(f"expected thousands parted by {thousands!r}, not {text!r}")
        text = text.replace(thousands, "")
    if decimal != ".":
        if "." in text:
            raise ValueError(
                f"expected a number with {decimal!r} before its decimals, not {text!r}"
            )
        text = text.replace(decimal, ".")
    return number_text(text)


def declared_rows(rows: Iterator[CsvRow], profile: Profile) -> Iterator[CsvRow]:
    """The rows with what the profile says that values mean: nothing, or another spelling."""
    if not profile.empty and not profile.values:
        yield from rows
        return
    empty = frozenset(profile.empty)
    for row in rows:
        for column, value in row.values.items():
            text = value.strip()
            if text in empty:
                row.values[column] = ""
            elif column in profile.values:
                row.values[column] = profile.values[column].get(text, value)
        yield row


@dataclass(frozen=True, slots=True)
class Moment:
    """A day of a table, and the instant if the table states a time."""

    day: date
    at: datetime | None

    def start(self, zone: str) -> datetime:
        return self.at or start_of_day(self.day, zone)

    def end(self, zone: str) -> datetime:
        return self.at or end_of_day(self.day, zone)


def moment(text: str, profile: Profile) -> Moment:
    """A day, with or without a time; local times are of the declared zone.

    Raises:
        ValueError: it is neither, or its order is not declared.
    """
    zone = profile.zone or "UTC"
    try:
        at = parse_instant(text, zone)
    except ValueError:
        return local_moment(text, order=profile.date_order, zone=zone)
    written = at.astimezone(zone_named(zone))
    if written.time() == _MIDNIGHT:
        return Moment(local_day(at, zone), None)
    return Moment(local_day(at, zone), at)


def stated_moment(row: CsvRow, column: str, profile: Profile) -> Moment | None:
    """What a column states; None where it is empty.

    Raises:
        ExportRefusedError: the order of days is not declared, or is another than declared.
        BadRecordError: it is no day; the message names the column.
    """
    text = row.get(column)
    if not text:
        return None
    try:
        return moment(text, profile)
    except (OrderUndeclaredError, OrderContradictedError) as error:
        raise ExportRefusedError(f"{column}: {error}", file=row.file, row=row.row) from error
    except ValueError as error:
        raise BadRecordError(f"{column}: {error}") from error


def date_part(text: str) -> str:
    """What stands before the time of day, or everything where there is none."""
    timed = _TIMED.fullmatch(text.strip())
    return text if timed is None else timed[1]


def local_moment(text: str, *, order: DateOrder | None, zone: str) -> Moment:
    """A day in the declared order, with or without a local time.

    Raises:
        ValueError: it is neither, or its order is not declared.
    """
    timed = _TIMED.fullmatch(text.strip())
    if timed is None:
        return Moment(parse_day(text, order), None)
    day = parse_day(timed[1], order)
    try:
        clock = time(_hour(int(timed[2]), timed[5]), int(timed[3]), int(timed[4] or 0))
    except ValueError as error:
        raise ValueError(f"expected a time of day, not {text!r}") from error
    if clock == _MIDNIGHT:
        return Moment(day, None)
    return Moment(day, utc_instant(datetime.combine(day, clock, zone_named(zone))))


def _hour(hour: int, half: str | None) -> int:
    """The hour of 24; `half` is the half of the day on a clock of 12 hours."""
    if half is None:
        return hour
    if not 1 <= hour <= _NOON:
        raise ValueError("no hour of a clock of 12")
    return hour % _NOON + (_NOON if half in "Pp" else 0)
