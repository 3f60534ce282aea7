"""What the OCEL reader makes of the reference pack, of the standard's example, and of attacks."""

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from api.exchange.context import NoContext
from api.exchange.lines import ExportRefusedError, Findings, Line
from api.exchange.ocel2 import OcelReader
from api.exchange.profile import Profile, profile_from
from domain.events.catalogue import TYPES_BY_NAME, parse
from tests.support.exports import PACK
from tests.support.reference import QUOTAS, expected_of, log_profile, told_of, wanted, without

PROFILE = log_profile()
PEOPLE = {name: name for name in ("ana", "ben", "chi")}
KEYS = {f"D{number:02}": f"D{number:02}" for number in range(1, 16)}
EXAMPLE = "data/ocel2_example/ocel20_example"
ORDERS = profile_from(
    {
        "zone": "Europe/Berlin",
        "case": "Purchase Order",
        "events": {
            name: {"type": "note_added", "fields": {"text": "po_quantity"}}
            for name in ("Create Purchase Order", "Change PO Quantity")
        },
    },
    name="test",
)


HUGE = {"name": "new", "value": "1e9999"}


MANY_RELATIONS = (
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i <= 100000)"
    " INSERT INTO event_object SELECT 'D01-012', 'D01', i FROM n"
)


@pytest.fixture
def log(shared_data: Path) -> Path:
    return shared_data / PACK / "ocel2/deals.ocel2.json"


@pytest.fixture
def database(shared_data: Path, tmp_path: Path) -> Path:
    copy = tmp_path / "copy.sqlite"
    shutil.copyfile(shared_data / PACK / "ocel2/deals.ocel2.sqlite", copy)
    return copy


def read(path: Path, profile: Profile = PROFILE) -> tuple[list[Line], Findings]:
    findings = Findings()
    return list(OcelReader([path], profile, NoContext()).lines(findings)), findings


def told(lines: list[Line]) -> list[Any]:
    return [(line.external_id, line.occurred_at, line.actor, line.data) for line in lines]


def changed(log: Path, target: Path, change: Any) -> Path:
    content = json.loads(log.read_text())
    change(content)
    target.write_text(json.dumps(content))
    return target


def executed(database: Path, *statements: str) -> Path:
    with closing(sqlite3.connect(database)) as open_database:
        for statement in statements:
            open_database.execute(statement)
        open_database.commit()
    return database


@pytest.mark.parametrize("form", ["json", "sqlite"])
def test_the_facts_are_those_of_the_reference(form: str, shared_data: Path) -> None:
    lines, findings = read(shared_data / PACK / f"ocel2/deals.ocel2.{form}")

    deals, facts = told_of(lines, people=PEOPLE, keys=KEYS)

    expected = expected_of(shared_data)
    for key, deal in expected["deals"].items():
        assert without(deals[key], QUOTAS) == wanted(deal, blind=QUOTAS), key
    won = {key: float(net) for key, net in facts.won_by_rep_quarter.items()}
    assert won == expected["won_by_rep_quarter"]
    assert (findings.rejects, findings.rows_read) == ([], 15 + 3 + 6 + 98)
    assert findings.not_expressible == [
        "objects of the type 'quota' (6 times)",
        "objects of the type 'rep' (3 times)",
    ]
    for line in lines:
        parse(TYPES_BY_NAME[line.type], line.data)


def test_the_three_forms_of_the_standards_example_tell_the_same(shared_data: Path) -> None:
    forms = [
        read(shared_data / f"{EXAMPLE}.{form}", ORDERS)
        for form in ("jsonocel", "xmlocel", "sqlite")
    ]

    (first, findings), *others = forms
    notes = [(line.stream, line.data["text"]) for line in first if line.type == "note_added"]
    assert notes == [("deal:PO1", "500"), ("deal:PO1", "600"), ("deal:PO2", "1")]
    assert first[0].occurred_at.isoformat() == "2022-01-10T08:15:00+00:00"
    for lines, found in others:
        assert told(lines) == told(first)
        assert found == findings


def test_every_row_of_the_example_is_accounted_for(shared_data: Path) -> None:
    lines, findings = read(shared_data / f"{EXAMPLE}.jsonocel", ORDERS)

    counted = dict(
        what.rstrip(")").rsplit(" (", 1) for what in findings.not_expressible if "(" in what
    )
    events = {
        what: int(n.removesuffix(" times")) for what, n in counted.items() if "events" in what
    }
    assert events == {
        "events called 'Insert Invoice': the profile does not map them": 2,
        "events of objects that are no deal": 8,
    }
    notes = [line for line in lines if line.type == "note_added"]
    objects = 9
    assert findings.rows_read == objects + sum(events.values()) + len(notes)


def test_values_and_events_may_come_in_any_order(log: Path, tmp_path: Path) -> None:
    def turned(content: Any) -> None:
        for key in ("objects", "objectTypes"):
            content[key] = list(reversed(content.pop(key)))
        for one in content["objects"]:
            one["attributes"].reverse()

    assert told(read(changed(log, tmp_path / "d.json", turned))[0]) == told(read(log)[0])


def test_a_deal_has_its_attributes_whatever_its_id_is(tmp_path: Path) -> None:
    """Here one with two blanks: ids are no text that is put in order."""
    amount = {"name": "amount", "time": "1970-01-01T00:00:00Z", "value": "7"}
    event = {"id": "e1", "type": "deal_opened", "time": "2025-01-05T00:00:00Z"}
    content = {
        "objects": [{"id": "a  b", "type": "deal", "attributes": [amount]}],
        "events": [event | {"relationships": [{"objectId": "a  b", "qualifier": "deal"}]}],
    }
    path = tmp_path / "log.json"
    path.write_text(json.dumps(content), encoding="utf-8")

    lines, findings = read(path, profile_from({"currency": "EUR"}, name="test"))

    assert lines[-1].data["amount"] == {"amount": "7", "currency": "EUR"}
    assert not [note for note in findings.notes if "left out" in note]


def test_numbers_may_be_numbers_and_the_first_value_may_miss_the_epoch_by_hours(
    log: Path, tmp_path: Path
) -> None:
    def variant(content: Any) -> None:
        for one in content["objects"]:
            for value in one["attributes"]:
                value["time"] = value["time"].replace("1970-01-01T00", "1970-01-01T01")
                if value["name"] == "amount" and one["type"] == "deal":
                    value["value"] = float(value["value"])

    assert told(read(changed(log, tmp_path / "d.json", variant))[0]) == told(read(log)[0])


def test_what_is_not_there_is_reported_and_the_rest_is_told(log: Path, tmp_path: Path) -> None:
    def dangling(content: Any) -> None:
        gone = ("D12", "rep:chi")
        content["objects"] = [one for one in content["objects"] if one["id"] not in gone]
        content["events"].append(
            {"id": "X", "type": "won", "time": "2025-01-01T00:00:00Z", "attributes": []}
        )

    lines, findings = read(changed(log, tmp_path / "d.json", dangling))

    reasons = {one.reason for one in findings.rejects}
    assert reasons == {"relationships: there is no object 'D12'"}
    assert "deal:D12" not in {line.stream for line in lines}
    assert "events of no object, and so of no deal" in findings.not_expressible
    assert [note for note in findings.notes if "'rep:chi'; the rest of what refers" in note]
    assert len([line for line in lines if line.type == "deal_opened"]) == 14


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"id": 7.5, "time": ""}, "time: missing"),
        ({"time": "soon"}, "time: expected an instant"),
        ({"type": None}, "type: missing"),
        ({"attributes": [7]}, "attributes: expected a list of objects"),
        ({"relationships": [{"qualifier": "deal"}]}, "objectId: missing"),
        (
            {"type": "amount_changed", "attributes": [{"name": "new", "value": "1e9999"}]},
            "new: exp",
        ),
    ],
)
def test_a_bad_event_is_rejected_alone(
    change: dict[str, Any], reason: str, log: Path, tmp_path: Path
) -> None:
    def spoilt(content: Any) -> None:
        content["events"].append(content["events"][0] | {"id": "new"} | change)

    lines, findings = read(changed(log, tmp_path / "d.json", spoilt))

    assert len(lines) == len(read(log)[0])
    (reject,) = findings.rejects
    assert reject.row == 123
    assert reason in reject.reason


def test_an_event_that_stands_twice_is_a_duplicate_and_a_contradiction_a_reject(
    log: Path, tmp_path: Path
) -> None:
    def doubled(content: Any) -> None:
        moved = next(one for one in content["events"] if one["type"] == "close_date_moved")
        content["events"] += [moved, moved | {"type": "deleted"}]

    lines, findings = read(changed(log, tmp_path / "d.json", doubled))

    assert findings.duplicates == 1
    assert [one.reason for one in findings.rejects] == ["id: another row has this id"]
    assert told(lines) == told(read(log)[0])


def test_a_log_without_deals_is_refused_with_its_types(shared_data: Path) -> None:
    with pytest.raises(ExportRefusedError, match=r"no object is of the type 'deal'.*Invoice, Pay"):
        read(shared_data / f"{EXAMPLE}.jsonocel")


BOMB = '<!DOCTYPE log [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><log><objects>&b;</objects></log>'


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "another format"),
        ("id,name\n1,2\n", "another format"),
        ('{"events": [', "cut short"),
        ("<log><objects>", "cut short"),
        ("<log><trace/></log>", "another format: expected OCEL 2.0"),
        (BOMB, "a document type declaration, which is not read"),
        ("SQLite format 3\0" + "x" * 500, "cut short, or not sound"),
        ("PK\x03\x04", "zip"),
    ],
)
def test_broken_and_hostile_files_are_refused(content: str, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text(content)

    with pytest.raises(ExportRefusedError, match=reason):
        read(path)


@pytest.mark.parametrize("kept", [0.2, 0.5, 0.9])
def test_a_database_cut_short_is_refused(kept: float, database: Path) -> None:
    content = database.read_bytes()
    database.write_bytes(content[: int(len(content) * kept)])

    with pytest.raises(ExportRefusedError, match="cut short, or not sound"):
        read(database)


def test_a_database_of_another_kind_or_with_odd_names_is_refused(database: Path) -> None:
    executed(database, "UPDATE event_map_type SET ocel_type_map = 'x\"; DROP TABLE event; --'")
    with pytest.raises(ExportRefusedError, match="no such table"):
        read(database)

    executed(database, "DROP TABLE object_object")
    with pytest.raises(ExportRefusedError, match=r"OCEL 2\.0 has a table 'object_object'"):
        read(database)


@pytest.mark.parametrize(
    ("statements", "reason"),
    [
        (
            ["DROP TABLE event_Won", "CREATE VIEW event_Won AS SELECT ocel_id FROM event"],
            "no such table: event_Won",
        ),
        (
            ["ALTER TABLE event_Won ADD COLUMN more AS (hex(zeroblob(9000000)))"],
            "string or blob too big",
        ),
        (
            [MANY_RELATIONS],
            "an event of more than 100000 relations",
        ),
    ],
    ids=["view", "value", "relations"],
)
def test_a_database_makes_no_more_of_what_it_holds(
    statements: list[str], reason: str, database: Path
) -> None:
    """A view can have rows without end, and a column can be reckoned to fill the memory."""
    executed(database, *statements)

    with pytest.raises(ExportRefusedError, match=reason):
        read(database)


def test_what_a_database_lacks_is_a_reject_and_nothing_is_written_to_it(database: Path) -> None:
    executed(
        database,
        "DELETE FROM event_Won WHERE ocel_id = 'D01-012'",
        "INSERT INTO event_object VALUES ('D01-011', 'nowhere', 'x')",
    )
    before = database.read_bytes()

    lines, findings = read(database)

    assert [one.reason for one in findings.rejects] == [
        "ocel_time: expected an instant such as \"2024-12-31 23:59:59\", not ''"
    ]
    assert findings.notes[0].startswith("relationships: there is no object 'nowhere'")
    assert len([line for line in lines if line.type == "deal_won"]) == 9
    assert database.read_bytes() == before


def test_events_of_a_type_without_a_table_are_rejects(database: Path) -> None:
    _, before = read(database)
    executed(database, "DELETE FROM event_map_type WHERE ocel_type = 'won'")

    lines, findings = read(database)

    reasons = [one.reason for one in findings.rejects]
    assert reasons == ["ocel_type: 'won' is not in event_map_type"] * 10
    assert findings.rows_read == before.rows_read
    assert "deal_won" not in {line.type for line in lines}
