"""Reads the values that a query compares with."""

import re
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from api.query.errors import QueryError
from api.query.tree import Word
from domain.values import exact_decimal, local_date, utc_instant

_TRUTHS: Final = {"yes": True, "true": True, "no": False, "false": False}
_QUARTER: Final = re.compile(r"FY[0-9]{4}Q[1-4]")
_WHOLE: Final = re.compile(r"-?[0-9]{1,18}")
_UNPRINTABLE: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def text(word: Word) -> str:
    """Read a text, which says something and holds no control characters."""
    if not word.text or _UNPRINTABLE.search(word.text):
        raise QueryError("expected a text without control characters", column=word.column)
    return word.text


def number(word: Word) -> Decimal:
    """Read a decimal number, such as 20 or 20.5."""
    try:
        return exact_decimal(word.text)
    except ValueError as error:
        expected = f"expected a number such as 20 or 20.5, not {word.text[:40]!r}"
        raise QueryError(expected, column=word.column) from error


def whole(word: Word) -> int:
    """Read a whole number."""
    if _WHOLE.fullmatch(word.text) is None:
        expected = f"expected a whole number, not {word.text[:40]!r}"
        raise QueryError(expected, column=word.column)
    return int(word.text)


def truth(word: Word) -> bool:
    """Read yes or no."""
    found = _TRUTHS.get(word.text.lower())
    if found is None:
        raise QueryError(f"expected yes or no, not {word.text[:40]!r}", column=word.column)
    return found


def day(word: Word) -> date:
    """Read a day."""
    try:
        return local_date(word.text)
    except ValueError as error:
        expected = f"expected a day such as 2026-01-31, not {word.text[:40]!r}"
        raise QueryError(expected, column=word.column) from error


def day_or_instant(word: Word) -> date | datetime:
    """Read a day or, where there is a time, an instant with its zone."""
    if "T" not in word.text:
        return day(word)
    try:
        return utc_instant(word.text.replace(" ", "+"))
    except ValueError as error:
        expected = (
            "expected a day such as 2026-01-31 or an instant with its zone such as "
            f"2026-01-31T18:00:00Z, not {word.text[:40]!r}"
        )
        raise QueryError(expected, column=word.column) from error


def quarter(word: Word) -> str:
    """Read the name of a fiscal quarter."""
    if _QUARTER.fullmatch(word.text) is None:
        expected = f"expected a fiscal quarter such as FY2026Q4, not {word.text[:40]!r}"
        raise QueryError(expected, column=word.column)
    return word.text
