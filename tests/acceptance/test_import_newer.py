"""Newer exports that state otherwise what an older one did: nothing is lost, nothing told twice."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from api.exchange.importing import Format
from api.exchange.profile import Profile, load_profile
from api.storage.event_store import EventStore
from domain.events.base import DomainEvent
from domain.events.honesty import EventAmended, HistoryGap
from domain.events.life import DealOpened
from domain.replay import view
from domain.values import Money
from tests.support.exports import MAVEN, PACK, Rows, rewritten, rewritten_json, weekly_export
from tests.support.hubspot import PROFILE as HUBSPOT
from tests.support.hubspot import changed, deal_in, version
from tests.support.log import said
from tests.support.newer import LATER, deal, imported, in_pipedrive, told


def reason_rewritten(name: str, content: Any) -> Any:
    """The reason stands in the deal alone, and is another since."""
    if name == "deals_v2":
        in_pipedrive(content, 1003).update(lost_reason="Price", update_time=LATER)
    return without_reasons(name, content)


def without_reasons(name: str, content: Any) -> Any:
    if name == "deal_flow_v1":
        for pages in content.values():
            kept = [
                one for one in pages[0]["data"] if one["data"].get("field_key") != "lost_reason"
            ]
            pages[0]["data"] = kept
    return content


def note_rewritten(name: str, content: Any) -> Any:
    if name == "deal_flow_v1":
        entries = [one for pages in content.values() for one in pages[0]["data"]]
        done = next(one for one in entries if one["object"] == "activity")
        done["data"]["subject"] = "Another subject"
    if name == "deals_v2":
        for one in content["data"]:
            one["update_time"] = LATER
    return content


CHANGES = [
    (without_reasons, reason_rewritten, said("deal_lost", reason="Price")),
    (lambda _, same: same, note_rewritten, said("activity_ticked", activity="Another subject")),
]


@pytest.mark.parametrize("change", CHANGES, ids=["reason", "subject"])
def test_what_stands_otherwise_in_a_newer_export_is_amended(
    change: tuple[Callable[[str, Any], Any], Callable[[str, Any], Any], DomainEvent],
    store: EventStore,
    shared_data: Path,
    tmp_path: Path,
) -> None:
    earlier, newer, standing = change
    pack = shared_data / PACK / "pipedrive"
    first, second = tmp_path / "first", tmp_path / "second"
    imported(store, "pipedrive", rewritten_json(pack, first, earlier))
    rewritten_json(pack, second, newer)

    report = imported(store, "pipedrive", second)
    again = [imported(store, "pipedrive", folder) for folder in (second, first, second)]

    noted = "what an earlier export stated otherwise was amended" in report.notes
    assert (report.rejects, noted) == ((), True)
    assert [(one.events_made, one.rejects) for one in again] == [(0, ())] * 3
    log = [event for batch in store.log() for event in batch]
    assert sum(isinstance(event.data, EventAmended) for event in log) == 1
    streams = {event.stream_id for event in log if event.stream_id.startswith("deal:")}
    seen = [event.data for stream in streams for event in view(store.stream(stream))]
    assert standing in seen


def test_a_statement_of_a_time_to_come_is_not_told(
    store: EventStore, shared_data: Path, tmp_path: Path
) -> None:
    def change(name: str, content: Any) -> Any:
        if name == "deals_v2":
            deal = in_pipedrive(content, 1003)
            deal.update(lost_reason="Price", update_time="2031-01-01T00:00:00Z")
        return without_reasons(name, content)

    pack = shared_data / PACK / "pipedrive"
    imported(store, "pipedrive", rewritten_json(pack, tmp_path / "first", without_reasons))

    report = imported(store, "pipedrive", rewritten_json(pack, tmp_path / "second", change))

    assert (report.events_made, [one.reason.split(":")[0] for one in report.rejects]) == (
        0,
        ["changed"],
    )


def test_a_product_that_is_cheaper_in_a_newer_export_is_another_offer(
    store: EventStore, shared_data: Path, tmp_path: Path
) -> None:
    def cheaper(name: str, content: Any) -> Any:
        if name == "deal_products":
            content["data"][0].update(discount=40, update_time=LATER)
        return content

    pack = shared_data / PACK / "pipedrive"
    imported(store, "pipedrive", pack)
    newer = rewritten_json(pack, tmp_path / "newer", cheaper)

    report = imported(store, "pipedrive", newer)
    again = imported(store, "pipedrive", newer)

    assert (report.events_made, report.rejects) == (1, ())
    assert (again.events_made, again.rejects) == (0, ())
    offers = told(deal(store, "1002", "pipedrive"), "discount_offered")
    assert [str(offer.percent) for offer in offers] == ["25", "40"]  # type: ignore[attr-defined]  # discount_offered


def test_a_deal_keeps_its_first_owner_where_no_history_says_when_it_got_another(
    store: EventStore, shared_data: Path, tmp_path: Path
) -> None:
    def changed(name: str, rows: Rows) -> Rows:
        for row in rows if name == "Opportunity" else ():
            if row["Id"] == "0065g0000000VMdAAM":
                row |= {"OwnerId": "0055g0000000XQMAA2", "LastModifiedDate": "2025-06-01 09:00:00"}
        return [] if name == "OpportunityFieldHistory" else rows

    def without_history(name: str, rows: Rows) -> Rows:
        return [] if name == "OpportunityFieldHistory" else rows

    export = weekly_export(shared_data)
    imported(store, "salesforce-csv", rewritten(export, tmp_path / "first", without_history))
    newer = rewritten(export, tmp_path / "newer", changed)

    report = imported(store, "salesforce-csv", newer)
    again = imported(store, "salesforce-csv", newer)

    assert (report.rejects, again.rejects, again.events_made) == ((), (), 0)
    events = deal(store, "0065g0000000VMdAAM", "salesforce")
    gaps = [event for event in events if isinstance(event, HistoryGap) and "owner" in event.fields]
    assert len(gaps) == 1
    assert told(events, "owner_changed") == []


def test_a_deal_of_a_table_that_was_closed_since_keeps_what_it_was_opened_with(
    store: EventStore, shared_data: Path, tmp_path: Path
) -> None:
    head, *rows = (shared_data / MAVEN).read_text(encoding="utf-8").splitlines()[:3]
    columns = head.split(",")
    row = dict(zip(columns, rows[0].split(","), strict=True))
    still_open = row | {"deal_stage": "Engaging", "close_date": "", "close_value": "900"}

    def table(name: str, values: dict[str, str]) -> Path:
        path = tmp_path / name
        path.write_text("\n".join([head, ",".join(values.values()), ""]), encoding="utf-8")
        return path

    profile = load_profile("maven")
    imported(store, "csv", table("first.csv", still_open), profile)

    report = imported(store, "csv", table("second.csv", row), profile)

    assert report.rejects == ()
    events = deal(store, row["opportunity_id"], profile.source or "csv")
    assert len(told(events, "deal_won")) == 1
    (opening,) = told(events, "deal_opened")
    assert opening.amount == Money.of("900", "USD")  # type: ignore[attr-defined]  # deal_opened


@pytest.mark.parametrize("has_history", [True, False])
def test_a_deal_that_was_merged_away_is_told_once_whatever_becomes_of_the_other(
    *, has_history: bool, store: EventStore, shared_data: Path, tmp_path: Path
) -> None:
    """The first is merged in May; in the newer export another one is since, in June."""

    def merged(count: int, modified: str) -> Callable[[Any], Any]:
        def change(content: Any) -> Any:
            one = deal_in(content, "90000001")
            ids = ["90000012", "90000012;90000014"][:count]
            one["properties"]["hs_merged_object_ids"] = ids[-1]
            one["updatedAt"] = modified
            if has_history:
                times = ("2025-05-01T10:00:00Z", "2025-06-01T10:00:00Z")
                history = [version(*each) for each in zip(ids, times, strict=False)]
                one["propertiesWithHistory"]["hs_merged_object_ids"] = history[::-1]
            return content

        return change

    pack = shared_data / PACK / "hubspot_v3"
    first = changed(pack, tmp_path / "first", deals=merged(1, "2025-05-02T00:00:00Z"))
    newer = changed(pack, tmp_path / "newer", deals=merged(2, "2025-06-02T00:00:00Z"))
    imported(store, "hubspot", first, HUBSPOT)

    report = imported(store, "hubspot", newer, HUBSPOT)

    assert (report.rejects, report.events_made) == ((), 1)
    for external_id in ("90000012", "90000014"):
        assert len(told(deal(store, external_id, "hubspot"), "deal_deleted")) == 1


def test_an_opening_that_was_told_without_an_amount_is_amended(
    store: EventStore, shared_data: Path, tmp_path: Path
) -> None:
    untouched = "0065g0000000pxtAAA"

    def without(name: str, rows: Rows) -> Rows:
        """As a version told it that left amounts of deals without history out."""
        if name == "Opportunity":
            silent = {"Amount": "", "CloseDate": ""}
            return [row | silent if row["Id"] == untouched else row for row in rows]
        return without_history(name, rows)

    def without_history(name: str, rows: Rows) -> Rows:
        if name in ("OpportunityHistory", "OpportunityFieldHistory"):
            return [row for row in rows if row["OpportunityId"] != untouched]
        return rows

    source = weekly_export(shared_data)
    imported(store, "salesforce-csv", rewritten(source, tmp_path / "1", without))

    newer = rewritten(source, tmp_path / "2", without_history)
    report = imported(store, "salesforce-csv", newer)

    assert (report.events_made, list(report.rejects)) == (1, [])
    (opened,) = told(deal(store, untouched, "salesforce"), "deal_opened")
    assert isinstance(opened, DealOpened)
    assert opened.amount is not None
    assert opened.amount.amount == 25_000
    assert imported(store, "salesforce-csv", newer).events_made == 0


@pytest.mark.parametrize("name", ["salesforce-csv", "csv"])
def test_deals_stay_with_their_process_when_the_profile_comes_to_name_another(
    name: Format, store: EventStore, shared_data: Path, tmp_path: Path
) -> None:
    export, profile = weekly_export(shared_data), Profile()
    if name == "csv":
        rows = (shared_data / MAVEN).read_text(encoding="utf-8").splitlines(keepends=True)[:20]
        export, profile = tmp_path / "deals.csv", load_profile("maven")
        export.write_text("".join(rows), encoding="utf-8")
    first = imported(store, name, export, profile)

    report = imported(store, name, export, profile.model_copy(update={"process": "ours"}))

    assert (report.events_made, report.rejects) == (1, ())  # the process is published
    assert report.duplicates == first.events_made - 1
