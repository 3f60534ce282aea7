"""What the forms of a deal offer to choose from, as the deal and its process have it."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeAlias

from api.deal_seen import DealSeen
from api.identity.reach import Reach
from domain.commitments import Commitment
from domain.deal_state import Deal
from domain.decisions.order import AFTER_CLOSING, AFTER_DELETION
from domain.events.base import DomainEvent
from domain.events.catalogue import STREAM_KINDS, TYPES_BY_NAME
from domain.events.customer import ObstacleRecorded
from domain.events.life import DealOpened, DealReopened, DealWon, WinReversed
from domain.events.money import DiscountWithdrawn
from domain.events.progress import OutcomeEvidenced
from domain.known import Known
from domain.process import Process
from domain.replay import Event
from projections.words import title

Offer: TypeAlias = dict[str, str]
"""Something to choose: the id that an event names it by, and what it is called."""


def offers_of(seen: DealSeen, reach: Reach, names: Mapping[str, str]) -> dict[str, Any]:
    """Give what may be told of a deal now, and all that such an event may name."""
    deal = seen.told.replayed() or Deal()
    process, at = seen.pinned(), seen.moment.effective_at
    both = seen.told.commitments()
    return {
        "takes": [name for name, kind in _deal_types() if _takes(deal, kind)],
        "stage": deal.stage,
        "next_stage": _next_stage(process, deal.stage),
        "stages": _stages(process),
        "activities": _activities(process, deal.ticked),
        "commitments": _live(both, "customer", deal.commitments.live),
        "promises": _live(both, "seller", deal.promises.live),
        "obstacles": _obstacles(seen.events, deal.obstacles.live),
        "evidence": _evidence(seen, deal.evidence.live),
        "currency": deal.amount.currency if deal.amount else currency_of(seen.known),
        **offers_to_anybody(seen.known, reach, names, at),
    }


def offers_to_anybody(
    known: Known, reach: Reach, names: Mapping[str, str], at: datetime
) -> dict[str, Any]:
    """Give what does not depend on the deal: the day, people in reach, published processes."""
    people = {one.rep for one in known.memberships if one.holds(at) and reach.has_deal_of(one.rep)}
    published = sorted(known.catalogue.values(), key=lambda one: (one.name, one.version))
    return {
        "today": known.calendar.day_of(at).isoformat(),
        "people": [
            {"id": one, "name": names.get(one, one)}
            for one in sorted(people, key=lambda one: names.get(one, one))
        ],
        "processes": [
            {"id": f"{one.id} {one.version}", "name": f"{one.name}, version {one.version}"}
            for one in published
        ],
    }


def offers_to_open(known: Known, at: datetime) -> dict[str, Any]:
    """Give what a new deal may name: the stages of the process in force, and a currency."""
    stages = _stages(known.default_process(at))
    return {"stages": stages, "currency": currency_of(known)}


def currency_of(known: Known) -> str:
    """Give the currency of the quota that was assigned last; empty without any."""
    steps = [step for quota in known.quotas.values() for step in quota.steps if step.amount]
    last = max(steps, key=lambda step: (step.since, step.event_id), default=None)
    return last.amount.currency if last and last.amount else ""


def _deal_types() -> Iterable[tuple[str, type[DomainEvent]]]:
    return ((name, TYPES_BY_NAME[name]) for name, of in STREAM_KINDS.items() if of == "deal")


def _takes(deal: Deal, kind: type[DomainEvent]) -> bool:
    """Say whether it makes sense to ask for an event; the application decides whether it is so."""
    if deal.deleted:
        return issubclass(kind, AFTER_DELETION)
    if deal.closed is not None and not issubclass(kind, AFTER_CLOSING):
        return False
    makes_sense: dict[type[DomainEvent], bool] = {
        DealOpened: deal.opened_at is None,
        DealReopened: deal.closed is not None,
        DealWon: not deal.win_stands,
        WinReversed: deal.win_stands,
        DiscountWithdrawn: deal.discount is not None,
    }
    return makes_sense.get(kind, True)


def _next_stage(process: Process, stage: str | None) -> str | None:
    ids = [one.id for one in process.working_stages]
    place = ids.index(stage) + 1 if stage in ids else 0
    return ids[place] if place < len(ids) else None


def _stages(process: Process) -> list[Offer]:
    """Give the stages to go through; a deal is closed by winning or losing it."""
    return [{"id": stage.id, "name": stage.name} for stage in process.working_stages]


def _activities(process: Process, ticked: frozenset[str]) -> list[dict[str, Any]]:
    return [
        {
            "id": activity.id,
            "name": activity.name,
            "purpose": activity.purpose,
            "stage": stage.id,
            "stage_name": stage.name,
            "ticked": activity.id in ticked,
            "outcomes": [
                {"id": one.id, "name": one.name, "required_level": one.needed}
                for one in activity.outcomes
            ],
        }
        for stage, activity in process.activities.values()
    ]


def _live(both: Iterable[Commitment], side: str, live: frozenset[str]) -> list[Offer]:
    """Give what is not settled yet, the first due first."""
    found = [one for one in both if one.side == side and one.id in live]
    found.sort(key=lambda one: (one.due is None, str(one.due or "")))
    return [
        {
            "id": one.id,
            "name": one.what,
            "due": one.due.isoformat() if one.due else "",
        }
        for one in found
    ]


def _obstacles(events: Sequence[Event], live: frozenset[str]) -> list[Offer]:
    stated = (event.data for event in events)
    found = {one.obstacle_id: one.obstacle for one in stated if isinstance(one, ObstacleRecorded)}
    return [{"id": name, "name": text} for name, text in found.items() if name in live]


def _evidence(seen: DealSeen, live: frozenset[str]) -> list[Offer]:
    return [
        {"id": str(event.event_id), "name": title(event.data, seen.told.names())}
        for event in reversed(seen.events)
        if isinstance(event.data, OutcomeEvidenced) and str(event.event_id) in live
    ]
