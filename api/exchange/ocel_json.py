"""OCEL 2.0 in JSON."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from api.exchange.json_stream import ELEMENT, Found, JsonStream
from api.exchange.lines import Findings
from api.exchange.ocel_items import (
    OcelEvent,
    OcelItem,
    OcelObject,
    Place,
    instant,
    needed,
    since,
)
from api.exchange.records import BadRecordError

_OBJECTS: Final = ("objects", ELEMENT)
_EVENTS: Final = ("events", ELEMENT)


def json_items(
    path: Path, *, zone: str, encoding: str | None, findings: Findings
) -> Iterator[OcelItem]:
    """The items of a file; one that cannot be read is a reject.

    Raises:
        ExportRefusedError: another structure, or cut short.
    """
    found = JsonStream(
        path,
        places=(_OBJECTS, _EVENTS),
        expected="OCEL 2.0, an object with `objects` and `events`",
        encoding=encoding,
    )
    for one in found:
        findings.rows_read += 1
        try:
            yield _item(one, path.name, zone)
        except ValueError as error:
            findings.reject(path.name, one.row, str(error))


def _item(found: Found, file: str, zone: str) -> OcelItem:
    content = found.record(file).content
    place = Place(file, found.row)
    related = _listed(content, "relationships")
    if found.keys == _OBJECTS:
        item = OcelObject(place, needed(content, "id"), needed(content, "type"))
        for one in _listed(content, "attributes"):
            time = one.get("time")
            item.value(needed(one, "name"), _text(one), since(str(time or ""), zone))
        item.related = [needed(one, "objectId") for one in related]
        return item
    return OcelEvent(
        place,
        needed(content, "id"),
        needed(content, "type"),
        instant("time", needed(content, "time"), zone),
        {needed(one, "name"): _text(one) for one in _listed(content, "attributes")},
        [(needed(one, "objectId"), str(one.get("qualifier") or "")) for one in related],
    )


def _listed(content: Mapping[str, object], key: str) -> list[dict[str, object]]:
    value = content.get(key) or []
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise BadRecordError(f"{key}: expected a list of objects")
    return value


def _text(content: Mapping[str, object]) -> str:
    value = content.get("value")
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else ""
