"""What an activity changed: the facts it added, and whether anything followed from them.

Met is not learned: a tick of "meet with decision makers" after a handshake adds no person, no role
and no criterion, and says so here. Facts are told by events of their own; which tick brought them
follows from what the events name, or from when they happened.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal, TypeAlias
from uuid import UUID

from domain.events.customer import (
    AlternativeRecorded,
    CommitmentRenegotiated,
    ConsequenceRecorded,
    ContactIdentified,
    CustomerCommitmentRecorded,
    CustomerGoalRecorded,
    DecisionCriterionRecorded,
    FitAssessed,
    ObstacleRecorded,
    SellerPromiseMade,
)
from domain.events.life import (
    AmountChanged,
    CloseDateMoved,
    DealDisqualified,
    DealLost,
    DealWon,
)
from domain.events.money import ConcessionOffered, DiscountOffered, DiscountWithdrawn
from domain.events.progress import ActivityTicked, ActivityUnticked, GateDecided
from domain.policy import Policy
from domain.replay import Event

Kind: TypeAlias = Literal[
    "person",
    "role",
    "criterion",
    "alternative",
    "goal",
    "consequence",
    "obstacle",
    "date",
    "budget",
]
_SOON: Final = timedelta(days=1)
"""What an activity taught is written down within a day; what is told later or sooner is not its."""
Link: TypeAlias = Literal["caused_by", "correlation", "nearest"]
_CHANGING: Final = frozenset(
    {
        AmountChanged,
        ConcessionOffered,
        DiscountOffered,
        DiscountWithdrawn,
        CloseDateMoved,
        CommitmentRenegotiated,
        CustomerCommitmentRecorded,
        SellerPromiseMade,
        FitAssessed,
        DealDisqualified,
        DealLost,
        DealWon,
        GateDecided,
    }
)
"""A change of the offer, of the plan, of the fit, or a decision to go on or to end it."""


@dataclass(frozen=True, slots=True)
class Learned:
    """A fact that the deal's record did not hold before, and how its event points to the tick.

    `level` says whose word it is, as that of evidence; None where its event states none. `link` is
    None where nothing ties it to a tick: nobody can say which activity brought it.
    """

    kind: Kind
    value: str
    level: int | None
    event_id: UUID
    link: Link | None


@dataclass(frozen=True, slots=True)
class Taught:
    """What an activity added to what is known of the deal, and what followed within the time."""

    learned: tuple[Learned, ...]
    changed_by: tuple[UUID, ...]
    settles_at: datetime

    def changed(self, at: datetime) -> bool | None:
        """Say whether anything followed from it; None while something still may in time."""
        if self.changed_by:
            return True
        return None if at < self.settles_at else False


@dataclass(frozen=True, slots=True)
class _Value:
    kind: Kind
    value: str
    level: int | None = None

    @property
    def key(self) -> tuple[str, str]:
        """What tells it from another; capitals and spaces do not."""
        return self.kind, " ".join(self.value.casefold().split())


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What each activity taught, of those that taught something, and the facts tied to none."""

    taught: Mapping[str, Taught]
    unlinked: tuple[Learned, ...]


def knowledge(events: Sequence[Event], policy: Policy) -> Knowledge:
    """Give what was learned along a deal's view, and by which activity.

    A fact counts once, where its value is first told. It belongs to the tick that its event names
    as its cause; else to one told with it (the same correlation); else to the nearest one, before
    or after, within a day. A tick that was taken back keeps what was caused by it, and is none.
    """
    ticks = _Ticks(events)
    found: dict[str, list[tuple[Event, list[Learned]]]] = {}
    unlinked: list[Learned] = []
    for event, values in _first_told(events):
        activity, link = ticks.of(event) or (None, None)
        learned = [Learned(v.kind, v.value, v.level, event.event_id, link) for v in values]
        if activity is None:
            unlinked += learned
        else:
            found.setdefault(activity, []).append((event, learned))
    days = timedelta(days=policy.discovery_days)
    taught = {activity: _taught(events, told, days) for activity, told in found.items()}
    return Knowledge(taught, tuple(unlinked))


def answer(found: Taught | None, at: datetime) -> dict[str, object]:
    """Give what an activity taught in the shape of the API."""
    return {
        "learned": [learned_json(one) for one in (found.learned if found else ())],
        "changed": found.changed(at) if found else None,
        "changed_by": [str(event_id) for event_id in (found.changed_by if found else ())],
    }


def learned_json(one: Learned) -> dict[str, object]:
    """Give a fact with the event that told it, and how that is tied to a tick."""
    return {
        "kind": one.kind,
        "value": one.value,
        "level": one.level,
        "event_id": str(one.event_id),
        "link": one.link,
    }


def _taught(
    events: Iterable[Event], told: Sequence[tuple[Event, list[Learned]]], days: timedelta
) -> Taught:
    since, own = told[0][0].order, {event.event_id for event, _ in told}
    settles_at = told[-1][0].occurred_at + days
    return Taught(
        learned=tuple(one for _, learned in told for one in learned),
        changed_by=tuple(
            event.event_id
            for event in events
            if type(event.data) in _CHANGING
            and event.order > since
            and event.occurred_at <= settles_at
            and event.event_id not in own
        ),
        settles_at=settles_at,
    )


class _Ticks:
    """The ticks of a deal that facts may belong to: those since their activity was unticked."""

    def __init__(self, events: Iterable[Event]) -> None:
        self._all: set[UUID] = set()
        standing: dict[str, list[tuple[Event, str]]] = {}
        for event in events:
            match event.data:
                case ActivityTicked(activity=activity):
                    self._all.add(event.event_id)
                    standing.setdefault(activity, []).append((event, activity))
                case ActivityUnticked(activity=activity):
                    standing.pop(activity, None)
                case _:
                    pass
        ticks = [pair for own in standing.values() for pair in own]
        self._standing = sorted(ticks, key=lambda pair: pair[0].order)
        self._by_id = {tick.event_id: activity for tick, activity in self._standing}

    def of(self, event: Event) -> tuple[str, Link] | None:
        """Give the activity that an event belongs to, and what says so."""
        if event.caused_by is not None and event.caused_by in self._all:
            caused = self._by_id.get(event.caused_by)
            return (caused, "caused_by") if caused else None
        together = [
            pair
            for pair in self._standing
            if event.correlation_id and pair[0].correlation_id == event.correlation_id
        ]
        if together:
            return _nearest(event, together), "correlation"
        near = [pair for pair in self._standing if _apart(event, pair[0]) <= _SOON]
        return (_nearest(event, near), "nearest") if near else None


def _nearest(event: Event, ticks: Iterable[tuple[Event, str]]) -> str:
    """Give the activity of the tick nearest to an event; of two as near, the earlier one's."""
    _, activity = min(ticks, key=lambda pair: _apart(event, pair[0]))
    return activity


def _apart(one: Event, other: Event) -> timedelta:
    return abs(one.occurred_at - other.occurred_at)


def _first_told(events: Iterable[Event]) -> Iterator[tuple[Event, list[_Value]]]:
    """Give the events that tell something new, with what of it is new."""
    known: set[tuple[str, str]] = set()
    kinds: dict[str, str] = {}
    for event in events:
        if isinstance(event.data, CustomerCommitmentRecorded):
            kinds[event.data.commitment_id] = event.data.kind
        new = [value for value in _values(event, kinds) if value.key not in known]
        known.update(value.key for value in new)
        if new:
            yield event, new


def _values(event: Event, kinds: Mapping[str, str]) -> Iterator[_Value]:
    """Give the facts that an event tells about the customer; a date says what it is the day of."""
    match event.data:
        case ContactIdentified(contact=contact, role=role):
            yield _Value("person", contact)
            yield _Value("role", f"{contact}: {role}")
        case ConsequenceRecorded(by=by, level=level) if by:
            yield from _said(event)
            yield _Value("date", f"consequence: {by.isoformat()}", level)
        case CustomerCommitmentRecorded(kind=kind, due=due, level=level):
            yield from _said(event)
            if due:
                yield _Value("date", f"{kind}: {due.isoformat()}", level)
        case CommitmentRenegotiated(commitment_id=commitment_id, due=due):
            yield _Value("date", f"{kinds.get(commitment_id, 'other')}: {due.isoformat()}")
        case _:
            yield from _said(event)


def _said(event: Event) -> Iterator[_Value]:
    match event.data:
        case DecisionCriterionRecorded(criterion=criterion, level=level):
            yield _Value("criterion", criterion, level)
        case AlternativeRecorded(alternative=alternative, level=level):
            yield _Value("alternative", alternative, level)
        case CustomerGoalRecorded(goal=goal, level=level):
            yield _Value("goal", goal, level)
        case ObstacleRecorded(obstacle=obstacle, level=level):
            yield _Value("obstacle", obstacle, level)
        case ConsequenceRecorded(consequence=consequence, level=level):
            yield _Value("consequence", consequence, level)
        case CustomerCommitmentRecorded(kind="budget", what=what, level=level):
            yield _Value("budget", what, level)
        case _:
            pass
