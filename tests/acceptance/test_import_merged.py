"""A deal that HubSpot merged into another after it was imported."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from api.exchange.importing import LedgerContext, reader_for, run_import
from api.exchange.lines import ImportReport
from api.storage.event_store import EventStore
from domain.deal import replay
from domain.events.life import DealDeleted
from tests.support.exports import PACK, rewritten_json
from tests.support.hubspot import PROFILE, deal_in, version

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)


def imported(store: EventStore, folder: Path) -> ImportReport:
    known = LedgerContext(store)
    return run_import(store, reader_for("hubspot", [folder], profile=PROFILE, known=known), now=NOW)


def test_a_deal_that_was_merged_since_is_deleted_and_the_other_lives_on(
    store: EventStore, shared_data: Path, tmp_path: Path
) -> None:
    export = shared_data / PACK / "hubspot_v3"

    def merged(name: str, content: Any) -> Any:
        if name == "deals":
            survivor = deal_in(content, "90000001")
            survivor["properties"]["hs_merged_object_ids"] = "90000012;4711"
            history = [version("90000012;4711", "2025-03-01T10:00:00.000Z")]
            survivor["propertiesWithHistory"]["hs_merged_object_ids"] = history
            content["results"] = [one for one in content["results"] if one["id"] != "90000012"]
        return content

    imported(store, export)
    newer = rewritten_json(export, tmp_path / "newer", merged)
    second = imported(store, newer)
    third = imported(store, newer)

    assert (second.events_made, second.rejects) == (1, ())
    assert (third.events_made, third.rejects) == (0, ())
    known = store.by_external_ids("hubspot", ["90000012:deal_opened", "90000012:merged"])
    opening, deletion = known["90000012:deal_opened"], known["90000012:merged"]
    assert deletion.data == DealDeleted(reason="Merged into the deal 90000001 in HubSpot.")
    assert deletion.occurred_at == datetime(2025, 3, 1, 10, tzinfo=UTC)
    assert deletion.stream_id == opening.stream_id
    assert replay(store.stream(deletion.stream_id)) is not None
