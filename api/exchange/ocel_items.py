"""What an OCEL 2.0 file holds, whichever of its three forms it has: objects and events."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from api.exchange.instants import parse_instant
from api.exchange.log_telling import ALWAYS
from api.exchange.records import BadRecordError, stamp

MAX_PARTS: Final = 100_000
"""Attributes and relationships of one object or event."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an item stands."""

    file: str
    row: int


@dataclass(slots=True)
class OcelObject:
    """An object with its values and since when each was so; a file may give it in parts."""

    place: Place
    id: str
    type: str
    attributes: dict[str, list[list[str]]] = field(default_factory=dict)
    related: list[str] = field(default_factory=list)

    def value(self, name: str, value: str, since: str) -> None:
        self.attributes.setdefault(name, []).append([since, value])


@dataclass(slots=True)
class OcelEvent:
    """An event with the objects that it is related to, and how."""

    place: Place
    id: str
    type: str
    at: datetime
    attributes: dict[str, str] = field(default_factory=dict)
    related: list[tuple[str, str]] = field(default_factory=list)


OcelItem = OcelObject | OcelEvent


def since(text: str, zone: str) -> str:
    """Since when a value was so; the first ones are dated 1970, in some zone, or not at all."""
    return stamp(instant("time", text, zone)) if text else ALWAYS


def instant(name: str, text: str, zone: str) -> datetime:
    try:
        return parse_instant(text, zone)
    except ValueError as error:
        raise BadRecordError(f"{name}: {error}") from error


def needed(content: Mapping[str, object], name: str) -> str:
    """The text under a key.

    Raises:
        BadRecordError: there is none.
    """
    value = content.get(name)
    if not isinstance(value, str) or not value.strip():
        raise BadRecordError(f"{name}: missing")
    return value.strip()
