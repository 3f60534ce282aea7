"""What the reader of one-row-per-deal tables makes of the Maven table, and what it refuses."""

from collections import Counter
from pathlib import Path

import pytest

from api.exchange.context import NoContext
from api.exchange.csv_table import CsvTableReader
from api.exchange.guess import guess_profile
from api.exchange.instants import orders_of, parse_day, parse_instant, won_at
from api.exchange.lines import ExportRefusedError, Findings, Line
from api.exchange.profile import Profile, ProfileRefusedError, load_profile, profile_from
from domain.events.catalogue import TYPES_BY_NAME, parse
from domain.fiscal import MonthsCalendar
from tests.support.exports import MAVEN, read_rows

HEADER = "opportunity_id,sales_agent,product,account,deal_stage,engage_date,close_date,close_value"


def table_lines(path: Path, profile: Profile | None = None) -> tuple[list[Line], Findings]:
    findings = Findings()
    reader = CsvTableReader([path], profile or load_profile("maven"), NoContext())
    return list(reader.lines(findings)), findings


def table(tmp_path: Path, *rows: str) -> Path:
    path = tmp_path / "deals.csv"
    path.write_text("\n".join([HEADER, *rows]) + "\n")
    return path


def undeclared(**changes: object) -> Profile:
    return load_profile("maven").model_copy(update=changes)


def test_all_rows_of_the_maven_table_become_deals(shared_data: Path) -> None:
    lines, findings = table_lines(shared_data / MAVEN)

    told = Counter(line.type for line in lines)
    assert findings.rejects == []
    assert findings.rows_read == told["deal_opened"] == 8800
    assert (told["deal_won"], told["deal_lost"], told["history_gap"]) == (4238, 2473, 500)
    assert told["discount_offered"] == 0
    assert findings.not_expressible == ["account: the row names none (1425 times)"]
    for line in lines:
        parse(TYPES_BY_NAME[line.type], line.data)


def test_wins_fall_into_the_quarters_that_the_file_has(shared_data: Path) -> None:
    calendar = MonthsCalendar(zone="UTC", start_month=1)
    lines, _ = table_lines(shared_data / MAVEN)

    imported = Counter(
        calendar.quarter_of(line.occurred_at).name for line in lines if line.type == "deal_won"
    )

    stated = Counter(
        f"FY{row['close_date'][6:]}Q{(int(row['close_date'][3:5]) + 2) // 3}"
        for row in read_rows(shared_data / MAVEN)
        if row["deal_stage"] == "Won"
    )
    assert imported == stated
    assert len(stated) == 4


def test_a_row_without_dates_is_opened_at_the_latest_day_with_a_gap(tmp_path: Path) -> None:
    path = table(tmp_path, "A,Ana,P,Acme,Engaging,03-02-2017,,", "B,Ben,P,,Prospecting,,,")

    lines, _ = table_lines(path)

    (gap,) = [line for line in lines if line.type == "history_gap"]
    assert gap.stream == "deal:B"
    assert gap.data == {
        "from": "2017-02-03T00:00:00Z",
        "to": "2017-02-03T23:59:59Z",
        "fields": ["opened_on"],
    }
    opened = [line for line in lines if line.stream == "deal:B" and line.type == "deal_opened"]
    assert opened[0].data["account"] == {"id": "unknown:B", "name": "Unknown account"}


def test_a_date_order_that_is_not_declared_is_refused(tmp_path: Path) -> None:
    path = table(tmp_path, "A,Ana,P,Acme,Engaging,03-02-2017,,")

    with pytest.raises(ExportRefusedError, match=r"row 2: engage_date.*date_order"):
        table_lines(path, undeclared(date_order=None))


def test_a_date_that_fits_another_order_refuses_the_file(tmp_path: Path) -> None:
    path = table(
        tmp_path, "A,Ana,P,Acme,Engaging,03-02-2017,,", "B,Ana,P,Acme,Engaging,25-02-2017,,"
    )

    with pytest.raises(ExportRefusedError, match=r"row 3: engage_date.*order MDY; it fits DMY"):
        table_lines(path, undeclared(date_order="MDY"))


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("B,Ana,P,Acme,Engaging,soon,,", "engage_date: expected a date, not 'soon'"),
        ("B,Ana,P,Acme,Engaging,31-02-2017,,", "engage_date: expected a date"),
        ("B,Ana,P,Acme,Dreaming,03-02-2017,,", "deal_stage: 'Dreaming' is not in"),
        ("B,Ana,P,Acme,Won,03-02-2017,,100", "without a date of closing"),
        ("B,Ana,P,Acme,Won,03-02-2017,04-02-2017,much", "close_value: expected a number"),
        (",Ana,P,Acme,Engaging,03-02-2017,,", "opportunity_id: empty"),
        ("B,Ana,P,Acme", "4 columns where the header has 8"),
        ("A,Ana,P,Acme,Engaging,04-02-2017,,", "'A' also stands in row 2"),
    ],
)
def test_a_bad_row_is_rejected_alone(row: str, reason: str, tmp_path: Path) -> None:
    first, last = "A,Ana,P,Acme,Engaging,03-02-2017,,", "C,Ana,P,Acme,Engaging,03-02-2017,,"

    lines, findings = table_lines(table(tmp_path, first, row, last))

    (reject,) = findings.rejects
    assert (reject.file, reject.row) == ("deals.csv", 3)
    assert reason in reject.reason
    assert {line.stream for line in lines if line.stream.startswith("deal")} == {"deal:A", "deal:C"}


def test_a_table_of_nothing_but_bad_rows_is_a_list_of_rejects(tmp_path: Path) -> None:
    lines, findings = table_lines(table(tmp_path, "A,Ana,P,Acme,Engaging,soon,,"))

    assert lines == []
    assert [one.row for one in findings.rejects] == [2]


def test_a_name_loses_what_breaks_its_line_and_keeps_what_joins_letters(tmp_path: Path) -> None:
    astronaut, shaking, persian = (
        "\U0001f469\u200d\U0001f680",
        "\U0001fae8",
        "\u0645\u06cc\u200c\u062e",
    )
    path = tmp_path / "deals.csv"
    row = f"A,Ana,{astronaut}\x00{shaking},{persian}\u2028x,Engaging,03-02-2017,,"
    path.write_text(f"{HEADER}\n{row}\n", encoding="utf-8")

    lines, findings = table_lines(path)

    opened = next(line.data for line in lines if line.type == "deal_opened")
    assert opened["name"] == f"{persian} x - {astronaut} {shaking}"
    assert opened["account"] == {"id": f"{persian} x", "name": f"{persian} x"}
    parse(TYPES_BY_NAME["deal_opened"], opened)
    assert findings.rejects == []


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"a,b\n1,2\n", "no column 'opportunity_id'"),
        (b"<?xml version='1.0'?>\n<log/>\n", "XML or JSON"),
        (b'{"objectTypes": []}', "XML or JSON"),
        (b"PK\x03\x04abc", "zip"),
        (b"\x1f\x8babc", "gzip"),
        (HEADER.encode() + b"\nA,An\xe9,P,Acme,Engaging,03-02-2017,,\n", "row 2: not text"),
        (HEADER.encode() + b"\nA,Ana,P,Acme,Engaging,03-02-2017,,\nB,Ana,P", "row 3: cut short"),
        (HEADER.encode() + b'\nA,Ana,P,"Acme,Engaging,03-02-2017,,\nB,Ana,P', "cut short"),
    ],
)
def test_a_wrong_structure_is_refused_whole(content: bytes, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "deals.csv"
    path.write_bytes(content)

    with pytest.raises(ExportRefusedError, match=reason):
        table_lines(path)


@pytest.mark.parametrize("stage", ["Won", "Lost"])
def test_a_deal_that_ended_before_it_began_is_opened_at_its_end(stage: str, tmp_path: Path) -> None:
    row = f"A,Ana,P,Acme,{stage},03-02-2017,01-02-2017,100"

    lines, findings = table_lines(table(tmp_path, row))

    deal = [one for one in lines if one.stream == "deal:A" and one.data.get("stage") != "Engaging"]
    assert [line.type for line in deal] == ["deal_opened", "stage_entered", f"deal_{stage.lower()}"]
    assert {(line.occurred_at, line.recorded_at) for line in deal} == {
        (deal[-1].occurred_at, deal[-1].recorded_at)
    }
    assert f"{deal[0].occurred_at:%Y-%m-%d}" == "2017-02-01"
    assert any("was closed as of a day before" in note for note in findings.notes)


def test_a_profile_error_names_its_key() -> None:
    with pytest.raises(ProfileRefusedError, match=r"calendar: .*start_month"):
        profile_from({"calendar": {"kind": "months", "zone": "UTC"}}, name="p")
    with pytest.raises(ProfileRefusedError, match=r"zone: .*Mars"):
        profile_from({"zone": "Mars/North"}, name="p")
    with pytest.raises(ProfileRefusedError, match="datum: Extra inputs"):
        profile_from({"datum": "x"}, name="p")
    with pytest.raises(ProfileRefusedError, match=r"custom_fields\.A__c\.outcome_evidenced\.level"):
        profile_from({"custom_fields": {"A__c": {"event": "outcome_evidenced"}}}, name="p")
    with pytest.raises(ProfileRefusedError, match="encoding: no encoding"):
        profile_from({"encoding": "klingon"}, name="p")
    with pytest.raises(ProfileRefusedError, match="shipped ones are: maven"):
        load_profile("nowhere")


@pytest.mark.parametrize("name", ["hex", "rot13", "zlib"])
def test_an_encoding_of_no_text_is_refused_with_the_profile(name: str) -> None:
    with pytest.raises(ProfileRefusedError, match="encoding: no encoding"):
        profile_from({"encoding": name}, name="p")


def test_a_guess_declares_only_what_the_file_proves(shared_data: Path, tmp_path: Path) -> None:
    proposed = guess_profile(shared_data / MAVEN)
    ambiguous = guess_profile(table(tmp_path, "A,Ana,P,Acme,Engaging,03-02-2017,,"))

    assert "\ndate_order: DMY\n" in proposed
    assert "- name: Prospecting" in proposed
    assert "currency:" not in proposed
    assert "the dates fit DMY and MDY" in ambiguous
    assert "\ndate_order:" not in ambiguous


def test_a_guess_says_what_it_leaves_out(tmp_path: Path) -> None:
    open_deal, won = (
        "A,Ana,P,Acme,Engaging,25-02-2017,,",
        "B,Ana,P,Acme,Won,25-02-2017,26-02-2017,5",
    )

    both = guess_profile(table(tmp_path, open_deal, won))
    closed_only = guess_profile(table(tmp_path, won))

    assert "# columns: nothing is proposed for product.\n" in both
    assert "only how deals end" not in both
    assert "# stages: the file shows only how deals end; add those before the end.\n" in closed_only


def test_dates_are_read_only_by_the_declared_order() -> None:
    assert str(parse_day("01-02-2017", "DMY")) == "2017-02-01"
    assert str(parse_day("01/02/2017", "MDY")) == "2017-01-02"
    for written in ("2017-02-01 00:00:00", "2017-02-01 00:00:00+00", "2017-02-01 00:00:00 UTC"):
        assert str(parse_day(written, None)) == "2017-02-01"
    assert orders_of("25.12.2017").keys() == {"DMY"}


def test_a_local_time_is_read_in_its_zone() -> None:
    assert parse_instant("2025-01-01 00:40:00", "UTC").isoformat() == "2025-01-01T00:40:00+00:00"
    local = parse_instant("2024-12-31 19:40:00", "America/New_York")
    offset = parse_instant("2024-12-31T19:40:00.000-0500", "UTC")
    assert local.isoformat() == offset.isoformat() == "2025-01-01T00:40:00+00:00"


@pytest.mark.parametrize(
    "written",
    [
        *("2024-12-31 19:40:00-05", "2025-01-01 00:40:00.000 UTC", "2025-01-01 06:10:00+05:30"),
        *("2025-01-01T00:40Z", "2024-12-31T19:40-0500", "2024-12-31 19:40", "2025-01-01t00:40:00z"),
    ],
)
def test_an_instant_is_read_as_databases_and_programs_write_it(written: str) -> None:
    instant = parse_instant(written, "America/New_York")

    assert instant.isoformat() == "2025-01-01T00:40:00+00:00"


def test_a_close_date_to_come_leaves_the_win_at_its_recording() -> None:
    told_at = parse_instant("2024-12-30 12:00:00", "UTC")

    closed_on = parse_day("2025-01-02", None)
    assert won_at(closed_on=closed_on, told_at=told_at, zone="UTC") == told_at
