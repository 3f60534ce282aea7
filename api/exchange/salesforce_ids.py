"""Salesforce record ids: 15 characters, case-sensitive, or 18 with a suffix that says the case."""

from typing import Final

_SUFFIX: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_SHORT: Final = 15


def full_id(text: str) -> str:
    """The 18 characters of an id; anything that is no short id is given back as it is."""
    if len(text) != _SHORT or not text.isascii() or not text.isalnum():
        return text
    return text + "".join(_check(text[start : start + 5]) for start in (0, 5, 10))


def _check(five: str) -> str:
    """One character for the case of five: each upper-case letter sets a bit."""
    return _SUFFIX[sum(1 << place for place, letter in enumerate(five) if letter.isupper())]
