"""What the HubSpot reader makes of the reference pack, of its traps, and of broken files."""

import json
from pathlib import Path
from typing import Any

import pytest

from api.exchange.hubspot_rows import hubspot_day, hubspot_instant
from api.exchange.profile import profile_from
from domain.events.catalogue import TYPES_BY_NAME, parse
from tests.support.exports import PACK
from tests.support.hubspot import PEOPLE, changed, deal_in, edited, of_deal, read, version
from tests.support.reference import (
    FISCAL,
    QUOTAS,
    closings_of,
    expected_of,
    labelled,
    told_of,
    wanted,
    without,
)


@pytest.fixture
def export(shared_data: Path) -> Path:
    return shared_data / PACK / "hubspot_v3"


def test_the_facts_are_those_of_the_reference_but_for_close_dates_that_hubspot_sets(
    export: Path, shared_data: Path
) -> None:
    lines, findings = read(export)
    content = json.loads((export / "deals.json").read_text())
    keys = {one["id"]: one["properties"]["external_key"] for one in content["results"]}
    pipeline = json.loads((export / "pipelines.json").read_text())["results"][0]
    labels = {stage["id"]: stage["label"] for stage in pipeline["stages"]}

    told, facts = told_of(labelled(lines, labels), people=PEOPLE, keys=keys)

    expected, closings = expected_of(shared_data), closings_of(shared_data)
    for key, deal in expected["deals"].items():
        closed = closings.get(key, set())
        deal["close_date_moves"] = [m for m in deal["close_date_moves"] if m["time"] not in closed]
        if closed:
            deal["final"].pop("close_date")
            told[key]["final"].pop("close_date")
        told[key]["ticks"] = json.loads(
            json.dumps(told[key]["ticks"]).replace("Roi analysis", "ROI analysis")
        )
        assert without(told[key], QUOTAS) == wanted(deal, blind=QUOTAS), key
    won = {key: float(net) for key, net in facts.won_by_rep_quarter.items()}
    assert won == expected["won_by_rep_quarter"]
    assert findings.rejects == []
    for line in lines:
        parse(TYPES_BY_NAME[line.type], line.data)


def test_what_hubspot_cannot_say_is_reported(export: Path) -> None:
    _, findings = read(export)

    told = " | ".join(findings.not_expressible)
    for what in ("outcome_evidenced", "customer_commitment_recorded", "field outcome_evidence:"):
        assert what in told
    assert findings.names == {
        "70000000": "Ana Ruiz",
        "70000001": "Ben Cole",
        "70000002": "Chi Wong",
    }
    assert any("HubSpot's own default (4 times)" in note for note in findings.notes)


def test_a_close_date_set_a_moment_after_the_closing_is_no_move_and_no_correction(
    export: Path, tmp_path: Path
) -> None:
    late = edited(
        export,
        tmp_path / "d",
        "90000001",
        closedate=[
            version("2024-11-12T22:05:30.000Z", "2024-11-12T22:05:30.840Z"),
            version("2024-11-15T00:00:00Z", "2024-08-05T13:12:00.000Z"),
        ],
    )

    lines, _ = read(late)

    assert of_deal(lines, "90000001") == of_deal(read(export)[0], "90000001")


def test_a_close_date_moved_by_a_person_is_a_move(export: Path, tmp_path: Path) -> None:
    moved = edited(
        export,
        tmp_path / "d",
        "90000001",
        closedate=[
            version("2024-11-12T22:05:30.000Z", "2024-11-12T22:05:30.000Z"),
            version("1731369600000", "1731100000000"),
            version("2024-11-15T00:00:00Z", "2024-08-05T13:12:00.000Z"),
        ],
    )

    lines, _ = read(moved)

    (move,) = [line for line in of_deal(lines, "90000001") if line.type == "close_date_moved"]
    assert move.data == {"to": "2024-11-12"}
    assert move.occurred_at.isoformat() == "2024-11-08T21:06:40+00:00"


def test_dates_are_read_as_iso_and_as_milliseconds() -> None:
    assert hubspot_day("2024-05-31", "America/New_York").isoformat() == "2024-05-31"
    assert hubspot_instant("1731369600000") == hubspot_instant("2024-11-12T00:00:00Z")
    assert str(hubspot_day("1731369600000", "America/New_York")) == "2024-11-12"
    assert str(hubspot_day("2024-11-12T01:00:00Z", "America/New_York")) == "2024-11-11"


def test_versions_of_one_moment_keep_the_order_of_the_file(export: Path, tmp_path: Path) -> None:
    at = "2024-09-21T13:31:00.000Z"
    tied = edited(
        export,
        tmp_path / "d",
        "90000012",
        dealstage=[
            version("presentationscheduled", at),
            version("qualifiedtobuy", at),
            version("appointmentscheduled", "2024-09-03T13:00:00.000Z"),
        ],
    )

    lines, _ = read(tied)

    entered = [line for line in of_deal(lines, "90000012") if line.type == "stage_entered"]
    assert [line.data["stage"] for line in entered] == [
        "appointmentscheduled",
        "qualifiedtobuy",
        "presentationscheduled",
    ]
    assert len({line.external_id for line in entered}) == 3


def test_a_history_that_begins_late_or_ends_early_is_a_gap(export: Path, tmp_path: Path) -> None:
    def late(content: Any) -> Any:
        deal = deal_in(content, "90000004")
        stages = deal["propertiesWithHistory"]["dealstage"]
        deal["propertiesWithHistory"]["dealstage"] = stages[:1]
        deal["properties"]["amount"] = "1"
        return content

    lines, _ = read(changed(export, tmp_path / "d", deals=late))

    gaps = [line.data for line in of_deal(lines, "90000004") if line.type == "history_gap"]
    assert gaps == [
        {
            "from": "2024-08-12T12:30:00.000000Z",
            "to": "2024-11-06T14:00:00.000000Z",
            "fields": ["stage", "amount", "close_date"],
        },
        {
            "from": "2024-11-06T14:00:00.000000Z",
            "to": "2024-11-06T14:00:00.000000Z",
            "fields": ["amount"],
        },
    ]


def test_what_was_merged_is_told_of_the_deal_that_lives_on(export: Path, tmp_path: Path) -> None:
    def merged(content: Any) -> Any:
        deal_in(content, "90000001")["properties"]["hs_merged_object_ids"] = "777;778"
        return content

    def of_the_other(content: Any) -> Any:
        content["results"][0]["associations"]["deals"]["results"][0]["id"] = "778"
        return content

    lines, findings = read(changed(export, tmp_path / "d", deals=merged, tasks=of_the_other))

    assert findings.rejects == []
    ticked = [line for line in of_deal(lines, "90000001") if line.type == "activity_ticked"]
    assert len(ticked) == 2


@pytest.mark.parametrize("archived", [False, True])
def test_a_merged_deal_that_is_still_in_the_export_is_deleted_once(
    *, archived: bool, export: Path, tmp_path: Path
) -> None:
    def merged(content: Any) -> Any:
        survivor = deal_in(content, "90000001")
        survivor["properties"]["hs_merged_object_ids"] = "90000012"
        history = [version("90000012", "2025-03-01T10:00:00.000Z")]
        survivor["propertiesWithHistory"]["hs_merged_object_ids"] = history
        deal_in(content, "90000012")["archived"] = archived
        return content

    lines, findings = read(changed(export, tmp_path / "d", deals=merged))

    deleted = [line for line in of_deal(lines, "90000012") if line.type == "deal_deleted"]
    ids = ["90000012:deal_deleted" if archived else "90000012:merged"]
    assert [line.external_id for line in deleted] == ids
    assert not [line for line in of_deal(lines, "90000001") if line.type == "deal_deleted"]
    assert findings.rejects == []


def test_the_same_number_of_another_currency_is_another_amount(
    export: Path, tmp_path: Path
) -> None:
    # Its first version may be a moment younger than those of the other properties.
    currencies = [
        version("EUR", "2024-09-01T10:00:00.000Z"),
        version("USD", "2024-08-05T13:12:00.003Z"),
    ]
    folder = edited(export, tmp_path / "d", "90000001", deal_currency_code=currencies)

    lines, _ = read(folder)

    told = [line for line in of_deal(lines, "90000001") if "amount" in line.data]
    assert [(line.type, line.occurred_at.month, line.data["amount"]) for line in told] == [
        ("deal_opened", 8, {"amount": "60000", "currency": "USD"}),
        ("amount_changed", 9, {"amount": "60000", "currency": "EUR"}),
    ]


def test_a_number_is_the_same_however_it_is_written(export: Path, tmp_path: Path) -> None:
    def with_decimals(content: Any) -> Any:
        for deal in content["results"]:
            for one in deal["propertiesWithHistory"].get("amount", ()):
                one["value"] = f"{float(one['value']):.2f}"
        return content

    lines, _ = read(changed(export, tmp_path / "d", deals=with_decimals))

    assert [(line.external_id, line.data) for line in lines] == [
        (line.external_id, line.data) for line in read(export)[0]
    ]


def test_a_deal_in_another_pipeline_moves_to_its_process(export: Path, tmp_path: Path) -> None:
    def other(content: Any) -> Any:
        stages = [stage | {"id": f"r-{stage['id']}"} for stage in content["results"][0]["stages"]]
        content["results"].append({"id": "renewals", "label": "Renewals", "stages": stages})
        return content

    at = "2024-10-01T13:00:00.000Z"
    folder = edited(
        export,
        tmp_path / "d",
        "90000012",
        pipeline=[version("renewals", at), version("default", "2024-09-03T13:00:00.000Z")],
        dealstage=[
            version("r-qualifiedtobuy", at),
            version("appointmentscheduled", "2024-09-03T13:00:00.000Z"),
        ],
    )

    lines, _ = read(changed(folder, tmp_path / "e", pipelines=other))

    assert [line.type for line in of_deal(lines, "90000012")][-2:] == [
        "deal_moved_to_process",
        "stage_entered",
    ]
    published = [line.stream for line in lines if line.type == "process_published"]
    assert published == ["process:hubspot-default", "process:hubspot-renewals"]


def test_the_discount_of_a_deal_is_that_of_its_lines_together(export: Path, tmp_path: Path) -> None:
    def two(content: Any) -> Any:
        first = content["results"][0]
        second = json.loads(json.dumps(first)) | {"id": "80009"}
        second["properties"] |= {"price": "30000", "quantity": "1"}
        second["propertiesWithHistory"]["hs_discount_percentage"] = [
            version("", "2024-12-28T10:00:00.000Z"),
            version("5", "2024-12-27T15:04:30.000Z"),
        ]
        second["properties"]["createdate"] = "2024-12-27T15:04:30.000Z"
        content["results"].append(second)
        return content

    lines, findings = read(changed(export, tmp_path / "d", line_items=two))

    offers = [line for line in of_deal(lines, "90000002") if line.type == "discount_offered"]
    assert findings.rejects == []
    assert [(line.data["percent"], line.data["list"]) for line in offers] == [
        ("20", {"amount": "120000", "currency": "USD"}),
        ("18.75", {"amount": "120000", "currency": "USD"}),
    ]
    assert [line.occurred_at.isoformat() for line in offers] == [
        "2024-12-27T15:04:30+00:00",
        "2024-12-28T10:00:00+00:00",
    ]


def line_of(content: Any, item: str, at: str, **properties: str) -> dict[str, Any]:
    """Another line item of the deal that the first one belongs to, priced at that moment."""
    line: dict[str, Any] = json.loads(json.dumps(content["results"][0])) | {"id": item}
    line["properties"] |= properties | {"createdate": at}
    percent = properties["hs_discount_percentage"]
    line["propertiesWithHistory"]["hs_discount_percentage"] = [version(percent, at)]
    return line


@pytest.mark.parametrize("percent", ["30", "25"])
def test_a_line_beyond_what_the_deal_is_worth_is_another_offer(
    percent: str, export: Path, tmp_path: Path
) -> None:
    """However much it came to be worth later on."""

    def renewed(content: Any) -> Any:
        at = "2024-12-29T10:00:00.000Z"
        content["results"].append(
            line_of(content, "80009", at, price="90000", hs_discount_percentage=percent)
        )
        return content

    def grown(content: Any) -> Any:
        amounts = deal_in(content, "90000002")["propertiesWithHistory"]["amount"]
        amounts[:0] = [
            version("300000", "2024-12-31T10:00:00.000Z"),
            version("63000", "2024-12-29T12:00:00.000Z"),
        ]
        return content

    lines, findings = read(changed(export, tmp_path / "d", line_items=renewed, deals=grown))

    offers = [line.data for line in of_deal(lines, "90000002") if line.type == "discount_offered"]
    listed = {"amount": "90000", "currency": "USD"}
    assert offers == [{"percent": "25", "list": listed}, {"percent": percent, "list": listed}]
    assert "a priced line beyond what its deal was worth is told as another offer" in (
        findings.notes
    )


def test_an_offer_over_several_lines_says_what_each_of_them_is(
    export: Path, tmp_path: Path
) -> None:
    def added(content: Any) -> Any:
        at = "2024-12-29T10:00:00.000Z"
        free = {"price": "20000", "hs_discount_percentage": "10", "name": "Training"}
        content["results"].append(line_of(content, "80009", at, **free))
        return content

    lines, _ = read(changed(export, tmp_path / "d", line_items=added))

    offers = [line.data for line in of_deal(lines, "90000002") if line.type == "discount_offered"]
    assert offers[1:] == [
        {
            "percent": "22.272727",
            "list": {"amount": "110000", "currency": "USD"},
            "reason": "Over 2 lines: Licence 25 % of 90000, Training 10 % of 20000",
        }
    ]


def test_declared_fields_become_expressible(export: Path) -> None:
    profile = profile_from(
        {
            "calendar": FISCAL,
            "custom_fields": {
                "outcome_evidence": {
                    "event": "outcome_evidenced",
                    "level": 3,
                    "separator": ": ",
                },
                "customer_commitment": {
                    "event": "customer_commitment_recorded",
                    "level": 2,
                    "separator": " by ",
                },
                "external_key": {"event": "ignored"},
            },
        },
        name="test",
    )

    lines, findings = read(export, profile)

    assert [line.data["outcome"] for line in lines if line.type == "outcome_evidenced"] == [
        "Pain confirmed by customer",
        "Pilot success criteria met",
    ]
    (said,) = [line.data for line in lines if line.type == "customer_commitment_recorded"]
    assert (said["what"], said["due"]) == ("Customer runs pilot", "2024-10-18")
    assert not [what for what in findings.not_expressible if "does not map" in what]
