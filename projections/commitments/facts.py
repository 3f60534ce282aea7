"""What lists need to know of a deal's commitments, kept as facts: words, pushes and contacts."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Literal, TypeAlias
from uuid import UUID

from domain.acts import contacts_of
from domain.close_date import pushes_of
from domain.commitments import (
    OF_COMMITMENTS,
    Commitment,
    Settlement,
    Side,
    Word,
    by_commitment,
    commitments_of,
)
from domain.events.base import DomainEvent
from domain.events.customer import ContactIdentified
from domain.events.honesty import EventAmended, EventRetracted
from domain.events.life import CloseDateMoved, DealOpened
from domain.events.progress import OutcomeEvidenced
from domain.known import Known
from domain.replay import Event
from projections.stretches import Stretch, over_life

SignKind: TypeAlias = Literal["push", "contact"]
_Types: TypeAlias = frozenset[type[DomainEvent]]
_OF_WORDS: Final[_Types] = OF_COMMITMENTS | {DealOpened}
_OF_SIGNS: Final[_Types] = frozenset(
    {CloseDateMoved, ContactIdentified, DealOpened, OutcomeEvidenced}
)
_CORRECTING: Final[_Types] = frozenset({EventAmended, EventRetracted})
COMMITMENT_TOPICS: Final = frozenset(event.TOPIC for event in _OF_WORDS | _CORRECTING)
"""The events at which the commitments of a deal may change."""
SIGN_TOPICS: Final = frozenset(event.TOPIC for event in _OF_SIGNS | _CORRECTING)
"""The events at which the pushes and contacts of a deal may change."""


@dataclass(frozen=True, slots=True)
class Given(Stretch):
    """A commitment of the customer, or a promise of ours, as it read between two instants.

    `commitment_id` is what it is called on its `side`, `event_id` the event that states it.
    """

    side: Side
    commitment_id: str
    event_id: UUID
    what: str
    by: str | None
    level: int | None
    due: date | None
    overdue_at: datetime | None
    renegotiated: bool
    settled: Settlement | None
    settled_at: datetime | None

    @property
    def word(self) -> Word:
        """What its status at an instant follows from."""
        return Word(
            self.level,
            self.due,
            self.overdue_at,
            self.renegotiated,
            self.settled,
            self.settled_at,
        )


@dataclass(frozen=True, slots=True)
class Sign(Stretch):
    """A push of the close date, named by its event, or a person known at the customer."""

    kind: SignKind
    name: str


def derive_given(events: Sequence[Event], known: Known) -> list[Given]:
    """Give what both sides of a deal's view said, each for as long as it reads the same."""

    def derive(stretch: Sequence[Event]) -> Iterable[Given]:
        return map(_given, commitments_of(stretch, known.calendar, known.policy))

    opened = [event for event in events if type(event.data) is DealOpened]
    found: list[Given] = []
    for own in by_commitment(events).values():
        told = sorted([*opened, *own], key=lambda event: event.order)
        found += over_life(told, [event.occurred_at for event in own], derive)
    return found


def _given(one: Commitment) -> Given:
    return Given(
        from_at=one.made_at,
        until_at=None,
        side=one.side,
        commitment_id=one.id,
        event_id=one.event_id,
        what=one.what,
        by=one.by,
        level=one.level,
        due=one.due,
        overdue_at=one.overdue_at,
        renegotiated=one.renegotiated,
        settled=one.settled,
        settled_at=one.settled_at,
    )


def derive_signs(events: Sequence[Event], known: Known) -> list[Sign]:
    """Give the pushes and the contacts of a deal's view; nothing told later changes them."""
    del known

    def derive(stretch: Sequence[Event]) -> Iterable[Sign]:
        for push in pushes_of(stretch):
            yield Sign(push.occurred_at, None, "push", str(push.event_id))
        for name, first in contacts_of(stretch).items():
            yield Sign(first.occurred_at, None, "contact", name)

    return over_life(_of_types(events, _OF_SIGNS), (), derive)


def _of_types(events: Iterable[Event], types: _Types) -> list[Event]:
    # Events are never subclassed, and this is many times faster than isinstance.
    return [event for event in events if type(event.data) in types]
