"""The answer about a deal's commitments at an instant, in the shape of the API."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from domain.commitments import Commitment
from domain.comparisons import Rate
from domain.events.customer import CustomerGoalAchieved, CustomerGoalRecorded
from domain.replay import Event
from projections.commitments.change import standing_of
from projections.commitments.fold import Commitments, Vector
from projections.commitments.quarters import QuarterActs
from projections.names import NO_NAMES, Names
from projections.rates import FROM_THE_FIRST, ratio_json
from projections.said import age_days, said_json


def answer(folded: Commitments, at: datetime, *, names: Names = NO_NAMES) -> dict[str, object]:
    """Give the vector of both sides, each commitment, and who does the work (METRICS section 5)."""
    return {
        "customer": _customer(folded, at, names),
        "seller": _kept(folded.vector("seller", at)),
        "commitments": [_commitment(one, at) for one in folded.of("customer")],
        "promises": [_promise(one, at) for one in folded.of("seller")],
        "one_sided": _one_sided(folded.last_customer_act, folded.one_sided, at),
        "customer_initiated": _initiated(
            folded.initiated, len(folded.customer_acts) + len(folded.efforts)
        ),
        "by_quarter": [_quarter(one, at) for one in folded.quarters],
        "change": _change(folded, at),
        "consequences": [said_json(event, at) for event in reversed(folded.consequences)],
        "goals": _goals(folded, at),
    }


def _customer(folded: Commitments, at: datetime, names: Names) -> dict[str, object]:
    vector, last = folded.vector("customer", at), folded.last_customer_act
    return {
        "level": vector.level,
        **_kept(vector),
        "roles": len(vector.roles),
        "role_names": list(vector.roles),
        "roles_unknown": vector.roles_unknown,
        "economic_buyer": vector.economic_buyer,
        "days_since_customer_act": None if last is None else age_days(last.occurred_at, at),
        "last_customer_act": None if last is None else said_json(last, at, names),
    }


def _kept(vector: Vector) -> dict[str, object]:
    kept, broken = vector.counts["kept"], vector.counts["broken"]
    return {
        "live": vector.live,
        "counts": dict(vector.counts),
        "kept": kept,
        "kept_late": vector.kept_late,
        "broken": broken,
        **ratio_json("kept", Rate(kept, kept + broken), fewest=FROM_THE_FIRST),
    }


def _commitment(one: Commitment, at: datetime) -> dict[str, object]:
    return {
        "commitment_id": one.id,
        "event_id": str(one.event_id),
        "kind": one.kind,
        "level": one.level,
        "by": one.by,
        "role": one.role,
        **_standing(one, at),
    }


def _promise(one: Commitment, at: datetime) -> dict[str, object]:
    return {"promise_id": one.id, "event_id": str(one.event_id), **_standing(one, at)}


def _standing(one: Commitment, at: datetime) -> dict[str, object]:
    return {
        "what": one.what,
        "status": one.status(at),
        "live": one.live(at),
        "made_at": one.made_at,
        "age_days": age_days(one.made_at, at),
        "due": one.due,
        "overdue_at": one.overdue_at,
        "settled_at": one.settled_at,
        "kept_late": one.kept_late,
        "event_ids": [str(event_id) for event_id in one.event_ids],
    }


def _one_sided(last: Event | None, efforts: Sequence[Event], at: datetime) -> dict[str, object]:
    return {
        "since": last.occurred_at if last else None,
        "days": age_days(last.occurred_at, at) if last else None,
        "acts": len(efforts),
        "event_ids": _ids(efforts),
    }


def _initiated(initiated: Sequence[Event], of: int) -> dict[str, object]:
    return {
        "initiated": len(initiated),
        **ratio_json("initiated", Rate(len(initiated), of)),
        "event_ids": _ids(initiated),
    }


def _quarter(one: QuarterActs, at: datetime) -> dict[str, object]:
    return {
        "quarter": one.quarter.name,
        "start": one.quarter.start,
        "end": one.quarter.end,
        "customer": {"acts": len(one.customer), "event_ids": _ids(one.customer)},
        "seller": {"acts": len(one.seller), "event_ids": _ids(one.seller)},
        "customer_initiated": _initiated(one.initiated, len(one.customer) + len(one.seller)),
        "one_sided": _one_sided(one.last, one.one_sided, min(at, one.quarter.end_instant)),
    }


def _change(folded: Commitments, at: datetime) -> dict[str, object]:
    rungs = folded.rungs(at)
    return {
        "standing": standing_of(rungs),
        "rungs": [
            {
                "name": rung.rung,
                "reached": bool(rung.event_ids),
                "event_ids": [str(event_id) for event_id in rung.event_ids],
            }
            for rung in rungs
        ],
    }


def _goals(folded: Commitments, at: datetime) -> dict[str, object]:
    won = folded.won
    recorded = {
        _words(event.data.goal): str(event.event_id)
        for event in folded.goals
        if isinstance(event.data, CustomerGoalRecorded)
    }
    return {
        "recorded": [said_json(event, at) for event in reversed(folded.goals)],
        "achieved": [
            {
                **said_json(event, at),
                "goal_event_id": recorded.get(_words(event.data.goal)),
                "after_win": won is not None and event.order > won.order,
            }
            for event in reversed(folded.achieved)
            if isinstance(event.data, CustomerGoalAchieved)
        ],
    }


def _words(goal: str) -> str:
    return " ".join(goal.casefold().split())


def _ids(events: Iterable[Event]) -> list[str]:
    return [str(event.event_id) for event in events]
