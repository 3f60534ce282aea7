"""The log as OCEL 2.0 in JSON: deals, accounts, reps, quotas and the rest as objects."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from api.answers import json_bytes
from api.exchange.export_plain import ENDS, LINE, Plain, fields_of, line_text, payload_of
from api.exchange.lines import JsonObject
from api.exchange.records import stamp
from api.exchange.spool import Record, Spool
from api.exchange.told import Batches, Told, instant_text

OWN_LINE: Final = f"dealtrail_{LINE}"
"""The attribute of an event that holds its line."""
_INITIAL: Final = "1970-01-01T00:00:00Z"
"""What the format dates a value with which an object began."""
_TOGETHER: Final = 200
_CHANGES: Final[Mapping[str, Mapping[str, str]]] = {
    "owner_changed": {"owner": "owner"},
    "amount_changed": {"amount": "amount", "currency": "currency"},
    "close_date_moved": {"to": "close_date"},
    "forecast_category_changed": {"category": "forecast_category"},
    "stage_entered": {"stage": "stage"},
    "deal_moved_to_process": {"process": "process"},
}
"""Which fields of an event become which attributes of its deal."""
_PEOPLE: Final = ("owner", "rep", "manager")
"""Fields that name a person."""


@dataclass(slots=True)
class _Types:
    """The attributes of each type, as far as they were met."""

    found: dict[str, dict[str, str]] = field(default_factory=dict)

    def take(self, name: str, values: list[Plain]) -> None:
        held = self.found.setdefault(name, {})
        for one in values:
            held[one.name] = one.kind

    def json(self) -> list[dict[str, object]]:
        return [
            {
                "name": name,
                "attributes": [{"name": key, "type": kind} for key, kind in sorted(held.items())],
            }
            for name, held in sorted(self.found.items())
        ]


@dataclass(slots=True)
class _Object:
    """What an event says of an object."""

    id: str
    type: str
    qualifier: str
    """How it is related to the event."""
    values: list[Plain] = field(default_factory=list)
    initial: bool = False
    """Whether it begins with these values."""
    related: dict[str, str] = field(default_factory=dict)


def ocel(batches: Batches) -> Iterator[bytes]:
    """Write a log; what its events say of objects is sorted by object on disk meanwhile."""
    event_types, object_types = _Types(), _Types()
    with Spool() as objects:
        yield b'{"events":['
        before = b"\n"
        for batch in batches:
            parts = [_event(told, event_types, object_types, objects) for told in batch]
            if parts:
                yield before + b",\n".join(parts)
                before = b",\n"
        yield b'\n],"objects":['
        yield from _objects(objects)
    yield b'\n],"eventTypes":' + json_bytes(event_types.json())
    yield b',"objectTypes":' + json_bytes(object_types.json()) + b"}\n"


def _event(told: Told, event_types: _Types, object_types: _Types, objects: Spool) -> bytes:
    data = payload_of(told)
    values = fields_of(data)
    related: dict[tuple[str, str], None] = {}
    for one in _objects_of(told, data, values):
        related[one.id, one.qualifier] = None
        object_types.take(one.type, one.values)
        objects.add(*_record(told, one))
    values.append(Plain(OWN_LINE, "string", line_text(told)))
    event_types.take(told.type, values)
    event: dict[str, object] = {
        "id": str(told.event.event_id),
        "type": told.type,
        "time": told.event.occurred_at,
        "attributes": [{"name": one.name, "value": one.text} for one in values],
        "relationships": [{"objectId": of, "qualifier": how} for of, how in related],
    }
    return json_bytes(event)


def _objects_of(told: Told, data: Mapping[str, object], values: list[Plain]) -> Iterator[_Object]:
    """Give the object whose stream it is, who did it, and whoever and whatever it names."""
    event = told.event
    named = list(_named(data))
    yield _subject(told, values, {one.id: one.qualifier for one in named})
    yield _Object(f"rep:{event.actor}", "rep", "actor")
    if event.on_behalf_of is not None:
        yield _Object(f"rep:{event.on_behalf_of}", "rep", "on_behalf_of")
    yield from named


def _named(data: Mapping[str, object]) -> Iterator[_Object]:
    for key in _PEOPLE:
        if isinstance(data.get(key), str):
            yield _Object(f"rep:{data[key]}", "rep", key)
    if isinstance(data.get("team"), str):
        yield _Object(f"team:{data['team']}", "team", "team")
    account = data.get("account")
    if isinstance(account, dict):
        values = [one for one in fields_of(account) if one.name != "id"]
        # Deals may call it differently, so that its name is one over time.
        yield _Object(f"account:{account['id']}", "account", "account", values)


def _subject(told: Told, values: list[Plain], related: dict[str, str]) -> _Object:
    """Give the object that the event is one of, with what becomes of it."""
    stream_id = told.event.stream_id
    kind = stream_id.partition(":")[0]
    if told.type == "deal_opened":
        status = Plain("status", "string", "open")
        return _Object(stream_id, kind, kind, [*values, status], initial=True, related=related)
    if kind != "deal":
        return _Object(stream_id, kind, kind, values, related=related)
    renamed = _CHANGES.get(told.type, {})
    changed = [Plain(renamed[v.name], v.kind, v.text) for v in values if v.name in renamed]
    if told.type in ENDS:
        changed.append(Plain("status", "string", ENDS[told.type]))
    return _Object(stream_id, kind, kind, changed)


def _record(told: Told, one: _Object) -> Record:
    event = told.event
    at = _INITIAL if one.initial else instant_text(event.occurred_at)
    row: JsonObject = {
        "type": one.type,
        "values": [[value.name, value.text, at] for value in one.values],
        "related": one.related,
    }
    since = "" if one.initial else stamp(event.occurred_at)
    return [one.id, since, event.position], row


def _objects(objects: Spool) -> Iterator[bytes]:
    written: list[bytes] = []
    before = b"\n"
    for object_id, group in objects.groups():
        written.append(_joined(object_id, (row for _, row in group)))
        if len(written) >= _TOGETHER:
            yield before + b",\n".join(written)
            written, before = [], b",\n"
    if written:
        yield before + b",\n".join(written)


def _joined(object_id: str, rows: Iterator[JsonObject]) -> bytes:
    """Write an object with its values over time; one that stays as it was is not said again."""
    kind = ""
    last: dict[str, str] = {}
    attributes: list[dict[str, str]] = []
    related: dict[str, str] = {}
    for row in rows:
        kind = str(row["type"])
        related |= row["related"] if isinstance(row["related"], dict) else {}
        for name, value, at in row["values"] if isinstance(row["values"], list) else ():
            if last.get(name) != value:
                attributes.append({"name": name, "value": value, "time": at})
                last[name] = value
    return json_bytes(
        {
            "id": object_id,
            "type": kind,
            "attributes": attributes,
            "relationships": [{"objectId": of, "qualifier": how} for of, how in related.items()],
        }
    )
