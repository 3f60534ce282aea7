"""What a question sees of a stream: corrections applied, in order, cut by what was known."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from operator import attrgetter
from typing import Final
from uuid import UUID

from domain.events.base import DomainEvent
from domain.events.catalogue import parse
from domain.events.honesty import EventAmended, EventRetracted
from domain.stamp import RecordedEvent

Event = RecordedEvent[DomainEvent]

_ORDER: Final = attrgetter("occurred_at", "recorded_at", "position")
"""The order of every fold, as `RecordedEvent.order` gives it, without a call for each event."""

_CORRECTIONS: Final = frozenset({EventAmended, EventRetracted})
"""Looked up by type: events are never subclassed, and every fold comes by here."""


def view(
    events: Iterable[Event], *, as_of: int | None = None, effective_at: datetime | None = None
) -> list[Event]:
    """Give a stream as known at position `as_of` and as true at `effective_at` (METRICS 1).

    Amendments and retractions recorded by then are applied and are themselves left out; the
    latest recorded wins. The order is that of every fold. None means no cut.
    """
    known = [event for event in events if as_of is None or event.position <= as_of]
    if not _CORRECTIONS.isdisjoint([type(event.data) for event in known]):
        known = _corrected(known)
    if effective_at is not None:
        known = [event for event in known if event.occurred_at <= effective_at]
    return sorted(known, key=_ORDER)


def _corrected(known: list[Event]) -> list[Event]:
    retracted, amended = corrections(known)
    return [
        _amend(event, amended.get(event.event_id))
        for event in known
        if event.event_id not in retracted and type(event.data) not in _CORRECTIONS
    ]


def corrections(known: Iterable[Event]) -> tuple[set[UUID], dict[UUID, EventAmended]]:
    """Give the ids that are retracted, and the amendment in force of each amended id.

    Read from the latest to the first, so that a correction which was itself retracted later
    has no effect.
    """
    retracted: set[UUID] = set()
    amended: dict[UUID, EventAmended] = {}
    for event in sorted(known, key=lambda event: event.position, reverse=True):
        if event.event_id in retracted:
            continue
        match event.data:
            case EventRetracted(event_id=target):
                retracted.add(target)
            case EventAmended(event_id=target):
                amended.setdefault(target, event.data)
            case _:
                pass
    return retracted, amended


def target_of(data: DomainEvent) -> UUID | None:
    """Give the event that a correction is about; None of what is no correction."""
    return data.event_id if isinstance(data, EventAmended | EventRetracted) else None


def in_force(known: Sequence[Event]) -> dict[UUID, Event]:
    """Give the correction by which each corrected event reads as it does.

    A retraction counts before any amendment. The events are in the order of positions.
    """
    retracted, amended = corrections(known)
    found: dict[UUID, Event] = {}
    for event in known:
        target = target_of(event.data)
        if target is None or event.event_id in retracted:
            continue
        if target in retracted:
            if isinstance(event.data, EventRetracted):
                found[target] = event
        elif amended.get(target) is event.data:
            found[target] = event
    return found


def _amend(event: Event, amendment: EventAmended | None) -> Event:
    if amendment is None:
        return event
    return replace(event, data=parse(type(event.data), amendment.data))
