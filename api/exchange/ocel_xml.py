"""OCEL 2.0 in XML."""

from collections.abc import Iterator, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from api.exchange.lines import ExportRefusedError, Findings
from api.exchange.ocel_items import (
    MAX_PARTS,
    OcelEvent,
    OcelItem,
    OcelObject,
    Place,
    instant,
    needed,
    since,
)
from api.exchange.records import NumberText
from api.exchange.xml_stream import Tag, xml_tags

Attribute: TypeAlias = tuple[str, str, str]
"""Of an object or an event, of which type, and its name."""
_ITEM_DEPTH: Final = 3
"""Levels down to an object or event: the log, the list, the item."""
_TYPES: Final = {"object-type": "object", "event-type": "event"}
"""What declares the attributes of items, and of which."""
_READ: Final = frozenset({*_TYPES, *_TYPES.values()})
_NUMBERS: Final = frozenset({"integer", "int", "float"})


def xml_items(
    path: Path, *, zone: str, encoding: str | None, findings: Findings
) -> Iterator[OcelItem]:
    """The items of a file; one that cannot be read is a reject.

    Raises:
        ExportRefusedError: another structure, or cut short.
    """
    parts: list[Tag] = []
    numbers: set[Attribute] = set()
    row, listed = 0, False
    for tag in xml_tags(path, root="log", encoding=encoding):
        listed = listed or (tag.depth == _ITEM_DEPTH - 1 and tag.name in ("objects", "events"))
        if tag.depth >= _ITEM_DEPTH and (parts or tag.name in _READ):
            parts.append(tag)
        if len(parts) > MAX_PARTS:
            raise ExportRefusedError("an item without end", file=path.name, row=row + 1)
        if not parts or tag.starts or tag.depth != _ITEM_DEPTH:
            continue
        if parts[0].name in _TYPES:
            numbers |= _numbers(parts)
        else:
            row += 1
            findings.rows_read += 1
            try:
                yield _Item(parts, Place(path.name, row), zone, numbers).read()
            except ValueError as error:
                findings.reject(path.name, row, str(error))
        parts = []
    if not listed:
        raise ExportRefusedError(
            "another format: expected OCEL 2.0, a log of objects and events", file=path.name
        )


def _numbers(parts: list[Tag]) -> set[Attribute]:
    """The attributes of a type that are declared as numbers."""
    declared = parts[0]
    return {
        (_TYPES[declared.name], declared.attributes.get("name", ""), tag.attributes["name"])
        for tag in parts
        if tag.starts and tag.attributes.get("type") in _NUMBERS and "name" in tag.attributes
    }


@dataclass(frozen=True, slots=True)
class _Item:
    """The tags of one object or event, from its start to its end."""

    parts: list[Tag]
    place: Place
    zone: str
    numbers: Set[Attribute]

    def read(self) -> OcelItem:
        own = self.parts[0].attributes
        related = [
            (needed(tag.attributes, "object-id"), tag.attributes.get("qualifier", ""))
            for tag in self.parts
            if tag.starts and tag.name in ("relationship", "relobj")
        ]
        if self.parts[0].name == "object":
            item = OcelObject(self.place, needed(own, "id"), needed(own, "type"))
            for attributes, value in self._values():
                time = since(attributes.get("time", ""), self.zone)
                item.value(needed(attributes, "name"), value, time)
            item.related = [one for one, _ in related]
            return item
        return OcelEvent(
            self.place,
            needed(own, "id"),
            needed(own, "type"),
            instant("time", needed(own, "time"), self.zone),
            {needed(attributes, "name"): value for attributes, value in self._values()},
            related,
        )

    def _values(self) -> Iterator[tuple[dict[str, str], str]]:
        """Each attribute with its text, which its end has."""
        own, open_ = self.parts[0], dict[str, str]()
        for tag in self.parts:
            if tag.name != "attribute":
                continue
            if tag.starts:
                open_ = tag.attributes
            else:
                named = (own.name, own.attributes.get("type", ""), open_.get("name", ""))
                yield open_, NumberText(tag.text) if named in self.numbers else tag.text
