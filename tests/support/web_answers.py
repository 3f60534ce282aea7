"""Answers for the pages as the application gives them, of a made-up company."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeAlias

from projections.names import NO_NAMES
from tests.support.web_parts import event_id, learned, patterns, review

DEAL_ID: Final = "0190a000-0000-7000-8000-000000000001"
BARE_ID: Final = "0190a000-0000-7000-8000-000000000002"
LONG_ID: Final = "0190a000-0000-7000-8000-000000000003"
NOW: Final = datetime(2026, 9, 30, 18, tzinfo=UTC)
START: Final = datetime(2026, 4, 2, 9, tzinfo=UTC)
QUARTERS: Final = [
    {"name": "FY2026Q2", "start": "2026-04-01", "end": "2026-07-01"},
    {"name": "FY2026Q3", "start": "2026-07-01", "end": "2026-10-01"},
]
STAGES: Final = [
    ("qualify", "Qualify", "2026-04-02T09:00:00Z"),
    ("discover", "Discover", "2026-04-24T10:00:00Z"),
    ("validate", "Validate", "2026-06-12T10:00:00Z"),
    ("propose", "Propose", "2026-08-05T10:00:00Z"),
    ("commit", "Commit", "2026-09-28T16:00:00Z"),
]
SHAPED: Final = ("close_date_moved", "discount_offered", "stage_entered")
Line: TypeAlias = tuple[str, str, str, str, str | None]
_STORY: Final[list[Line]] = [
    ("2026-04-02T09:00", "deal_opened", "other", "Deal opened for Halden Marine", None),
    ("2026-04-02T09:05", "stage_entered", "seller", "Entered Qualify", None),
    (
        "2026-04-09T14:00",
        "customer_goal_recorded",
        "customer",
        "Goal: cut dock time by a day",
        None,
    ),
    (
        "2026-04-14T11:00",
        "activity_ticked",
        "seller",
        "Ticked: Find out why they would change",
        None,
    ),
    ("2026-04-16T09:00", "outcome_evidenced", "customer", "Evidenced: reason to change", "by mail"),
    ("2026-04-24T10:00", "stage_entered", "customer", "Entered Discover", None),
    (
        "2026-05-07T15:00",
        "activity_ticked",
        "seller",
        "Ticked: Meet with decision makers",
        "Shook hands at the fair",
    ),
    (
        "2026-05-21T10:00",
        "customer_commitment_recorded",
        "customer",
        "Commitment: yard visit",
        None,
    ),
    ("2026-06-12T10:00", "stage_entered", "seller", "Entered Validate", None),
    (
        "2026-06-25T16:30",
        "close_date_moved",
        "seller",
        "Close date moved to 30 Jun 2026",
        "was 31 Jul",
    ),
    ("2026-07-02T09:00", "close_date_moved", "seller", "Close date moved to 15 Oct 2026", None),
    ("2026-07-15T13:00", "activity_ticked", "seller", "Ticked: Walk through the trial plan", None),
    ("2026-08-05T10:00", "stage_entered", "customer", "Entered Propose", None),
    (
        "2026-08-19T10:00",
        "discount_offered",
        "customer",
        "Discount offered: 5%",
        "asked for by mail",
    ),
    ("2026-09-08T10:00", "activity_ticked", "seller", "Ticked: Security review", None),
    ("2026-09-22T10:00", "note_added", "other", "Note: quarter is tight", None),
    (
        "2026-09-24T12:00",
        "close_date_moved",
        "seller",
        "Close date moved to 30 Sep 2026",
        "was 15 Oct",
    ),
    ("2026-09-28T16:00", "stage_entered", "seller", "Entered Commit", "skipped nothing"),
    ("2026-09-28T16:02", "activity_ticked", "seller", "Ticked: Confirm the budget line", None),
    (
        "2026-09-29T15:00",
        "discount_offered",
        "seller",
        "Discount offered: 25%",
        "<b>if</b> signed this month",
    ),
]
_TICKS: Final = [
    ("find_reason", "qualify", 4, "evidenced"),
    ("meet_decision_makers", "discover", 7, "bare_tick"),
    ("trial_plan", "validate", 12, "asserted_only"),
    ("security_review", "propose", 15, "evidenced_late"),
    ("budget_line", "commit", 19, "pending"),
]


def deal_answer() -> dict[str, Any]:
    """A deal in its second quarter, with three pressure-shaped events of seven."""
    events = [_event(version, line) for version, line in enumerate(_STORY, start=1)]
    return {
        "deal": {
            "deal_id": DEAL_ID,
            "name": "Dock scheduling, four terminals",
            "account": {"id": "halden", "name": "Halden Marine", "segment": "mid"},
            "owner": {"id": "amara", "name": "Amara Osei"},
            "amount": usd("150000.00"),
            "list": usd("200000.00"),
            "close_date": "2026-09-30",
            "stage": {"id": "commit", "name": "Commit"},
            "closed": None,
            "process": {"id": "default", "version": 1},
            "version": len(events),
            "opened_at": "2026-04-02T09:00:00Z",
            "external_id": "D-1042",
        },
        "progress": progress(),
        "pressure": pressure(),
        "history": {"events": events},
        "stages": [
            {
                "stage": stage,
                "name": name,
                "entered_at": entered,
                "left_at": STAGES[index + 1][2] if index + 1 < len(STAGES) else None,
            }
            for index, (stage, name, entered) in enumerate(STAGES)
        ],
        "quarters": QUARTERS,
        "review": review(),
        "commitments": [],
        "told": [(event["position"], event["recorded_at"]) for event in events],
        "names": {"amara": "Amara Osei"},
        "called": replace(
            NO_NAMES,
            stages={stage: name for stage, name, _ in STAGES},
            outcomes={"decision-criteria-known": "What they decide by is known"},
        ),
    }


def usd(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "USD"}


def as_of(position: int = 18_204) -> dict[str, Any]:
    return {"position": position, "recorded_at": "2026-09-30T18:00:00Z"}


def progress() -> dict[str, Any]:
    return {
        "deal_id": DEAL_ID,
        "as_of": as_of(),
        "effective_at": "2026-09-30T18:00:00Z",
        "process": {"id": "default", "version": 1},
        "activities": [_activity(*tick) for tick in _TICKS]
        + [_activity("legal_terms", "commit", None, "not_ticked")],
        "unlinked_facts": [learned("criterion", f"Criterion {n}", 8) for n in range(7)],
        "counts": {
            "evidenced": 1,
            "evidenced_late": 1,
            "asserted_only": 1,
            "bare_tick": 1,
            "pending": 1,
            "not_ticked": 1,
            "not_expressible": 0,
        },
        "checkbox_only": 0.5,
        "checkbox_only_lenient": 0.25,
        "stage_path": [stage for stage, _, _ in STAGES],
        "skips": [{"from": "propose", "to": "commit", "skipped": [], "event_id": event_id(18)}],
        "regressions": [],
        "customer_led_movement": {"led": 2, "steps": 4},
    }


def pressure() -> dict[str, Any]:
    shaped = {10: 0.62, 17: 0.81, 20: 0.9}
    judged = {6: 0.05, 9: 0.4, 13: 0.2, 14: 0.32, **shaped}
    return {
        "deal_id": DEAL_ID,
        "as_of": as_of(),
        "effective_at": "2026-09-30T18:00:00Z",
        "policy_version": 1,
        "events": [_judged(v, p, shaped=v in shaped) for v, p in sorted(judged.items())],
        "shares": {"shaped": len(shaped), "evaluable": len(judged)},
        "money": {"offered": usd("40000.00"), "realised": None, "floor": None},
        "counterfactual": {"net": usd("190000.00"), "close_date": "2026-07-31"},
        "patterns": patterns(),
        "recording_coverage": 0.7,
        "recording_coverage_of": 30,
        "exposure": _exposure(0.25, known_days=40.0),
        "curve": _curve(),
    }


def _exposure(share: float | None, *, known_days: float) -> dict[str, Any]:
    return {
        "share": share,
        "open_days": 60.0,
        "known_days": known_days,
        "behind_days": known_days * (share or 0),
        "evidence": [],
    }


def bare_answer() -> dict[str, Any]:
    """A deal of one event, of which nothing else is known."""
    answer = deal_answer()
    answer["deal"] |= {
        "deal_id": BARE_ID,
        "name": "Pilot",
        "amount": None,
        "list": None,
        "close_date": None,
        "stage": None,
        "owner": "amara",
        "account": {"id": "x", "name": "<script>alert(1)</script>"},
        "external_id": None,
    }
    answer["progress"] |= {
        "activities": [],
        "unlinked_facts": [],
        "counts": {},
        "checkbox_only": None,
        "skips": [],
        "customer_led_movement": {"led": 0, "steps": 0},
    }
    answer["pressure"] |= {
        "events": [],
        "shares": {"shaped": 0, "evaluable": 0},
        "money": {"offered": None, "realised": None, "floor": None},
        "counterfactual": {"net": None, "close_date": None},
        "patterns": [],
        "recording_coverage": None,
        "exposure": _exposure(None, known_days=0.0),
        "curve": [],
    }
    answer["history"] = {"events": answer["history"]["events"][:1]}
    answer["told"] = answer["told"][:1]
    answer["stages"] = []
    return answer


def long_answer(events: int = 1000) -> dict[str, Any]:
    """The same deal with this many events, half of them within one day."""
    answer = deal_answer()
    answer["deal"]["deal_id"] = LONG_ID
    for version in range(len(_STORY) + 1, events + 1):
        day = version % 170 if version % 2 else 150
        at = f"{START + timedelta(days=day, minutes=version):%Y-%m-%dT%H:%M}"
        driver = ("customer", "seller", "other")[version % 3]
        answer["history"]["events"].append(
            _event(version, (at, "activity_ticked", driver, f"Ticked: step {version}", None))
        )
    events_told = answer["history"]["events"]
    told = [(one["position"], one["recorded_at"]) for one in events_told]
    return answer | {"told": told}


def _event(version: int, line: Line) -> dict[str, Any]:
    at, kind, driver, title, detail = line
    return {
        "event_id": event_id(version),
        "position": 17_000 + version * 7,
        "version": version,
        "type": kind,
        "title": title,
        "detail": detail,
        "occurred_at": f"{at}:00Z",
        "recorded_at": f"{at}:20Z",
        "rep": "amara",
        "actor": "sync" if version == 9 else "amara",
        "recorder": "sync" if version == 9 else None,
        "driver": driver,
        "caused_by": event_id(5) if version == 6 else None,
        "explained_by": event_id(5) if version == 6 else None,
        "late": version == 9,
        "amended": _correction("typing error") if version == 14 else None,
        "retracted": _correction("another deal") if version == 16 else None,
        "verdict": None,
        "sentence": None,
    }


def _correction(reason: str) -> dict[str, Any]:
    at = "2026-09-20T09:00:00Z"
    return {"event_id": event_id(18), "rep": "amara", "recorded_at": at, "reason": reason}


def _activity(activity: str, stage: str, version: int | None, status: str) -> dict[str, Any]:
    shown = status.startswith("evidenced")
    return {
        "activity": activity,
        "stage": stage,
        "status": status,
        "ticked_at": f"{_STORY[version - 1][0]}:00Z" if version else None,
        "tick_event_id": event_id(version) if version else None,
        "outcomes": [
            {
                "outcome": f"{activity}_known",
                "required_level": 3,
                "level": 4 if shown else None,
                "evidenced_at": "2026-04-16T09:00:00Z" if shown else None,
                "event_id": event_id(5) if shown else None,
            }
        ],
        "learned": [learned("goal", "Cut dock time by a day", 3)] if version == 4 else [],
    }


def _judged(version: int, value: float, *, shaped: bool) -> dict[str, Any]:
    at, kind, driver, _, _ = _STORY[version - 1]
    cause = "seller_only" if driver == "seller" else "customer_preceded"
    days_left = 5 if shaped else 40
    return {
        "event_id": event_id(version),
        "type": kind,
        "action_time": f"{at}:00Z",
        "quarter": "FY2026Q3",
        "days_left": days_left,
        "quota": usd("400000.00"),
        "attained": usd("210000.00"),
        "pressure": value,
        "shortfall": 0.4,
        "pivotality": 0.8,
        "cause": cause,
        "modifiers": [] if shaped else ["customer_asserted"],
        "verdict": "pressure_shaped" if shaped else "not_pressure_shaped",
        "rules": ["PS-4"] if shaped else [],
        "facts": [
            _fact("window", days_left, 14, holds=shaped),
            _fact("behind", value, 0.25, holds=value >= 0.25, evidence=[event_id(2)]),
            _fact("no_customer_action", cause, 7, holds=cause == "seller_only"),
            _fact("abnormal", [{"rule": "PS-4", "holds": shaped}], {"alpha": 0.1}, holds=shaped),
        ],
        "sentence": f"With {days_left} days left in the quarter and pressure {value}, no customer"
        " action was recorded in the 7 days before; this is consistent with quota pressure.",
    }


def _fact(
    name: str,
    value: object,
    threshold: object,
    *,
    holds: bool | None,
    evidence: list[str] | None = None,
) -> dict[str, Any]:
    return {
        "fact": name,
        "value": value,
        "threshold": threshold,
        "holds": holds,
        "evidence": evidence or [],
    }


def _curve() -> list[dict[str, Any]]:
    points = []
    for day in range(182):
        quarter = "FY2026Q2" if day < 90 else "FY2026Q3"
        share = (day if day < 90 else day - 90) / 91
        at = START.replace(hour=0) + timedelta(days=day - 1)
        points.append({"at": f"{at:%Y-%m-%dT%H:%M:%SZ}", "pressure": share**2, "quarter": quarter})
    return points
