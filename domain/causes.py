"""Who moved it: which customer event, if any, explains a seller's event (METRICS section 3)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal, TypeAlias
from uuid import UUID

from domain.events.customer import CustomerCommitmentRecorded, CustomerRequestReceived
from domain.events.life import CloseDateMoved, DealMovedToProcess, DealOpened
from domain.events.money import DiscountOffered
from domain.events.progress import ActivityTicked, OutcomeEvidenced, StageEntered
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
    the seller's word.
    """
    sellers = list(_seller_events(events, processes))
    customers = [event for event in events if is_customer_event(event)]
    used: set[tuple[UUID, type]] = set()
    found = _linked(sellers, customers, used, policy)
    for seller in sellers:
        if seller.event.event_id not in found:
            found[seller.event.event_id] = _preceded(seller, customers, used, policy)
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
    seller: _SellerEvent,
    customers: Iterable[Event],
    used: set[tuple[UUID, type]],
    policy: Policy,
) -> Cause:
    latest, kind = seller.action_time, type(seller.data)
    earliest = latest - timedelta(days=policy.lookback_days)
    eligible = [
        customer
        for customer in customers
        if earliest <= customer.occurred_at <= latest
        and (customer.event_id, kind) not in used
        and _relevant(seller, customer)
    ]
    if not eligible:
        return SELLER_ONLY
    chosen = min(eligible, key=lambda customer: (_level(customer) < CUSTOMER_MOVE, customer.order))
    used.add((chosen.event_id, kind))
    return _cause("customer_preceded", seller, chosen, policy)


def _cause(kind: CauseKind, seller: _SellerEvent, customer: Event, policy: Policy) -> Cause:
    late_after = seller.action_time + timedelta(hours=policy.late_explanation_hours)
    modifiers: list[Modifier] = []
    if customer.told_at > late_after:
        modifiers.append("explained_late")
    if _level(customer) < CUSTOMER_MOVE:
        modifiers.append("customer_asserted")
    return Cause(kind, customer.event_id, tuple(modifiers))


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
