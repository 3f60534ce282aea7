"""Reviews, coaching and notes around a deal."""

from typing import ClassVar, Literal

from domain.events.base import DomainEvent
from domain.values import Identifier, LongText


class ReviewHeld(DomainEvent):
    """The deal was reviewed; the focus says whether the talk was of the seller or the customer."""

    TOPIC: ClassVar[str] = "deal.review_held.v1"

    focus: Literal["seller", "customer"] | None = None
    notes: LongText | None = None


class CoachingGiven(DomainEvent):
    """A rep was coached on this deal."""

    TOPIC: ClassVar[str] = "deal.coaching_given.v1"

    rep: Identifier
    statement: LongText


class NoteAdded(DomainEvent):
    """Somebody wrote something down."""

    TOPIC: ClassVar[str] = "deal.note_added.v1"

    text: LongText
