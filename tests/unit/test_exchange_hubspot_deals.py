"""Whom a deal of HubSpot belonged to, and what its line items were discounted by."""

from pathlib import Path
from typing import Any

import pytest

from api.exchange.lines import Line
from tests.support.exports import PACK
from tests.support.hubspot import changed, edited, of_deal, read, version

OPENED, LATER, LAST = "2024-08-05T13:12:00Z", "2024-08-20T10:00:00Z", "2024-09-20T10:00:00Z"


@pytest.fixture
def export(shared_data: Path) -> Path:
    return shared_data / PACK / "hubspot_v3"


def owners(lines: list[Line]) -> list[object]:
    return [line.data["owner"] for line in lines if "owner" in line.data]


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        ([("70000001", OPENED)], ["70000001"]),
        ([("70000001", LATER)], ["unassigned", "70000001"]),
        ([("", OPENED), ("70000001", LATER)], ["unassigned", "70000001"]),
        ([("70000001", OPENED), ("", LATER)], ["70000001", "unassigned"]),
        (
            [("70000001", OPENED), ("", LATER), ("70000002", LATER)],
            ["70000001", "70000002"],
        ),
        (
            [("70000001", OPENED), ("", LATER), ("70000002", LAST)],
            ["70000001", "unassigned", "70000002"],
        ),
    ],
)
def test_a_deal_belongs_to_nobody_before_it_is_given_to_somebody_and_after_it_is_taken(
    history: list[tuple[str, str]], expected: list[str], export: Path, tmp_path: Path
) -> None:
    told = [version(*each) for each in history[::-1]]

    lines, findings = read(edited(export, tmp_path / "d", "90000001", hubspot_owner_id=told))

    of_it = of_deal(lines, "90000001")
    assert owners(of_it) == expected
    assert [line for line in of_it if line.type == "history_gap"] == []
    assert findings.rejects == []


@pytest.mark.parametrize(
    ("discounts", "expected"),
    [
        ({"discount": [("9000", LATER)]}, [("10", LATER)]),
        (
            {"discount": [("9000", LATER)], "hs_discount_percentage": []},
            [("10", LATER)],
        ),
        (
            {
                "discount": [("", LAST), ("9000", LATER)],
                "hs_discount_percentage": [("25", LAST)],
            },
            [("10", LATER), ("25", LAST)],
        ),
    ],
    ids=["alone", "instead", "then a share"],
)
def test_a_discount_may_be_an_amount_off_each_unit(
    discounts: dict[str, list[tuple[str, str]]],
    expected: list[tuple[str, str]],
    export: Path,
    tmp_path: Path,
) -> None:
    def by_amount(content: Any) -> Any:
        item = content["results"][0]
        histories = {name: [version(*one) for one in each] for name, each in discounts.items()}
        item["propertiesWithHistory"] = histories
        item["properties"] = {"name": "Seats", "price": "90000", "quantity": "2"}
        item["properties"] |= {name: (each or [("", "")])[0][0] for name, each in discounts.items()}
        item["properties"]["createdate"] = OPENED
        return content

    lines, findings = read(changed(export, tmp_path / "d", line_items=by_amount))

    offers = [line for line in of_deal(lines, "90000002") if line.type == "discount_offered"]
    assert [(one.data["percent"], f"{one.occurred_at:%Y-%m-%dT%H:%M:%SZ}") for one in offers] == (
        expected
    )
    assert {str(one.data["list"]) for one in offers} == {"{'amount': '180000', 'currency': 'USD'}"}
    assert findings.rejects == []


def test_a_line_item_of_which_there_is_none_is_no_part_of_a_price(
    export: Path, tmp_path: Path
) -> None:
    def nothing_more(content: Any) -> Any:
        first = content["results"][0]
        none_of_it = first["properties"] | {"quantity": "0", "hs_discount_percentage": "90"}
        content["results"].append({**first, "id": "91", "properties": none_of_it})
        return content

    lines, findings = read(changed(export, tmp_path / "d", line_items=nothing_more))

    (offer,) = [line for line in of_deal(lines, "90000002") if line.type == "discount_offered"]
    assert offer.data == {"percent": "25", "list": {"amount": "90000", "currency": "USD"}}
    assert findings.rejects == []
