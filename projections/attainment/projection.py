"""Keeps the credits of every deal as they were known."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Final

from domain.bookings import Booking
from domain.events.life import (
    CreditSplitSet,
    DealDeleted,
    DealOpened,
    DealWon,
    OwnerChanged,
    WinReversed,
)
from domain.known import Known
from domain.replay import Event
from domain.values import Money
from projections.attainment.fold import Credit, credits_of
from projections.fact_projection import CORRECTIONS, FactProjection, Facts
from projections.facts import FactTable, Rows

CREDITS: Final = FactTable("credits", Credit)
_CREDITING: Final = (
    CreditSplitSet,
    DealDeleted,
    DealOpened,
    DealWon,
    OwnerChanged,
    WinReversed,
)


def derive_credits(events: Sequence[Event], known: Known) -> list[Credit]:
    """Give the credits that a deal's view implies in its frame."""
    return credits_of(events, known.calendar)


def attainment_projection() -> FactProjection:
    """Who was credited how much, in which quarter, at every position."""
    topics = {kind.TOPIC for kind in _CREDITING}
    return FactProjection(
        "attainment", Facts(CREDITS, derive_credits, CORRECTIONS | topics, framed=True)
    )


def ledger(
    connection: Rows, wanted: Collection[tuple[str, str]], as_of: int
) -> dict[tuple[str, str], list[Booking]]:
    """Give the revenue credited to reps in quarters as known at a position, in time order.

    `wanted` are (rep, quarter); of others there may be bookings too.
    """
    known = CREDITS.known(
        connection,
        as_of=as_of,
        where="quarter = ANY(%s) AND rep = ANY(%s) AND kind = 'revenue'",
        params=(sorted({quarter for _, quarter in wanted}), sorted({rep for rep, _ in wanted})),
    )
    booked: dict[tuple[str, str], list[Booking]] = defaultdict(list)
    for credit in sorted((c for _, c in known), key=lambda c: (c.occurred_at, c.event_id)):
        # Unvalidated, because a share of an amount may have more digits than a payload.
        amount = Money.model_construct(amount=credit.amount, currency=credit.currency)
        booking = Booking(credit.event_id, credit.occurred_at, amount)
        booked[credit.rep, credit.quarter or ""].append(booking)
    return booked
