"""What each side did in a deal, and whose word a fact is."""

from collections.abc import Iterable
from typing import Final, Literal, TypeAlias
from uuid import UUID

from domain.causes import CUSTOMER_EVIDENCE, CUSTOMER_MOVE, is_customer_event
from domain.events.customer import (
    AlternativeRecorded,
    CommitmentKept,
    CommitmentRenegotiated,
    CommitmentWithdrawn,
    ConsequenceRecorded,
    ContactIdentified,
    CustomerCommitmentRecorded,
    CustomerFeedbackRecorded,
    CustomerGoalAchieved,
    CustomerGoalRecorded,
    CustomerRequestReceived,
    DecisionCriterionRecorded,
    ObstacleRecorded,
    SellerPromiseKept,
    SellerPromiseMade,
)
from domain.events.money import ConcessionOffered, DiscountOffered
from domain.events.progress import ActivityTicked, ActivityUnticked, Author, OutcomeEvidenced
from domain.replay import Event

Word: TypeAlias = Literal["customer", "seller", "rule", "import"]
WordFrom: TypeAlias = Literal["level", "recorder"]

_ACTS_OF_CUSTOMERS: Final = frozenset(
    {CommitmentKept, CommitmentRenegotiated, CommitmentWithdrawn, CustomerFeedbackRecorded}
)
_ACTS_OF_SELLERS: Final = frozenset(
    {ActivityTicked, ConcessionOffered, DiscountOffered, SellerPromiseKept, SellerPromiseMade}
)


def level_of(event: Event) -> int | None:
    """Give the level that an event was told with; None where it has none."""
    match event.data:
        case (
            AlternativeRecorded(level=level)
            | ConsequenceRecorded(level=level)
            | CustomerCommitmentRecorded(level=level)
            | CustomerGoalAchieved(level=level)
            | CustomerGoalRecorded(level=level)
            | CustomerRequestReceived(level=level)
            | DecisionCriterionRecorded(level=level)
            | ObstacleRecorded(level=level)
            | OutcomeEvidenced(level=level)
        ):
            return level
        case _:
            return None


def word_of(event: Event) -> tuple[Word, WordFrom]:
    """Say whose word an event is, and what that is read from.

    Evidence is the customer's from level 3 on, a commitment from level 2 on: below, it is what
    the seller says. Without a level it is the word of whoever recorded it: a rule, an ordinary
    import, or else the seller, since customers do not record. A founding import tells who
    recorded it at its source.
    """
    level = level_of(event)
    if level is not None:
        committed = isinstance(event.data, CustomerCommitmentRecorded)
        needed = CUSTOMER_MOVE if committed else CUSTOMER_EVIDENCE
        return ("customer" if level >= needed else "seller"), "level"
    if event.channel == "rule":
        return "rule", "recorder"
    if event.ordinary_import:
        return "import", "recorder"
    return "seller", "recorder"


def is_customer_act(event: Event) -> bool:
    """Say whether the customer did or said something.

    The customer events of METRICS section 3; what it did about its commitments, breaking one
    apart, which is not doing; its feedback; and what it said itself (level 3 or more) of its
    goals, consequences, obstacles, criteria and alternatives.
    """
    if is_customer_event(event) or type(event.data) in _ACTS_OF_CUSTOMERS:
        return True
    level = level_of(event)
    return level is not None and level >= CUSTOMER_EVIDENCE


def seller_acts(events: Iterable[Event]) -> list[Event]:
    """Give what the seller did for the deal, of a view, in its order.

    Ticks that stand, discounts, concessions, promises made and kept, and evidence of level 2 or
    less, which the seller made. What a rule did by itself is no effort; neither is keeping the
    books: stages, dates, amounts and notes.
    """
    found: dict[UUID, Event] = {}
    for event in events:
        match event.data:
            case ActivityUnticked(activity=name):
                found = {i: e for i, e in found.items() if not _ticks(e, name)}
            case _ if _is_seller_act(event):
                found[event.event_id] = event
            case _:
                pass
    return list(found.values())


def contacts_of(events: Iterable[Event]) -> dict[str, Event]:
    """Give the people at the customer by id, each with the event that first told of them.

    Those identified, and those whose word a piece of evidence is. Whoever a commitment names in
    free words may be one of them.
    """
    people: dict[str, Event] = {}
    for event in events:
        match event.data:
            case ContactIdentified(contact=contact):
                people.setdefault(contact, event)
            case OutcomeEvidenced(author=Author(side="customer", contact=str(contact))):
                people.setdefault(contact, event)
            case _:
                pass
    return people


def _ticks(event: Event, activity: str) -> bool:
    return isinstance(event.data, ActivityTicked) and event.data.activity == activity


def _is_seller_act(event: Event) -> bool:
    if event.channel == "rule":
        return False
    shown = isinstance(event.data, OutcomeEvidenced) and event.data.level < CUSTOMER_EVIDENCE
    return shown or type(event.data) in _ACTS_OF_SELLERS
