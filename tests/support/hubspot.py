"""Exports of HubSpot for tests: the reference pack, changed where a test needs it."""

from pathlib import Path
from typing import Any

from api.exchange.context import NoContext
from api.exchange.hubspot import HubspotReader
from api.exchange.lines import Findings, Line
from api.exchange.profile import Profile, profile_from
from tests.support.exports import rewritten_json
from tests.support.reference import FISCAL

PROFILE = profile_from({"calendar": FISCAL, "currency": "USD"}, name="test")
PEOPLE = {"70000000": "ana", "70000001": "ben", "70000002": "chi"}


def read(folder: Path, profile: Profile = PROFILE) -> tuple[list[Line], Findings]:
    findings = Findings()
    reader = HubspotReader([folder], profile=profile, known=NoContext())
    return list(reader.lines(findings)), findings


def changed(export: Path, target: Path, **change: Any) -> Path:
    """The export with the content of some files replaced by what a function makes of it."""
    return rewritten_json(
        export, target, lambda name, content: change.get(name, lambda same: same)(content)
    )


def deal_in(content: Any, deal: str) -> Any:
    return next(one for one in content["results"] if one["id"] == deal)


def of_deal(lines: list[Line], deal: str) -> list[Line]:
    return [line for line in lines if line.stream == f"deal:{deal}"]


def version(value: str, timestamp: str, **more: Any) -> dict[str, Any]:
    return {"value": value, "timestamp": timestamp, "sourceType": "CRM_UI"} | more


def edited(export: Path, target: Path, deal: str, **histories: list[dict[str, Any]]) -> Path:
    """The export with other histories of one deal, whose properties follow them."""

    def change(content: Any) -> Any:
        one = deal_in(content, deal)
        one["propertiesWithHistory"] |= histories
        one["properties"] |= {name: versions[0]["value"] for name, versions in histories.items()}
        return content

    return changed(export, target, deals=change)
