"""Random logs in which everything turns that a verdict or a quota rests on.

Quotas are set, revised and withdrawn, people change teams, policies, rates and calendars are
published while the quarter lasts, customers say things, and all of it is told late at times. The
numbers of the policies let a handful of deals be compared with each other.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final
from uuid import UUID, uuid5

from domain.quota import quota_stream
from tests.support.quarter_logs import (
    DATA,
    REPS,
    START,
    Said,
    Streamed,
    Told,
    append,
    membership,
    quarter_log,
)
from tests.support.spans import Log
from tests.support.told import NAMESPACE

QUARTER: Final = "FY2025Q1"
FIRST_DAY: Final = datetime(2025, 1, 1, tzinfo=UTC)
_STAGES: Final = ("qualification", "discovery", "solution", "proposal", "commitment")
_ACTIVITIES: Final = ("ask_about_goals", "meet_decision_makers")
_OUTCOMES: Final = ("customer_goal_understood", "decision_understood")
_TOPICS: Final = ("discount", "date", "other")
_NUMBERS: Final = {
    "n_rep": 2,
    "n_segment": 3,
    "n_organisation": 3,
    "n_dwell": 2,
    "alpha": "0.4",
    "minimum_excess": "0",
    "dwell_percentile": "0.5",
}
_POLICY: Final = {
    "version": 1,
    "numbers": {"window_days": 90, "theta": "0.01", "lookback_days": 60},
}
KINDS: Final[dict[str, Said]] = DATA | {
    "stage_entered": lambda c: {"stage": c.choice(_STAGES)},
    "discount_offered": lambda c: {"percent": c.choice(["5", "10", "12.5", "20", "35"])},
    "activity_ticked": lambda c: {"activity": c.choice(_ACTIVITIES)},
    "outcome_evidenced": lambda c: {"outcome": c.choice(_OUTCOMES), "level": 3},
    "customer_request_received": lambda c: {"topic": c.choice(_TOPICS), "level": 3},
    "customer_goal_recorded": lambda _: {"goal": "Fewer returns", "level": 3},
}
WEIGHTS: Final = {
    "close_date_moved": 8.0,
    "discount_offered": 8.0,
    "stage_entered": 4.0,
    "deal_won": 3.0,
    "activity_ticked": 3.0,
    "customer_request_received": 5.0,
    "outcome_evidenced": 2.0,
    "deal_lost": 0.3,
    "deal_disqualified": 0.3,
    "deal_deleted": 0.2,
}


def pressed_log(chance: Random, *, size: int = 200, deals: int = 8) -> Log:
    """Give a log from before FY2025Q1 until after it."""
    return quarter_log(
        chance,
        size=size,
        deals=deals,
        pace=1.4,
        kinds=KINDS,
        weights=WEIGHTS,
        around=_around,
        around_share=0.15,
        late=0.4,
        actors=REPS,
    )


def _around(chance: Random, log: Log) -> Streamed:
    """Give something that the organisation is told of: quotas first, then whatever may turn."""
    told = {event.stream_id for event in log.events}
    if "policy" not in told:
        return _policy(chance, log)
    for rep in REPS:
        stream = quota_stream(who=rep, quarter=QUARTER)
        if stream not in told:
            return stream, (
                "quota_assigned",
                {"rep": rep, "quarter": QUARTER, "amount": _quota(chance)},
            )
    turn = chance.choice([membership, _revised, _revised, _policy, _policy, _rate, _calendar])
    return turn(chance, log)


def reaching_back_log(chance: Random, *, deals: int = 12) -> Log:
    """Give a log in which something bears on an act of before it: what a customer said between an
    act and its telling, or a later act that names the customer's event which explained this one.
    """
    lines = [line for number in range(deals) for line in _reaching_back(chance, number)]
    log = Log([])
    for stream, told in (("policy", ("policy_published", _POLICY)), *map(_assigned, REPS)):
        append(log, stream, told, START, START)
    ids: dict[tuple[str, str], UUID] = {}
    for line in sorted(lines, key=lambda line: line.recorded):
        stream = f"deal:{uuid5(NAMESPACE, line.deal)}"
        cause = ids.get((line.deal, line.caused_by))
        ids[line.deal, line.told[0]] = append(
            log, stream, line.told, line.recorded, line.occurred, caused_by=cause
        )
    return log


@dataclass(frozen=True, slots=True)
class _Line:
    """An event of a deal; `caused_by` is the type of the one that it names."""

    deal: str
    told: Told
    recorded: datetime
    occurred: datetime
    caused_by: str = ""


def _reaching_back(chance: Random, number: int) -> Iterator[_Line]:
    """Give a deal whose close date is pulled in while its customer asks for another."""
    deal = f"deal {number}"
    days = sorted(chance.uniform(5, 80) for _ in range(4))
    opened, first, second, third = (FIRST_DAY + timedelta(days=day) for day in days)
    asked = "customer_request_received", {"topic": "date", "level": 3}
    yield _Line(deal, ("deal_opened", _opening(chance)), opened, opened)
    if number % 2:
        yield _Line(deal, asked, second, second)
        yield _Line(deal, _pulled("2025-03-20"), third, first)
    else:
        yield _Line(deal, asked, first, first)
        yield _Line(deal, _pulled("2025-03-25"), second, second)
        yield _Line(deal, _pulled("2025-03-20"), third, third, caused_by=asked[0])


def _opening(chance: Random) -> dict[str, Any]:
    account = {"id": "acme", "name": "Acme"}
    return {
        "name": "Line 4",
        "account": account,
        "owner": chance.choice(REPS),
        "close_date": "2025-07-15",
    }


def _pulled(to: str) -> Told:
    return "close_date_moved", {"to": to}


def _assigned(rep: str) -> Streamed:
    amount = {"amount": "40000.00", "currency": "USD"}
    data = {"rep": rep, "quarter": QUARTER, "amount": amount}
    return quota_stream(who=rep, quarter=QUARTER), ("quota_assigned", data)


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
        **_NUMBERS,
        "window_days": chance.choice([14, 60, 60, 90]),
        "theta": chance.choice(["0.05", "0.25"]),
        "lookback_days": chance.choice([0, 2, 7]),
        "grace_days": chance.choice([1, 7, 30]),
        **({"coverage_gate": "0.3"} if chance.random() < 0.1 else {}),
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
