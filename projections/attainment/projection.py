"""Keeps the credits of every deal as they were known."""

from collections.abc import Sequence
from typing import Final

from domain.bookings import Booking
from domain.events.honesty import EventAmended, EventRetracted
from domain.events.life import (
    CreditSplitSet,
    DealDeleted,
    DealOpened,
    DealWon,
    OwnerChanged,
    WinReversed,
)
from domain.replay import Event
from domain.values import Money
from projections.attainment.fold import Credit, credits_of
from projections.batch import Batch
from projections.facts import FactTable, Rows

CREDITS: Final = FactTable("credits", Credit)
_RELEVANT: Final = (
    CreditSplitSet,
    DealDeleted,
    DealOpened,
    DealWon,
    OwnerChanged,
    WinReversed,
    EventAmended,
    EventRetracted,
)


class AttainmentProjection:
    """Who was credited how much, in which quarter, at every position."""

    name = "attainment"

    def project(self, connection: Rows, batch: Batch) -> None:
        """Follow the deals that the batch touches, or all where the calendar changed."""
        calendar = batch.known.calendar
        streams = batch.read()
        positions = batch.positions(streams, _relevant)

        def derive(events: Sequence[Event]) -> list[Credit]:
            return credits_of(events, calendar)

        CREDITS.follow(connection, streams, positions, derive)


def _relevant(event: Event) -> bool:
    return isinstance(event.data, _RELEVANT)


def ledger(connection: Rows, rep: str, quarter: str, as_of: int) -> list[Booking]:
    """Give the revenue credited to a rep in a quarter as known at a position, in time order."""
    known = CREDITS.known(
        connection,
        as_of=as_of,
        where="quarter = %s AND rep = %s AND kind = 'revenue'",
        params=(quarter, rep),
    )
    ordered = sorted((credit for _, credit in known), key=lambda c: (c.occurred_at, c.event_id))
    return [
        Booking(
            c.event_id, c.occurred_at, Money.model_construct(amount=c.amount, currency=c.currency)
        )
        for c in ordered
    ]
