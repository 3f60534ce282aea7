"""Who moved it: which customer event, if any, explains a seller's event (METRICS section 3)."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Final, Literal, TypeAlias
from uuid import UUID

from domain.events.customer import CustomerCommitmentRecorded, CustomerRequestReceived
from domain.events.life import CloseDateMoved, DealMovedToProcess, DealOpened
from domain.events.money import DiscountOffered
from domain.events.progress import ActivityTicked, OutcomeEvidenced, StageEntered
from domain.matching import matching
from domain.path import Processes
from domain.policy import Policy
from domain.process import Process
from domain.replay import Event

CauseKind: TypeAlias = Literal["seller_only", "customer_linked", "customer_preceded"]
Modifier: TypeAlias = Literal["explained_late", "customer_asserted"]
SellerPayload: TypeAlias = StageEntered | DiscountOffered | CloseDateMoved | ActivityTicked

CUSTOMER_EVIDENCE: Final = 3
"""Evidence from this level on comes from the customer."""
CUSTOMER_MOVE: Final = 2
"""A commitment from this level on is the customer's own word in writing; below, the seller's."""


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a seller's event happened, as far as the record tells."""

    kind: CauseKind
    explained_by: UUID | None = None
    modifiers: tuple[Modifier, ...] = ()

    @property
    def customer_led(self) -> bool:
        """Whether the customer moved first, said so itself, and was recorded in time."""
        return self.kind != "seller_only" and not self.modifiers


SELLER_ONLY: Final = Cause("seller_only")

# Looked up by type: events are never subclassed, and most of a deal's are of neither kind.
_OF_CUSTOMERS: Final = frozenset(
    {CustomerCommitmentRecorded, CustomerRequestReceived, OutcomeEvidenced}
)
_OF_SELLERS: Final = frozenset(
    {DealOpened, DealMovedToProcess, StageEntered, DiscountOffered, CloseDateMoved, ActivityTicked}
)


_OCCURRED: Final = attrgetter("occurred_at")


@dataclass(frozen=True, slots=True)
class _SellerEvent:
    event: Event
    data: SellerPayload
    action_time: datetime
    outcomes: frozenset[str]


def action_time(event: Event) -> datetime:
    """Give the time an event is judged at: bookkeeping when recorded, the world when it occurred.

    So that backdating hides nothing (METRICS section 1).
    """
    if isinstance(event.data, StageEntered | CloseDateMoved | ActivityTicked):
        return event.bookkeeping_time
    return event.occurred_at


def causes(events: Sequence[Event], processes: Processes, policy: Policy) -> dict[UUID, Cause]:
    """Give the cause of every stage entered, discount, close-date move and tick of a deal's view.

    Explicit links first; then, in fold order, the oldest eligible customer event that has not
    yet explained an event of the same type, one at level 2 or above before one that is only
    the seller's word. Where none is left, earlier events are explained by others instead if
    that leaves one, so that as many events as possible are explained (`domain.matching`): those
    explained before stay explained, and keep what qualifies their cause if that can be.
    """
    sellers = list(_seller_events(events, processes))
    customers = sorted((e for e in events if is_customer_event(e)), key=_OCCURRED)
    used: set[tuple[UUID, type]] = set()
    found = _linked(sellers, customers, used, policy)
    for kind in dict.fromkeys(type(seller.data) for seller in sellers):
        left = [s for s in sellers if type(s.data) is kind and s.event.event_id not in found]
        free = [customer for customer in customers if (customer.event_id, kind) not in used]
        found |= _preceded(left, free, policy)
    return found


def is_customer_event(event: Event) -> bool:
    """Say whether the event is something that the customer did."""
    data = event.data
    if type(data) in _OF_CUSTOMERS:
        return not isinstance(data, OutcomeEvidenced) or data.level >= CUSTOMER_EVIDENCE
    return False


def _seller_events(events: Iterable[Event], processes: Processes) -> Iterable[_SellerEvent]:
    process = processes(None)
    for event in [event for event in events if type(event.data) in _OF_SELLERS]:
        match event.data:
            case DealOpened(process=reference) | DealMovedToProcess(process=reference):
                process = processes(reference)
            case StageEntered() | DiscountOffered() | CloseDateMoved() | ActivityTicked() as data:
                yield _SellerEvent(event, data, action_time(event), _outcomes_of(data, process))
            case _:
                pass


def _outcomes_of(data: SellerPayload, process: Process) -> frozenset[str]:
    if not isinstance(data, ActivityTicked) or data.activity not in process.activities:
        return frozenset()
    _, activity = process.activities[data.activity]
    return frozenset(outcome.id for outcome in activity.outcomes)


def _linked(
    sellers: Iterable[_SellerEvent],
    customers: Iterable[Event],
    used: set[tuple[UUID, type]],
    policy: Policy,
) -> dict[UUID, Cause]:
    by_id = {customer.event_id: customer for customer in customers}
    found: dict[UUID, Cause] = {}
    for seller in sellers:
        customer = by_id.get(seller.event.caused_by) if seller.event.caused_by else None
        if customer is None or customer.occurred_at > seller.action_time:
            continue
        key = (customer.event_id, type(seller.data))
        if key not in used:
            used.add(key)
            found[seller.event.event_id] = _cause("customer_linked", seller, customer, policy)
    return found


def _preceded(
    sellers: Sequence[_SellerEvent], customers: Sequence[Event], policy: Policy
) -> dict[UUID, Cause]:
    """Give the causes of the events of one type, from the customer events that explain none yet."""
    by_id = {customer.event_id: customer for customer in customers}
    told = {seller.event.event_id: seller for seller in sellers}
    choices = {
        seller_id: [customer.event_id for customer in _eligible(seller, customers, policy)]
        for seller_id, seller in told.items()
    }

    def alike(seller_id: UUID, one: UUID, other: UUID) -> bool:
        seller = told[seller_id]
        first, second = (_modifiers(seller, by_id[customer], policy) for customer in (one, other))
        return first == second

    matched = matching(told, choices.__getitem__, alike)
    return {
        seller_id: _cause("customer_preceded", seller, by_id[matched[seller_id]], policy)
        if seller_id in matched
        else SELLER_ONLY
        for seller_id, seller in told.items()
    }


def _eligible(seller: _SellerEvent, customers: Sequence[Event], policy: Policy) -> list[Event]:
    """Give the customer events, of those in order, that may explain one; the preferred first."""
    latest = seller.action_time
    start = bisect_left(customers, latest - timedelta(days=policy.lookback_days), key=_OCCURRED)
    end = bisect_right(customers, latest, start, key=_OCCURRED)
    found = [customer for customer in customers[start:end] if _relevant(seller, customer)]
    return sorted(found, key=lambda customer: (_level(customer) < CUSTOMER_MOVE, customer.order))


def _cause(kind: CauseKind, seller: _SellerEvent, customer: Event, policy: Policy) -> Cause:
    return Cause(kind, customer.event_id, _modifiers(seller, customer, policy))


def _modifiers(seller: _SellerEvent, customer: Event, policy: Policy) -> tuple[Modifier, ...]:
    late_after = seller.action_time + timedelta(hours=policy.late_explanation_hours)
    found: list[Modifier] = []
    if customer.told_at > late_after:
        found.append("explained_late")
    if _level(customer) < CUSTOMER_MOVE:
        found.append("customer_asserted")
    return tuple(found)


def _level(customer: Event) -> int:
    match customer.data:
        case (
            CustomerRequestReceived(level=level)
            | CustomerCommitmentRecorded(level=level)
            | OutcomeEvidenced(level=level)
        ):
            return level
        case _:
            return 0


def _relevant(seller: _SellerEvent, customer: Event) -> bool:
    match seller.data, customer.data:
        case DiscountOffered(), CustomerRequestReceived(topic=topic):
            return topic in {"discount", "competitor"}
        case DiscountOffered(), CustomerCommitmentRecorded(kind=kind):
            return kind == "for_discount"
        case CloseDateMoved(), CustomerRequestReceived(topic=topic):
            return topic == "date"
        case CloseDateMoved(to=to), CustomerCommitmentRecorded(kind="decision_date", due=due):
            return due is not None and due <= to
        case StageEntered(), OutcomeEvidenced():
            return True
        case StageEntered(), CustomerCommitmentRecorded(level=level):
            return level >= CUSTOMER_MOVE
        case ActivityTicked(), OutcomeEvidenced(outcome=outcome):
            return outcome in seller.outcomes
        case _:
            return False
