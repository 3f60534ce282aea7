"""Refusals that follow from where a deal is in its life: not opened, closed, deleted."""

from datetime import datetime
from typing import Final

from domain.deal_state import Deal
from domain.errors import (
    ContradictionError,
    DealClosedError,
    DealDeletedError,
    DealExistsError,
)
from domain.events.base import type_name
from domain.events.catalogue import CustomerEvent, DealEvent, HonestyEvent, PeopleEvent
from domain.events.honesty import EventAmended, EventRetracted
from domain.events.life import DealReopened, WinReversed
from domain.events.progress import EvidenceWithdrawn, OutcomeContradicted, OutcomeEvidenced
from domain.stamp import Stamp

AFTER_CLOSING: Final = (
    OutcomeEvidenced
    | OutcomeContradicted
    | EvidenceWithdrawn
    | CustomerEvent
    | PeopleEvent
    | HonestyEvent
    | DealReopened
    | WinReversed
)
"""What is still told of a closed deal: what shows or says something, and what takes it back."""
AFTER_DELETION: Final = EventAmended | EventRetracted
"""A deleted deal takes corrections only, so that a deletion told by mistake can be retracted."""


def ensure_not_opened(deal: Deal | None) -> None:
    if deal is not None and deal.opened_at is not None:
        message = f"this deal was opened on {deal.opened_at.isoformat()}; a deal is opened once"
        raise DealExistsError(message, field="type")


def ensure_open(deal: Deal, intent: DealEvent, *, then: bool = False) -> None:
    """Refuse what a deal does not take in the state that it is in, or was in `then`."""
    was = "was, when this happened," if then else "is"
    if deal.deleted and not isinstance(intent, AFTER_DELETION):
        message = "the source deleted this deal; it takes corrections only"
        raise DealDeletedError(message, field="type")
    if deal.closed is not None and not isinstance(intent, AFTER_CLOSING):
        message = (
            f"the deal {was} closed ({deal.closed}); "
            f"{type_name(type(intent))} needs an open deal, so reopen it first"
        )
        raise DealClosedError(message, field="type")


def ensure_after_opening(opened_at: datetime, stamp: Stamp) -> None:
    if stamp.occurred_at < opened_at:
        message = (
            f"occurred_at {stamp.occurred_at.isoformat()} lies before the deal was opened, "
            f"on {opened_at.isoformat()}"
        )
        raise ContradictionError(message, field="occurred_at")
