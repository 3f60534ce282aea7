"""Exports without rows, as of a night in which nothing changed: nothing to import, and no fault."""

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from api.exchange.exporting import EXPORTS
from api.exchange.importing import Format, LedgerContext, reader_for, run_import
from api.exchange.lines import ExportRefusedError, ImportReport
from api.exchange.profile import Profile, profile_from
from api.storage.event_store import EventStore
from tests.support.exports import PACK, query_results, rewritten_json, weekly_export
from tests.support.hubspot import PROFILE as HUBSPOT
from tests.support.newer import NOW
from tests.support.pipedrive import PROFILE as PIPEDRIVE
from tests.support.uploads import Importing

CLOSING: Final = ["New", {"name": "Won", "closes": "won"}, {"name": "Lost", "closes": "lost"}]
COLUMNS: Final = {"id": "id", "owner": "by", "stage": "stage", "close_date": "due"}
LAST_STATES: Final = profile_from(
    {"columns": COLUMNS, "currency": "USD", "stages": CLOSING}, name="last states"
)
STATES: Final = LAST_STATES.model_copy(update={"columns": COLUMNS | {"recorded_on": "since"}})
EVENTS: Final = profile_from(
    {
        "case": "deal",
        "columns": {"happened_on": "at"},
        "events": {"calls": {"type": "activity_ticked", "fields": {"activity": "subject"}}},
    },
    name="events",
)
OCEL_TABLES: Final = {
    "event": "ocel_id, ocel_type",
    "object": "ocel_id, ocel_type",
    "event_object": "ocel_event_id, ocel_object_id, ocel_qualifier",
    "object_object": "ocel_source_id, ocel_target_id, ocel_qualifier",
    "event_map_type": "ocel_type, ocel_type_map",
    "object_map_type": "ocel_type, ocel_type_map",
}
OCEL: Final[dict[str, list[object]]] = {
    "objectTypes": [],
    "eventTypes": [],
    "objects": [],
    "events": [],
}
DEAL: Final = {"id": "d-1", "type": "deal"}
FILES: Final[dict[str, tuple[Format, Profile | None, str]]] = {
    "last-states.csv": ("csv", LAST_STATES, "id,by,stage,due\n"),
    "states.csv": ("csv", STATES, "id,by,stage,due,since\n"),
    "calls.csv": ("csv", EVENTS, "deal,at,subject\n"),
    "batch.json": ("cloudevents", None, "[]"),
    "log.xes": ("xes", None, '<log><string key="concept:name" value="nightly"/></log>'),
    "trace.xes": ("xes", None, '<log><trace><string key="a" value="b"/></trace></log>'),
    "ocel.json": ("ocel2", None, json.dumps(OCEL)),
    "deal.json": ("ocel2", None, json.dumps(OCEL | {"objects": [DEAL]})),
    "ocel.xml": ("ocel2", None, "<log><objects/><events/></log>"),
    "lines.ndjson": ("ndjson", None, ""),
}
"""A file of each format that is one, without rows, and how it is read."""


def brought(
    store: EventStore, name: Format, path: Path, profile: Profile | None = None
) -> list[ImportReport]:
    """The reports of an import into the ledger, and of the same when that is founded by it."""
    return [
        run_import(
            store,
            reader_for(name, [path], profile=profile, known=LedgerContext(store), now=NOW),
            now=NOW,
            founding=founding,
        )
        for founding in (False, True)
    ]


def made_of_nothing(store: EventStore, reports: list[ImportReport]) -> bool:
    told = [(one.events_made, one.deals, len(one.rejects)) for one in reports]
    return told == [(0, 0, 0)] * 2 and store.head().position == 0


@pytest.mark.parametrize("file", FILES)
def test_a_file_without_rows_is_an_import_of_none(
    file: str, store: EventStore, tmp_path: Path
) -> None:
    name, profile, content = FILES[file]
    path = tmp_path / file
    path.write_text(content, encoding="utf-8")

    assert made_of_nothing(store, brought(store, name, path, profile))


def test_a_database_without_rows_is_an_import_of_none(store: EventStore, tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    database = sqlite3.connect(path)
    for table, columns in OCEL_TABLES.items():
        database.execute(f"CREATE TABLE {table} ({columns})")
    database.close()

    assert made_of_nothing(store, brought(store, "ocel2", path))


@pytest.mark.parametrize("kept", [(), ("OpportunityStage", "User", "Period", "Account")])
def test_a_weekly_export_without_deals_is_an_import_of_none(
    kept: tuple[str, ...], store: EventStore, shared_data: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "export"
    folder.mkdir()
    for path in weekly_export(shared_data).glob("*.csv"):
        header, *rows = path.read_text(encoding="utf-8").splitlines(keepends=True)
        (folder / path.name).write_text(header + "".join(rows if path.stem in kept else ()))

    assert made_of_nothing(store, brought(store, "salesforce-csv", folder))


def without_records(_: str, content: object) -> object:
    """Answers to the question what has changed since, if nothing has."""
    if not isinstance(content, dict):
        return content
    empty = {"records": [], "totalSize": 0, "results": [], "data": []}
    known = {key: value for key, value in empty.items() if key in content}
    # A file that holds answers by deal, and not one of its own, holds none.
    return content | known if known else {}


@pytest.mark.parametrize(
    ("name", "folder", "profile"),
    [
        ("salesforce-rest", query_results, None),
        ("hubspot", lambda shared: shared / PACK / "hubspot_v3", HUBSPOT),
        ("pipedrive", lambda shared: shared / PACK / "pipedrive", PIPEDRIVE),
    ],
)
def test_answers_without_records_are_an_import_of_none(
    *,
    name: Format,
    folder: Callable[[Path], Path],
    profile: Profile | None,
    store: EventStore,
    shared_data: Path,
    tmp_path: Path,
) -> None:
    answers = rewritten_json(folder(shared_data), tmp_path / "answers", without_records)

    assert made_of_nothing(store, brought(store, name, answers, profile))


def test_what_is_told_of_deals_that_are_not_there_is_a_reject(
    store: EventStore, shared_data: Path, tmp_path: Path
) -> None:
    def tasks_alone(name: str, content: object) -> object:
        return content if name in ("Task", "OpportunityStage") else without_records(name, content)

    answers = rewritten_json(query_results(shared_data), tmp_path / "answers", tasks_alone)

    report, _ = brought(store, "salesforce-rest", answers)

    assert [(one.file, one.row) for one in report.rejects] == [("Task.json", n) for n in (1, 2, 3)]
    assert "has no readable row" in report.rejects[0].reason


@pytest.mark.parametrize("name", EXPORTS)
def test_an_export_of_nothing_comes_back(name: str, store: EventStore, tmp_path: Path) -> None:
    path = tmp_path / "export"
    path.write_bytes(b"".join(EXPORTS[name].write(iter(()))))

    assert made_of_nothing(store, brought(store, name, path))  # type: ignore[arg-type]  # every export is a format


@pytest.mark.parametrize(
    ("name", "profile", "content", "reason"),
    [
        ("csv", LAST_STATES, "id,by,stage,due\n1,ann,New,\n", "no row states a date"),
        ("csv", LAST_STATES, "id,by\n", "no column 'stage'"),
        ("csv", LAST_STATES, "", "expected a header row"),
        ("cloudevents", None, "", "expected CloudEvents"),
        ("xes", None, "<log><logentry/></log>", "a log of <logentry>, where XES has traces"),
        ("xes", None, "", "cut short"),
        ("ocel2", None, "{}", "expected OCEL 2.0"),
        ("ocel2", None, '{"objects":[{"id":"1","type":"order"}],"events":[]}', "types are: order"),
    ],
)
def test_a_file_that_is_no_such_export_is_refused_without_rows_too(
    *,
    name: Format,
    profile: Profile | None,
    content: str,
    reason: str,
    tmp_path: Path,
    store: EventStore,
) -> None:
    path = tmp_path / "file"
    path.write_text(content, encoding="utf-8")

    with pytest.raises(ExportRefusedError, match=reason):
        brought(store, name, path, profile)


def test_an_undated_row_beside_one_that_cannot_be_read_is_a_reject_too(
    store: EventStore, tmp_path: Path
) -> None:
    path = tmp_path / "deals.csv"
    path.write_text("id,by,stage,due\n1,ann,New,\n2,ann,New,soon\n", encoding="utf-8")

    report, _ = brought(store, "csv", path, LAST_STATES)

    assert [(one.row, one.reason.split(",")[0].split(":")[0]) for one in report.rejects] == [
        (2, "no row states a date"),
        (3, "due"),
    ]


def test_an_upload_without_rows_is_done(door: Importing) -> None:
    told = door.imported(b"[]", format="cloudevents", file="batch.json")

    assert (told["state"], told["problem"], told["report"]["rows_read"]) == ("done", None, 0)
