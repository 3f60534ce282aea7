"""The deal as each of its events left it, as it was known when the event was told."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import reduce
from operator import attrgetter
from typing import Final, Protocol, TypeAlias, TypeVar
from uuid import UUID

from domain.events.catalogue import STREAM_KINDS, TYPES_BY_NAME
from domain.events.honesty import EventAmended, EventRetracted
from domain.replay import Event, view


class Deal(Protocol):
    """As much of a deal's state as its events are asked about."""

    @property
    def owner(self) -> str: ...
    @property
    def account_id(self) -> str: ...
    @property
    def stage(self) -> str | None: ...
    @property
    def amount(self) -> Decimal | None: ...
    @property
    def currency(self) -> str | None: ...


State = TypeVar("State", bound=Deal)
Evolve: TypeAlias = Callable[[State | None, Event], State | None]
"""Gives the state of a deal after one more event of its view; None before it is opened."""
TOPICS: Final = frozenset(
    TYPES_BY_NAME[name].TOPIC for name, kind in STREAM_KINDS.items() if kind == "deal"
)
_CORRECTIONS: Final = EventAmended | EventRetracted
_BEGINNING: Final = datetime.min.replace(tzinfo=UTC)
# The order of every fold: the time of recording never decreases along the positions.
_ORDER: Final = attrgetter("occurred_at", "position")


def contexts(
    stream: Sequence[Event], evolve: Evolve[State], *, after: int = 0
) -> Iterator[tuple[int, State]]:
    """Give the position of each event told after another, with the deal as the event left it.

    That is the deal with all that had occurred by the event, corrections applied, as known when it
    was told: no later event changes it. The stream is whole and in the order of positions; an
    event before the opening of its deal has no context.
    """
    state: State | None = None
    settled_at, corrected = _BEGINNING, set[UUID]()
    for count, event in enumerate(stream, start=1):
        if isinstance(event.data, _CORRECTIONS):
            corrected.add(event.data.event_id)
        elif event.occurred_at >= settled_at and not _named(event, corrected):
            state, settled_at = evolve(state, event), event.occurred_at
            if state is not None and event.position > after:
                yield event.position, state
            continue
        seen = _seen(stream[:count], corrected=bool(corrected))
        state, settled_at = _folded(seen, evolve), max(settled_at, event.occurred_at)
        left = _folded((one for one in seen if _ORDER(one) <= _ORDER(event)), evolve)
        if left is not None and event.position > after:
            yield event.position, left


def _named(event: Event, corrected: set[UUID]) -> bool:
    """Say whether a correction that was told before an event is about it."""
    return bool(corrected) and event.event_id in corrected


def _seen(told: Sequence[Event], *, corrected: bool) -> Sequence[Event]:
    return view(told) if corrected else sorted(told, key=_ORDER)


def _folded(events: Iterable[Event], evolve: Evolve[State]) -> State | None:
    nothing: State | None = None
    return reduce(evolve, events, nothing)
