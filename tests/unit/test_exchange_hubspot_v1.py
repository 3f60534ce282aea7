"""Deals of HubSpot's first API tell what those of the present one do."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from api.exchange.lines import ExportRefusedError
from tests.support.exports import PACK
from tests.support.hubspot import changed, read


@pytest.fixture
def export(shared_data: Path) -> Path:
    return shared_data / PACK / "hubspot_v3"


def milliseconds(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def old_deal(deal: Any) -> Any:
    properties = {}
    for name, value in deal["properties"].items():
        told = deal["propertiesWithHistory"].get(name, [])
        versions = [
            {
                "name": name,
                "value": one["value"],
                "timestamp": milliseconds(one["timestamp"]),
                "source": one["sourceType"],
                "sourceId": one["sourceId"],
            }
            for one in told
        ]
        now = str(milliseconds(value)) if name == "createdate" else value
        at = milliseconds(deal["updatedAt"])
        properties[name] = {"value": now, "timestamp": at, "source": "API", "sourceId": None}
        properties[name] |= {"versions": versions} if versions else {}
    companies = deal.get("associations", {}).get("companies", {}).get("results", [])
    return {
        "portalId": 1,
        "dealId": int(deal["id"]),
        "isDeleted": deal["archived"],
        "associations": {"associatedCompanyIds": [int(one["id"]) for one in companies]},
        "properties": properties,
    }


def old_deals(content: Any, *, more: bool = False) -> Any:
    return {"deals": [old_deal(one) for one in content["results"]], "hasMore": more, "offset": 0}


def old_pipelines(content: Any) -> Any:
    for pipeline in content["results"]:
        pipeline["pipelineId"] = pipeline.pop("id")
        for stage in pipeline["stages"]:
            stage["stageId"] = stage.pop("id")
    return content


def test_the_first_api_tells_what_the_present_one_does(export: Path, tmp_path: Path) -> None:
    expected, _ = read(export)
    folder = changed(export, tmp_path / "v1", deals=old_deals, pipelines=old_pipelines)

    lines, findings = read(folder)

    assert findings.rejects == []
    # When a deal was deleted the first API does not say: it is told at its last change.
    assert [(one.external_id, one.type, one.data) for one in lines] == [
        (one.external_id, one.type, one.data) for one in expected
    ]
    assert [one.occurred_at for one in lines if one.type != "deal_deleted"] == [
        one.occurred_at for one in expected if one.type != "deal_deleted"
    ]


def old_task(task: Any) -> Any:
    told = task["properties"]
    deals = task["associations"]["deals"]["results"]
    done = told.get("hs_task_completion_date") or told["hs_timestamp"]
    return {
        "engagement": {
            "id": int(task["id"]),
            "active": not task.get("archived", False),
            "type": "TASK",
            "timestamp": milliseconds(told["hs_timestamp"]),
            "ownerId": int(told["hubspot_owner_id"]),
        },
        "associations": {"dealIds": [int(one["id"]) for one in deals]},
        "metadata": {
            "status": told["hs_task_status"],
            "subject": told["hs_task_subject"],
            "completionDate": milliseconds(done),
        },
    }


def old_item(item: Any) -> Any:
    old = old_deal({"propertiesWithHistory": {}, "updatedAt": item["createdAt"], **item})
    deals = [int(one["id"]) for one in item["associations"]["deals"]["results"]]
    del old["dealId"]
    associations = {"associatedDealIds": deals}
    return old | {"objectId": int(item["id"]), "associations": associations}


def old_owners(content: Any) -> Any:
    return [one | {"ownerId": int(one.pop("id"))} for one in content["results"]]


def test_tasks_products_and_people_of_the_first_api_are_the_same(
    export: Path, tmp_path: Path
) -> None:
    expected, _ = read(export)
    folder = changed(
        export,
        tmp_path / "v1",
        pipelines=lambda content: old_pipelines(content)["results"],
        owners=old_owners,
        tasks=lambda content: {"results": [old_task(one) for one in content["results"]]},
        line_items=lambda content: {"objects": [old_item(one) for one in content["results"]]},
    )

    lines, findings = read(folder)

    assert findings.rejects == []
    assert [(one.external_id, one.type, one.data) for one in lines] == [
        (one.external_id, one.type, one.data) for one in expected
    ]
    assert {one.type for one in lines} >= {"activity_ticked", "discount_offered"}


@pytest.mark.parametrize("engagement", [{"type": "NOTE", "id": 1}, "none"])
def test_an_engagement_that_is_no_task_is_a_reject(
    export: Path, tmp_path: Path, engagement: object
) -> None:
    def tasks(_: Any) -> Any:
        return {"results": [{"engagement": engagement, "metadata": {}, "associations": {}}]}

    _, findings = read(changed(export, tmp_path / "v1", tasks=tasks))

    assert [one.reason.split(":")[0] for one in findings.rejects] == ["engagement"]


def test_an_array_of_people_that_is_cut_short_is_refused(export: Path, tmp_path: Path) -> None:
    folder = changed(export, tmp_path / "v1", owners=old_owners)
    text = (folder / "owners.json").read_text(encoding="utf-8")
    (folder / "owners.json").write_text(text.rstrip()[:-1], encoding="utf-8")

    with pytest.raises(ExportRefusedError, match="cut short"):
        read(folder)


def test_a_page_that_is_not_the_last_is_refused(export: Path, tmp_path: Path) -> None:
    folder = changed(export, tmp_path / "v1", deals=lambda content: old_deals(content, more=True))

    with pytest.raises(ExportRefusedError, match="cut short"):
        read(folder)


def test_a_property_of_no_shape_rejects_its_deal(export: Path, tmp_path: Path) -> None:
    def broken(content: Any) -> Any:
        told = old_deals(content)
        told["deals"][0]["properties"]["amount"] = "60000"
        return told

    _, findings = read(changed(export, tmp_path / "v1", deals=broken))

    assert [one.reason for one in findings.rejects if one.file == "deals.json"] == [
        "properties.amount: expected an object with its versions"
    ]
