"""What the HubSpot reader refuses, rejects and counts when files are broken, split or doubled."""

import json
from pathlib import Path
from typing import Any

import pytest

from api.exchange.lines import ExportRefusedError
from tests.support.exports import PACK
from tests.support.hubspot import changed, read, version


@pytest.fixture
def export(shared_data: Path) -> Path:
    return shared_data / PACK / "hubspot_v3"


def test_rows_of_unknown_deals_are_rejects(export: Path, tmp_path: Path) -> None:
    def gone(content: Any) -> Any:
        content["results"] = [one for one in content["results"] if one["id"] != "90000001"]
        return content

    _, findings = read(changed(export, tmp_path / "d", deals=gone))

    assert [(one.file, one.row, one.reason) for one in findings.rejects] == [
        ("tasks.json", 1, "the deal 90000001 has no readable row"),
        ("tasks.json", 2, "the deal 90000001 has no readable row"),
    ]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"id": None}, "id: missing"),
        ({"propertiesWithHistory": {"amount": "7"}}, "propertiesWithHistory.amount: expected"),
        ({"propertiesWithHistory": {"amount": [{"value": "7"}]}}, "timestamp: expected"),
        ({"propertiesWithHistory": {"amount": [version("7", "9" * 16)]}}, "timestamp: expected"),
        ({"properties": {"amount": "1e9999", "createdate": "1731369600000"}}, "amount: expected"),
        ({"properties": {"closedate": "soon", "createdate": "0"}}, "closedate: expected"),
    ],
)
def test_a_bad_deal_is_rejected_alone(
    change: dict[str, Any], reason: str, export: Path, tmp_path: Path
) -> None:
    def spoilt(content: Any) -> Any:
        content["results"].append(content["results"][0] | {"id": "5"} | change)
        return content

    lines, findings = read(changed(export, tmp_path / "d", deals=spoilt))

    (reject,) = findings.rejects
    assert (reject.file, reject.row) == ("deals.json", 16)
    assert reason in reject.reason
    assert len([line for line in lines if line.type == "deal_opened"]) == 15


def test_a_deal_that_stands_twice_is_a_duplicate_and_a_contradiction_a_reject(
    export: Path, tmp_path: Path
) -> None:
    def doubled(content: Any) -> Any:
        first = content["results"][0]
        other = first | {"updatedAt": "2025-01-01T00:00:00Z"}
        content["results"] += [first, other]
        return content

    _, findings = read(changed(export, tmp_path / "d", deals=doubled))

    assert findings.duplicates == 1
    (reject,) = findings.rejects
    assert (reject.row, reject.reason) == (17, "id: 90000001 stands in another row too")


def test_an_export_without_histories_or_its_last_page_is_refused(
    export: Path, tmp_path: Path
) -> None:
    def plain(content: Any) -> Any:
        for deal in content["results"]:
            del deal["propertiesWithHistory"]
        return content

    def paged(content: Any) -> Any:
        return content | {"paging": {"next": {"after": "15"}}}

    with pytest.raises(ExportRefusedError, match=r"deals\.json: no deal has propertiesWithHistory"):
        read(changed(export, tmp_path / "plain", deals=plain))
    with pytest.raises(ExportRefusedError, match=r"deals\.json: cut short: the page after"):
        read(changed(export, tmp_path / "paged", deals=paged))
    with pytest.raises(ExportRefusedError, match=r"pipelines\.json: missing"):
        read(changed(export, tmp_path / "less", pipelines=lambda _: None))
    with pytest.raises(ExportRefusedError, match="no stage in which a deal is won"):
        read(changed(export, tmp_path / "open", pipelines=without_won))
    with pytest.raises(ExportRefusedError, match="not an export of HubSpot"):
        read(export.parent / "xes")


def without_won(content: Any) -> Any:
    stages = content["results"][0]["stages"]
    content["results"][0]["stages"] = [one for one in stages if one["id"] != "closedwon"]
    return content


def test_pages_in_several_files_are_one_export(export: Path, tmp_path: Path) -> None:
    content = json.loads((export / "deals.json").read_text())
    folder = changed(export, tmp_path / "d", deals=lambda _: None)
    for number in range(15):
        page = {"results": content["results"][number : number + 1]}
        more = {"paging": {"next": {"after": str(number)}}} if number < 14 else {}
        (folder / f"deals-{number + 1}.json").write_text(json.dumps(page | more))

    lines, findings = read(folder)

    assert findings.rejects == []
    assert len(lines) == len(read(export)[0])


def test_an_export_whose_deals_are_all_bad_is_a_list_of_rejects(
    export: Path, tmp_path: Path
) -> None:
    def spoilt(content: Any) -> Any:
        content["results"] = content["results"][:1]
        content["results"][0]["properties"]["amount"] = "1,500"
        return content

    lines, findings = read(changed(export, tmp_path / "d", deals=spoilt, line_items=lambda _: None))

    assert lines == []
    assert [(one.file, one.row, one.reason) for one in findings.rejects[:2]] == [
        ("deals.json", 1, "amount: expected a number, not '1,500'"),
        ("tasks.json", 1, "the deal 90000001 has no readable row"),
    ]


def test_a_pipeline_needs_both_endings_if_deals_are_in_it(export: Path, tmp_path: Path) -> None:
    def endless(content: Any) -> Any:
        stage = content["results"][0]["stages"][0] | {"id": "first"}
        content["results"].append({"id": "endless", "label": "Endless", "stages": [stage]})
        return content

    def moved(content: Any) -> Any:
        content["results"][0]["propertiesWithHistory"]["dealstage"][0]["value"] = "first"
        return content

    lines, findings = read(changed(export, tmp_path / "d", pipelines=endless))
    assert findings.rejects == []
    assert [line.data for line in lines] == [line.data for line in read(export)[0]]

    with pytest.raises(ExportRefusedError, match="'endless' has no stage in which a deal is won"):
        read(changed(export, tmp_path / "e", pipelines=endless, deals=moved))


def test_deals_in_no_known_pipeline_are_refused(export: Path, tmp_path: Path) -> None:
    """Nothing would say which of them are won."""

    def nothing(content: Any) -> Any:
        return content | {"results": []}

    with pytest.raises(ExportRefusedError, match=r"pipelines\.json: none of the pipelines .*: def"):
        read(changed(export, tmp_path / "d", pipelines=nothing))
