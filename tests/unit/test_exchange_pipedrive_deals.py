"""How a deal of Pipedrive was when it was opened, and what its changes make of it."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.exports import PACK
from tests.support.pipedrive import change, changed, of_deal, read, with_flow


@pytest.fixture
def export(shared_data: Path) -> Path:
    return shared_data / PACK / "pipedrive"


def test_a_deal_is_opened_before_what_was_merged_into_it(export: Path, tmp_path: Path) -> None:
    older = change("stage_id", "1", "2", "2024-01-15 10:00:00")

    def add(content: Any) -> Any:
        content["1001"][0]["data"].append(older)
        return content

    lines, _ = read(changed(export, tmp_path / "d", deal_flow_v1=add))

    told = of_deal(lines, "1001")
    entered = [line.data["stage"] for line in told if line.type == "stage_entered"]
    assert told[0].type == "deal_opened"
    assert {line.occurred_at.isoformat() for line in told[:3]} == {"2024-01-15T10:00:00+00:00"}
    assert entered[:2] == ["1", "2"]
    assert entered[-1] == "5"
    assert len({line.external_id for line in lines}) == len(lines)


def test_a_stage_tells_the_pipeline_that_it_is_in(export: Path, tmp_path: Path) -> None:
    def other(content: Any) -> Any:
        content["data"].append({"id": 21, "name": "Renew", "order_nr": 1, "pipeline_id": 2})
        return content

    def moved(content: Any) -> Any:
        at = "2024-12-02 10:00:00"
        content["1004"][0]["data"].insert(0, change("stage_id", "5", "21", at))
        return content

    folder = changed(export, tmp_path / "d", stages=other, deal_flow_v1=moved)
    lines, _ = read(folder)

    told = of_deal(lines, "1004")
    assert told[0].data["process"] == {"id": "pipedrive-1", "version": 1}
    (move,) = [line for line in told if line.type == "deal_moved_to_process"]
    assert move.data == {"process": {"id": "pipedrive-2", "version": 1}}
    assert "process:pipedrive-2" in {line.stream for line in lines}


def test_a_deal_is_opened_with_its_first_name_and_currency(export: Path, tmp_path: Path) -> None:
    folder = with_flow(
        export,
        tmp_path / "d",
        "1001",
        change("title", "As it was called", "Acme - Platform", "2024-10-01 10:00:00"),
        change("currency", "EUR", "USD", "2024-09-01 10:00:00"),
    )

    lines, _ = read(folder)

    told = [line for line in of_deal(lines, "1001") if "amount" in line.data]
    assert told[0].data["name"] == "As it was called"
    assert [(line.type, line.data["amount"]) for line in told] == [
        ("deal_opened", {"amount": "60000", "currency": "EUR"}),
        ("amount_changed", {"amount": "60000", "currency": "USD"}),
    ]


def test_an_export_whose_deals_are_all_bad_is_a_list_of_rejects(
    export: Path, tmp_path: Path
) -> None:
    def spoilt(content: Any) -> Any:
        content["data"] = [content["data"][0] | {"expected_close_date": "2024-02-30"}]
        return content

    lines, findings = read(changed(export, tmp_path / "d", deals_v2=spoilt))

    assert lines == []
    reasons = {(one.file, one.reason.partition(":")[0]) for one in findings.rejects}
    assert ("deals_v2.json", "expected_close_date") in reasons
    assert ("deal_products.json", "the deal 1002 has no readable row") in reasons


def test_a_number_is_the_same_however_it_is_written(export: Path, tmp_path: Path) -> None:
    def as_text(content: Any) -> Any:
        for deal in content["data"]:
            deal["value"] = f"{deal['value']:.2f}"
        return content

    lines, _ = read(changed(export, tmp_path / "d", deals_v2=as_text))

    assert [(line.external_id, line.data) for line in lines] == [
        (line.external_id, line.data) for line in read(export)[0]
    ]


def test_deals_that_change_hands_in_one_second_are_told_each(export: Path, tmp_path: Path) -> None:
    at = "2025-03-01 10:00:00"

    def handed_over(content: Any) -> Any:
        for number, pages in enumerate(content.values()):
            row = change("user_id", "11001", "11009", at, id=900 + number, is_bulk_update_flag=1)
            pages[0]["data"].insert(0, row)
        return content

    lines, _ = read(changed(export, tmp_path / "d", deal_flow_v1=handed_over))

    moved = [line for line in lines if line.data.get("owner") == "11009"]
    assert len(moved) == len({line.stream for line in moved}) == 15
    assert len({line.external_id for line in lines}) == len(lines)


def test_a_product_of_which_there_is_none_is_no_part_of_a_price(
    export: Path, tmp_path: Path
) -> None:
    def nothing_more(content: Any) -> Any:
        first = content["data"][0]
        content["data"].append(first | {"id": 91, "quantity": 0, "discount": 90})
        return content

    lines, findings = read(changed(export, tmp_path / "d", deal_products=nothing_more))

    (offer,) = [line for line in of_deal(lines, "1002") if line.type == "discount_offered"]
    assert offer.data == {"percent": "25", "list": {"amount": "90000", "currency": "USD"}}
    assert findings.rejects == []
