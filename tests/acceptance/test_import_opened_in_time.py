"""Deals that were closed as of a day before their source had them."""

from pathlib import Path

import pytest

from api.exchange.importing import LedgerContext, reader_for, run_import
from api.storage.event_store import EventStore
from domain.replay import view
from projections.spans.fold import fold
from tests.support.exports import Rows, rewritten, weekly_export
from tests.support.newer import NOW, imported

WON, CREATED, CLOSED = "0065g0000000TIuAAM", "2024-08-05", "2024-08-01"


def backdated(name: str, rows: Rows) -> Rows:
    """A deal of August is closed as of a day before it was created."""
    for row in rows if name in ("Opportunity", "OpportunityHistory") else ():
        if WON in (row["Id"], row.get("OpportunityId")) and row["StageName"] == "Closed Won":
            row["CloseDate"] = f"{CLOSED} 00:00:00"
    return rows


def still_open(name: str, rows: Rows) -> Rows:
    if name == "OpportunityHistory":
        rows = [row for row in rows if row["OpportunityId"] != WON or row["StageName"][0] != "C"]
    if name == "OpportunityFieldHistory":
        rows = [row for row in rows if row["CreatedDate"] < "2024-11-12"]
    for row in rows if name == "Opportunity" else ():
        if row["Id"] == WON:
            row |= {"StageName": "Negotiation", "LastModifiedDate": "2024-11-04 18:45:00"}
            row |= {"CloseDate": "2024-11-15 00:00:00"}
    return rows


@pytest.mark.parametrize("known", [False, True])
def test_a_deal_is_won_whose_close_date_lies_before_its_creation(
    *, known: bool, store: EventStore, shared_data: Path, tmp_path: Path
) -> None:
    """In an empty ledger it is opened by then; an opening that the ledger has does not move."""
    export = weekly_export(shared_data)
    before = rewritten(export, tmp_path / "before", still_open)
    after = rewritten(export, tmp_path / "after", backdated)
    if known:
        imported(store, "salesforce-csv", before)

    reader = reader_for("salesforce-csv", [after], profile=None, known=LedgerContext(store))
    report = run_import(store, reader, now=NOW, founding=not known)
    again = [imported(store, "salesforce-csv", folder) for folder in (after, before)]

    assert list(report.rejects) == []
    assert [(one.events_made, list(one.rejects)) for one in again] == [(0, [])] * 2
    (stream,) = store.stream_ids_of(WON, system="salesforce")
    deal = fold(view(store.stream(stream)))
    assert deal is not None
    assert (deal.closed, deal.stage) == ("won", "Closed Won")
    assert deal.opened_at == deal.closed_at
    assert f"{deal.closed_at:%Y-%m-%d}" == (CREATED if known else "2024-08-02")
    assert any("was closed as of a day before" in note for note in report.notes)
