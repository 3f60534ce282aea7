"""Plain records that readers keep on disk: values as text, and the place each was read from."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final


class BadRecordError(ValueError):
    """A record cannot be read; the message names the field."""


class NumberText(str):
    """A number of the source, as the text that it is there: no digit of it is lost.

    Any other text may be a number that is written as the profile says.
    """

    __slots__ = ()


BOX_SET: Final = frozenset({"1", "true", "yes"})
"""What a checkbox that is set may hold, in lower case."""
_BREAKING: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_FALSE: Final = frozenset({"0", "false", "no", ""})


def truth(text: str) -> bool:
    """Whether a checkbox is set; ValueError for a text that is no checkbox."""
    lowered = text.strip().lower()
    if lowered in BOX_SET:
        return True
    if lowered in _FALSE:
        return False
    raise ValueError(f"expected 0, 1, true, false, yes or no, not {text!r}")


def one_line(text: str) -> str:
    """The text without line breaks, control characters and runs of blanks.

    What joins and turns letters stays: emoji and many languages are written with it.
    """
    return " ".join(_BREAKING.sub(" ", text).split())


def plain_number(number: Decimal) -> str:
    """The number without an exponent and without zeros at its end, as all sources tell it alike."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def stamp(instant: datetime) -> str:
    """An instant as text that sorts as the instants do, and that a payload accepts."""
    return instant.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def text_of(record: Mapping[str, object], key: str) -> str:
    """The text of a record; empty where there is none."""
    value = record.get(key)
    return value if isinstance(value, str) else ""


def instant_of(record: Mapping[str, object], key: str) -> datetime:
    return datetime.fromisoformat(text_of(record, key))


def row_of(record: Mapping[str, object]) -> int:
    row = record.get("row")
    return row if isinstance(row, int) else 0


def place_of(record: Mapping[str, object]) -> tuple[str, int]:
    """The file and row that a record was read from."""
    return text_of(record, "file"), row_of(record)
