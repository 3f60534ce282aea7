"""The reference pack in any format: the facts that its lines add up to, beside those expected."""

import json
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from api.exchange.lines import Line
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
        replace(line, data=named(line.data))
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
