"""The advances of a deal as facts: what was left shown, and whether the customer moved first."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, TypeAlias
from uuid import UUID

from domain.causes import action_time, causes, is_customer_event
from domain.events.base import DomainEvent
from domain.events.customer import CustomerCommitmentRecorded, CustomerRequestReceived
from domain.events.honesty import EventAmended, EventRetracted
from domain.events.life import DealMovedToProcess, DealOpened, DealReopened, WinReversed
from domain.events.progress import (
    EvidenceWithdrawn,
    OutcomeContradicted,
    OutcomeEvidenced,
    StageEntered,
)
from domain.known import Known
from domain.path import moves
from domain.replay import Event
from projections.progress.fold import StageAdvance, advances_of
from projections.stretches import Stretch, over_life

_Types: TypeAlias = frozenset[type[DomainEvent]]
_PATH: Final[_Types] = frozenset(
    {DealMovedToProcess, DealOpened, DealReopened, StageEntered, WinReversed}
)
_CUSTOMERS: Final[_Types] = frozenset(
    {CustomerCommitmentRecorded, CustomerRequestReceived, OutcomeEvidenced}
)
_OF_EVIDENCE: Final[_Types] = frozenset({OutcomeContradicted, OutcomeEvidenced})
_ONWARD: Final[_Types] = _CUSTOMERS | _OF_EVIDENCE | {DealMovedToProcess, DealReopened, WinReversed}
_TELLING: Final = _PATH | _CUSTOMERS | _OF_EVIDENCE | {EvidenceWithdrawn}
_CORRECTING: Final[_Types] = frozenset({EventAmended, EventRetracted})
ADVANCE_TOPICS: Final = frozenset(event.TOPIC for event in _TELLING | _CORRECTING)
"""The events at which the advances of a deal may change."""
ADVANCES_ONWARD: Final = frozenset(event.TOPIC for event in _ONWARD)
"""Those of them that leave an advance as it is which was entered, and told, before them."""


@dataclass(frozen=True, slots=True)
class Advance(Stretch):
    """A move above the high-water mark, and how many of the outcomes left behind were shown."""

    event_id: UUID
    occurred_at: datetime
    steps: int
    required: int
    evidenced: int
    customer_led: bool


def derive_advances(events: Sequence[Event], known: Known) -> list[Advance]:
    """Give the advances of a deal's view, each for as long as it reads the same."""
    # Without ticks, discounts and dates the causes of the stages entered stay what they are: a
    # customer event explains one event of each type.
    told = [event for event in events if type(event.data) in _TELLING]
    processes = known.processes(told)
    path = moves([event for event in told if type(event.data) in _PATH], processes)
    if not any(move.steps for move in path):
        return []
    explained = causes(told, processes, known.policy)
    reading_on = set(_explained_otherwise(told))

    def derive(stretch: Sequence[Event]) -> Iterable[Advance]:
        seen = causes(stretch, processes, known.policy) if reading_on else explained
        # What comes later adds moves to the path and changes none.
        gone = [move for move in path if move.event.order <= stretch[-1].order]
        return _advances(advances_of(stretch, gone, seen))

    return over_life(told, reading_on | set(_withdrawn(told)), derive)


def _advances(advances: Iterable[StageAdvance]) -> Iterable[Advance]:
    for advance in advances:
        yield Advance(
            from_at=advance.occurred_at,
            until_at=None,
            event_id=advance.event_id,
            occurred_at=advance.occurred_at,
            steps=advance.steps,
            required=advance.required,
            evidenced=advance.evidenced,
            customer_led=advance.customer_led,
        )


def _withdrawn(events: Iterable[Event]) -> Iterator[datetime]:
    """Give the instants from which on evidence never counted; a contradiction reaches not back."""
    return (event.occurred_at for event in events if isinstance(event.data, EvidenceWithdrawn))


def _explained_otherwise(events: Sequence[Event]) -> Iterator[datetime]:
    """Give the instants at which what explains the stages entered before may change.

    A stage entered that was told late may be explained by what the customer did in between; one
    that names a customer event takes it from those before, which could have been told as late as
    it occurred; and from the first on that was told before an earlier one was, each may leave
    those before it to another customer event, that was told later (`domain.matching`). Told in
    their order, each is explained by the oldest that can explain it, and no change explains more.
    """
    entered = [event for event in events if isinstance(event.data, StageEntered)]
    told = [action_time(event) for event in entered]
    at_once = all(at <= e.occurred_at for e, at in zip(entered, told, strict=True))
    if at_once and told == sorted(told) and all(event.caused_by is None for event in entered):
        return
    customers = {event.event_id: event.occurred_at for event in events if is_customer_event(event)}
    told_until = datetime.min.replace(tzinfo=UTC)
    in_order = True
    for event, at in zip(entered, told, strict=True):
        in_order = in_order and at >= told_until
        if not in_order:
            yield event.occurred_at
        named_at = customers.get(event.caused_by) if event.caused_by else None
        if named_at and named_at <= told_until:
            yield event.occurred_at
        yield from (instant for instant in customers.values() if event.occurred_at < instant <= at)
        told_until = max(told_until, at)
