"""The reference pack in any format: the facts that its lines add up to, beside those expected."""

import json
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, Final

from api.exchange.lines import Line
from api.exchange.profile import Profile, profile_from
from tests.support.exports import PACK, Facts

NEVER_TOLD: Final = ("outcomes", "commitments", "planted", "checkbox_only", "intended_outcome")
"""What is judged and not told, or compared by tests of its own."""
QUOTAS: Final = ("quota", "attainment_before")
"""What a source without quotas cannot say of the pressure at a moment."""
FISCAL: Final = {"kind": "months", "zone": "America/New_York", "start_month": 1}


def expected_of(shared: Path) -> Any:
    return json.loads((shared / PACK / "expected.json").read_text())


def closings_of(shared: Path) -> dict[str, set[str]]:
    """When each deal of the pack was won or lost."""
    found: dict[str, set[str]] = {}
    for text in (shared / PACK / "canonical_events.jsonl").read_text().splitlines():
        event = json.loads(text)
        if event["kind"] in ("won", "lost"):
            found.setdefault(event["deal"], set()).add(event["time"])
    return found


def labelled(lines: list[Line], labels: Mapping[str, str]) -> list[Line]:
    """The lines with stages named as people see them."""

    def named(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: named(part) for key, part in value.items()}
        if isinstance(value, list):
            return [named(part) for part in value]
        return labels.get(value, value) if isinstance(value, str) else value

    return [
        line._replace(data=named(line.data))
        if line.type in ("stage_entered", "process_published")
        else line
        for line in lines
    ]


def told_of(
    lines: list[Line], *, people: Mapping[str, str], keys: Mapping[str, str]
) -> tuple[dict[str, Any], Facts]:
    """The facts of each deal by its key in the pack; `keys` has them by the source's ids."""
    facts = Facts(lines, people)
    return {key: plain(facts.deal(f"deal:{deal}")) for deal, key in keys.items()}, facts


def without(value: Any, names: Collection[str]) -> Any:
    """The value without these keys at any depth, money as plain numbers."""
    if isinstance(value, dict):
        return {key: without(part, names) for key, part in value.items() if key not in names}
    if isinstance(value, list):
        return [without(part, names) for part in value]
    return value


def plain(value: Any) -> Any:
    return json.loads(json.dumps(value, default=float))


def wanted(deal: Any, *, blind: Collection[str] = ()) -> Any:
    """What is expected of a deal, as far as lines tell it and the source can."""
    told = without(deal, {*NEVER_TOLD, "pushes_by_calendar_month", *blind})
    told["final"].pop("quarter")
    return plain(told)


STAGES: Final[list[Any]] = [
    *("Prospecting", "Discovery", "Evaluation", "Proposal", "Negotiation"),
    {"name": "Closed Won", "closes": "won"},
    {"name": "Closed Lost", "closes": "lost"},
]


def log_profile(named: Callable[[str], str] = str, *, prefix: str = "", **more: Any) -> Profile:
    """What the events of the pack's logs say; `named` gives the name of a kind in the format."""

    def at(name: str) -> str:
        return prefix + name

    def entered(stage: object) -> dict[str, Any]:
        return {"type": "stage_entered", "fields": {"stage": stage}}

    opened = {name: at(name) for name in ("name", "account", "owner", "amount", "close_date")}
    unit = {"currency": at("currency")}
    won = {"net": at("amount"), "closed_on": at("close_date")} | unit
    evidenced = {"outcome": at("outcome"), "statement": at("evidence"), "level": {"value": 3}}
    said = {"what": at("what"), "due": at("due"), "kind": {"value": "action"}}
    kinds: dict[str, Any] = {
        "deal_created": [{"type": "deal_opened", "fields": opened | unit}, entered(at("stage"))],
        "stage_entered": entered(at("new")),
        "close_date_moved": {"type": "close_date_moved", "fields": {"to": at("new")}},
        "amount_changed": {"type": "amount_changed", "fields": {"amount": at("new")} | unit},
        "owner_changed": {"type": "owner_changed", "fields": {"owner": at("new")}},
        "activity_ticked": {
            "type": "activity_ticked",
            "fields": {"activity": at("activity")},
        },
        "outcome_evidenced": {"type": "outcome_evidenced", "fields": evidenced},
        "commitment_recorded": {
            "type": "customer_commitment_recorded",
            "fields": said | {"level": {"value": 2}},
        },
        "discount_offered": {"type": "discount_offered", "fields": {"percent": at("percent")}},
        "won": [entered({"value": "Closed Won"}), {"type": "deal_won", "fields": won}],
        "lost": [
            entered({"value": "Closed Lost"}),
            {"type": "deal_lost", "fields": {"reason": at("reason")}},
        ],
        "reopened": [{"type": "deal_reopened"}, entered(at("new"))],
        "deleted": {"type": "deal_deleted"},
    }
    content = {
        "calendar": FISCAL,
        "stages": STAGES,
        "events": {named(kind): said for kind, said in kinds.items()},
    }
    return profile_from(content | more, name="test")
