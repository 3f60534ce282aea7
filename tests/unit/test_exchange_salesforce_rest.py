"""Query results of Salesforce say what its weekly export says, and are refused if incomplete."""

from pathlib import Path
from typing import Any

import pytest

from api.exchange.lines import ExportRefusedError, Line
from tests.support.exports import (
    query_results,
    rest_lines,
    rewritten_json,
    salesforce_lines,
    weekly_export,
)


@pytest.fixture
def results(shared_data: Path) -> Path:
    return query_results(shared_data)


def told(lines: list[Line]) -> list[Any]:
    return [
        (line.stream, line.external_id, line.type, line.occurred_at, line.actor, line.data)
        for line in lines
    ]


def test_query_results_and_the_weekly_export_tell_the_same(
    results: Path, shared_data: Path
) -> None:
    by_rest, findings = rest_lines(results)
    by_export, exported = salesforce_lines(weekly_export(shared_data))

    assert told(by_rest) == told(by_export)
    assert len(by_rest) == 132
    assert (findings.rejects, findings.rows_read) == ([], exported.rows_read)
    assert findings.not_expressible == exported.not_expressible


def test_pages_in_one_file_are_one_query(results: Path, tmp_path: Path) -> None:
    def paged(name: str, content: Any) -> Any:
        records = content["records"]
        return [
            content | {"records": records[:2], "done": len(records) <= 2},
            content | {"records": records[2:], "done": True},
        ]

    lines, findings = rest_lines(rewritten_json(results, tmp_path / "paged", paged))

    assert findings.rejects == []
    assert told(lines) == told(rest_lines(results)[0])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"done": False, "nextRecordsUrl": "/services/data/v62.0/query/01g-2000"}, "69 records"),
        ({"totalSize": 70}, "69 records of 70"),
        ({"records": [7]}, "expected a record, an object"),
        ({"records": [{"Id": "1"}]}, "no column 'OpportunityId'"),
    ],
)
def test_an_incomplete_result_is_refused(
    change: dict[str, Any], reason: str, results: Path, tmp_path: Path
) -> None:
    def incomplete(name: str, content: Any) -> Any:
        return content | change if name == "OpportunityHistory" else content

    with pytest.raises(ExportRefusedError, match=rf"OpportunityHistory\.json.*{reason}"):
        rest_lines(rewritten_json(results, tmp_path / "d", incomplete))


def test_an_object_without_records_is_no_error(results: Path, tmp_path: Path) -> None:
    def empty(name: str, content: Any) -> Any:
        return content if name != "Quote" else {"totalSize": 0, "done": True, "records": []}

    lines, _ = rest_lines(rewritten_json(results, tmp_path / "d", empty))

    assert not [line for line in lines if line.type == "discount_offered"]


def test_a_record_that_lacks_a_field_has_it_empty(results: Path, tmp_path: Path) -> None:
    def lacking(name: str, content: Any) -> Any:
        for record in content["records"][1:] if name == "OpportunityFieldHistory" else ():
            if record["OldValue"] is None:
                del record["OldValue"]
        return content

    lines, findings = rest_lines(rewritten_json(results, tmp_path / "d", lacking))

    assert findings.rejects == []
    assert told(lines) == told(rest_lines(results)[0])


def test_what_a_query_nests_is_told(results: Path, tmp_path: Path) -> None:
    def nested(name: str, content: Any) -> Any:
        for record in content["records"] if name == "Opportunity" else ():
            record["Account"] = {"Name": "Acme"}
        return content

    _, findings = rest_lines(rewritten_json(results, tmp_path / "d", nested))

    assert (
        "Account: what a query nests in a record; query it by itself (15 times)"
        in findings.not_expressible
    )


def test_the_rows_of_an_export_are_another_format(shared_data: Path) -> None:
    with pytest.raises(ExportRefusedError, match=r"such as Opportunity\.json"):
        rest_lines(weekly_export(shared_data))


@pytest.mark.parametrize(
    ("deal", "count", "gaps"), [("D03", 3, 0), ("D03", 4, 1), ("D03", 2, 0), ("D01", 1, 1)]
)
def test_more_pushes_than_the_history_shows_are_a_gap(
    deal: str, count: int, gaps: int, results: Path, tmp_path: Path
) -> None:
    def counted(name: str, content: Any) -> Any:
        for record in content["records"] if name == "Opportunity" else ():
            if record["ExternalKey__c"] == deal:
                record["PushCount"] = count
        return content

    lines, findings = rest_lines(rewritten_json(results, tmp_path / "d", counted))

    found = [line.data["fields"] for line in lines if line.type == "history_gap"]
    assert found == [["close_date"]] * gaps
    assert len([note for note in findings.notes if "pushed more often" in note]) == gaps
