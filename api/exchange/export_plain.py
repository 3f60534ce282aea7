"""What process mining reads of a payload, beside the line that says all of it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import orjson

from api.exchange.told import Told, line_bytes

Kind: TypeAlias = Literal["string", "int", "float", "boolean"]

LINE: Final = "line"
"""The attribute that holds the whole line."""
SUBJECT_FIELDS: Final = ("stage", "activity", "outcome")
"""What an event is about, where its type alone does not say."""
ENDS: Final[Mapping[str, str]] = {
    "deal_won": "won",
    "deal_lost": "lost",
    "deal_disqualified": "disqualified",
    "deal_deleted": "deleted",
    "deal_reopened": "open",
    "win_reversed": "open",
}
"""How a deal stands after an event that changes it."""
_NUMBERS: Final = frozenset({"percent", "rate"})
"""Decimals that a payload writes as text."""
_BEYOND_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML document may hold, not even escaped."""


def line_text(told: Told) -> str:
    """Give the line of an event as text that every format can carry.

    JSON escapes control characters by itself; what else XML refuses is escaped here.
    """
    return _BEYOND_XML.sub(_escaped, line_bytes(told).decode())


def _escaped(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"


def shown(text: str) -> str:
    """Give a text as a person sees it: what XML cannot hold stands as the replacement character."""
    return _BEYOND_XML.sub("\ufffd", text)


@dataclass(frozen=True, slots=True)
class Plain:
    """A field of a payload that has one value, by its type and as the formats write it."""

    name: str
    kind: Kind
    text: str


def fields_of(data: Mapping[str, object]) -> list[Plain]:
    """Give the plain fields of a payload; an amount is its number, with its currency beside it.

    A payload with two amounts has them in one currency.
    """
    found = [one for name, value in data.items() for one in _plain(name, value)]
    return list({one.name: one for one in found}.values())


def _plain(name: str, value: object) -> Iterator[Plain]:
    if isinstance(value, bool):
        yield Plain(name, "boolean", str(value).lower())
    elif isinstance(value, int):
        yield Plain(name, "int", str(value))
    elif isinstance(value, str):
        yield Plain(name, "float" if name in _NUMBERS else "string", value)
    elif isinstance(value, dict) and value.keys() == {"amount", "currency"}:
        yield Plain(name, "float", str(value["amount"]))
        yield Plain("currency", "string", str(value["currency"]))
    elif isinstance(value, dict) and isinstance(value.get("id"), str):
        yield Plain(name, "string", value["id"])


def payload_of(told: Told) -> dict[str, object]:
    """Give a payload as decoded JSON."""
    payload: dict[str, object] = orjson.loads(told.event.data.to_json())
    return payload
