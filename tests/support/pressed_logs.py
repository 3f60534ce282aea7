"""Random logs in which everything turns that a verdict or a quota rests on: `quarter_logs`, pressed.

Quotas are set, revised and withdrawn, people change teams, policies, rates and calendars are
published while the quarter lasts, customers say things, and all of it is told late at times. The
numbers of the policies let a handful of deals be compared with each other.
"""

from random import Random
from typing import Any, Final

from domain.quota import quota_stream
from tests.support.quarter_logs import DATA, REPS, Said, Streamed, membership, money, quarter_log
from tests.support.spans import Log

QUARTER: Final = "FY2025Q1"
_STAGES: Final = ("qualification", "discovery", "solution", "proposal", "commitment")
_ACTIVITIES: Final = ("ask_about_goals", "meet_decision_makers")
_OUTCOMES: Final = ("customer_goal_understood", "decision_understood")
_TOPICS: Final = ("discount", "date", "other")
_FEW: Final = {"n_rep": 2, "n_segment": 3, "n_organisation": 3, "n_dwell": 2}
KINDS: Final[dict[str, Said]] = DATA | {
    "stage_entered": lambda c: {"stage": c.choice(_STAGES)},
    "activity_ticked": lambda c: {"activity": c.choice(_ACTIVITIES)},
    "outcome_evidenced": lambda c: {"outcome": c.choice(_OUTCOMES), "level": 3},
    "customer_request_received": lambda c: {"topic": c.choice(_TOPICS), "level": 3},
    "customer_goal_recorded": lambda _: {"goal": "Fewer returns", "level": 3},
}
WEIGHTS: Final = {
    "close_date_moved": 6.0,
    "discount_offered": 4.0,
    "deal_won": 3.0,
    "activity_ticked": 3.0,
    "stage_entered": 2.0,
    "deal_deleted": 0.2,
}


def pressed_log(chance: Random, *, size: int = 180, deals: int = 10) -> Log:
    """Give a log from before FY2025Q1 until after it."""
    return quarter_log(
        chance, size=size, deals=deals, pace=1.4, kinds=KINDS, weights=WEIGHTS, around=_around
    )


def _around(chance: Random, log: Log) -> Streamed:
    """Give something that the organisation is told of: quotas first, then whatever may turn."""
    told = [event.stream_id for event in log.events]
    for rep in REPS:
        stream = quota_stream(who=rep, quarter=QUARTER)
        if stream not in told:
            return stream, (
                "quota_assigned",
                {"rep": rep, "quarter": QUARTER, "amount": _quota(chance)},
            )
    turn = chance.choice([membership, _revised, _revised, _policy, _policy, _rate, _calendar])
    return turn(chance, log)


def _quota(chance: Random) -> dict[str, str]:
    return {"amount": chance.choice(["2000.00", "6000.00", "40000.00"]), "currency": "USD"}


def _revised(chance: Random, _: Log) -> Streamed:
    stream = quota_stream(who=chance.choice(REPS), quarter=QUARTER)
    if chance.random() < 0.2:
        return stream, ("quota_withdrawn", {})
    return stream, ("quota_revised", {"amount": _quota(chance)})


def _policy(chance: Random, log: Log) -> Streamed:
    version = 1 + sum(event.stream_id == "policy" for event in log.events)
    numbers: dict[str, Any] = {
        **_FEW,
        "window_days": chance.choice([14, 60, 90, 90]),
        "theta": chance.choice(["0.05", "0.25"]),
        "lookback_days": chance.choice([3, 7, 20]),
        "grace_days": chance.choice([1, 7, 30]),
        **({"coverage_gate": "0.3"} if chance.random() < 0.2 else {}),
    }
    return "policy", ("policy_published", {"version": version, "numbers": numbers})


def _rate(chance: Random, _: Log) -> Streamed:
    rate = {"fiscal_year": 2025, "currency": "EUR", "rate": chance.choice(["1.1", "1.2"])}
    return "rates", ("plan_rate_set", rate)


def _calendar(chance: Random, _: Log) -> Streamed:
    """Another calendar, from after the quarter on."""
    adopted = {
        "zone": chance.choice(["UTC", "Europe/Berlin"]),
        "kind": "months",
        "parameters": {"start_month": chance.choice([1, 7])},
        "effective_from": "2025-07-01",
    }
    return "calendar", ("calendar_adopted", adopted)
