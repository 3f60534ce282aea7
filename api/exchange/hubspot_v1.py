"""Answers of HubSpot's first API, brought into the shape of the present one."""

from collections.abc import Mapping
from typing import Final

from api.exchange.lines import JsonObject
from api.exchange.records import BadRecordError

DEALS: Final = "deals"
"""What a page of deals is called where the present API says `results`."""
MORE: Final = "hasMore"
"""What says that another page follows."""
_IDS: Final = ("dealId", "pipelineId", "stageId", "ownerId", "companyId")


def present(content: JsonObject) -> JsonObject:
    """The object as the present API gives it; one of the present API as it is.

    There a property is an object with its `versions`, each dated in milliseconds.

    Raises:
        BadRecordError: a property that is neither a value nor an object.
    """
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


def _associations(told: object) -> JsonObject:
    companies = told.get("associatedCompanyIds") if isinstance(told, dict) else None
    ids = companies if isinstance(companies, list) else []
    return {"companies": {"results": [{"id": one} for one in ids]}}
