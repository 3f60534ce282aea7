"""The worked example EX30 as lines to import: quota, process, baseline deals and one deal."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from tests.support.worked_examples import worked_example

Line = dict[str, object]
REP: Final = "ann"
ACTIVITIES: Final = {
    "s1": {"meet_dm": "dm_criteria"},
    "s2": {"demo": "fit_confirmed"},
    "s3": {"security_review": "security_passed", "send_proposal": "proposal_ack"},
    "s4": {},
    "s5": {},
}


def usd(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "USD"}


class Lines:
    """Lines with ids in the order they are written."""

    def __init__(self) -> None:
        self.all: list[Line] = []

    def add(
        self, stream: str, kind: str, when: str, data: dict[str, Any], *, actor: str = REP
    ) -> None:
        line: Line = {
            "stream": stream,
            "external_id": f"{stream}/{len(self.all)}",
            "type": kind,
            "occurred_at": when,
            "actor": actor,
            "data": data,
        }
        self.all.append(line)

    def open(self, deal: str, when: str, *, actor: str = REP, **more: Any) -> None:
        account = {"id": f"a-{deal}", "name": f"Account {deal}"}
        process = {"id": "linear", "version": 1}
        data = {"name": deal, "account": account, "owner": actor, "process": process, **more}
        self.add(f"deal:{deal}", "deal_opened", when, data, actor=actor)


def process_data() -> dict[str, Any]:
    stages = [
        {
            "id": stage,
            "name": stage,
            "goal": "Know more",
            "activities": [
                {
                    "id": activity,
                    "name": activity,
                    "purpose": "To learn",
                    "outcomes": [{"id": outcome, "name": outcome, "required_level": 3}],
                }
                for activity, outcome in activities.items()
            ],
        }
        for stage, activities in ACTIVITIES.items()
    ]
    closing = {"id": "s6", "name": "Won", "goal": "Delivered"}
    return {
        "version": 1,
        "name": "Linear",
        "stages": [*stages, closing],
        "closing": {"won": "s6", "lost": "lost"},
    }


def _days(first: str) -> Iterator[str]:
    day = datetime.fromisoformat(first).replace(tzinfo=UTC)
    while True:
        day += timedelta(hours=1)
        yield day.isoformat().replace("+00:00", "Z")


def thirty_lines() -> list[Line]:
    """Give the example's context, wins, baselines and its deal D1."""
    given = worked_example("EX30")["input"]
    steps = worked_example("EX09")["input"]["step_baseline"]
    lines = Lines()
    quarter = {"rep": REP, "quarter": "FY2025Q1", "amount": usd("1000000")}
    lines.add("quota:ann:FY2025Q1", "quota_assigned", "2025-01-01T00:00:00Z", quarter)
    lines.add("process:linear", "process_published", "2024-12-01T00:00:00Z", process_data())
    for deal, day, net in (("X1", "2025-01-20", "200000"), ("X2", "2025-02-15", "150000")):
        lines.open(deal, "2025-01-02T00:00:00Z")
        won = {"net": usd(net), "closed_on": day}
        lines.add(f"deal:{deal}", "deal_won", f"{day}T15:00:00Z", won)
    instants = _days("2025-02-01")
    for index, depth in enumerate(given["level_baseline"]):
        lines.open(f"B{index}", "2025-01-15T00:00:00Z")
        percent = f"{depth * 100:.0f}"
        lines.add(f"deal:B{index}", "discount_offered", next(instants), {"percent": percent})
    for index, size in enumerate(steps):
        lines.open(f"S{index}", "2025-01-15T00:00:00Z", actor="bob")
        for percent in ("40", f"{40 + size * 100:.0f}"):
            data = {"percent": percent}
            lines.add(f"deal:S{index}", "discount_offered", next(instants), data, actor="bob")
    _the_deal(lines)
    return lines.all


def _the_deal(lines: Lines) -> None:
    lines.open("D1", "2025-01-08T00:00:00Z", amount=usd("200000"), close_date="2025-04-25")
    for kind, when, data in (
        ("stage_entered", "2025-01-08T00:00:00Z", {"stage": "s1"}),
        ("outcome_evidenced", "2025-01-15T00:00:00Z", {"outcome": "dm_criteria", "level": 3}),
        ("activity_ticked", "2025-01-16T00:00:00Z", {"activity": "meet_dm"}),
        ("stage_entered", "2025-01-17T00:00:00Z", {"stage": "s2"}),
        ("activity_ticked", "2025-02-03T00:00:00Z", {"activity": "demo"}),
        ("customer_request_received", "2025-02-08T00:00:00Z", {"topic": "discount", "level": 3}),
        ("discount_offered", "2025-02-10T00:00:00Z", {"percent": "10"}),
        ("stage_entered", "2025-02-20T00:00:00Z", {"stage": "s3"}),
        ("close_date_moved", "2025-03-20T00:00:00Z", {"to": "2025-03-31"}),
        ("discount_offered", "2025-03-24T12:00:00Z", {"percent": "25"}),
        ("activity_ticked", "2025-03-28T17:00:00Z", {"activity": "security_review"}),
        ("activity_ticked", "2025-03-28T17:01:00Z", {"activity": "send_proposal"}),
        ("stage_entered", "2025-03-28T17:05:00Z", {"stage": "s5"}),
        (
            "customer_commitment_recorded",
            "2025-03-31T18:00:00Z",
            {"commitment_id": "k", "what": "Signs the order", "kind": "signature", "level": 5},
        ),
        ("stage_entered", "2025-03-31T20:00:00Z", {"stage": "s6"}),
        (
            "deal_won",
            "2025-03-31T20:00:01Z",
            {"net": usd("150000"), "list": usd("200000"), "closed_on": "2025-03-31"},
        ),
    ):
        lines.add("deal:D1", kind, when, data)
