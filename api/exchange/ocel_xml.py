"""OCEL 2.0 in XML."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from api.exchange.lines import ExportRefusedError, Findings
from api.exchange.ocel_items import (
    OcelEvent,
    OcelItem,
    OcelObject,
    Place,
    instant,
    needed,
    since,
)
from api.exchange.xml_stream import Tag, xml_tags

MAX_PARTS: Final = 100_000
"""Attributes and relationships of one object or event."""
_ITEM_DEPTH: Final = 3
"""Levels down to an object or event: the log, the list, the item."""


def xml_items(
    path: Path, *, zone: str, encoding: str | None, findings: Findings
) -> Iterator[OcelItem]:
    """The items of a file; one that cannot be read is a reject.

    Raises:
        ExportRefusedError: another structure, or cut short.
    """
    parts: list[Tag] = []
    row, listed = 0, False
    for tag in xml_tags(path, root="log", encoding=encoding):
        listed = listed or (tag.depth == _ITEM_DEPTH - 1 and tag.name in ("objects", "events"))
        if tag.depth >= _ITEM_DEPTH and (parts or tag.name in ("object", "event")):
            parts.append(tag)
        if len(parts) > MAX_PARTS:
            raise ExportRefusedError("an item without end", file=path.name, row=row + 1)
        if parts and not tag.starts and tag.depth == _ITEM_DEPTH:
            row += 1
            findings.rows_read += 1
            try:
                yield _Item(parts, Place(path.name, row), zone).read()
            except ValueError as error:
                findings.reject(path.name, row, str(error))
            parts = []
    if not listed:
        raise ExportRefusedError(
            "another format: expected OCEL 2.0, a log of objects and events", file=path.name
        )


@dataclass(frozen=True, slots=True)
class _Item:
    """The tags of one object or event, from its start to its end."""

    parts: list[Tag]
    place: Place
    zone: str

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
        open_: dict[str, str] = {}
        for tag in self.parts:
            if tag.name != "attribute":
                continue
            if tag.starts:
                open_ = tag.attributes
            else:
                yield open_, tag.text
