"""What may be undone: an event that nothing told since rests on."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from uuid import UUID

from domain.deal import decide, evolve
from domain.deal_state import Deal
from domain.errors import AlreadySoError, DomainError, StillNeededError
from domain.events.base import type_name
from domain.events.catalogue import DealEvent
from domain.events.honesty import EventRetracted
from domain.path import Processes
from domain.replay import Event, view
from domain.stamp import Stamp


def ensure_nothing_rests_on(
    undoing: EventRetracted, events: Sequence[Event], processes: Processes
) -> None:
    """Refuse to undo an event without which a later one could not have been told.

    What could not have been told anyway, as an import may bring it, rests on nothing; and what
    would only have said again what the deal said already stays true.

    Raises:
        StillNeededError: naming the first event that rests on it, and why.
    """
    target = next((e for e in events if e.event_id == undoing.event_id), None)
    if target is None:
        return
    refused = _refusals(view(events), processes)
    retraction = replace(events[-1], event_id=UUID(int=0), data=undoing)
    without = view([*events, replace(retraction, position=events[-1].position + 1)])
    for event_id, error in _refusals(without, processes).items():
        if event_id not in refused and not isinstance(error, AlreadySoError):
            resting = next(e for e in events if e.event_id == event_id)
            message = (
                f"the {_named(resting)} rests on this {type_name(type(target.data))}"
                f" ({error.detail}); undo that first"
            )
            raise StillNeededError(message, field="event_id")


def _refusals(events: Iterable[Event], processes: Processes) -> dict[UUID, DomainError]:
    """Give what of a view the model would have refused, each event on top of those before it."""
    found: dict[UUID, DomainError] = {}
    deal: Deal | None = None
    for event in events:
        if isinstance(event.data, DealEvent):
            try:
                stamp = Stamp(event.occurred_at, event.recorded_at, event.actor)
                decide(deal, event.data, stamp=stamp, processes=processes, events=())
            except DomainError as error:
                found[event.event_id] = error
        deal = evolve(deal, event)
    return found


def _named(event: Event) -> str:
    at = event.occurred_at.isoformat(timespec="minutes")
    return f"{type_name(type(event.data))} of {at} (event {event.event_id})"
