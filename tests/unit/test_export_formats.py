"""What the files of an export are to those who have never heard of Dealtrail."""

import csv
import io
import json
import tracemalloc
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema_rs
import pyarrow.parquet as pq
import pytest

from api.exchange import export_tables, spool
from api.exchange.export_tables import COLUMNS
from api.exchange.exporting import EXPORTS
from api.exchange.told import Told, line_json
from domain.events.base import DomainEvent
from domain.events.catalogue import TYPES_BY_NAME, parse
from domain.replay import Event
from tests.support.hostile_events import LINE, TEXT, events_of, many, payloads

CHANGES = [
    ("stage", "qualify", "stage_entered"),
    ("amount", "800.00", "amount_changed"),
    ("owner", "bob", "owner_changed"),
    ("close_date", "2025-06-30", "close_date_moved"),
    ("status", "won", "deal_won"),
    ("status", "open", "deal_reopened"),
]
"""What becomes of the deal of `a_sale`, and with which event."""
XES = "{http://www.xes-standard.org/}"
ATTRIBUTES = {"string", "date", "int", "float", "boolean", "id", "list"}


def written(name: str, events: Iterable[Event]) -> bytes:
    told = [Told(event, event.stream_id) for event in events]
    return b"".join(EXPORTS[name].write(iter([told[:40], told[40:]] if told[40:] else [told])))


def hostile() -> list[Event]:
    return events_of(payloads([TEXT[:10_000], LINE[:500], LINE[:200].strip()]), LINE[:200].strip())


def a_sale() -> list[Event]:
    account = {"id": "acme", "name": "Acme", "segment": "industry"}
    usd = {"currency": "USD"}
    opened = {
        "name": "Fleet",
        "account": account,
        "owner": "ann",
        "amount": {"amount": "900.50"} | usd,
    }
    told: list[tuple[str, dict[str, Any]]] = [
        ("quota_assigned", {"rep": "ann", "quarter": "FY2025Q1", "amount": {"amount": "5"} | usd}),
        ("deal_opened", opened),
        ("stage_entered", {"stage": "qualify"}),
        ("amount_changed", {"amount": {"amount": "800.00"} | usd}),
        ("owner_changed", {"owner": "bob"}),
        ("close_date_moved", {"to": "2025-06-30"}),
        ("discount_offered", {"percent": "12.5"}),
        ("stage_entered", {"stage": "qualify"}),
        ("deal_won", {"net": {"amount": "800.00"} | usd, "closed_on": "2025-06-30"}),
        ("deal_reopened", {}),
    ]
    said: list[DomainEvent] = [parse(TYPES_BY_NAME[name], data) for name, data in told]
    # As it happened, while `events_of` tells the last thing first.
    return [replace(one, occurred_at=one.recorded_at) for one in events_of(said, "ann")]


def schema_of(shared: Path, name: str) -> Any:
    return json.loads((shared / "data/schemas" / name).read_text())


def test_cloudevents_are_valid_against_the_official_schema(shared_data: Path) -> None:
    schema = schema_of(shared_data, "cloudevents-1.0.schema.json")
    validator = jsonschema_rs.validator_for(schema, validate_formats=True)
    events = json.loads(written("cloudevents", hostile()))

    assert len(events) == len(hostile())
    for event in events:
        validator.validate(event)
        names = set(event) - {"data"}
        assert all(name.isascii() and name.isalnum() and name == name.lower() for name in names)
        assert max(map(len, names)) <= 20
        values = [value for name, value in event.items() if name != "data"]
        assert all(isinstance(value, str) for value in values)


def test_ocel_is_valid_against_its_schema_and_refers_to_what_is_there(shared_data: Path) -> None:
    log = json.loads(written("ocel2", hostile()))
    jsonschema_rs.validator_for(schema_of(shared_data, "ocel2.schema.json")).validate(log)

    objects = {one["id"]: one for one in log["objects"]}
    assert len(objects) == len(log["objects"])
    assert len({one["id"] for one in log["events"]}) == len(log["events"])
    for kind, items in (("objectTypes", log["objects"]), ("eventTypes", log["events"])):
        declared = {one["name"]: {a["name"] for a in one["attributes"]} for one in log[kind]}
        for item in items:
            assert {one["name"] for one in item["attributes"]} <= declared[item["type"]]
            assert {one["objectId"] for one in item["relationships"]} <= set(objects)


@pytest.mark.parametrize("name", [one for one in EXPORTS if one != "parquet"])
def test_what_corrected_an_event_is_asked_for_where_it_is_said(name: str) -> None:
    event, *_, correction = a_sale()
    told = (Told(event, event.stream_id), Told(event, event.stream_id, correction))
    plain, corrected = (b"".join(EXPORTS[name].write(iter([[one]]))) for one in told)

    assert (plain != corrected) is EXPORTS[name].says_corrections


def test_ocel_tells_the_attributes_of_a_deal_over_time() -> None:
    log = json.loads(written("ocel2", a_sale()))
    objects = {one["id"]: one for one in log["objects"]}
    (deal,) = (one for one in log["objects"] if one["type"] == "deal")
    at = {one["type"]: one["time"] for one in reversed(log["events"])}
    start = "1970-01-01T00:00:00Z"

    assert [(one["name"], one["value"], one["time"]) for one in deal["attributes"]] == [
        ("name", "Fleet", start),
        ("account", "acme", start),
        ("owner", "ann", start),
        ("amount", "900.50", start),
        ("currency", "USD", start),
        ("status", "open", start),
        *((name, value, at[kind]) for name, value, kind in CHANGES),
    ]
    assert deal["relationships"] == [
        {"objectId": "rep:ann", "qualifier": "owner"},
        {"objectId": "account:acme", "qualifier": "account"},
    ]
    assert objects["account:acme"]["type"] == "account"
    assert objects["rep:bob"]["type"] == "rep"
    quota = objects["quota:ann:FY2025Q1"]
    assert ("amount", "5") in [(one["name"], one["value"]) for one in quota["attributes"]]
    owner = next(one for one in log["events"] if one["type"] == "owner_changed")
    assert {"objectId": "rep:bob", "qualifier": "owner"} in owner["relationships"]


def attributes_of(element: ET.Element) -> dict[str, str]:
    return {
        one.attrib["key"]: one.attrib.get("value", "")
        for one in element
        if one.tag.removeprefix(XES) in ATTRIBUTES
    }


def test_xes_is_well_formed_and_has_what_process_mining_asks_of_it() -> None:
    log = ET.fromstring(written("xes", hostile()))

    declared = {one.attrib["prefix"] for one in log.iter(f"{XES}extension")}
    used = {one.attrib["key"].partition(":")[0] for one in log.iter() if ":" in one.get("key", "")}
    assert used <= declared | {"dealtrail"}
    events = list(log.iter(f"{XES}event"))
    deals = [one for one in hostile() if one.stream_id.startswith("deal:")]
    assert len(events) == len(deals)
    for event in events:
        keys = attributes_of(event)
        assert {"concept:name", "time:timestamp", "org:resource", "identity:id"} <= set(keys)
        assert keys["lifecycle:transition"] == "complete"


def test_xes_tells_a_deal_as_a_trace_in_the_order_of_its_time() -> None:
    log = ET.fromstring(written("xes", a_sale()))
    (trace,) = log.iter(f"{XES}trace")
    told = attributes_of(trace)

    assert told["concept:name"] == a_sale()[1].stream_id.removeprefix("deal:")
    assert (told["dealtrail:name"], told["dealtrail:status"]) == ("Fleet", "open")
    events = [attributes_of(one) for one in trace.iter(f"{XES}event")]
    times = [one["time:timestamp"] for one in events]
    assert times == sorted(times)
    assert [one["concept:name"] for one in events if "dealtrail:percent" in one] == [
        "discount_offered"
    ]
    assert {one["dealtrail:subject"] for one in events} == {"", "qualify"}


def test_no_cell_of_csv_is_a_formula() -> None:
    rows = list(csv.reader(io.StringIO(written("csv", hostile()).decode(), newline="")))

    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == len(hostile()) + 1
    cells = [cell for row in rows for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert sum(cell.startswith("'=") for cell in cells) > len(hostile())


def test_parquet_has_types_and_no_marks() -> None:
    table = pq.read_table(io.BytesIO(written("parquet", hostile())))

    assert tuple(table.column_names) == COLUMNS
    assert str(table.schema.field("recorded_at").type) == "timestamp[us, tz=UTC]"
    assert str(table.schema.field("position").type) == "int64"
    assert table.column("position").to_pylist() == list(range(1, len(hostile()) + 1))
    assert table.column("actor").to_pylist() == [event.actor for event in hostile()]


def test_the_keys_of_a_line_stand_in_one_order() -> None:
    keys = ["position", "stream", "stream_id", "external_id", "event_id", "type", "occurred_at"]
    keys += ["recorded_at", "actor", "on_behalf_of", "caused_by", "source", "data"]

    for event in hostile():
        found = list(line_json(Told(event, event.stream_id)))
        assert found == [key for key in keys if key in found]
        assert set(keys) - set(found) <= {"on_behalf_of", "caused_by", "source"}


@pytest.mark.parametrize("name", EXPORTS)
def test_memory_does_not_grow_with_the_log(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "MAX_HELD", 1 << 16)
    monkeypatch.setattr(export_tables, "ROW_GROUP", 100)
    peak_of(name, 100)  # what is made once

    small, large = peak_of(name, 400), peak_of(name, 4_000)

    assert large < 3 * small + 200_000, (small, large)


def peak_of(name: str, count: int) -> int:
    """Give the most bytes that an export of so many events held at once."""

    def batches() -> Iterator[list[Told]]:
        yield from many(count, batch=50)

    tracemalloc.start()
    try:
        for _ in EXPORTS[name].write(batches()):
            pass
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
