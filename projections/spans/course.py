"""The states that a deal went through, on both clocks: as it was known, and as it happened."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import attrgetter
from typing import Final, NamedTuple
from uuid import UUID

from domain.events.honesty import EventAmended, EventRetracted
from domain.replay import Event, view
from domain.stamp import RecordedEvent
from projections.spans.fold import CORRECTIONS, DealState, Told, evolve, fold

NEVER: Final = datetime.max.replace(tzinfo=UTC)
"""When a deal is settled of which a correction names an event that may come yet."""
_BEGINNING: Final = datetime.min.replace(tzinfo=UTC)

# The order of every fold: the time of recording never decreases along the positions.
_ORDER: Final = attrgetter("occurred_at", "position")


class Change(NamedTuple):
    """The state that an event left behind; None before the deal was opened."""

    position: int
    occurred_at: datetime
    state: DealState | None


@dataclass(frozen=True, slots=True)
class Course:
    """What was known of a deal from position to position, and what is now said to have been.

    `hindsight` is the list `known` itself where all was told in order. `settled_at` is when the
    last of the events occurred: what occurs from then on, and corrects nothing, goes on from the
    last state; anything else changes the past, and the deal is folded anew.
    """

    known: list[Change]
    hindsight: list[Change]
    settled_at: datetime


def in_order(events: Iterable[Told], settled_at: datetime = _BEGINNING) -> bool:
    """Say whether events occurred one after the other since an instant, and correct nothing."""
    for event in events:
        if event.occurred_at < settled_at or event.data.TOPIC in CORRECTIONS:
            return False
        settled_at = event.occurred_at
    return True


def onward(events: Sequence[Told], state: DealState | None) -> list[Change]:
    """Give the changes of a state by events that come in order after it."""
    return _changes(events, _evolved(events, state))


def course(events: Sequence[Told]) -> Course:
    """Give the course of a deal from the start of its stream, in the order of positions.

    Where there is a correction among them, all must be whole events of the log.
    """
    if in_order(events):
        changes = onward(events, None)
        return Course(changes, changes, events[-1].occurred_at if events else _BEGINNING)
    seen = _view(events)
    last = max(event.occurred_at for event in events)
    settled_at = last if _corrected(events) <= {e.event_id for e in _whole(events)} else NEVER
    return Course(_changes(events, _known(events)), onward(seen, None), settled_at)


def _changes(events: Iterable[Told], states: Iterator[DealState | None]) -> list[Change]:
    """Keep the states that differ from the one before; the first stood before the events."""
    changes: list[Change] = []
    state = next(states)
    for event, after in zip(events, states, strict=True):
        if differs(after, state):
            changes.append(Change(event.position, event.occurred_at, after))
            state = after
    return changes


def _evolved(events: Iterable[Told], state: DealState | None) -> Iterator[DealState | None]:
    yield state
    for event in events:
        state = evolve(state, event)
        yield state


def _known(events: Sequence[Told]) -> Iterator[DealState | None]:
    """Fold anew only where an event changes the past, or was corrected before it was told."""
    state, settled_at, corrected = None, _BEGINNING, set[UUID]()
    yield state
    for count, event in enumerate(events, start=1):
        corrects = event.data.TOPIC in CORRECTIONS
        if corrects:
            corrected |= _corrected([event])
        past = corrects or event.occurred_at < settled_at
        if past or (corrected and corrected & {e.event_id for e in _whole([event])}):
            state = fold(_view(events[:count]))
        else:
            state = evolve(state, event)
        settled_at = max(settled_at, event.occurred_at)
        yield state


def _view(events: Sequence[Told]) -> Sequence[Told]:
    return view(_whole(events)) if _corrected(events) else sorted(events, key=_ORDER)


def _corrected(events: Iterable[Told]) -> set[UUID]:
    """Give the ids of the events that corrections are about."""
    kinds = EventAmended | EventRetracted
    return {event.data.event_id for event in events if isinstance(event.data, kinds)}


def _whole(events: Iterable[Told]) -> list[Event]:
    return [event for event in events if isinstance(event, RecordedEvent)]


def differs(one: DealState | None, other: DealState | None) -> bool:
    """Say whether two states read differently: 10.0 and 10.00 are equal, and do."""
    if one is other:
        return False
    return one != other or _decimals(one) != _decimals(other)


def _decimals(state: DealState | None) -> tuple[str, str]:
    return ("", "") if state is None else (str(state.amount), str(state.discount))
