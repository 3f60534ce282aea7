"""How far the customer has committed to change anything at all, in its own words."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, TypeAlias
from uuid import UUID

from domain.acts import level_of
from domain.causes import CUSTOMER_EVIDENCE, CUSTOMER_MOVE
from domain.commitments import Commitment
from domain.events.customer import ConsequenceRecorded
from domain.replay import Event

RungName: TypeAlias = Literal[
    "admits_problem", "quantified_consequence", "decided_to_change", "taking_action"
]
SPENDS: Final = 3
"""A commitment from this level on spends the customer's people, data or money."""


@dataclass(frozen=True, slots=True)
class Rung:
    """A step of the ladder, and the events that put the customer on it; none if it is not."""

    rung: RungName
    event_ids: tuple[UUID, ...]


def rungs_of(
    goals: Sequence[Event],
    consequences: Sequence[Event],
    commitments: Iterable[Commitment],
    at: datetime,
) -> list[Rung]:
    """Give the rungs at an instant, the lowest first; only the customer's own word counts.

    It admits a problem by a goal or a consequence that it states (level 3 or more), and has
    quantified one by an amount; it has decided by a live commitment in writing (level 2 or more),
    and is taking action by a live one that spends its people, data or money (level 3 or more).
    What ceases to be live takes the customer back down.
    """
    said = [event for event in (*goals, *consequences) if _customers(event)]
    live = [one for one in commitments if one.live(at)]
    return [
        Rung("admits_problem", _ids(said)),
        Rung("quantified_consequence", _ids(filter(_quantified, said))),
        Rung("decided_to_change", _committed(live, CUSTOMER_MOVE)),
        Rung("taking_action", _committed(live, SPENDS)),
    ]


def standing_of(rungs: Iterable[Rung]) -> int:
    """Give how many rungs are reached without a gap below: 0 unaware, to 4 taking action."""
    reached = 0
    for rung in rungs:
        if not rung.event_ids:
            break
        reached += 1
    return reached


def _customers(event: Event) -> bool:
    level = level_of(event)
    return level is not None and level >= CUSTOMER_EVIDENCE


def _quantified(event: Event) -> bool:
    return isinstance(event.data, ConsequenceRecorded) and event.data.amount is not None


def _ids(events: Iterable[Event]) -> tuple[UUID, ...]:
    return tuple(event.event_id for event in events)


def _committed(live: Iterable[Commitment], level: int) -> tuple[UUID, ...]:
    return tuple(one.event_id for one in live if one.level is not None and one.level >= level)
