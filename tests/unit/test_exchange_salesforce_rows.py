"""What single rows of a Salesforce export mean: owners, boxes, quotes, quotas, periods, stages."""

from pathlib import Path
from typing import Any

import pytest

from api.exchange.lines import ExportRefusedError
from api.exchange.profile import Profile
from tests.support.exports import Rows, rewritten, salesforce_lines, weekly_export

ACME = "0065g0000000TIuAAM"


@pytest.fixture
def export(shared_data: Path) -> Path:
    return weekly_export(shared_data)


def with_rows(export: Path, target: Path, **changed: Any) -> Path:
    """The export with the rows of some objects replaced by what a function makes of them."""

    def change(name: str, rows: Rows) -> Rows:
        made: Rows = changed[name](rows) if name in changed else rows
        return made

    return rewritten(export, target, change)


def test_rows_are_told_by_time_whatever_their_ids(export: Path, tmp_path: Path) -> None:
    def ids_reversed(rows: Rows) -> Rows:
        ids = [row["Id"] for row in rows]
        return [row | {"Id": other} for row, other in zip(rows, reversed(ids), strict=True)]

    dirty = with_rows(export, tmp_path / "d", OpportunityHistory=ids_reversed)
    lines, _ = salesforce_lines(dirty)
    clean, _ = salesforce_lines(export)

    assert [(line.stream, line.type, line.occurred_at, line.data) for line in lines] == [
        (line.stream, line.type, line.occurred_at, line.data) for line in clean
    ]


def test_the_ids_of_an_owner_change_need_no_names(export: Path, tmp_path: Path) -> None:
    lines, findings = salesforce_lines(with_rows(export, tmp_path / "d", User=lambda _: []))

    assert findings.rejects == []
    (change,) = [line for line in lines if line.type == "owner_changed"]
    assert change.data == {"owner": "0055g0000000VMdAAM"}
    opened = next(line for line in lines if line.stream == change.stream)
    assert opened.data["owner"] == "0055g0000000TIuAAM"


def test_an_owner_change_in_names_alone_is_read_by_the_users(export: Path, tmp_path: Path) -> None:
    def names_only(rows: Rows) -> Rows:
        return [row for row in rows if row["DataType"] != "EntityId"]

    dirty = with_rows(export, tmp_path / "d", OpportunityFieldHistory=names_only)
    lines, findings = salesforce_lines(dirty)

    assert findings.rejects == []
    assert [line.data for line in lines if line.type == "owner_changed"] == [
        {"owner": "0055g0000000VMdAAM"}
    ]


def test_a_change_that_the_snapshots_lack_is_reported(export: Path, tmp_path: Path) -> None:
    def hidden(rows: Rows) -> Rows:
        extra = {"Id": "0175g0000009999AAA", "CreatedDate": "2024-09-01 10:00:00"}
        told = {"Field": "Amount", "OldValue": "60000", "NewValue": "1"}
        return [*rows, rows[0] | extra | told]

    _, findings = salesforce_lines(
        with_rows(export, tmp_path / "d", OpportunityFieldHistory=hidden)
    )

    (reject,) = findings.rejects
    assert (reject.file, reject.row) == ("OpportunityFieldHistory.csv", 94)
    assert reject.reason.startswith("Amount: OpportunityHistory has no such change")


def test_a_box_that_was_set_at_no_known_time_is_a_gap(export: Path, tmp_path: Path) -> None:
    def set_box(rows: Rows) -> Rows:
        return [rows[0] | {"Budget_Confirmed__c": "1"}, *rows[1:]]

    lines, _ = salesforce_lines(with_rows(export, tmp_path / "d", Opportunity=set_box))

    (gap,) = [line for line in lines if line.type == "history_gap"]
    assert gap.stream == f"deal:{ACME}"
    assert gap.data["fields"] == ["Budget confirmed"]
    assert gap.data["to"] == "2024-11-12T22:05:30.000000Z"


def test_a_history_that_begins_late_leaves_a_gap(export: Path, tmp_path: Path) -> None:
    lines, _ = salesforce_lines(
        with_rows(export, tmp_path / "d", OpportunityHistory=lambda rows: rows[1:])
    )

    told = [line for line in lines if line.stream == f"deal:{ACME}"][:5]
    assert [line.type for line in told] == [
        "deal_opened", "activity_ticked", "close_date_moved", "amount_changed", "stage_entered",
    ]  # fmt: skip
    assert "amount" not in told[0].data
    (gap,) = [line for line in lines if line.type == "history_gap"]
    assert gap.data["from"] == "2024-08-05T13:12:00.000000Z"
    assert gap.data["to"] == "2024-08-21T13:31:00.000000Z"


def test_the_lines_of_a_quote_are_weighted_by_their_price(export: Path, tmp_path: Path) -> None:
    def two_lines(rows: Rows) -> Rows:
        cheap = {"Subtotal": "10000", "ListPrice": "10000", "Discount": "", "TotalPrice": ""}
        return [*rows, rows[0] | {"Id": "0QL5g0000009999AAA"} | cheap]

    lines, _ = salesforce_lines(with_rows(export, tmp_path / "d", QuoteLineItem=two_lines))

    offers = [line.data for line in lines if line.type == "discount_offered"]
    # A quarter off 90,000 of 100,000 in all.
    assert {
        "percent": "22.5",
        "list": {"amount": "100000", "currency": "USD"},
    } in offers


@pytest.mark.parametrize(
    ("stated", "percent"),
    [
        ({"Discount": "", "TotalPrice": "72000"}, "20"),  # the rep's price alone
        ({"Discount": "25", "TotalPrice": "54000"}, "40"),  # and a quarter off it
        ({"Discount": "", "DiscountAmount": "9000", "TotalPrice": "63000"}, "30"),
    ],
)
@pytest.mark.parametrize("subtotal", ["72000", ""])
def test_a_quote_is_held_against_the_list_price(
    stated: dict[str, str], percent: str, subtotal: str, export: Path, tmp_path: Path
) -> None:
    def cheaper(rows: Rows) -> Rows:
        price = {"Quantity": "2", "ListPrice": "45000", "UnitPrice": "36000"}
        return [rows[0] | price | {"Subtotal": subtotal} | stated, *rows[1:]]

    lines, _ = salesforce_lines(with_rows(export, tmp_path / "d", QuoteLineItem=cheaper))

    offers = [line.data for line in lines if line.type == "discount_offered"]
    assert {"percent": percent, "list": {"amount": "90000", "currency": "USD"}} in offers


def test_a_quote_above_the_list_price_gives_what_its_discount_says(
    export: Path, tmp_path: Path
) -> None:
    def dearer(rows: Rows) -> Rows:
        return [rows[0] | {"ListPrice": "60000"}, *rows[1:]]

    lines, _ = salesforce_lines(with_rows(export, tmp_path / "d", QuoteLineItem=dearer))
    expected, _ = salesforce_lines(export)

    assert lines == expected


def test_quotas_of_months_are_summed_to_their_quarter(export: Path, tmp_path: Path) -> None:
    def months(rows: Rows) -> Rows:
        first = rows[0] | {"PeriodId": "", "QuotaAmount": "100"}
        return [
            first | {"Id": f"0J95g000000000{n}AAA", "StartDate": f"2024-0{n}-01"} for n in (7, 8, 9)
        ]

    lines, findings = salesforce_lines(with_rows(export, tmp_path / "d", ForecastingQuota=months))

    assert findings.rejects == []
    (quota,) = [line for line in lines if line.type == "quota_assigned"]
    assert quota.stream == "quota:0055g0000000TIuAAM:FY2024Q3"
    assert quota.data["amount"] == {"amount": "300", "currency": "USD"}


def test_a_fiscal_year_that_begins_in_february_is_read_from_its_periods(
    export: Path, tmp_path: Path
) -> None:
    def shifted(rows: Rows) -> Rows:
        spans = [("2024-08-01", "2024-10-31", "3"), ("2024-11-01", "2025-01-31", "4")]
        return [
            row | {"StartDate": start, "EndDate": end, "Number": number}
            for row, (start, end, number) in zip(rows, spans, strict=True)
        ]

    lines, _ = salesforce_lines(with_rows(export, tmp_path / "d", Period=shifted))

    calendar = next(line for line in lines if line.type == "calendar_adopted")
    assert calendar.data["parameters"] == {"start_month": 2}
    assert "quota:0055g0000000TIuAAM:FY2025Q4" in {line.stream for line in lines}


def test_quarters_of_weeks_become_an_explicit_calendar(export: Path, tmp_path: Path) -> None:
    def weeks(rows: Rows) -> Rows:
        spans = [("2024-07-07", "2024-10-05", "3"), ("2024-10-06", "2025-01-04", "4")]
        return [
            row | {"StartDate": start, "EndDate": end, "Number": number}
            for row, (start, end, number) in zip(rows, spans, strict=True)
        ]

    lines, _ = salesforce_lines(with_rows(export, tmp_path / "d", Period=weeks))

    calendar = next(line for line in lines if line.type == "calendar_adopted")
    assert calendar.data["kind"] == "explicit"
    assert calendar.data["parameters"] == {
        "periods": [
            {"name": "FY2025Q3", "start": "2024-07-07", "end": "2024-10-05"},
            {"name": "FY2025Q4", "start": "2024-10-06", "end": "2025-01-04"},
        ]
    }


def test_an_inactive_stage_is_in_the_process_only_if_a_deal_was_in_it(
    export: Path, tmp_path: Path
) -> None:
    def retired(rows: Rows) -> Rows:
        gone = {"IsActive": "0", "SortOrder": "2.5"}
        return [
            *rows,
            *(rows[0] | gone | {"MasterLabel": n, "ApiName": n} for n in ("Old", "Demo")),
        ]

    def demo(rows: Rows) -> Rows:
        return [rows[0], rows[1] | {"StageName": "Demo"}, *rows[2:]]

    lines, findings = salesforce_lines(
        with_rows(export, tmp_path / "d", OpportunityStage=retired, OpportunityHistory=demo)
    )

    process: Any = next(line.data for line in lines if line.type == "process_published")
    ids = [stage["id"] for stage in process["stages"]]
    assert ids[:4] == ["Prospecting", "Discovery", "Demo", "Evaluation"]
    assert "Old" not in ids
    assert not any("Demo" in note for note in findings.notes)


def test_an_unknown_stage_is_kept_and_flagged(export: Path, tmp_path: Path) -> None:
    def strange(rows: Rows) -> Rows:
        return [rows[0], rows[1] | {"StageName": "Limbo"}, *rows[2:]]

    lines, findings = salesforce_lines(
        with_rows(export, tmp_path / "d", OpportunityHistory=strange)
    )

    assert "Limbo" in {line.data.get("stage") for line in lines}
    assert "stage 'Limbo' is not in OpportunityStage" in findings.notes


def test_a_single_currency_org_declares_its_currency(export: Path, tmp_path: Path) -> None:

    def without(rows: Rows) -> Rows:
        return [{k: v for k, v in row.items() if k != "CurrencyIsoCode"} for row in rows]

    names = ("Opportunity", "OpportunityHistory", "Quote", "ForecastingQuota")
    dirty = with_rows(export, tmp_path / "d", **dict.fromkeys(names, without))

    with pytest.raises(ExportRefusedError, match="declare `currency`"):
        salesforce_lines(dirty)
    lines, _ = salesforce_lines(dirty, Profile(currency="GBP"))
    assert {line.data["net"]["currency"] for line in lines if line.type == "deal_won"} == {"GBP"}  # type: ignore[index]  # JSON


def test_the_same_number_of_another_currency_is_another_amount(
    export: Path, tmp_path: Path
) -> None:
    def in_euros(rows: Rows) -> Rows:
        own = [row for row in rows if row["OpportunityId"] == ACME]
        return [row | {"CurrencyIsoCode": "EUR"} if row is own[1] else row for row in rows]

    def won_in_euros(rows: Rows) -> Rows:
        return [row | {"CurrencyIsoCode": "EUR"} if row["Id"] == ACME else row for row in rows]

    lines, _ = salesforce_lines(
        with_rows(export, tmp_path / "d", OpportunityHistory=in_euros, Opportunity=won_in_euros)
    )

    told = [line for line in lines if line.stream == f"deal:{ACME}"]
    amounts = [line.data["amount"] for line in told if line.type == "amount_changed"]
    assert amounts == [
        {"amount": "60000", "currency": "EUR"},
        {"amount": "60000", "currency": "USD"},
    ]
    (gap,) = [line.data["fields"] for line in told if line.type == "history_gap"]
    assert gap == ["amount"]


def test_a_row_that_cannot_be_read_is_a_reject_and_a_gap(export: Path, tmp_path: Path) -> None:
    def no_such_day(rows: Rows) -> Rows:
        own = [row for row in rows if row["OpportunityId"] == ACME]
        bad = {"CloseDate": "2024-02-30 00:00:00"}
        return [row | bad if row in (own[2], own[-1]) else row for row in rows]

    lines, findings = salesforce_lines(
        with_rows(export, tmp_path / "d", OpportunityHistory=no_such_day)
    )

    told = [line for line in lines if line.stream == f"deal:{ACME}"]
    gaps = [line.data for line in told if line.type == "history_gap"]
    unread = [one.reason for one in findings.rejects if one.file == "OpportunityHistory.csv"]
    assert [reason.partition(":")[0] for reason in unread] == ["CloseDate"] * 2
    assert gaps == [
        {
            "from": "2024-08-21T13:31:00.000000Z",
            "to": "2024-10-21T13:00:00.000000Z",
            "fields": ["stage", "amount", "close_date"],
        },
        {
            "from": "2024-11-04T18:45:00.000000Z",
            "to": "2024-11-12T22:05:30.000000Z",
            "fields": ["stage", "close_date"],
        },
    ]
