"""The six questions of a deal review, and what was recorded that answers them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from domain.acts import is_customer_act
from domain.commitments import Commitment
from domain.events.base import DomainEvent
from domain.events.customer import (
    ConsequenceRecorded,
    ContactIdentified,
    CustomerGoalRecorded,
    DecisionCriterionRecorded,
    ObstacleRecorded,
    ObstacleRemoved,
)
from domain.events.people import ReviewHeld
from domain.replay import Event

QuestionName: TypeAlias = Literal[
    "goal", "consequence", "obstacles", "decision", "done", "promises"
]
State: TypeAlias = Literal["blank", "partly", "answered"]

TEXTS: Final[dict[QuestionName, str]] = {
    "goal": "What is the customer trying to achieve?",
    "consequence": "What happens if they do not?",
    "obstacles": "What stands in their way?",
    "decision": "Who decides, and by which criteria?",
    "done": "What has the customer done since the last review?",
    "promises": "Which of our promises are open?",
}
_ORDER: Final[tuple[State, ...]] = ("blank", "partly", "answered")


@dataclass(frozen=True, slots=True)
class Question:
    """A question with what answers it, the latest first.

    `missing` names the parts that nothing was recorded about. An answered question may have no
    answer left to show: of all promises made, none may be open.
    """

    name: QuestionName
    answers: tuple[Event, ...]
    missing: tuple[str, ...]
    parts: int = 1

    @property
    def state(self) -> State:
        """Whether it is blank, partly blank or answered."""
        if len(self.missing) == self.parts:
            return "blank"
        return "partly" if self.missing else "answered"


@dataclass(frozen=True, slots=True)
class Sheet:
    """The questions of a deal, blank ones first, and the last review that was held."""

    last_review: Event | None
    questions: tuple[Question, ...]


def fold(events: Sequence[Event], promises: Sequence[Commitment]) -> Sheet:
    """Fold a deal's view into its review sheet; `promises` are those of the seller in it.

    A promise is open until it is kept or broken, overdue or not.
    """
    review = next(iter(_latest(events, ReviewHeld)), None)
    questions = [
        _one("goal", _latest(events, CustomerGoalRecorded)),
        _one("consequence", _latest(events, ConsequenceRecorded)),
        _obstacles(events),
        _decision(events),
        _one("done", [e for e in reversed(events) if is_customer_act(e) and _after(e, review)]),
        _promises(events, promises),
    ]
    # A sort keeps the order of the questions within each state.
    return Sheet(review, tuple(sorted(questions, key=lambda one: _ORDER.index(one.state))))


def _after(event: Event, review: Event | None) -> bool:
    return review is None or event.order > review.order


def _one(name: QuestionName, answers: Iterable[Event]) -> Question:
    found = tuple(answers)
    return Question(name, found, () if found else (name,))


def _obstacles(events: Sequence[Event]) -> Question:
    """Give the obstacles that stand, or what removed the last one where none does."""
    removed = {e.data.obstacle_id: e for e in events if isinstance(e.data, ObstacleRemoved)}
    recorded = {e.data.obstacle_id: e for e in events if isinstance(e.data, ObstacleRecorded)}
    standing = [event for name, event in recorded.items() if name not in removed]
    known = standing or [event for name, event in removed.items() if name in recorded][-1:]
    return _one("obstacles", _newest_first(known))


def _decision(events: Sequence[Event]) -> Question:
    people = {e.data.contact: e for e in events if isinstance(e.data, ContactIdentified)}
    criteria = _latest(events, DecisionCriterionRecorded)
    parts = {"people": list(people.values()), "criteria": criteria}
    missing = tuple(name for name, found in parts.items() if not found)
    return Question("decision", tuple(_newest_first([*people.values(), *criteria])), missing, 2)


def _promises(events: Iterable[Event], promises: Sequence[Commitment]) -> Question:
    open_ids = {one.event_id for one in promises if one.settled is None}
    answers = _newest_first(event for event in events if event.event_id in open_ids)
    return Question("promises", tuple(answers), () if promises else ("promises",))


def _latest(events: Sequence[Event], kind: type[DomainEvent]) -> list[Event]:
    return [event for event in reversed(events) if isinstance(event.data, kind)]


def _newest_first(events: Iterable[Event]) -> list[Event]:
    return sorted(events, key=lambda event: event.order, reverse=True)
