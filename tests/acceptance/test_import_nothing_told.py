"""A first import of which every deal is a reject leaves no calendar and no process behind."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from api.exchange.importing import LedgerContext, reader_for, run_import
from api.exchange.lines import ImportReport
from api.exchange.profile import profile_from
from api.storage.event_store import EventStore

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
PROFILE = """
currency: EUR
zone: Europe/Berlin
stages: [Talks, {name: Won, closes: won}, {name: Lost, closes: lost}]
calendar: {kind: months, zone: Europe/Berlin, start_month: 2}
columns: {id: id, owner: owner, stage: stage, opened_on: opened, amount: amount}
"""


def imported(store: EventStore, path: Path, declared: str, *, dry_run: bool) -> ImportReport:
    profile = profile_from(yaml.safe_load(PROFILE + declared), name="p")
    reader = reader_for("csv", [path], profile=profile, known=LedgerContext(store))
    return run_import(store, reader, now=NOW, founding=True, dry_run=dry_run)


@pytest.mark.parametrize("dry_run", [True, False])
def test_the_context_of_a_profile_that_fits_no_row_is_not_imported(
    store: EventStore, tmp_path: Path, *, dry_run: bool
) -> None:
    path = tmp_path / "deals.csv"
    path.write_text('id,owner,stage,opened,amount\nA,ann,Talks,2025-03-01,"1.000,50"\n')

    wrong = imported(store, path, "", dry_run=dry_run)

    assert (wrong.events_made, store.head().position) == (0, 0)
    assert [(one.row, one.reason) for one in wrong.rejects] == [
        (1, "no deal of this import can be told, so nothing of it is imported"),
        (1, "no deal of this import can be told, so nothing of it is imported"),
        (2, "amount: expected a number, not '1.000,50'"),
    ]


def test_it_may_be_founded_with_another_profile_then(store: EventStore, tmp_path: Path) -> None:
    path = tmp_path / "deals.csv"
    path.write_text('id,owner,stage,opened,amount\nA,ann,Talks,2025-03-01,"1.000,50"\n')
    imported(store, path, "", dry_run=False)

    right = imported(store, path, "decimal: ','\nthousands: '.'\n", dry_run=False)

    assert (right.deals, right.rejects) == (1, ())
    assert store.head().position == right.events_made == 4


def test_context_that_a_ledger_exported_is_imported_beside_a_row_that_is_none(
    store: EventStore, tmp_path: Path
) -> None:
    """An export may be of quotas only, and has no deal that could be told."""
    path = tmp_path / "quotas.csv"
    kept = "01900000-0000-7000-9000-000000000001,quota_assigned,2025-01-01T00:00:00Z,ann"
    money = '{""amount"":""5"",""currency"":""EUR""}'
    data = f'"{{""amount"":{money},""rep"":""ann"",""quarter"":""FY2025Q1""}}"'
    path.write_text(
        "position,stream,stream_id,external_id,event_id,type,occurred_at,actor,on_behalf_of,"
        "caused_by,data,told_at,source_system,file_sha256\n"
        f"1,quota:ann:FY2025Q1,quota:ann:FY2025Q1,q1,{kept},,,{data},,crm,\n"
        "2,,,,,,,,,,,,,\n"
    )
    reader = reader_for("csv", [path], profile=None, known=LedgerContext(store))

    report = run_import(store, reader, now=NOW)

    assert (report.events_made, [one.row for one in report.rejects]) == (1, [3])
