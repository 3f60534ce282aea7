"""Values as exports hold them: numbers of binary floats, zero dates, days that lie ahead."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from api.exchange.context import NoContext
from api.exchange.csv_events import CsvEventsReader
from api.exchange.csv_table import CsvTableReader
from api.exchange.csv_values import number_text
from api.exchange.hubspot_rows import hubspot_instant
from api.exchange.lines import Findings, Line
from api.exchange.profile import profile_from
from tests.support.exports import Rows, rewritten, salesforce_lines, weekly_export

STAGES: list[Any] = ["New", {"name": "Won", "closes": "won"}, {"name": "Lost", "closes": "lost"}]
NOW = datetime(2024, 8, 15, 12, tzinfo=UTC)
COLUMNS = {"id": "id", "owner": "by", "stage": "stage", "opened_on": "begun", "close_date": "due"}


def read(
    kind: Any, path: Path, text: str, **declared: Any
) -> tuple[dict[str, list[Line]], Findings]:
    """The lines by stream, and what was found."""
    path.write_text(text, encoding="utf-8")
    findings = Findings()
    profile = profile_from({"currency": "USD", "stages": STAGES} | declared, name="p")
    found: dict[str, list[Line]] = {}
    for line in kind([path], profile, NoContext()).lines(findings):
        found.setdefault(line.stream, []).append(line)
    return found, findings


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("33333.333333333336", "33333.333333"),
        ("0.30000000000000004", "0.3"),
        ("-0.0000001", "0"),
        ("12345678901234.1234565", "12345678901234.123456"),
        ("1e3", "1000"),
        (".5", "0.5"),
        ("+7.", "7"),
        ("0.123456", "0.123456"),
    ],
)
def test_a_number_has_no_more_decimals_than_a_payload_takes(text: str, number: str) -> None:
    assert number_text(text) == number


@pytest.mark.parametrize("text", ["1_000", "\u0663", "\uff11", "NaN", "0x10", "1 000", "", "."])
def test_what_is_no_plain_number_is_read_as_none(text: str) -> None:
    with pytest.raises(ValueError, match="expected a number"):
        number_text(text)


@pytest.mark.parametrize("day", ["1900-01-01", "1969-12-31 23:59:59", "1900-01-01 00:00:00"])
def test_a_zero_date_is_a_reject_and_dates_nothing_else(day: str, tmp_path: Path) -> None:
    rows = f"id,by,stage,begun,due\nA,ann,New,{day},\nB,ann,New,2024-05-01,\n"

    lines, findings = read(CsvTableReader, tmp_path / "d.csv", rows, columns=COLUMNS)

    (reject,) = findings.rejects
    assert (reject.row, reject.reason.partition(":")[0]) == (2, "begun")
    assert "deal:A" not in lines
    assert lines["process:csv"][0].occurred_at == datetime(2024, 5, 1, tzinfo=UTC)


def test_a_snapshot_of_a_zero_date_is_a_reject(shared_data: Path, tmp_path: Path) -> None:
    def zero(name: str, rows: Rows) -> Rows:
        if name == "OpportunityHistory":
            rows[2]["CreatedDate"] = "1900-01-01 00:00:00"
        return rows

    lines, findings = salesforce_lines(rewritten(weekly_export(shared_data), tmp_path / "d", zero))

    reasons = {one.file: one.reason for one in findings.rejects}
    assert reasons["OpportunityHistory.csv"].startswith("CreatedDate: ")
    assert min(line.occurred_at for line in lines) > datetime(2023, 1, 1, tzinfo=UTC)


def test_columns_without_a_name_are_left(tmp_path: Path) -> None:
    rows = ",id,by,stage,begun,due,,\n1,A,ann,New,2024-05-01,,,\n2,B,ann,New,2024-05-02,,x,y\n"

    lines, findings = read(CsvTableReader, tmp_path / "d.csv", rows, columns=COLUMNS)

    assert findings.rejects == []
    assert {"deal:A", "deal:B"} <= lines.keys()


def test_milliseconds_are_an_instant_of_the_years_that_can_be() -> None:
    assert hubspot_instant("0") == datetime(1970, 1, 1, tzinfo=UTC)
    with pytest.raises(ValueError, match="1970 to 2999"):
        hubspot_instant("99999999999999")


def test_what_an_open_deal_expects_does_not_date_the_file(tmp_path: Path) -> None:
    rows = "id,by,stage,begun,due\nA,ann,New,2024-05-01,2031-06-30\nB,ann,New,,\n"

    lines, _ = read(CsvTableReader, tmp_path / "d.csv", rows, columns=COLUMNS)

    opened = lines["deal:B"][0]
    assert opened.occurred_at == datetime(2024, 5, 1, 23, 59, 59, tzinfo=UTC)
    assert lines["deal:A"][0].data["close_date"] == "2031-06-30"


def open_deals(tmp_path: Path, *due: str, now: datetime | None = NOW) -> list[Line]:
    """Open deals of which nothing but the day is stated on which they are expected to close."""
    path = tmp_path / "d.csv"
    rows = [f"{number},ann,New,{day}" for number, day in enumerate(due)]
    path.write_text("\n".join(["id,by,stage,due", *rows]) + "\n")
    columns = {name: column for name, column in COLUMNS.items() if name != "opened_on"}
    profile = profile_from({"currency": "USD", "stages": STAGES, "columns": columns}, name="p")
    findings = Findings()
    lines = list(CsvTableReader([path], profile, NoContext(), now).lines(findings))
    assert findings.rejects == []
    return lines


@pytest.mark.parametrize(
    ("due", "since", "at"),
    [
        (["2024-05-01", "2024-06-30"], "2024-05-01", "2024-06-30"),
        (["2024-05-01", "", "2024-06-30"], "2024-05-01", "2024-06-30"),
        (["2024-05-01", "2031-06-30"], "2024-05-01", "2024-05-01"),
        (["2024-05-01", "2024-08-15"], "2024-05-01", "2024-05-01"),
        (["2024-05-01", "1900-01-01"], "2024-05-01", "2024-05-01"),
        (["2031-06-30", "2031-12-31"], "2024-08-14", "2024-08-14"),
    ],
)
def test_what_open_deals_expect_dates_them_where_nothing_else_does(
    due: list[str], since: str, at: str, tmp_path: Path
) -> None:
    lines = open_deals(tmp_path, *due)

    opened = [line for line in lines if line.type == "deal_opened"]
    assert len(opened) == len(due)
    assert {line.occurred_at.isoformat() for line in opened} == {f"{at}T23:59:59+00:00"}
    assert max(line.occurred_at for line in lines) < NOW
    gaps = [line.data for line in lines if line.type == "history_gap"]
    assert [(gap["from"], gap["to"]) for gap in gaps] == [
        (f"{since}T00:00:00Z", f"{at}T23:59:59Z")
    ] * len(due)


def test_what_open_deals_expect_is_taken_as_it_comes_where_no_clock_is_given(
    tmp_path: Path,
) -> None:
    lines = open_deals(tmp_path, "2031-06-30", now=None)

    assert lines[-1].occurred_at == datetime(2031, 6, 30, 23, 59, 59, tzinfo=UTC)


def test_numbers_of_a_table_of_events_are_read_as_declared(tmp_path: Path) -> None:
    rows = "deal;kind;day;worth\nA;begun;2024-05-01;1.234,5\nA;priced;2024-05-02;1.234\n"
    fields: Any = {"amount": "worth"}
    events = {
        "begun": {"type": "deal_opened", "fields": fields},
        "priced": {"type": "amount_changed", "fields": fields},
    }
    declared: dict[str, Any] = {"decimal": ",", "thousands": ".", "delimiter": ";"}

    lines, findings = read(
        CsvEventsReader,
        tmp_path / "amounts.csv",
        rows + "A;priced;2024-05-03;1,234.5\n",
        case="deal",
        event_name="kind",
        columns={"happened_on": "day"},
        events=events,
        **declared,
    )

    told = [line.data["amount"] for line in lines["deal:A"]]
    assert told == [{"amount": amount, "currency": "USD"} for amount in ("1234.5", "1234")]
    (reject,) = findings.rejects
    assert (reject.row, reject.reason.partition(":")[0]) == (4, "worth")


def test_a_deal_without_history_that_nobody_changed_is_as_it_was_opened(
    shared_data: Path, tmp_path: Path
) -> None:
    untouched = "0065g0000000pxtAAA"

    def without(name: str, rows: Rows) -> Rows:
        if name in ("OpportunityHistory", "OpportunityFieldHistory"):
            return [row for row in rows if row["OpportunityId"] != untouched]
        return rows

    source = weekly_export(shared_data)
    lines, findings = salesforce_lines(rewritten(source, tmp_path / "d", without))

    def told(lines: list[Line]) -> list[Any]:
        of_deal = (line for line in lines if line.stream == f"deal:{untouched}")
        return [(line.type, line.occurred_at, line.data) for line in of_deal]

    assert told(lines) == told(salesforce_lines(source)[0]) != []
    assert findings.rejects == []
