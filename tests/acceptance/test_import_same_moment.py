"""Properties of HubSpot that were given two values in one moment: both are told, once each."""

from pathlib import Path
from typing import Any

import pytest

from api.exchange.profile import profile_from
from api.storage.event_store import EventStore
from tests.support.exports import PACK
from tests.support.hubspot import changed, deal_in, version
from tests.support.newer import deal, imported, told

DEAL = "90000001"
EARLIER, AT, LATER = "2025-04-01T09:00:00Z", "2025-05-01T09:00:00Z", "2025-05-02T09:00:00Z"
PROFILE = profile_from(
    {
        "currency": "USD",
        "custom_fields": {
            "remarks": {"event": "note_added"},
            "promise": {"event": "customer_commitment_recorded", "level": 2},
            "budget": {"event": "activity_ticked", "activity": "Budget confirmed"},
        },
    },
    name="test",
)


def with_versions(export: Path, target: Path, **histories: list[dict[str, Any]]) -> Path:
    """The export with these properties of the deal, oldest version first."""

    def change(content: Any) -> Any:
        one = deal_in(content, DEAL)
        one["propertiesWithHistory"] |= {
            name: versions[::-1] for name, versions in histories.items()
        }
        one["properties"] |= {name: versions[-1]["value"] for name, versions in histories.items()}
        one["updatedAt"] = LATER
        return content

    return changed(export, target, deals=change)


def test_texts_of_one_moment_are_told_each_once(
    store: EventStore, shared_data: Path, tmp_path: Path
) -> None:
    values = ["one", "two", "", "one"]
    texts = [version(value, AT) for value in values]
    export = with_versions(
        shared_data / PACK / "hubspot_v3", tmp_path / "1", remarks=texts, promise=texts
    )

    reports = [imported(store, "hubspot", export, PROFILE) for _ in range(2)]

    assert [list(one.rejects) for one in reports] == [[], []]
    assert reports[1].events_made == 0
    events = deal(store, DEAL, "hubspot")
    notes = [one.text for one in told(events, "note_added")]  # type: ignore[attr-defined]  # note_added
    promises = told(events, "customer_commitment_recorded")
    assert notes == ["one", "two"]
    assert [one.what for one in promises] == ["one", "two"]  # type: ignore[attr-defined]  # customer_commitment_recorded
    assert len({one.commitment_id for one in promises}) == 2  # type: ignore[attr-defined]  # customer_commitment_recorded


@pytest.mark.parametrize("left", ["true", "false"])
def test_a_box_that_was_moved_several_times_in_one_moment_stands_as_it_was_left(
    left: str, store: EventStore, shared_data: Path, tmp_path: Path
) -> None:
    others = ["false", "true"] if left == "true" else ["true", "false"]
    moves = [version("true", EARLIER), *(version(value, AT) for value in (*others, left))]
    export = with_versions(shared_data / PACK / "hubspot_v3", tmp_path / "1", budget=moves)

    report = imported(store, "hubspot", export, PROFILE)

    assert list(report.rejects) == []
    events = deal(store, DEAL, "hubspot")
    told_of = [told(events, kind) for kind in ("activity_ticked", "activity_unticked")]
    budget = [[one for one in each if one.activity == "Budget confirmed"] for each in told_of]  # type: ignore[attr-defined]  # of these kinds
    assert [len(each) for each in budget] == [1, 0 if left == "true" else 1]


def test_what_was_told_of_a_moment_keeps_its_id(
    store: EventStore, shared_data: Path, tmp_path: Path
) -> None:
    pack = shared_data / PACK / "hubspot_v3"
    emptied = [version("one", AT), version("", LATER), version("two", LATER)]
    export = with_versions(pack, tmp_path / "1", remarks=emptied)

    imported(store, "hubspot", export, PROFILE)

    ids = [f"{DEAL}:remarks:2025-05-0{day}T09:00:00.000000Z:note_added" for day in (1, 2)]
    assert len(store.by_external_ids("hubspot", ids)) == 2
