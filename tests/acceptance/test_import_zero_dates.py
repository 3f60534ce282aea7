"""A win on a zero date, as sources write for none, is a reject and not history of that year."""

from datetime import UTC, datetime
from pathlib import Path

from api.exchange.importing import LedgerContext, reader_for, run_import
from api.storage.event_store import EventStore
from tests.support.exports import Rows, rewritten, weekly_export

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
WON = "0065g0000000TIuAAM"


def test_a_win_on_a_zero_date_is_a_reject(
    store: EventStore, shared_data: Path, tmp_path: Path
) -> None:
    def zero(name: str, rows: Rows) -> Rows:
        for row in rows if name == "OpportunityHistory" else ():
            if row["OpportunityId"] == WON and row["StageName"] == "Closed Won":
                row["CloseDate"] = "1900-01-01 00:00:00"
        return rows

    folder = rewritten(weekly_export(shared_data), tmp_path / "d", zero)
    reader = reader_for("salesforce-csv", [folder], profile=None, known=LedgerContext(store))
    report = run_import(store, reader, now=NOW, founding=True)

    reasons = [one.reason for one in report.rejects if one.file == "OpportunityHistory.csv"]
    assert reasons == ["occurred_at: expected an instant of the years 1970 to 2999"]
    occurred = [event.occurred_at for batch in store.log() for event in batch]
    assert min(occurred) > datetime(2023, 1, 1, tzinfo=UTC)
