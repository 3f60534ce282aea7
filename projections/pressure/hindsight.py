"""Which later events bear on an earlier seller event, so that hindsight must read it anew."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from domain.causes import action_time, is_customer_event
from domain.events.life import CloseDateMoved, DealOpened
from domain.events.money import DiscountOffered
from domain.events.progress import EvidenceWithdrawn, StageEntered
from domain.replay import Event


def unsettled(events: Sequence[Event]) -> dict[UUID, datetime]:
    """Give, for seller events of a deal's view, when the last event occurred that bears on them.

    A view cut at an instant begins as the whole view does, and nearly everything about a seller
    event follows from what came before it. A few later events reach back:

    * the opening of the deal, on what occurred before it;
    * the withdrawal of evidence, on the stages entered since the evidence;
    * a seller event that names its customer event, on those of its type before it;
    * a customer event between a seller event and the time that one is judged at.

    What bears on an event bears on the later ones of its type too, since one customer event
    explains only one of them. A later seller event that names nothing does not reach back: it may
    leave an earlier one to another customer event, but never unexplained (`domain.matching`), and
    an act says only what kind of cause it has. Events that nothing later bears on are left out.
    """
    later = _Later(events)
    reached: dict[type, datetime] = {}
    found: dict[UUID, datetime] = {}
    for event in events:
        kind = type(event.data)
        if kind in _SELLER_EVENTS:
            before = reached.get(kind, event.occurred_at)
            latest = reached[kind] = max([before, *later.reaching(event)])
            if latest > event.occurred_at:
                found[event.event_id] = latest
    return found


_SELLER_EVENTS: Final = frozenset({StageEntered, DiscountOffered, CloseDateMoved})


class _Later:
    """The events of a view that may reach back."""

    def __init__(self, events: Sequence[Event]) -> None:
        self._events = events
        self._opened = next((e for e in events if isinstance(e.data, DealOpened)), None)
        withdrawn = [(e.data.event_id, e) for e in events if isinstance(e.data, EvidenceWithdrawn)]
        links = [(e.caused_by, e) for e in events if e.caused_by and type(e.data) in _SELLER_EVENTS]
        self._withdrawn = self._with_targets(withdrawn)
        self._links = self._with_targets(links)

    def _with_targets(self, pointing: Sequence[tuple[UUID, Event]]) -> list[tuple[Event, Event]]:
        if not pointing:
            return []
        by_id = {event.event_id: event for event in self._events}
        return [(by_id[target], event) for target, event in pointing if target in by_id]

    def reaching(self, event: Event) -> Iterator[datetime]:
        """Give the instants of those that bear on a seller event, wherever they lie."""
        if self._opened is not None:
            yield self._opened.occurred_at
        if isinstance(event.data, StageEntered):
            for evidence, withdrawal in self._withdrawn:
                if evidence.occurred_at <= event.occurred_at:
                    yield withdrawal.occurred_at
        at = action_time(event)
        for customer_event, link in self._links:
            if type(link.data) is type(event.data) and customer_event.occurred_at <= at:
                yield link.occurred_at
        if at > event.occurred_at:
            yield from self._between(event.occurred_at, at)

    def _between(self, start: datetime, end: datetime) -> Iterator[datetime]:
        """Give the instants of customer events after one instant and up to another."""
        for event in self._events:
            if start < event.occurred_at <= end and is_customer_event(event):
                yield event.occurred_at
