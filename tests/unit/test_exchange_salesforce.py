"""What the Salesforce reader makes of the reference pack, clean, dirty and broken."""

import json
from pathlib import Path
from typing import Any

import pytest

from api.exchange.lines import ExportRefusedError, Line
from api.exchange.profile import Profile, profile_from
from domain.events.catalogue import TYPES_BY_NAME, parse
from tests.support.exports import (
    PACK,
    Facts,
    Rows,
    doubled,
    plain_names,
    read_rows,
    rewritten,
    salesforce_lines,
    short_ids,
    shuffled,
    weekly_export,
)

BLINDNESS = ("outcomes", "commitments", "planted", "checkbox_only", "pushes_by_calendar_month")
"""What this source cannot express, or what is not said by lines."""


@pytest.fixture
def export(shared_data: Path) -> Path:
    return weekly_export(shared_data)


@pytest.fixture
def expected(shared_data: Path) -> Any:
    return json.loads((shared_data / PACK / "expected.json").read_text())


def facts_of(lines: list[Line], export: Path) -> tuple[dict[str, Any], Facts]:
    people = {row["Id"]: row["Username"].split(".")[0] for row in read_rows(export / "User.csv")}
    facts = Facts(lines, people)
    keys = {row["Id"]: row["ExternalKey__c"] for row in read_rows(export / "Opportunity.csv")}
    return {key: facts.deal(f"deal:{deal}") for deal, key in keys.items()}, facts


def wanted(deal: dict[str, Any]) -> dict[str, Any]:
    told = {key: value for key, value in deal.items() if key not in BLINDNESS}
    told["ticks"] = [{"time": tick["time"], "activity": tick["activity"]} for tick in deal["ticks"]]
    told["final"] = {key: value for key, value in deal["final"].items() if key != "quarter"}
    return _exact(told)


def _exact(value: dict[str, Any]) -> dict[str, Any]:
    """Money as decimals, so that a float of the file does not decide."""
    exact: dict[str, Any] = json.loads(json.dumps(value, default=float))
    return exact


def check(lines: list[Line], export: Path, expected: Any) -> None:
    told, facts = facts_of(lines, export)
    for key, deal in expected["deals"].items():
        assert _exact(told[key]) == wanted(deal), key
    assert {key: float(won) for key, won in facts.won_by_rep_quarter.items()} == expected[
        "won_by_rep_quarter"
    ]


def test_the_facts_of_all_deals_are_those_of_the_reference(export: Path, expected: Any) -> None:
    lines, findings = salesforce_lines(export)

    assert findings.rejects == []
    assert len([line for line in lines if line.type == "deal_opened"]) == 15
    check(lines, export, expected)
    for line in lines:
        parse(TYPES_BY_NAME[line.type], line.data)


def test_a_win_recorded_after_midnight_utc_counts_on_its_local_day(export: Path) -> None:
    lines, _ = salesforce_lines(export)

    (win,) = [
        line
        for line in lines
        if line.type == "deal_won"
        and "jmi" not in line.external_id
        and line.data["closed_on"] == "2024-12-31"
    ]
    assert win.occurred_at.isoformat() == "2025-01-01T00:40:00+00:00"
    assert win.data["list"] == {"amount": "90000", "currency": "USD"}
    calendar = next(line for line in lines if line.type == "calendar_adopted")
    assert calendar.data["zone"] == "America/New_York"
    assert calendar.data["parameters"] == {"start_month": 1}


def test_what_the_source_cannot_say_is_reported(export: Path) -> None:
    _, findings = salesforce_lines(export)

    told = " | ".join(findings.not_expressible)
    for what in (
        "outcome_evidenced",
        "customer_commitment_recorded",
        "Outcome_Evidence__c",
        "intended outcomes of an activity",
        "LossReason__c",
    ):
        assert what in told
    assert findings.names["0055g0000000TIuAAM"] == "Ana Ruiz"


@pytest.mark.parametrize("change", [shuffled, doubled, short_ids])
def test_dirty_rows_tell_the_same_facts(
    change: Any, export: Path, expected: Any, tmp_path: Path
) -> None:
    dirty = rewritten(export, tmp_path / "dirty", change)

    lines, findings = salesforce_lines(dirty)

    assert findings.rejects == []
    assert (findings.duplicates > 150) == (change is doubled)
    check(lines, export, expected)


@pytest.mark.parametrize(
    ("written_in", "declared", "newline"),
    [
        ("latin-1", "latin-1", "\n"),
        ("utf-16", "utf-16", "\n"),
        ("utf-16", None, "\r\n"),
        ("utf-8-sig", None, "\r\n"),
    ],
)
def test_encodings_and_line_ends_tell_the_same_facts(
    *,
    written_in: str,
    declared: str | None,
    newline: str,
    export: Path,
    expected: Any,
    tmp_path: Path,
) -> None:
    dirty = rewritten(export, tmp_path / "dirty", plain_names, encoding=written_in, newline=newline)

    lines, findings = salesforce_lines(dirty, Profile(encoding=declared))

    assert findings.rejects == []
    check(lines, export, expected)


def test_an_undeclared_encoding_is_refused_with_file_and_row(export: Path, tmp_path: Path) -> None:
    dirty = rewritten(export, tmp_path / "dirty", plain_names, encoding="latin-1")

    with pytest.raises(ExportRefusedError, match="not text in utf-8") as refusal:
        salesforce_lines(dirty)

    assert refusal.value.row is not None


def test_a_missing_history_is_refused(export: Path, tmp_path: Path) -> None:
    dirty = rewritten(
        export, tmp_path / "d", lambda name, rows: [] if name == "OpportunityHistory" else rows
    )

    with pytest.raises(ExportRefusedError, match=r"OpportunityHistory\.csv: missing"):
        salesforce_lines(dirty)


@pytest.mark.parametrize("kept", [0.3, 0.5, 0.77])
def test_a_file_cut_short_is_refused_before_the_first_line(
    kept: float, export: Path, tmp_path: Path
) -> None:
    dirty = rewritten(export, tmp_path / "dirty")
    history = dirty / "OpportunityHistory.csv"
    content = history.read_bytes()
    history.write_bytes(content[: int(len(content) * kept)])

    with pytest.raises(ExportRefusedError, match="cut short") as refusal:
        salesforce_lines(dirty)

    assert refusal.value.file == "OpportunityHistory.csv"


def test_a_missing_column_is_refused_by_name(export: Path, tmp_path: Path) -> None:
    def without(name: str, rows: Rows) -> Rows:
        for row in rows if name == "OpportunityHistory" else ():
            del row["CloseDate"]
        return rows

    dirty = rewritten(export, tmp_path / "dirty", without)

    with pytest.raises(ExportRefusedError, match="no column 'CloseDate'"):
        salesforce_lines(dirty)


def test_another_format_is_refused(shared_data: Path) -> None:
    with pytest.raises(ExportRefusedError, match="not a Salesforce export"):
        salesforce_lines(shared_data / PACK / "xes")


def test_rows_of_unknown_deals_are_rejects(export: Path, tmp_path: Path) -> None:
    def dangling(name: str, rows: Rows) -> Rows:
        return rows[1:] if name == "Opportunity" else rows

    lines, findings = salesforce_lines(rewritten(export, tmp_path / "d", dangling))

    assert len([line for line in lines if line.type == "deal_opened"]) == 14
    assert {one.file for one in findings.rejects} >= {"OpportunityHistory.csv", "Task.csv"}
    assert all("no readable row" in one.reason for one in findings.rejects)


def test_only_the_needed_objects_are_needed(export: Path, tmp_path: Path) -> None:
    needed = ("Opportunity", "OpportunityHistory", "OpportunityStage")
    dirty = rewritten(export, tmp_path / "d", lambda name, rows: rows if name in needed else [])

    lines, findings = salesforce_lines(dirty)

    assert findings.rejects == []
    assert len([line for line in lines if line.type == "deal_won"]) == 10
    assert "Quote: the export has no such file" in findings.not_expressible


def changed_history(export: Path, target: Path, deal: str, **latest: str) -> Path:
    """The export with one more history row of a deal, an hour after its last one."""

    def add(name: str, rows: Rows) -> Rows:
        if name != "OpportunityHistory":
            return rows
        last = [row for row in rows if row["OpportunityId"].startswith(deal)][-1]
        day = last["CreatedDate"][:10]
        extra = {"Id": "0085g0000009999AAA", "CreatedDate": f"{day} 23:59:58"}
        return [*rows, last | extra | latest]

    return rewritten(export, target, add)


@pytest.mark.parametrize(
    ("deal", "stated"),
    [
        ("0065g0000000TIu", {"closed_on": "2024-11-12"}),
        (  # of a deal that follows a quote, which says what it was listed at
            "0065g0000000VMd",
            {"list": {"amount": "90000", "currency": "USD"}, "closed_on": "2024-12-31"},
        ),
    ],
)
def test_a_won_deal_that_is_changed_amends_its_win(
    deal: str, stated: dict[str, object], export: Path, tmp_path: Path
) -> None:
    dirty = changed_history(export, tmp_path / "d", deal, Amount="55000")

    lines, findings = salesforce_lines(dirty)

    (amended,) = [line for line in lines if line.type == "event_amended"]
    (win,) = [line for line in lines if line.external_id == amended.data["event_id"]]
    assert (win.type, win.stream[:20]) == ("deal_won", f"deal:{deal}")
    assert amended.data["data"] == {"net": {"amount": "55000", "currency": "USD"}} | stated
    assert [line.data["fields"] for line in lines if line.type == "history_gap"] == [["amount"]]
    assert findings.rejects == []


def test_a_won_deal_that_goes_on_has_its_win_reversed(export: Path, tmp_path: Path) -> None:
    dirty = changed_history(export, tmp_path / "d", "0065g0000000TIu", StageName="Negotiation")

    lines, _ = salesforce_lines(dirty)

    told = [line.type for line in lines if line.external_id.startswith("0085g0000009999AAA")]
    assert told == ["win_reversed", "deal_reopened", "stage_entered"]


def test_a_close_date_long_past_puts_the_win_at_the_end_of_that_day(
    export: Path, tmp_path: Path
) -> None:
    def backdated(name: str, rows: Rows) -> Rows:
        for row in rows:
            if name == "OpportunityHistory" and row["Id"] == "0085g0000000dbXAAQ":
                row["CloseDate"] = "2024-09-30 00:00:00"
        return rows

    lines, _ = salesforce_lines(rewritten(export, tmp_path / "d", backdated))

    (win,) = [line for line in lines if line.external_id == "0085g0000000dbXAAQ:deal_won"]
    assert win.occurred_at.isoformat() == "2024-10-01T03:59:59+00:00"
    assert win.recorded_at is not None
    assert win.recorded_at.isoformat() == "2024-11-12T22:05:30+00:00"


def test_declared_fields_and_activities_become_expressible(export: Path) -> None:
    profile = profile_from(
        {
            "activities": {
                "Discovery call": {
                    "stage": "Discovery",
                    "purpose": "To hear what hurts",
                    "outcomes": ["Pain confirmed by customer"],
                }
            },
            "custom_fields": {
                "Outcome_Evidence__c": {
                    "event": "outcome_evidenced",
                    "level": 3,
                    "separator": ": ",
                },
                "Customer_Commitment__c": {
                    "event": "customer_commitment_recorded",
                    "level": 2,
                    "separator": " by ",
                },
                "LossReason__c": {"event": "deal_lost"},
            },
        },
        name="test",
    )

    lines, findings = salesforce_lines(export, profile)

    evidenced = [line.data for line in lines if line.type == "outcome_evidenced"]
    assert evidenced[0] == {
        "outcome": "Pain confirmed by customer",
        "level": 3,
        "statement": "email from COO 2024-08-20",
    }
    (promised,) = [line.data for line in lines if line.type == "customer_commitment_recorded"]
    assert (promised["what"], promised["due"]) == ("Customer runs pilot", "2024-10-18")
    assert [line.data for line in lines if line.type == "deal_lost"].count(
        {"reason": "No decision"}
    ) == 1
    assert "LossReason__c" not in " ".join(findings.not_expressible)
