"""Numbers of logs: those of the source are numbers, and only texts are read as declared."""

import json
import sqlite3
from base64 import b64encode
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from api.exchange.cloudevents import CloudEventsReader
from api.exchange.context import NoContext
from api.exchange.lines import Findings
from api.exchange.ocel2 import OcelReader
from api.exchange.profile import profile_from
from api.exchange.records import NumberText
from api.exchange.spool import Spool
from api.exchange.xes import XesReader

TIME = "2024-05-01T09:00:00Z"
PROFILE = profile_from(
    {
        "currency": "EUR",
        "decimal": ",",
        "thousands": ".",
        "events": {
            "begun": {"type": "deal_opened", "fields": {"amount": "worth"}},
            "priced": {"type": "amount_changed", "fields": {"amount": "price"}},
            "cut": {"type": "discount_offered", "fields": {"percent": "off"}},
        },
    },
    name="p",
)
SAID: list[tuple[str, str, Any]] = [
    ("begun", "worth", 234.567),
    ("priced", "price", "1.234,5"),
    ("cut", "off", 12.125),
]
"""Events, each with its attribute: numbers of the source, and between them a text."""


def cloud_events(path: Path) -> None:
    path.write_text(json.dumps([event(name, {key: value}) for name, key, value in SAID]))


def encoded_cloud_events(path: Path) -> None:
    def encoded(name: str, data: Any) -> Any:
        said = b64encode(json.dumps(data).encode()).decode()
        return event(name, None) | {"data_base64": said}

    path.write_text(json.dumps([encoded(name, {key: value}) for name, key, value in SAID]))


def event(name: str, data: Any) -> Any:
    place = {"id": name, "source": "crm", "subject": "A", "time": TIME}
    return place | {"specversion": "1.0", "type": name, "data": data}


def ocel_json(path: Path) -> None:
    """The worth is an attribute of the deal."""
    (_, worth, value), *rest = SAID
    deal = {"id": "A", "type": "deal", "attributes": [{"name": worth, "value": value}]}
    path.write_text(
        json.dumps(
            {
                "objects": [deal],
                "events": [
                    {"id": "e0", "type": "begun", "time": TIME, "relationships": related()},
                    *(
                        {
                            "id": name,
                            "type": name,
                            "time": TIME,
                            "attributes": [{"name": key, "value": said}],
                            "relationships": related(),
                        }
                        for name, key, said in rest
                    ),
                ],
            }
        )
    )


def related() -> Any:
    return [{"objectId": "A", "qualifier": ""}]


def ocel_xml(path: Path) -> None:
    def declared(kind: str, name: str, key: str, value: Any) -> str:
        of = "float" if isinstance(value, float) else "string"
        attributes = f"<attributes><attribute name='{key}' type='{of}'/></attributes>"
        return f"<{kind}-type name='{name}'>{attributes}</{kind}-type>"

    def told(name: str, key: str, value: object) -> str:
        attributes = f"<attributes><attribute name='{key}'>{value}</attribute></attributes>"
        objects = "<objects><relationship object-id='A' qualifier=''/></objects>"
        return f"<event id='{name}' type='{name}' time='{TIME}'>{attributes}{objects}</event>"

    (_, worth, value), *rest = SAID
    deal = f"<attributes><attribute name='{worth}'>{value}</attribute></attributes>"
    path.write_text(
        f"<log><object-types>{declared('object', 'deal', worth, value)}</object-types>"
        f"<event-types>{''.join(declared('event', *one) for one in rest)}"
        f"</event-types><objects><object id='A' type='deal'>{deal}</object></objects>"
        f"<events>{told('begun', 'x', '')}{''.join(told(*one) for one in rest)}</events></log>"
    )


def ocel_sqlite(path: Path) -> None:
    (_, worth, value), *rest = SAID
    with closing(sqlite3.connect(path)) as database:
        for table, columns in {
            "event": "ocel_id, ocel_type",
            "object": "ocel_id, ocel_type",
            "event_object": "ocel_event_id, ocel_object_id, ocel_qualifier",
            "object_object": "ocel_source_id, ocel_target_id, ocel_qualifier",
            "event_map_type": "ocel_type, ocel_type_map",
            "object_map_type": "ocel_type, ocel_type_map",
            "object_deal": f"ocel_id, ocel_time, ocel_changed_field, {worth}",
            "event_begun": "ocel_id, ocel_time",
            **{f"event_{name}": f"ocel_id, ocel_time, {key}" for name, key, _ in rest},
        }.items():
            database.execute(f"CREATE TABLE {table} ({columns})")

        def insert(table: str, *values: object) -> None:
            places = ", ".join("?" * len(values))
            database.execute(f"INSERT INTO {table} VALUES ({places})", values)

        insert("object", "A", "deal")
        insert("object_map_type", "deal", "deal")
        insert("object_deal", "A", None, None, value)
        for name, *said in [("begun",), *((name, value) for name, _, value in rest)]:
            insert("event", name, name)
            insert("event_map_type", name, name)
            insert("event_object", name, "A", "")
            insert(f"event_{name}", name, TIME, *said)
        database.commit()


def xes(path: Path) -> None:
    """The worth is an attribute of the trace."""

    def written(key: str, value: object) -> str:
        return f"<{'float' if isinstance(value, float) else 'string'} key='{key}' value='{value}'/>"

    def told(name: str, *said: Any) -> str:
        named = f"{written('concept:name', name)}<date key='time:timestamp' value='{TIME}'/>"
        return f"<event>{named}{written(*said) if said else ''}</event>"

    (begun, worth, value), *rest = SAID
    path.write_text(
        f"<log><trace>{written('concept:name', 'A')}{written(worth, value)}{told(begun)}"
        f"{''.join(told(*one) for one in rest)}</trace></log>"
    )


@pytest.mark.parametrize(
    ("kind", "write"),
    [
        (CloudEventsReader, cloud_events),
        (CloudEventsReader, encoded_cloud_events),
        (OcelReader, ocel_json),
        (OcelReader, ocel_xml),
        (OcelReader, ocel_sqlite),
        (XesReader, xes),
    ],
)
def test_a_number_of_the_source_is_read_as_it_is_and_a_text_as_declared(
    kind: Any, write: Callable[[Path], None], tmp_path: Path
) -> None:
    path, findings = tmp_path / "log", Findings()
    write(path)

    lines = list(kind([path], PROFILE, NoContext()).lines(findings))

    assert findings.rejects == []
    told = {line.type: line.data for line in lines}
    assert told["deal_opened"]["amount"] == {"amount": "234.567", "currency": "EUR"}
    assert told["amount_changed"]["amount"] == {"amount": "1234.5", "currency": "EUR"}
    assert told["discount_offered"]["percent"] == "12.125"


@pytest.mark.parametrize("run", [1, 100])
def test_a_spool_gives_numbers_and_texts_as_what_they_were(run: int) -> None:
    row: dict[str, object] = {
        "a": NumberText("1.50"),
        "b": "1.50",
        "c": [{"d": [NumberText("2"), "2"]}, None, 3, 1.5, True],
    }

    with Spool(run=run) as spool:
        spool.add(["x"], row)
        ((_, found),) = list(spool)

    assert found == row
    assert type(found["a"]) is NumberText
    assert type(found["b"]) is str
    nested: Any = found["c"]
    assert [type(one) for one in nested[0]["d"]] == [NumberText, str]
