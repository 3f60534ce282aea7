"""Exports of Pipedrive for tests: the reference pack, changed where a test needs it."""

from pathlib import Path
from typing import Any

from api.exchange.context import NoContext
from api.exchange.lines import Findings, Line
from api.exchange.pipedrive import PipedriveReader
from api.exchange.profile import Profile, profile_from
from tests.support.exports import rewritten_json
from tests.support.reference import FISCAL

BOX = "c0ffee4275646765745f436f6e6669726d65645f"
BOXES = {
    "c0ffee446973636f766572795f436f6d706c6574": "Discovery completed",
    "c0ffee524f495f416e616c797369735f436f6d70": "ROI analysis completed",
    BOX: "Budget confirmed",
}
PROFILE = profile_from(
    {
        "calendar": FISCAL,
        "custom_fields": {
            key: {"event": "activity_ticked", "activity": name} for key, name in BOXES.items()
        },
    },
    name="test",
)
PEOPLE = {"11000": "ana", "11001": "ben", "11002": "chi"}


def read(folder: Path, profile: Profile = PROFILE) -> tuple[list[Line], Findings]:
    findings = Findings()
    reader = PipedriveReader([folder], profile=profile, known=NoContext())
    return list(reader.lines(findings)), findings


def changed(export: Path, target: Path, **change: Any) -> Path:
    return rewritten_json(
        export, target, lambda name, content: change.get(name, lambda same: same)(content)
    )


def with_flow(export: Path, target: Path, deal: str, *entries: dict[str, Any]) -> Path:
    """The export with more entries in the flow of a deal, the newest first."""

    def add(content: Any) -> Any:
        content[deal][0]["data"][:0] = entries
        return content

    return changed(export, target, deal_flow_v1=add)


def change(field: str, old: Any, new: Any, at: str, **more: Any) -> dict[str, Any]:
    data = {
        "field_key": field,
        "old_value": old,
        "new_value": new,
        "log_time": at,
        "user_id": 11000,
    }
    return {"object": "dealChange", "timestamp": at, "data": data | more}


def of_deal(lines: list[Line], deal: str) -> list[Line]:
    return [line for line in lines if line.stream == f"deal:{deal}"]
