"""Tables with a row for each event: tasks, products, merges and what else connectors write."""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from api.exchange.context import NoContext
from api.exchange.csv_events import CsvEventsReader
from api.exchange.csv_table import CsvTableReader
from api.exchange.known_deals import KnownDeal
from api.exchange.lines import ExportRefusedError, Findings, Line
from api.exchange.profile import Profile, profile_from
from tests.support.told import Teller, opened

SEEDS = Path("data/fivetran_seeds")
TASKS: dict[str, Any] = {
    "source": "salesforce",
    "case": "what_id",
    "columns": {"id": "id", "owner": "owner_id", "happened_on": "activity_date"},
    "events": {"sf_task_data": {"type": "activity_ticked", "fields": {"activity": "subject"}}},
}
IGNORED = ("deal_company", "deal_pipeline", "deal_pipeline_stage", "engagement_deal")
OTHERS: dict[str, dict[str, Any]] = {
    "salesforce/sf_task_data.csv": TASKS,
    "salesforce/sf_opportunity_line_item_data.csv": {
        "source": "salesforce",
        "case": "opportunity_id",
        "columns": {"id": "id", "owner": "created_by_id", "happened_on": "created_date"},
        "event_name": "name",
        "events": {
            "plan a": {"type": "discount_offered", "fields": {"percent": "discount"}},
            "plan b": {"type": "note_added", "fields": {"text": "name"}},
        },
    },
    "hubspot/deal_property_history_data.csv": {
        "source": "hubspot",
        "case": "deal_id",
        "columns": {"happened_on": "timestamp"},
        "event_name": "source",
        "events": {"CONTACTS": {"type": "note_added", "fields": {"text": "value"}}},
    },
    "hubspot/merged_deal_data.csv": {
        "source": "hubspot",
        "case": "merged_deal_id",
        "columns": {"happened_on": "_fivetran_synced"},
        "events": {
            "merged_deal_data": {"type": "deal_deleted", "fields": {"reason": {"value": "Merged"}}}
        },
    },
    **{f"hubspot/{name}_data.csv": {"events": {f"{name}_data": "ignored"}} for name in IGNORED},
}


class _AllKnown(NoContext):
    """A ledger that has every deal."""

    def deal(self, system: str, deal: str) -> KnownDeal:
        return KnownDeal(system, [Teller().tell(opened(), "2000-01-01")])


def profile(declared: Mapping[str, Any]) -> Profile:
    return profile_from(dict(declared), name="p")


def read(path: Path, declared: Mapping[str, Any], known: NoContext) -> tuple[list[Line], Findings]:
    findings = Findings()
    return list(CsvEventsReader([path], profile(declared), known).lines(findings)), findings


def left_out(findings: Findings) -> int:
    """The rows that the report counts as ignored or as not expressible."""
    told = [*findings.notes, *(one for one in findings.not_expressible if "called" in one)]
    counted = [one for one in told if "events called" in one]
    return sum(int(one.rpartition("(")[2].split()[0]) if "times)" in one else 1 for one in counted)


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("known", [NoContext(), _AllKnown()], ids=["unknown", "known"])
def test_every_row_of_a_connector_table_is_accounted_for(
    shared_data: Path, name: str, known: NoContext
) -> None:
    path = shared_data / SEEDS / name
    with path.open(encoding="utf-8", newline="") as file:
        rows = len(list(csv.DictReader(file)))

    lines, findings = read(path, OTHERS[name], known)

    made = len({line.row for line in lines if line.stream.startswith("deal:")})
    assert findings.rows_read == rows > 0
    assert made + len(findings.rejects) + findings.duplicates + left_out(findings) == rows
    if isinstance(known, _AllKnown):
        assert {line.type for line in lines} <= {
            *("activity_ticked", "note_added", "deal_deleted", "discount_offered")
        }
    else:
        assert not lines
        reasons = {reject.reason for reject in findings.rejects}
        assert all("is not in the ledger" in one or one.endswith(": empty") for one in reasons)


def test_the_seeds_have_no_other_table(shared_data: Path) -> None:
    deals = {"salesforce/sf_opportunity_data.csv", "salesforce/sf_opportunity_history_data.csv"}
    deals |= {"hubspot/deal_data.csv", "hubspot/deal_stage_data.csv"}
    folder = shared_data / SEEDS

    found = {str(path.relative_to(folder)) for path in folder.rglob("*.csv")}

    assert found == deals | OTHERS.keys()


def table(tmp_path: Path, *rows: str) -> Path:
    path = tmp_path / "tasks.csv"
    path.write_text("deal,what,by,day,done\n" + "".join(f"{row}\n" for row in rows))
    return path


DECLARED: dict[str, Any] = {
    "source": "crm",
    "case": "deal",
    "event_name": "done",
    "columns": {"owner": "by", "happened_on": "day"},
    "events": {
        "true": {"type": "activity_ticked", "fields": {"activity": "what"}},
        "false": "ignored",
    },
}


def test_a_row_is_an_event_of_a_deal_that_the_ledger_has(tmp_path: Path) -> None:
    path = table(tmp_path, "D1,Demo,ana,2025-03-01T10:00:00Z,true", "D1,Call,ana,2025-03-02,false")

    (line,), findings = read(path, DECLARED, _AllKnown())

    assert (line.stream, line.type, line.actor) == ("deal:D1", "activity_ticked", "ana")
    assert line.data == {"activity": "Demo"}
    assert (line.file, line.row) == ("tasks.csv", 2)
    assert left_out(findings) == 1


def test_a_row_keeps_its_id_wherever_it_stands_and_is_one_if_it_stands_twice(
    tmp_path: Path,
) -> None:
    rows = [f"D1,{what},ana,2025-03-01,true" for what in ("Demo", "Call")]

    plain, _ = read(table(tmp_path, *rows), DECLARED, _AllKnown())
    mixed, findings = read(table(tmp_path, rows[1], *rows), DECLARED, _AllKnown())

    assert {line.external_id for line in mixed} == {line.external_id for line in plain}
    assert (len(mixed), findings.duplicates) == (2, 1)


@pytest.mark.parametrize(("closed_on", "noted"), [("2025-03-10", False), ("2025-03-09", True)])
def test_a_win_dated_back_whose_deal_may_have_been_reopened_is_noted(
    *, closed_on: str, noted: bool, tmp_path: Path
) -> None:
    net = {"net": {"value": "1"}, "currency": {"value": "USD"}, "closed_on": "what"}
    declared = DECLARED | {"events": {"true": {"type": "deal_won", "fields": net}}}

    _, findings = read(
        table(tmp_path, f"D1,{closed_on},ana,2025-03-10T10:00:00Z,true"), declared, _AllKnown()
    )

    assert any("the reopening stands" in note for note in findings.notes) == noted


def test_a_deal_is_known_under_the_source_that_its_own_table_has(tmp_path: Path) -> None:
    asked: list[tuple[str, str]] = []

    class Asked(NoContext):
        def deal(self, system: str, deal: str) -> KnownDeal:
            asked.append((system, deal))
            return KnownDeal()

    read(table(tmp_path, "D1,Demo,ana,2025-03-01,true"), DECLARED, Asked())

    deals = CsvTableReader([tmp_path], profile=profile({"source": "crm"}), known=NoContext())
    assert asked == [(deals.system, "D1")]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",Demo,ana,2025-03-01,true", "deal: empty"),
        ("D1,Demo,ana,,true", "day: empty"),
        ("D1,Demo,ana,2025-02-30,true", "day: "),
        ("D1,Demo,ana,2025-03-01,", "done: empty"),
    ],
)
def test_a_row_without_a_deal_a_time_or_a_name_is_a_reject(
    tmp_path: Path, row: str, reason: str
) -> None:
    path = table(tmp_path, "D1,Demo,ana,2025-03-01,true", row)

    lines, findings = read(path, DECLARED, _AllKnown())

    assert len(lines) == 1
    assert [(one.row, one.reason[: len(reason)]) for one in findings.rejects] == [(3, reason)]


@pytest.mark.parametrize("key", ["case", "columns", "event_name"])
def test_what_the_profile_does_not_declare_refuses_the_table(tmp_path: Path, key: str) -> None:
    path = table(tmp_path, "D1,Demo,ana,2025-03-01,true")
    declared = {name: said for name, said in DECLARED.items() if name != key}

    with pytest.raises(ExportRefusedError, match=r"tasks\.csv"):
        read(path, declared, _AllKnown())
