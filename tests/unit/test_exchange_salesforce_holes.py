"""Salesforce exports with holes: rows without an id, and snapshots that are not there."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from api.exchange.context import NoContext
from api.exchange.lines import Findings, Line
from api.exchange.profile import Profile
from api.exchange.salesforce import SalesforceReader
from api.exchange.salesforce_files import WEEKLY_EXPORT
from tests.support.exports import (
    Rows,
    query_results,
    read_rows,
    rest_lines,
    rewritten,
    rewritten_json,
    salesforce_lines,
    weekly_export,
    write_rows,
)

HISTORY = "OpportunityHistory"
EVALUATION = "0085g0000000XQMAA2"
"""The third of the six snapshots of the pack's first deal."""
ITS_GAP = ("2024-08-21T13:31:00.000000Z", "2024-10-21T13:00:00.000000Z")
ALL = ["stage", "amount", "close_date"]


def told(shared: Path, target: Path, changed: dict[str, Any]) -> tuple[list[Line], Findings]:
    """What the weekly export gives, the rows of some objects made something else."""

    def change(name: str, rows: Rows) -> Rows:
        made: Rows = changed[name](rows) if name in changed else rows
        return made

    return salesforce_lines(rewritten(weekly_export(shared), target, change))


def gaps(lines: list[Line]) -> list[tuple[tuple[object, object], object]]:
    return [
        ((line.data["from"], line.data["to"]), line.data["fields"])
        for line in lines
        if line.type == "history_gap"
    ]


def without_evaluation(rows: Rows) -> Rows:
    return [row for row in rows if row["Id"] != EVALUATION]


@pytest.mark.parametrize(
    "name",
    [
        *("Opportunity", HISTORY, "OpportunityFieldHistory", "Task"),
        *("Quote", "QuoteLineItem", "ForecastingQuota"),
    ],
)
def test_two_rows_without_an_id_are_two_rejects(
    name: str, shared_data: Path, tmp_path: Path
) -> None:
    def nameless(rows: Rows) -> Rows:
        return [*rows, rows[0] | {"Id": ""}, rows[0] | {"Id": " "}]

    lines, findings = told(shared_data, tmp_path / "d", {name: nameless})

    found = [(one.file, one.reason) for one in findings.rejects]
    assert found == [(f"{name}.csv", "Id: empty")] * 2
    assert [line for line in lines if line.external_id.startswith(":")] == []


@pytest.mark.parametrize("name", ["Quote", "QuoteLineItem", "ForecastingQuota"])
def test_another_row_with_the_id_of_one_is_a_reject(
    name: str, shared_data: Path, tmp_path: Path
) -> None:
    def doubled(rows: Rows) -> Rows:
        other = {"CreatedDate": "2024-12-28 00:00:00"}
        return [*rows, rows[0], rows[0] | {"Id": rows[0]["Id"][:15]}, rows[0] | other]

    lines, findings = told(shared_data, tmp_path / "d", {name: doubled})

    assert [(one.file, one.reason) for one in findings.rejects] == [
        (f"{name}.csv", "Id: another row has this id")
    ]
    assert findings.duplicates == 2
    assert lines == salesforce_lines(weekly_export(shared_data))[0]


def test_a_snapshot_that_is_not_there_is_a_gap(shared_data: Path, tmp_path: Path) -> None:
    lines, findings = told(shared_data, tmp_path / "d", {HISTORY: without_evaluation})

    assert gaps(lines) == [(ITS_GAP, ALL)]
    (reject,) = findings.rejects
    assert reject.file == "OpportunityFieldHistory.csv"


def test_a_snapshot_without_an_id_is_a_reject_and_a_gap(shared_data: Path, tmp_path: Path) -> None:
    def nameless(rows: Rows) -> Rows:
        return [row | {"Id": ""} if row["Id"] == EVALUATION else row for row in rows]

    lines, findings = told(shared_data, tmp_path / "d", {HISTORY: nameless})

    assert gaps(lines) == [(ITS_GAP, ALL)]
    assert [one.reason for one in findings.rejects if one.file == f"{HISTORY}.csv"] == ["Id: empty"]


def test_a_change_of_a_field_shows_that_a_snapshot_is_missing(
    shared_data: Path, tmp_path: Path
) -> None:
    """Query results do not say until when a snapshot holds."""

    def missing(name: str, content: Any) -> Any:
        if name == HISTORY:
            records = [one for one in content["records"] if one["Id"] != EVALUATION]
            content |= {"records": records, "totalSize": len(records)}
        return content

    source = query_results(shared_data)
    lines, _ = rest_lines(rewritten_json(source, tmp_path / "d", missing))

    assert gaps(lines) == [(ITS_GAP, ["stage"])]


@pytest.mark.parametrize(
    ("column", "value", "fields"),
    [
        ("PrevAmount", "61000", ["amount"]),
        ("PrevCloseDate", "2024-11-30 00:00:00", ["close_date"]),
        ("PrevAmount", "60000.00", []),
        ("PrevAmount", "unknown", []),
        ("PrevCloseDate", "", []),
    ],
)
def test_a_value_that_no_snapshot_before_had_shows_that_one_is_missing(
    *, column: str, value: str, fields: list[str], shared_data: Path, tmp_path: Path
) -> None:
    def other(rows: Rows) -> Rows:
        return [row | {column: value} if row["Id"] == EVALUATION else row for row in rows]

    lines, _ = told(shared_data, tmp_path / "d", {HISTORY: other})

    begun = ("2024-08-21T13:31:00.000000Z", "2024-09-18T20:02:11.000000Z")
    assert gaps(lines) == ([(begun, fields)] if fields else [])


BEFORE_AND_AFTER = ("0085g0000000VMdAAM", "0085g0000000ZU5AAM", "0085g0000000bXoAAI")
"""The snapshots around the third, of which the first has one before it."""


def stated(changes: dict[str, dict[str, str]]) -> Callable[[Rows], Rows]:
    return lambda rows: [row | changes.get(row["Id"], {}) for row in rows]


def test_a_value_before_the_first_snapshot_is_told_by_the_gap_at_the_start(
    shared_data: Path, tmp_path: Path
) -> None:
    first, _, _ = BEFORE_AND_AFTER
    named = {"PrevCloseDate": "2024-10-31 00:00:00"}

    def late(rows: Rows) -> Rows:
        kept = [row for row in rows if row["Id"] != "0085g0000000TIuAAM"]
        return stated({first: named, EVALUATION: named})(kept)

    lines, _ = told(shared_data, tmp_path / "d", {HISTORY: late})

    start = ("2024-08-05T13:12:00.000000Z", "2024-08-21T13:31:00.000000Z")
    assert gaps(lines) == [(start, ALL)]


def test_a_value_of_an_unreadable_snapshot_is_told_by_its_gap(
    shared_data: Path, tmp_path: Path
) -> None:
    _, *later = BEFORE_AND_AFTER
    changes = {one: {"PrevAmount": "61000"} for one in later} | {EVALUATION: {"Amount": "much"}}

    lines, _ = told(shared_data, tmp_path / "d", {HISTORY: stated(changes)})

    assert gaps(lines) == [(ITS_GAP, ALL)]


def test_a_value_that_no_snapshot_had_is_told_once(shared_data: Path, tmp_path: Path) -> None:
    _, *later = BEFORE_AND_AFTER
    changes = {one: {"PrevAmount": "61000"} for one in (EVALUATION, *later)}

    lines, _ = told(shared_data, tmp_path / "d", {HISTORY: stated(changes)})

    begun = ("2024-08-21T13:31:00.000000Z", "2024-09-18T20:02:11.000000Z")
    assert gaps(lines) == [(begun, ["amount"])]


CHANGED = ("SystemModstamp", "LastModifiedDate")
DOUBLED = ["Quote", "QuoteLineItem", "ForecastingQuota"]
PRICE = {"Quote": "ExpirationDate", "QuoteLineItem": "Discount", "ForecastingQuota": "QuotaAmount"}
OTHER = {"Quote": "2025-01-31", "QuoteLineItem": "30", "ForecastingQuota": "275000"}


@pytest.mark.parametrize("name", DOUBLED)
@pytest.mark.parametrize("newer_first", [True, False])
def test_the_newer_row_of_a_record_rules(
    *, name: str, newer_first: bool, shared_data: Path, tmp_path: Path
) -> None:
    newer = {PRICE[name]: OTHER[name], "SystemModstamp": "2024-12-30 10:00:00"}

    def both(rows: Rows) -> Rows:
        rows = [row | {"SystemModstamp": row["CreatedDate"]} for row in rows]
        return [rows[0] | newer, *rows] if newer_first else [*rows, rows[0] | newer]

    def alone(rows: Rows) -> Rows:
        return [rows[0] | newer, *rows[1:]]

    lines, findings = told(shared_data, tmp_path / "d", {name: both})

    assert (findings.rejects, findings.duplicates) == ([], 0)
    assert facts(lines) == facts(told(shared_data, tmp_path / "e", {name: alone})[0])
    assert facts(lines) != facts(salesforce_lines(weekly_export(shared_data))[0])
    left = "an older state of a record that stands in several rows was left out"
    assert left in findings.notes


@pytest.mark.parametrize("name", DOUBLED)
def test_a_row_that_does_not_say_when_it_was_changed_is_no_older_state(
    name: str, shared_data: Path, tmp_path: Path
) -> None:
    silent = dict.fromkeys(CHANGED, "") | {PRICE[name]: OTHER[name]}

    def both(rows: Rows) -> Rows:
        known = [row | dict.fromkeys(CHANGED, row["CreatedDate"]) for row in rows]
        return [*known, known[0] | silent]

    _, findings = told(shared_data, tmp_path / "d", {name: both})

    assert [one.reason for one in findings.rejects] == ["Id: another row has this id"]


@pytest.mark.parametrize("name", DOUBLED)
def test_a_broken_row_makes_no_reject_of_the_sound_one(
    name: str, shared_data: Path, tmp_path: Path
) -> None:
    column = {"Quote": "CreatedDate", "QuoteLineItem": "Subtotal"}.get(name, "QuotaAmount")

    def broken(rows: Rows) -> Rows:
        return [rows[0] | {column: "much"}, *rows]

    lines, findings = told(shared_data, tmp_path / "d", {name: broken})

    (reject,) = findings.rejects
    assert reject.reason.startswith(f"{column}: ")
    assert facts(lines) == facts(salesforce_lines(weekly_export(shared_data))[0])


@pytest.mark.parametrize("name", ["Quote", "QuoteLineItem"])
def test_a_column_that_only_one_export_has_makes_no_other_record(
    name: str, shared_data: Path, tmp_path: Path
) -> None:
    folder = rewritten(weekly_export(shared_data), tmp_path / "d")
    rows = read_rows(folder / f"{name}.csv")
    (folder / "more").mkdir()
    write_rows(folder / "more" / f"{name}.csv", [row | {"Rank__c": "1"} for row in rows])

    findings = Findings()
    reader = SalesforceReader(
        [folder, folder / "more"], layout=WEEKLY_EXPORT, profile=Profile(), known=NoContext()
    )
    list(reader.lines(findings))

    assert (findings.rejects, findings.duplicates) == ([], len(rows))


def facts(lines: list[Line]) -> list[Any]:
    return sorted((line.stream, line.external_id, line.type, str(line.data)) for line in lines)
