"""The goals of a deal's customer as facts: when each was recorded, and when it was achieved."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from domain.events.customer import CustomerGoalAchieved, CustomerGoalRecorded
from domain.events.honesty import EventAmended, EventRetracted
from domain.known import Known
from domain.replay import Event

GOAL_TOPICS: Final = frozenset(
    event.TOPIC
    for event in (CustomerGoalRecorded, CustomerGoalAchieved, EventAmended, EventRetracted)
)
"""The events at which the goals of a deal may change."""


@dataclass(frozen=True, slots=True)
class Goal:
    """Something that a customer wants, by its words: since when, and when they first had it.

    A goal that was achieved without being recorded before has no `recorded_at`.
    """

    goal: str
    recorded_at: datetime | None
    recorded_by: UUID | None
    achieved_at: datetime | None
    achieved_by: UUID | None


def derive_goals(events: Sequence[Event], _known: Known) -> list[Goal]:
    """Give the goals of a deal's view, in the order in which each is first told."""
    recorded: dict[str, Event] = {}
    achieved: dict[str, Event] = {}
    for event in events:
        match event.data:
            case CustomerGoalRecorded(goal=goal):
                recorded.setdefault(goal, event)
            case CustomerGoalAchieved(goal=goal):
                achieved.setdefault(goal, event)
            case _:
                pass
    return [_goal(goal, recorded.get(goal), achieved.get(goal)) for goal in recorded | achieved]


def _goal(goal: str, recorded: Event | None, achieved: Event | None) -> Goal:
    return Goal(
        goal=goal,
        recorded_at=recorded.occurred_at if recorded else None,
        recorded_by=recorded.event_id if recorded else None,
        achieved_at=achieved.occurred_at if achieved else None,
        achieved_by=achieved.event_id if achieved else None,
    )
