"""Tables of connectors: times of day, a row for each state, boxes, values that are not there."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from api.exchange.context import NoContext
from api.exchange.csv_table import CsvTableReader
from api.exchange.lines import Findings, Line
from api.exchange.profile import profile_from

SEEDS = Path("data/fivetran_seeds")
WON, LOST, OPEN = "GavUFuuf4DrnQAoiRGlWpQ==", "tXi3M8u3iPxq0ggxTSxMKw==", "9RN9J3tlxr89gDctReax5w=="
STAGES: list[Any] = [OPEN, {"name": WON, "closes": "won"}, {"name": LOST, "closes": "lost"}]
OPPORTUNITY: dict[str, Any] = {
    "source": "salesforce",
    "currency": "USD",
    "stages": STAGES,
    "columns": {
        "id": "id",
        "name": "name",
        "account": "account_id",
        "owner": "owner_id",
        "stage": "stage_name",
        "opened_on": "created_date",
        "close_date": "close_date",
        "amount": "amount",
        "deleted": "is_deleted",
    },
}


def read(path: Path, **declared: Any) -> tuple[list[Line], Findings]:
    findings = Findings()
    profile = profile_from(declared, name="p")
    return list(
        CsvTableReader([path], profile=profile, known=NoContext()).lines(findings)
    ), findings


def told(lines: list[Line], deal: str) -> list[tuple[str, datetime]]:
    return [(line.type, line.occurred_at) for line in lines if line.stream == f"deal:{deal}"]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def accounted(lines: list[Line], findings: Findings) -> int:
    """The rows that lines were made of, and those that were rejected or known."""
    rows = {line.row for line in lines if line.stream.startswith("deal:")}
    return len(rows) + len(findings.rejects) + findings.duplicates


def test_a_table_of_opportunities_has_times_of_day_and_deleted_rows(shared_data: Path) -> None:
    path = shared_data / SEEDS / "salesforce/sf_opportunity_data.csv"

    lines, findings = read(path, **OPPORTUNITY)

    assert (findings.rows_read, accounted(lines, findings)) == (10, 10)
    assert {one.reason for one in findings.rejects} == {"won without an amount"}
    assert told(lines, "006q000000HddohAAB") == [
        ("deal_opened", at("2018-12-19 19:51:13")),
        ("stage_entered", at("2018-12-19 23:59:59")),
        ("deal_won", at("2018-12-19 23:59:59")),
        ("deal_deleted", at("2018-12-19 23:59:59")),
    ]
    assert [kind for kind, _ in told(lines, "006q000000HdOhuAAF")] == [
        "deal_opened",
        "stage_entered",
        "deal_deleted",
    ]


def test_a_table_with_a_row_for_each_state_is_compared(shared_data: Path) -> None:
    path = shared_data / SEEDS / "salesforce/sf_opportunity_history_data.csv"
    columns = OPPORTUNITY["columns"] | {"recorded_on": "_fivetran_start"}

    lines, findings = read(path, **OPPORTUNITY | {"columns": columns})

    assert findings.rows_read == 10
    assert len({line.stream for line in lines if line.stream.startswith("deal:")}) == 10
    # Five were won, four of them without an amount, which no win can do without.
    assert len(findings.rejects) == 4
    # The first state is of long after the opening, so how it came about is not known.
    assert [kind for kind, _ in told(lines, "006q000000HddohAAB")] == [
        "deal_opened",
        *("close_date_moved", "amount_changed", "stage_entered", "deal_won"),
        *("history_gap", "deal_deleted"),
    ]


def test_stages_of_deals_and_deals_without_stages(shared_data: Path) -> None:
    stage = "f66ca9bc5a02c2f1513ce83f0a0e117d"
    folder = shared_data / SEEDS / "hubspot"
    common: dict[str, Any] = {"source": "hubspot", "currency": "USD"}
    endings = [{"name": "Won", "closes": "won"}, {"name": "Lost", "closes": "lost"}]

    entered, found = read(
        folder / "deal_stage_data.csv",
        **common,
        stages=[stage, "09a969da1d61b38bd3746f0f49c1475a", *endings],
        columns={"id": "deal_id", "stage": "value", "recorded_on": "date_entered"},
        defaults={"owner": "unassigned"},
    )
    deals, others = read(
        folder / "deal_data.csv",
        **common,
        stages=["not stated", *endings],
        columns={
            "id": "deal_id",
            "name": "property_dealname",
            "owner": "owner_id",
            "stage": "deal_pipeline_stage_id",
            "opened_on": "property_createdate",
            "deleted": "is_deleted",
        },
        defaults={"owner": "unassigned", "stage": "not stated"},
    )

    assert (found.rows_read, accounted(entered, found)) == (14, 14)
    assert ("stage_entered", at("2021-01-12 04:19:37")) in told(entered, "3974258388")
    assert (others.rows_read, accounted(deals, others), others.rejects) == (44, 44, [])


def table(tmp_path: Path, *rows: str) -> Path:
    path = tmp_path / "states.csv"
    path.write_text("id,stage,owner,amount,due,at,gone\n" + "".join(f"{row}\n" for row in rows))
    return path


STATES: dict[str, Any] = {
    "currency": "EUR",
    "stages": [
        "New",
        "Offer",
        {"name": "Won", "closes": "won"},
        {"name": "Lost", "closes": "lost"},
    ],
    "columns": {
        "id": "id",
        "stage": "stage",
        "owner": "owner",
        "amount": "amount",
        "close_date": "due",
        "recorded_on": "at",
        "deleted": "gone",
    },
}


def test_states_in_any_order_and_twice_tell_what_changed(tmp_path: Path) -> None:
    path = table(
        tmp_path,
        "A,Won,ben,90,2025-03-01,2025-03-01 10:00:00,0",
        "A,New,ann,100.00,2025-02-01,2025-01-01 10:00:00,0",
        "A,Offer,ben,100,2025-03-01,2025-01-08 10:00:00,0",
        "A,Offer,ben,100,2025-03-01,2025-01-08 10:00:00,0",
        "A,Won,ben,90,2025-03-01,2025-03-05 10:00:00,1",
        "B,Nowhere,ann,1,,2025-01-01 10:00:00,0",
        "C,New,,1,,2025-01-01 10:00:00,0",
    )

    lines, findings = read(path, **STATES)

    assert [(line.type, line.occurred_at.day) for line in lines if line.stream == "deal:A"] == [
        ("deal_opened", 1),
        ("stage_entered", 1),
        ("owner_changed", 8),
        ("close_date_moved", 8),
        ("stage_entered", 8),
        ("amount_changed", 1),
        ("stage_entered", 1),
        ("deal_won", 1),
        ("deal_deleted", 5),
    ]
    assert findings.duplicates == 1
    assert [(one.row, one.reason) for one in findings.rejects] == [
        (7, "stage: 'Nowhere' is not in the profile's stages"),
        (8, "owner: empty"),
    ]


def test_a_deal_is_opened_as_its_first_row_calls_it(tmp_path: Path) -> None:
    path = tmp_path / "named.csv"
    path.write_text(
        "id,stage,owner,name,company,at\n"
        "A,New,ann,As it was,Acme,2025-01-01 10:00:00\n"
        "A,Offer,ann,As it is,Acme Group,2025-01-08 10:00:00\n"
    )
    columns = {name: name for name in ("id", "stage", "owner", "name")}
    columns |= {"account": "company", "recorded_on": "at"}

    lines, _ = read(path, **STATES | {"columns": columns})

    (opened,) = [line.data for line in lines if line.type == "deal_opened"]
    assert (opened["name"], opened["account"]) == ("As it was", {"id": "Acme", "name": "Acme"})


def test_a_longer_history_keeps_the_names_of_events(tmp_path: Path) -> None:
    rows = [f"A,New,ann,{n},,2025-01-0{n} 10:00:00,0" for n in range(1, 5)]
    shorter, _ = read(table(tmp_path, *rows[:3]), **STATES)
    longer, _ = read(table(tmp_path, *rows), **STATES)

    assert {line.external_id for line in shorter} <= {line.external_id for line in longer}


def test_local_times_are_read_in_the_declared_order_and_zone(tmp_path: Path) -> None:
    path = table(tmp_path, 'A,New,ann,1,,"03/01/2025 3:04 PM",0')

    lines, _ = read(path, **STATES, date_order="DMY", zone="Europe/Berlin")

    assert told(lines, "A")[0] == ("deal_opened", at("2025-01-03 14:04:00"))
