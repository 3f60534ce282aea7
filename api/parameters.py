"""Reads parameters: whole numbers, and values that are named, one or some with commas between."""

import re
from collections.abc import Sequence
from typing import Final, TypeVar

from pydantic import BeforeValidator

from api.errors import MalformedRequestError

Named = TypeVar("Named", bound=str)
_WHOLE: Final = re.compile(r"-?[0-9]+(\.0+)?")


def _whole(text: object) -> object:
    if isinstance(text, str) and not _WHOLE.fullmatch(text):
        raise ValueError("input should be a valid integer")
    return text


NUMERAL: Final = BeforeValidator(_whole)
"""Takes a whole number as JSON writes it; `int` would take `1_0` and ` 1` for one too."""


def pattern_of_some(known: Sequence[str]) -> str:
    """Give the pattern of what `some_of` reads."""
    name = f" *({'|'.join(known)}) *"
    return f"^{name}(,{name})*$"


def some_of(field: str, text: str | None, known: Sequence[Named]) -> tuple[Named, ...]:
    """Read some of the names that a parameter knows, in the order in which it knows them.

    Raises:
        MalformedRequestError: one of them is not known.
    """
    named = [one_of(field, one.strip(), known) for one in text.split(",")] if text else []
    return tuple(one for one in known if one in named)


def one_of(field: str, text: str, known: Sequence[Named]) -> Named:
    """Read one of the names that a parameter knows.

    Raises:
        MalformedRequestError: it is not known.
    """
    for one in known:
        if one == text:
            return one
    message = f"{field}: {text[:80]!r} is none of {', '.join(known)}"
    raise MalformedRequestError(message, field=field)
