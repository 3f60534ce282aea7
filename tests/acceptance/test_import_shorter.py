"""Newer exports whose history is shorter, whose deals are back, or whose quotas are others."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import pytest

from api.storage.event_store import EventStore
from domain.replay import view
from projections.spans.fold import fold
from tests.support.exports import PACK, Rows, rewritten, weekly_export
from tests.support.hubspot import PROFILE as HUBSPOT
from tests.support.hubspot import changed, deal_in, version
from tests.support.newer import LATER, SOURCES, Source, deal, imported, told

QUOTA: Final = "quota:0055g0000000TIuAAM:FY2024Q4"


def latest_only(content: Any) -> Any:
    """As HubSpot, which keeps the latest versions of a property only; here two of each."""
    for one in content["results"]:
        histories = one["propertiesWithHistory"]
        one["propertiesWithHistory"] = {name: kept[:2] for name, kept in histories.items()}
        one["updatedAt"] = LATER
    return content


def test_what_a_newer_export_no_longer_has_of_a_history_stays(
    store: EventStore, shared_data: Path, tmp_path: Path
) -> None:
    export = shared_data / PACK / "hubspot_v3"
    shorter = changed(export, tmp_path / "shorter", deals=latest_only)
    imported(store, "hubspot", export, HUBSPOT)

    report = imported(store, "hubspot", shorter, HUBSPOT)

    assert (report.events_made, list(report.rejects)) == (0, [])
    note = "a deal whose history begins later than it was opened keeps its opening"
    assert any(one.startswith(note) for one in report.notes)


def test_a_shorter_history_of_another_time_joins_what_is_known_with_a_gap(
    store: EventStore, shared_data: Path, tmp_path: Path
) -> None:
    def as_it_was(content: Any) -> Any:
        histories = deal_in(content, "90000001")["propertiesWithHistory"]
        for name in ("dealstage", "closedate"):
            histories[name] = histories[name][-1:]
        deal_in(content, "90000001")["updatedAt"] = histories["dealstage"][0]["timestamp"]
        return content

    export = shared_data / PACK / "hubspot_v3"
    imported(store, "hubspot", changed(export, tmp_path / "1", deals=as_it_was), HUBSPOT)
    opened = told(deal(store, "90000001", "hubspot"), "deal_opened")
    shorter = changed(export, tmp_path / "shorter", deals=latest_only)

    imported(store, "hubspot", shorter, HUBSPOT)
    again = imported(store, "hubspot", shorter, HUBSPOT)

    events = deal(store, "90000001", "hubspot")
    assert (again.events_made, list(again.rejects)) == (0, [])
    assert told(events, "deal_opened") == opened
    assert len(told(events, "deal_won")) == 1
    gap = told(events, "history_gap")[-1]
    assert list(gap.fields) == ["stage", "amount", "close_date"]  # type: ignore[attr-defined]  # history_gap


def test_a_shorter_history_that_was_broken_off_and_comes_again_leaves_nothing_out(
    store: EventStore, shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def as_it_was(content: Any) -> Any:
        for one in content["results"]:
            stages = one["propertiesWithHistory"]["dealstage"]
            stages[:] = stages[-1:]
            one["updatedAt"] = stages[0]["timestamp"]
        return content

    def last_only(content: Any) -> Any:
        for one in content["results"]:
            stages = one["propertiesWithHistory"]["dealstage"]
            stages[:] = stages[:1]
        return content

    pack = shared_data / PACK / "hubspot_v3"
    imported(store, "hubspot", changed(pack, tmp_path / "1", deals=as_it_was), HUBSPOT)
    shorter = changed(pack, tmp_path / "2", deals=last_only)
    report = imported(store, "hubspot", shorter, HUBSPOT, dry_run=True)
    monkeypatch.setattr("api.storage.staging._EVENTS_AT_ONCE", 6)

    def broken_off(step: str, _: int) -> None:
        if step == "appended":
            raise InterruptedError

    made, breaks = store.head().position + report.events_made, 0
    while store.head().position < made:
        with pytest.raises(InterruptedError):
            imported(store, "hubspot", shorter, HUBSPOT, progress=broken_off)
        breaks += 1

    again = imported(store, "hubspot", shorter, HUBSPOT)
    assert (again.events_made, list(again.rejects)) == (0, [])
    assert (store.head().position, breaks > 1) == (made, True)


def test_a_shorter_history_that_begins_with_another_change_than_a_stage_adds_nothing(
    store: EventStore, shared_data: Path, tmp_path: Path
) -> None:
    begins = {"OpportunityHistory": "2024-09", "OpportunityFieldHistory": "2024-10"}

    def of_late(name: str, rows: Rows) -> Rows:
        return [row for row in rows if name not in begins or row["CreatedDate"] > begins[name]]

    export = weekly_export(shared_data)
    imported(store, "salesforce-csv", export)
    shorter = rewritten(export, tmp_path / "shorter", of_late)

    reports = [imported(store, "salesforce-csv", shorter) for _ in range(2)]

    assert [(one.events_made, list(one.rejects)) for one in reports] == [(0, [])] * 2


def test_a_shorter_history_of_a_deal_won_before_it_was_opened_leaves_it_won(
    store: EventStore, shared_data: Path, tmp_path: Path
) -> None:
    def with_stages(kept: slice, closed: str) -> Callable[[Any], Any]:
        def change(content: Any) -> Any:
            one = deal_in(content, "90000001")
            histories = one["propertiesWithHistory"]
            histories["dealstage"] = histories["dealstage"][kept]
            at = histories["dealstage"][0]["timestamp"]
            histories["amount"] = [version("60000", at)]
            histories["closedate"] = [version(closed, at)]
            one["properties"] |= {"dealstage": histories["dealstage"][0]["value"]}
            one["properties"] |= {"closedate": closed}
            one["updatedAt"] = at
            return content

        return change

    export = shared_data / PACK / "hubspot_v3"
    as_open = with_stages(slice(-1, None), "2024-11-15")
    won_before = with_stages(slice(0, 1), "2024-08-01")
    imported(store, "hubspot", changed(export, tmp_path / "1", deals=as_open), HUBSPOT)

    shorter = changed(export, tmp_path / "2", deals=won_before)
    report = imported(store, "hubspot", shorter, HUBSPOT)
    again = imported(store, "hubspot", shorter, HUBSPOT)

    assert (list(report.rejects), again.events_made) == ([], 0)
    (stream,) = store.stream_ids_of("90000001", system="hubspot")
    standing = fold(view(store.stream(stream)))
    assert standing is not None
    assert standing.closed == "won"


@pytest.mark.parametrize("left", [1, 0])
def test_changes_of_owner_that_the_source_keeps_no_longer_stay(
    left: int, store: EventStore, shared_data: Path, tmp_path: Path
) -> None:
    """Salesforce keeps changes of fields for 18 months."""
    moved = "0065g0000000hizAAA"
    ana, ben, chi = "0055g0000000TIuAAM", "0055g0000000VMdAAM", "0055g0000000XQMAA2"

    def with_owners(*owners: str) -> Callable[[str, Rows], Rows]:
        def change(name: str, rows: Rows) -> Rows:
            if name == "Opportunity":
                owner = {"OwnerId": chi, "LastModifiedDate": "2025-06-01 09:00:00"}
                return [row | owner if row["Id"] == moved else row for row in rows]
            if name != "OpportunityFieldHistory":
                return rows
            pattern = rows[0] | {"OpportunityId": moved, "Field": "Owner"}
            steps = pairwise(owners)
            return [row for row in rows if row["OpportunityId"] != moved] + [
                pattern
                | {"Id": f"0175g00000099{before[9]}{after[-6]}AAM", "OldValue": before}
                | {"NewValue": after, "CreatedDate": f"2024-12-{10 * step:02} 09:00:00"}
                for step, (before, after) in enumerate(steps, start=4 - len(owners))
            ]

        return change

    export = weekly_export(shared_data)
    full = rewritten(export, tmp_path / "full", with_owners(ana, ben, chi))
    imported(store, "salesforce-csv", full)
    before = deal(store, moved, "salesforce")
    kept = with_owners(*(ben, chi)[: 2 * left])

    report = imported(store, "salesforce-csv", rewritten(export, tmp_path / "shorter", kept))

    assert (report.events_made, list(report.rejects)) == (0, [])
    assert deal(store, moved, "salesforce") == before
    assert [one.owner for one in told(before, "owner_changed")] == [ben, chi]  # type: ignore[attr-defined]  # owner_changed


def test_the_reason_of_a_loss_that_the_source_no_longer_has_stays(
    store: EventStore, shared_data: Path, tmp_path: Path
) -> None:
    times = [f"2025-0{month}-01T09:00:00Z" for month in (1, 2, 3)]
    stages = ("closedlost", "contractsent", "closedlost")

    def with_reasons(*reasons: tuple[str, str]) -> Callable[[Any], Any]:
        def change(content: Any) -> Any:
            one = deal_in(content, "90000001")
            histories = one["propertiesWithHistory"]
            histories["dealstage"] = [
                *(version(*each) for each in zip(stages, times, strict=True)),
            ][::-1] + histories["dealstage"][1:]
            histories["closed_lost_reason"] = [version(*each) for each in reasons]
            one["properties"]["dealstage"] = "closedlost"
            one["updatedAt"] = LATER
            return content

        return change

    export = shared_data / PACK / "hubspot_v3"
    last, first = ("Timing", times[2]), ("Price", times[0])
    full = changed(export, tmp_path / "1", deals=with_reasons(last, first))
    imported(store, "hubspot", full, HUBSPOT)
    shorter = changed(export, tmp_path / "2", deals=with_reasons(last))

    report = imported(store, "hubspot", shorter, HUBSPOT)

    assert (report.events_made, list(report.rejects)) == (0, [])
    losses = told(deal(store, "90000001", "hubspot"), "deal_lost")
    assert [loss.reason for loss in losses] == ["Price", "Timing"]  # type: ignore[attr-defined]  # deal_lost


def test_the_list_price_of_a_win_stays_once_its_quote_is_another(
    store: EventStore, shared_data: Path, tmp_path: Path
) -> None:
    won_deal = "0065g0000000VMdAAM"

    def without_quote(name: str, rows: Rows) -> Rows:
        for row in rows if name == "Opportunity" else ():
            if row["Id"] == won_deal:
                row |= {"SyncedQuoteId": "", "LastModifiedDate": "2025-06-01 09:00:00"}
        return rows

    export = weekly_export(shared_data)
    imported(store, "salesforce-csv", export)
    before = told(deal(store, won_deal, "salesforce"), "deal_won")

    newer = rewritten(export, tmp_path / "newer", without_quote)
    report = imported(store, "salesforce-csv", newer)

    assert list(report.rejects) == []
    won = told(deal(store, won_deal, "salesforce"), "deal_won")
    assert won == before
    assert won[0].list is not None  # type: ignore[attr-defined]  # deal_won


@pytest.mark.parametrize("source", SOURCES, ids=[one[0] for one in SOURCES])
def test_a_deal_that_was_restored_is_deleted_no_more(
    source: Source,
    store: EventStore,
    shared_data: Path,
    tmp_path: Path,
) -> None:
    name, folder, key, copied, state, profile = source
    pack = shared_data / PACK / folder
    exports = [
        copied(pack, tmp_path / at, state(deleted, f"2025-0{at}-01T09:00:00Z"))
        for deleted, at in (("1", "6"), ("0", "7"), ("1", "8"), ("0", "9"), ("0", "5"))
    ]

    def deletions(export: Path) -> int:
        report = imported(store, name, export, profile)
        assert list(report.rejects) == []
        return len(told(deal(store, key, name.removesuffix("-csv")), "deal_deleted"))

    assert [deletions(export) for export in exports[:4]] == [1, 0, 1, 0]
    # Neither an export from before the deletions nor one of them again changes anything.
    assert [imported(store, name, exports[one], profile).events_made for one in (0, 4)] == [0, 0]
    # Nor does one that tells of a deletion before them, which is known to have been taken back.
    before = copied(pack, tmp_path / "before", state("1", "2025-04-01T09:00:00Z"))
    assert imported(store, name, before, profile).events_made == 0


def with_quota(amount: str, at: str) -> Callable[[str, Rows], Rows]:
    """The second quota is this one, and all were changed last at this time."""

    def change(name: str, rows: Rows) -> Rows:
        if name == "ForecastingQuota":
            rows[1] |= {"QuotaAmount": amount}
            return [row | {"LastModifiedDate": at} for row in rows]
        return rows

    return change


def test_a_quota_is_revised_when_it_was_changed_and_by_no_older_export(
    store: EventStore, shared_data: Path, tmp_path: Path
) -> None:
    export = weekly_export(shared_data)
    first = rewritten(export, tmp_path / "1", with_quota("300000", "2023-01-02 15:00:00"))
    newer = rewritten(export, tmp_path / "2", with_quota("310000", "2024-12-20 10:00:00"))

    made = [imported(store, "salesforce-csv", one).events_made for one in (first, newer, first)]

    assert made[1:] == [1, 0]
    revised = store.stream(QUOTA)[-1]
    assert revised.occurred_at.isoformat() == "2024-12-20T10:00:00+00:00"
    assert imported(store, "salesforce-csv", newer).events_made == 0


def test_a_quota_first_told_by_a_newer_export_is_revised_by_no_older_one(
    store: EventStore, shared_data: Path, tmp_path: Path
) -> None:
    """The first export of a ledger is of January, though the quota was set two years before."""
    changes = {"310000": "2025-01-20", "300000": "2024-12-20", "320000": "2025-01-21"}
    newer, older, newest = (
        rewritten(weekly_export(shared_data), tmp_path / amount, with_quota(amount, f"{at} 10:00"))
        for amount, at in changes.items()
    )
    imported(store, "salesforce-csv", newer)

    reports = [imported(store, "salesforce-csv", one) for one in (older, newer, newest, older)]

    assert [one.events_made for one in reports] == [0, 0, 1, 0]
    assert "a quota that the ledger has later was left as it is there" in reports[0].notes
    told_at = [event.occurred_at.date().isoformat() for event in store.stream(QUOTA)]
    assert told_at == ["2023-01-02", "2025-01-21"]


def test_a_quota_without_times_of_change_is_revised_by_none_that_was_set_before(
    store: EventStore, shared_data: Path, tmp_path: Path
) -> None:
    """As of the months of a quarter, of which an older export has two."""

    def created(amount: str, at: str) -> Callable[[str, Rows], Rows]:
        def change(name: str, rows: Rows) -> Rows:
            if name == "ForecastingQuota":
                rows[1] |= {"QuotaAmount": amount, "CreatedDate": at}
            return rows

        return change

    newer, older = (
        rewritten(weekly_export(shared_data), tmp_path / amount, created(amount, at))
        for amount, at in (("300000", "2024-03-01 09:00"), ("200000", "2024-02-01 09:00"))
    )
    imported(store, "salesforce-csv", newer)

    reports = [imported(store, "salesforce-csv", one) for one in (older, newer)]

    assert [one.events_made for one in reports] == [0, 0]
