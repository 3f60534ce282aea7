"""Answers of HubSpot's first API, brought into the shape of the present one."""

from collections.abc import Mapping
from typing import Final

from api.exchange.lines import JsonObject
from api.exchange.records import BadRecordError

DEALS: Final = "deals"
"""What a page of deals is called where the present API says `results`."""
MORE: Final = "hasMore"
"""What says that another page follows."""
OBJECTS: Final = "objects"
"""What a page of line items is called."""
_ENGAGEMENT: Final = "engagement"
_TASK: Final = "TASK"
_IDS: Final = ("dealId", "pipelineId", "stageId", "ownerId", "companyId", "objectId")


def present(content: JsonObject) -> JsonObject:
    """The object as the present API gives it; one of the present API as it is.

    There a property is an object with its `versions`, each dated in milliseconds.

    Raises:
        BadRecordError: a property that is neither a value nor an object.
    """
    if _ENGAGEMENT in content:
        return _task(content)
    old_id = next((name for name in _IDS if name in content and "id" not in content), None)
    if old_id is None:
        return content
    found = content | {"id": content[old_id]}
    properties = content.get("properties")
    if not isinstance(properties, dict):
        return found
    told = {name: _property(name, value) for name, value in properties.items()}
    return found | {
        "properties": {name: one.get("value") for name, one in told.items()},
        "propertiesWithHistory": {name: _versions(one) for name, one in told.items()},
        "associations": _associations(content.get("associations")),
        "updatedAt": _latest(told),
        "archived": content.get("isDeleted") is True,
    }


def _property(name: str, value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise BadRecordError(f"properties.{name}: expected an object with its versions")
    return value


def _latest(told: Mapping[str, Mapping[str, object]]) -> object:
    """The last time at which any property is known to have changed."""
    stamps = [
        stamp
        for one in told.values()
        if isinstance(stamp := one.get("timestamp"), str) and stamp.isdecimal()
    ]
    return max(stamps, key=lambda stamp: (len(stamp), stamp), default=None)


def _versions(told: Mapping[str, object]) -> object:
    """Its versions, or the one that it is where they were not asked for."""
    versions = told.get("versions", [told])
    if not isinstance(versions, list):
        return versions
    return [
        one | {"sourceType": one.get("source")} if isinstance(one, dict) else one
        for one in versions
    ]


def _task(content: JsonObject) -> JsonObject:
    """An engagement as the task that it is."""
    engagement, about = content.get(_ENGAGEMENT), content.get("metadata")
    if not isinstance(engagement, dict) or not isinstance(about, dict):
        raise BadRecordError("engagement: expected an object with its metadata beside it")
    if engagement.get("type") != _TASK:
        raise BadRecordError(f"engagement: expected a task, not {engagement.get('type')!r}")
    return {
        "id": engagement.get("id"),
        "archived": engagement.get("active") is False,
        "properties": {
            "hs_task_status": about.get("status"),
            "hs_task_subject": about.get("subject"),
            "hs_task_completion_date": about.get("completionDate"),
            "hs_timestamp": engagement.get("timestamp"),
            "hubspot_owner_id": engagement.get("ownerId"),
        },
        "associations": _associations(content.get("associations")),
    }


def _associations(told: object) -> JsonObject:
    given = told if isinstance(told, dict) else {}
    return {
        "companies": _those(given.get("associatedCompanyIds")),
        "deals": _those(given.get("dealIds", given.get("associatedDealIds"))),
    }


def _those(ids: object) -> JsonObject:
    return {"results": [{"id": one} for one in ids] if isinstance(ids, list) else []}
