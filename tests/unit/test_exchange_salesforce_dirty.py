"""Salesforce exports as people keep them: feet, rows of one second, signs, products, old times."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from api.exchange.lines import ExportRefusedError, Line
from api.exchange.profile import profile_from
from tests.support.exports import (
    Rows,
    read_rows,
    rewritten,
    salesforce_lines,
    weekly_export,
    write_rows,
)

HISTORY = "OpportunityHistory"
REASON = "LossReason__c"
FOOT = '\n\n"Opportunities with history"\n"Copyright (c) 2000-2024"\n"Confidential"\n'


@pytest.fixture
def export(shared_data: Path) -> Path:
    return weekly_export(shared_data)


def test_the_foot_of_a_report_is_no_row_and_no_cut(export: Path, tmp_path: Path) -> None:
    expected, _ = salesforce_lines(export)
    folder = rewritten(export, tmp_path / "reports")
    for path in folder.iterdir():
        path.write_text(path.read_text(encoding="utf-8") + FOOT, encoding="utf-8", newline="")

    lines, findings = salesforce_lines(folder)

    assert lines == expected
    assert (findings.rows_read, findings.rejects) == (218, [])
    assert "Task.csv: 3 lines below the last row hold no data" in findings.notes


@pytest.mark.parametrize("end", ['"Cut"\n', '"a","b"\n'])
def test_one_short_row_at_the_end_is_a_cut(end: str, export: Path, tmp_path: Path) -> None:
    folder = rewritten(export, tmp_path / "cut")
    path = folder / "Task.csv"
    path.write_text(path.read_text(encoding="utf-8") + end, encoding="utf-8", newline="")

    with pytest.raises(ExportRefusedError, match="cut short"):
        salesforce_lines(folder)


def test_of_two_rows_of_one_second_the_one_that_ended_came_first(
    export: Path, tmp_path: Path
) -> None:
    def at_once(name: str, rows: Rows) -> Rows:
        """The last row of a deal is of the second of the one before it, with a lower id."""
        if name == HISTORY:
            last = next(row for row in rows if row["Id"] == "0085g0000000lqRAAQ")
            before = next(row for row in rows if row["Id"] == "0085g0000000jmiAAA")
            last |= {"CreatedDate": before["CreatedDate"], "Id": "0085g0000000000AAA"}
            before["ValidThroughDate"] = before["CreatedDate"]
        return rows

    lines, _ = salesforce_lines(rewritten(export, tmp_path / "d", at_once))

    stages = [
        line.data["stage"]
        for line in lines
        if line.type == "stage_entered" and line.stream == "deal:0065g0000000VMdAAM"
    ]
    assert stages[-1] == "Closed Won"


def test_a_loss_has_the_reason_that_was_given_with_it(export: Path, tmp_path: Path) -> None:
    def given(name: str, rows: Rows) -> Rows:
        """A reason that was entered with the loss, and another that stands in the field now."""
        if name == "OpportunityFieldHistory":
            loss = next(row for row in rows if row["NewValue"] == "Closed Lost")
            rows.append(loss | {"Id": "0175g0000009999AAA", "Field": REASON, "NewValue": "Price"})
            rows.append(
                rows[-1] | {"Id": "0175g0000009998AAA", "CreatedDate": "2025-03-01 00:00:00"}
            )
            rows[-1]["NewValue"] = "Nobody remembers"
        return rows

    profile = profile_from({"custom_fields": {REASON: {"event": "deal_lost"}}}, name="test")

    plain, _ = salesforce_lines(export, profile)
    lines, _ = salesforce_lines(rewritten(export, tmp_path / "d", given), profile)

    def reasons(lines: list[Line]) -> list[Any]:
        return [line.data["reason"] for line in lines if line.type == "deal_lost"]

    # The field says it of the latest loss, be the deal reopened and won since.
    assert reasons(plain) == ["No decision", "Lost to Competitor", "No budget"]
    assert reasons(lines) == ["Price", "Lost to Competitor", "No budget"]


FJORD = "0065g0000000dbXAAQ"


def won_on(close_date: str, *, between: str) -> Callable[[str, Rows], Rows]:
    """A deal that was lost in October stands in another stage from November, until it is won."""

    def backdated(name: str, rows: Rows) -> Rows:
        of_deal = [row for row in rows if name == HISTORY and row["OpportunityId"] == FJORD]
        for row in of_deal:
            if "2024-11-05" <= row["CreatedDate"] < "2024-12-12":
                row["StageName"] = between
            elif row["StageName"] == "Closed Won":
                row["CloseDate"] = f"{close_date} 00:00:00"
        return rows

    return backdated


@pytest.mark.parametrize(
    ("close_date", "between", "expected"),
    [
        # It was lost all the time: it was open again when it was won.
        ("2024-10-20", "Closed Lost", ["lost 10-10", "reopened 10-21", "won 10-21"]),
        # It was reopened later than it was won: that is taken back, and told anew.
        (
            "2024-10-20",
            "Evaluation",
            ["lost 10-10", "reopened 10-21", "won 10-21", "reopened 11-05 retracted"],
        ),
        # It was lost later than it was won, so never.
        (
            "2024-10-01",
            "Evaluation",
            ["won 10-02", "lost 10-10 retracted", "reopened 11-05 retracted"],
        ),
        ("2024-10-01", "Closed Lost", ["won 10-02", "lost 10-10 retracted"]),
        ("2024-12-12", "Evaluation", ["lost 10-10", "reopened 11-05", "won 12-12"]),
    ],
)
def test_a_deal_is_won_again_on_its_close_date_whenever_it_was_reopened(
    close_date: str, between: str, expected: list[str], export: Path, tmp_path: Path
) -> None:
    folder = rewritten(export, tmp_path / "d", won_on(close_date, between=between))

    lines, findings = salesforce_lines(folder)

    told = [line for line in lines if line.stream == f"deal:{FJORD}"]
    turns = [line for line in told if line.type in ("deal_lost", "deal_reopened", "deal_won")]
    back = {line.data["event_id"] for line in told if line.type == "event_retracted"}
    by_time = sorted(turns, key=lambda line: (line.occurred_at, line.recorded_at))
    assert [
        f"{line.type.removeprefix('deal_')} {line.occurred_at:%m-%d}"
        + (" retracted" if line.external_id in back else "")
        for line in by_time
    ] == expected
    assert {line.recorded_at for line in told if line.type == "event_retracted"} <= {
        line.recorded_at for line in turns if line.type == "deal_won"
    }
    noted = any("won again on a close date before it was reopened" in n for n in findings.notes)
    assert noted == bool(back)


@pytest.mark.parametrize(
    ("written", "declared"),
    [
        (lambda number: f"{number:,.2f}", {"thousands": ","}),
        (
            lambda number: f"{number:,.2f}".translate(str.maketrans(",.", ".,")),
            {"thousands": ".", "decimal": ","},
        ),
        (lambda number: f"{number:.3f}", {}),
    ],
)
def test_amounts_in_other_signs_tell_the_same(
    written: Any, declared: dict[str, Any], export: Path, tmp_path: Path
) -> None:
    def change(_: str, rows: Rows) -> Rows:
        for row in rows:
            for column in (
                "Amount",
                "PrevAmount",
                "QuotaAmount",
                "ListPrice",
                "UnitPrice",
                "Subtotal",
            ):
                if row.get(column):
                    row[column] = written(Decimal(row[column]))
        return rows

    expected, _ = salesforce_lines(export)
    lines, findings = salesforce_lines(
        rewritten(export, tmp_path / "d", change), profile_from(declared, name="p")
    )

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: plain(part) for key, part in value.items()}
        return (
            Decimal(value)
            if isinstance(value, str) and value[:1].isdigit() and (value.replace(".", "").isdigit())
            else value
        )

    assert findings.rejects == []
    assert [(one.external_id, plain(one.data)) for one in lines] == [
        (one.external_id, plain(one.data)) for one in expected
    ]


def test_times_as_reports_write_them_are_read_in_the_declared_order_and_zone(
    export: Path, tmp_path: Path
) -> None:
    def american(_: str, rows: Rows) -> Rows:
        for row in rows:
            for column, value in row.items():
                if column.endswith(("Date", "DateTime", "Modstamp")) and value:
                    day, _, clock = value.partition(" ")
                    year, month, number = day.split("-")
                    clock = "" if clock == "00:00:00" else f", {clock}"
                    row[column] = f"{month}/{number}/{year}{clock}"
        return rows

    expected, _ = salesforce_lines(export)
    folder = rewritten(export, tmp_path / "d", american)
    lines, findings = salesforce_lines(folder, profile_from({"date_order": "MDY"}, name="p"))

    assert findings.rejects == []
    assert [(one.external_id, one.occurred_at, one.data) for one in lines] == [
        (one.external_id, one.occurred_at, one.data) for one in expected
    ]
    with pytest.raises(ExportRefusedError, match="needs a declared date order"):
        salesforce_lines(folder)


def product(deal: str, **more: str) -> dict[str, str]:
    return {
        "Id": "00k5g0000000001AAA",
        "OpportunityId": deal,
        "Quantity": "2",
        "ListPrice": "100",
        "UnitPrice": "90",
        "Discount": "",
        "TotalPrice": "180",
        "CreatedDate": "2024-12-20 10:00:00",
        "LastModifiedDate": "2024-12-20 10:00:00",
        "IsDeleted": "0",
    } | more


def with_products(export: Path, folder: Path, *rows: dict[str, str]) -> Path:
    target = rewritten(export, folder)
    write_rows(target / "OpportunityLineItem.csv", list(rows))
    return target


def test_products_below_their_list_price_are_an_offer(export: Path, tmp_path: Path) -> None:
    deal = read_rows(export / "Opportunity.csv")[3]["Id"]
    folder = with_products(
        export,
        tmp_path / "d",
        product(deal),
        product(deal, Id="00k5g0000000002AAA", TotalPrice="220"),
        product(deal, Id="00k5g0000000003AAA", TotalPrice="1", IsDeleted="1"),
    )

    lines, findings = salesforce_lines(folder)

    (offer,) = [one for one in lines if one.stream == f"deal:{deal}" and "percent" in one.data]
    assert (offer.data["percent"], offer.occurred_at.isoformat()) == (
        "4.761905",
        "2024-12-20T10:00:00+00:00",
    )
    assert "a deleted product of an opportunity was left out" in findings.notes


def test_products_of_a_deal_with_a_quote_are_not_offered_twice(
    export: Path, tmp_path: Path
) -> None:
    quoted = next(
        row["Id"] for row in read_rows(export / "Opportunity.csv") if row["SyncedQuoteId"]
    )
    expected, _ = salesforce_lines(export)

    lines, findings = salesforce_lines(with_products(export, tmp_path / "d", product(quoted)))

    assert lines == expected
    assert "the products of an opportunity with a quote are those of the quote" in findings.notes


def test_a_product_of_no_deal_is_a_reject(export: Path, tmp_path: Path) -> None:
    _, findings = salesforce_lines(with_products(export, tmp_path / "d", product("0065gNOBODY")))

    assert [one.file for one in findings.rejects] == ["OpportunityLineItem.csv"]
