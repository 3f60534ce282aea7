"""Older exports imported after newer ones: what a later export knows of a deal stands."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from api.storage.event_store import EventStore
from domain.events.honesty import EventRetracted
from domain.events.life import DealDeleted
from domain.replay import view
from tests.support.exports import PACK, Rows, rewritten, weekly_export
from tests.support.hubspot import deal_in, version
from tests.support.newer import SOURCES, Source, deal, imported, in_pipedrive, told
from tests.support.pipedrive import change as in_flow

Change = Callable[[str, Any], Any]
DELETED_AT = "2025-06-01T09:00:00Z"
WORKED_ON = "2025-07-01T09:00:00Z"


def worked_on(key: str) -> Change:
    """The deal is another amount in July."""

    def change(name: str, content: Any) -> Any:
        if name == "OpportunityHistory":
            last = [row for row in content if row["OpportunityId"] == key][-1]
            row = {"Id": "0085g0000099999AAA", "Amount": "70000", "CreatedDate": sql(WORKED_ON)}
            content.append(last | row)
        if name == "Opportunity":
            content[0] |= {"Amount": "70000", "LastModifiedDate": sql(WORKED_ON)}
        if name == "deals":
            one = deal_in(content, key)
            one["propertiesWithHistory"]["amount"].insert(0, version("70000", WORKED_ON))
            one["properties"]["amount"] = "70000"
            one["updatedAt"] = WORKED_ON
        if name == "deal_flow_v1":
            content[key][0]["data"].insert(0, in_flow("value", "60000", "70000", WORKED_ON))
        if name == "deals_v2":
            in_pipedrive(content, int(key)).update(value=70_000, update_time=WORKED_ON)
        return content

    return change


def both(first: Change, second: Change) -> Change:
    return lambda name, content: second(name, first(name, content))


def sql(at: str) -> str:
    return at.replace("T", " ").strip("Z")


@pytest.mark.parametrize("source", SOURCES, ids=[one[0] for one in SOURCES])
def test_a_deal_that_lives_and_changed_in_a_later_export_is_not_deleted_by_an_older_one(
    source: Source, store: EventStore, shared_data: Path, tmp_path: Path
) -> None:
    name, folder, key, copied, state, profile = source
    older = copied(shared_data / PACK / folder, tmp_path / "older", state("1", DELETED_AT))
    newer = copied(shared_data / PACK / folder, tmp_path / "newer", worked_on(key))
    imported(store, name, newer, profile)
    before = deal(store, key, name.removesuffix("-csv"))

    report = imported(store, name, older, profile)

    assert list(report.rejects) == []
    note = "a deal that a later export tells changes of is not deleted by an older one"
    assert any(one.startswith(note) for one in report.notes)
    assert deal(store, key, name.removesuffix("-csv")) == before
    assert imported(store, name, newer, profile).events_made == 0


@pytest.mark.parametrize("source", SOURCES, ids=[one[0] for one in SOURCES])
def test_a_deletion_is_told_whatever_part_of_its_export_the_log_has_already(
    source: Source,
    store: EventStore,
    shared_data: Path,
    tmp_path: Path,
) -> None:
    """As of an import that was broken off, of a source that dates deletions before changes."""
    name, folder, key, copied, state, profile = source
    export = copied(shared_data / PACK / folder, tmp_path / "1", state("1", "2024-09-01T09:00:00Z"))
    imported(store, name, shared_data / PACK / folder, profile)

    report = imported(store, name, export, profile)

    assert list(report.rejects) == []
    assert len(told(deal(store, key, name.removesuffix("-csv")), "deal_deleted")) == 1


def test_what_is_dated_ahead_does_not_keep_a_deal_from_being_deleted(
    store: EventStore, shared_data: Path, tmp_path: Path
) -> None:
    def with_task(deleted: str) -> Callable[[str, Rows], Rows]:
        def change(name: str, rows: Rows) -> Rows:
            if name == "Opportunity":
                rows[0] |= {"IsDeleted": deleted, "LastModifiedDate": "2025-06-01 09:00:00"}
            if name == "Task":
                ahead = {"Id": "00T5g0000099999AAA", "CompletedDateTime": "2025-08-01 09:00:00"}
                of_first = {"WhatId": "0065g0000000TIuAAM", "IsDeleted": "0", "IsClosed": "1"}
                return [*rows, rows[0] | ahead | of_first]
            return rows

        return change

    export = weekly_export(shared_data)
    imported(store, "salesforce-csv", rewritten(export, tmp_path / "1", with_task("0")))

    imported(store, "salesforce-csv", rewritten(export, tmp_path / "2", with_task("1")))

    events = deal(store, "0065g0000000TIuAAM", "salesforce")
    assert len(told(events, "deal_deleted")) == 1


@pytest.mark.parametrize("source", SOURCES, ids=[one[0] for one in SOURCES])
def test_a_deal_that_was_worked_on_between_two_deletions_was_restored_in_between(
    source: Source, store: EventStore, shared_data: Path, tmp_path: Path
) -> None:
    name, folder, key, copied, state, profile = source
    pack = shared_data / PACK / folder
    first = copied(pack, tmp_path / "1", state("1", DELETED_AT))
    again = both(worked_on(key), state("1", "2025-08-01T09:00:00Z"))
    second = copied(pack, tmp_path / "2", again)
    imported(store, name, first, profile)

    reports = [imported(store, name, one, profile) for one in (second, second, first)]

    assert [list(one.rejects) for one in reports] == [[]] * 3
    assert [one.events_made for one in reports[1:]] == [0, 0]
    (stream,) = store.stream_ids_of(key, system=name.removesuffix("-csv"))
    (deletion,) = [one for one in view(store.stream(stream)) if isinstance(one.data, DealDeleted)]
    assert deletion.occurred_at.isoformat() == "2025-08-01T09:00:00+00:00"
    (restored,) = [one for one in store.stream(stream) if isinstance(one.data, EventRetracted)]
    assert restored.occurred_at.isoformat() == "2025-07-01T09:00:00+00:00"
