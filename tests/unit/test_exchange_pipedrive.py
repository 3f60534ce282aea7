"""What the Pipedrive reader makes of the reference pack, of its traps, and of broken files."""

import json
from pathlib import Path
from typing import Any

import pytest

from api.exchange.lines import ExportRefusedError, Line
from api.exchange.profile import profile_from
from domain.events.catalogue import TYPES_BY_NAME, parse
from tests.support.exports import PACK
from tests.support.pipedrive import (
    BOX,
    BOXES,
    PEOPLE,
    change,
    changed,
    of_deal,
    read,
    with_flow,
)
from tests.support.reference import FISCAL, QUOTAS, expected_of, labelled, told_of, wanted, without


@pytest.fixture
def export(shared_data: Path) -> Path:
    return shared_data / PACK / "pipedrive"


def without_endings(path: list[str]) -> list[str]:
    """The stages as Pipedrive has them, where a deal that is closed stays in its stage."""
    kept = [stage for stage in path if not stage.startswith("Closed")]
    return [stage for place, stage in enumerate(kept) if place == 0 or stage != kept[place - 1]]


def test_the_facts_are_those_of_the_reference_but_for_closing_stages(
    export: Path, shared_data: Path
) -> None:
    lines, findings = read(export)
    keys = {str(1000 + number): f"D{number:02}" for number in range(1, 16)}
    stages = json.loads((export / "stages.json").read_text())["data"]
    labels = {str(stage["id"]): stage["name"] for stage in stages}

    told, facts = told_of(labelled(lines, labels), people=PEOPLE, keys=keys)

    expected = expected_of(shared_data)
    for key, deal in expected["deals"].items():
        deal["stage_path"] = without_endings(deal["stage_path"])
        deal["final"]["stage"] = deal["stage_path"][-1]
        skips = [skip for skip in deal["forward_skips"] if not skip["new"].startswith("Closed")]
        deal["forward_skips"] = skips
        assert without(told[key], QUOTAS) == wanted(deal, blind=QUOTAS), key
    won = {key: float(net) for key, net in facts.won_by_rep_quarter.items()}
    assert won == expected["won_by_rep_quarter"]
    assert findings.rejects == []
    assert [line.data["reason"] for line in lines if line.type == "deal_lost"] == [
        "No decision",
        "Lost to Competitor",
        "No budget",
    ]
    for line in lines:
        parse(TYPES_BY_NAME[line.type], line.data)


def test_what_pipedrive_cannot_say_is_reported(export: Path) -> None:
    _, findings = read(export, profile_from({"calendar": FISCAL}, name="test"))

    told = " | ".join(findings.not_expressible)
    for what in ("outcome_evidenced", "customer_commitment_recorded", "quota_assigned", BOX):
        assert what in told
    assert findings.names["11000"] == "Ana Ruiz"


def test_the_changelog_tells_what_the_flow_tells(export: Path, tmp_path: Path) -> None:
    def log_of(content: Any) -> Any:
        return {
            deal: [
                {
                    "data": [
                        {
                            "field_key": one["data"]["field_key"],
                            "old_value": one["data"]["old_value"],
                            "new_value": one["data"]["new_value"],
                            "actor_user_id": one["data"]["user_id"],
                            "time": one["timestamp"] + "Z",
                        }
                        for page in pages
                        for one in page["data"]
                        if one["object"] == "dealChange"
                    ],
                    "additional_data": {"next_cursor": None},
                }
            ]
            for deal, pages in content.items()
        }

    folder = changed(export, tmp_path / "d", deal_flow_v1=log_of)
    (folder / "deal_flow_v1.json").rename(folder / "deal_changelog.json")
    by_log, of_log = read(folder)
    by_flow, _ = read(export)
    (folder / "deal_flow.json").write_bytes((export / "deal_flow_v1.json").read_bytes())
    by_both, findings = read(folder)

    def told(lines: list[Line]) -> list[Any]:
        return [(line.external_id, line.data) for line in lines]

    others = ("note_added", "activity_ticked")
    assert told(by_log) == told(
        [
            line
            for line in by_flow
            if line.type not in others or line.data.get("activity") in BOXES.values()
        ]
    )
    assert told(by_both) == told(by_flow)
    assert findings.duplicates == 92
    lacking = "activities and notes: the export has no deal_flow, which tells them"
    assert lacking in of_log.not_expressible
    assert lacking not in findings.not_expressible


def test_the_day_of_a_win_is_that_of_its_time(export: Path, tmp_path: Path) -> None:
    def backdated(content: Any) -> Any:
        content["data"][0]["won_time"] = "2024-09-30T12:00:00Z"
        return content

    lines, _ = read(changed(export, tmp_path / "d", deals_v2=backdated))

    (win,) = [line for line in of_deal(lines, "1001") if line.type == "deal_won"]
    assert win.data["closed_on"] == "2024-09-30"
    assert win.occurred_at.isoformat() == "2024-10-01T03:59:59+00:00"
    assert win.recorded_at is not None
    assert win.recorded_at.isoformat() == "2024-11-12T22:05:30+00:00"


def test_a_bulk_update_is_told_with_the_move(export: Path, tmp_path: Path) -> None:
    at = "2024-12-01 10:00:00"
    moved = change("expected_close_date", "2024-12-18", "2024-12-31", at, is_bulk_update_flag=1)
    folder = with_flow(export, tmp_path / "d", "1004", moved)

    lines, _ = read(folder)

    (move,) = [line for line in of_deal(lines, "1004") if line.type == "close_date_moved"]
    assert move.data == {"to": "2024-12-31", "reason": "One of many changed at once in Pipedrive."}


def test_changes_that_do_not_join_are_a_gap(export: Path, tmp_path: Path) -> None:
    folder = with_flow(
        export,
        tmp_path / "d",
        "1004",
        change("stage_id", "5", "4", "2024-12-02 10:00:00"),
    )

    lines, _ = read(folder)

    gaps = [line.data for line in of_deal(lines, "1004") if line.type == "history_gap"]
    assert gaps == [
        {
            "from": "2024-11-06T14:00:00.000000Z",
            "to": "2024-12-02T10:00:00.000000Z",
            "fields": ["stage"],
        }
    ]


def test_changes_of_one_second_stand_in_the_order_of_their_ids(
    export: Path, tmp_path: Path
) -> None:
    at = "2024-12-02 10:00:00"
    folder = with_flow(
        export,
        tmp_path / "d",
        "1004",
        change("stage_id", "4", "5", at, id=900001),
        change("stage_id", "5", "4", at, id=900002),
    )

    lines, _ = read(folder)

    entered = [line for line in of_deal(lines, "1004") if line.type == "stage_entered"]
    assert [line.data["stage"] for line in entered] == ["2", "4", "5", "4"]
    assert [line.external_id for line in entered[2:]] == [
        "1004:2024-12-02T10:00:00.000000Z:stage_entered",
        "1004:2024-12-02T10:00:00.000000Z#2:stage_entered",
    ]


def test_a_closing_that_the_flow_lacks_is_told_as_the_deal_states_it(
    export: Path, tmp_path: Path
) -> None:
    def without_closings(content: Any) -> Any:
        for pages in content.values():
            kept = [one for one in pages[0]["data"] if one["data"].get("field_key") != "status"]
            pages[0]["data"] = kept
        return content

    lines, _ = read(changed(export, tmp_path / "d", deal_flow_v1=without_closings))

    def told(lines: list[Line]) -> list[Any]:
        return [
            (line.external_id, line.occurred_at, line.data)
            for line in lines
            if line.type in ("deal_won", "deal_lost")
        ]

    # Of a deal that was lost, reopened and won, it states the last.
    complete = [one for one in told(read(export)[0]) if not one[0].startswith("1006:2024-10-10")]
    assert told(lines) == complete


@pytest.mark.parametrize("at", ["2024-11-12 22:05:30", "2024-12-01 09:00:00"])
def test_a_won_deal_that_is_deleted_keeps_its_win(at: str, export: Path, tmp_path: Path) -> None:
    def deleted(content: Any) -> Any:
        content["data"][0] |= {"status": "deleted", "is_deleted": True, "update_time": at}
        return content

    folder = changed(export, tmp_path / "d", deals_v2=deleted)
    entry = change("status", "won", "deleted", at, id=499999)

    lines, findings = read(with_flow(folder, tmp_path / "e", "1001", entry))

    (tombstone,) = [line for line in of_deal(lines, "1001") if line.type == "deal_deleted"]
    assert f"{tombstone.occurred_at:%Y-%m-%d %H:%M:%S}" == at
    before = [line.external_id for line in of_deal(lines, "1001") if line is not tombstone]
    assert before == [line.external_id for line in of_deal(read(export)[0], "1001")]
    assert findings.rejects == []


def test_a_deal_without_its_flow_is_opened_with_a_gap(export: Path, tmp_path: Path) -> None:
    def gone(content: Any) -> Any:
        del content["1001"]
        return content

    lines, _ = read(changed(export, tmp_path / "d", deal_flow_v1=gone))

    assert [line.type for line in of_deal(lines, "1001")] == ["deal_opened", "history_gap"]


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (
            {"object": "dealChange", "timestamp": "soon", "data": {"field_key": "value"}},
            "timestamp",
        ),
        ({"object": "dealChange", "timestamp": "2024-12-02 10:00:00", "data": {}}, "field_key"),
        ({"object": "note"}, "data: missing"),
        (7, "expected an object"),
    ],
)
def test_a_bad_entry_is_rejected_alone(
    entry: Any, reason: str, export: Path, tmp_path: Path
) -> None:
    lines, findings = read(with_flow(export, tmp_path / "d", "1001", entry))

    (reject,) = findings.rejects
    assert (reject.file, reject.row) == ("deal_flow_v1.json", 1)
    assert reason in reject.reason
    assert len(lines) == len(read(export)[0])


def test_entries_of_unknown_deals_and_huge_numbers_are_rejects(
    export: Path, tmp_path: Path
) -> None:
    def gone(content: Any) -> Any:
        content["data"] = [one for one in content["data"] if one["id"] != 1012]
        content["data"][0]["value"] = "1e999999"
        return content

    lines, findings = read(changed(export, tmp_path / "d", deals_v2=gone))

    reasons = {one.reason.partition(",")[0] for one in findings.rejects}
    assert reasons == {
        "the deal 1001 has no readable row",
        "the deal 1012 has no readable row",
        "value: expected a number of at most 20 digits",
    }
    assert len([line for line in lines if line.type == "deal_opened"]) == 13


def test_what_is_incomplete_is_refused(export: Path, tmp_path: Path) -> None:
    def more(content: Any) -> Any:
        page = content["1015"][0]
        page["additional_data"]["pagination"]["more_items_in_collection"] = True
        return content

    with pytest.raises(ExportRefusedError, match=r"deal_flow_v1\.json: cut short: the page after"):
        read(changed(export, tmp_path / "more", deal_flow_v1=more))
    with pytest.raises(ExportRefusedError, match=r"deal_flow\.json: missing"):
        read(changed(export, tmp_path / "none", deal_flow_v1=lambda _: None))
    with pytest.raises(ExportRefusedError, match=r"stages\.json: missing"):
        read(changed(export, tmp_path / "less", stages=lambda _: None))
    with pytest.raises(ExportRefusedError, match="not an export of Pipedrive"):
        read(export.parent / "xes")


def test_the_pages_of_each_deal_are_complete_or_the_export_is_refused(
    export: Path, tmp_path: Path
) -> None:
    def unfinished(content: Any) -> Any:
        content["1004"][-1]["additional_data"]["pagination"]["more_items_in_collection"] = True
        return content

    def finished(content: Any) -> Any:
        return unfinished(content) | {"1004": [*content["1004"], content["1012"][0] | {"data": []}]}

    with pytest.raises(ExportRefusedError, match=r"deal_flow_v1\.json: cut short: .* of '1004'"):
        read(changed(export, tmp_path / "unfinished", deal_flow_v1=unfinished))
    lines, _ = read(changed(export, tmp_path / "finished", deal_flow_v1=finished))
    assert lines == read(export)[0]


def test_an_answer_without_data_holds_none(export: Path, tmp_path: Path) -> None:
    def nothing(content: Any) -> Any:
        return content | {"data": None}

    lines, findings = read(changed(export, tmp_path / "d", deal_products=nothing, users=nothing))

    assert findings.rejects == []
    kept = [line for line in read(export)[0] if line.type != "discount_offered"]
    assert lines == kept != []
