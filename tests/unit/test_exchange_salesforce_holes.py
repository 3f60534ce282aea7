"""Salesforce exports with holes: rows without an id, and snapshots that are not there."""

from pathlib import Path
from typing import Any

import pytest

from api.exchange.lines import Findings, Line
from tests.support.exports import (
    Rows,
    query_results,
    rest_lines,
    rewritten,
    rewritten_json,
    salesforce_lines,
    weekly_export,
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
