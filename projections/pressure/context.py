"""Reads what the judgement of a deal needs to know of all others, as known at one position."""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final, TypeAlias
from uuid import UUID

from domain.bookings import Booking, RunningTotal
from domain.known import Known
from domain.values import Money
from projections.facts import FactTable, Rows
from projections.pressure.acts import Act, Stay
from projections.pressure.baseline import Comparables, Dwell, StaysIn

ACTS: Final = FactTable("acts", Act)
STAYS: Final = FactTable("stays", Stay)
Ledger: TypeAlias = Callable[[Rows, str, str, int], Sequence[Booking]]
"""Gives the bookings of a rep in a quarter as known at a position, in the order they occurred."""


class KnownContext:
    """The context of one question or one batch; what it has read once it does not read again."""

    def __init__(self, connection: Rows, *, known: Known, as_of: int, ledger: Ledger) -> None:
        self._connection = connection
        self._known = known
        self._as_of = as_of
        self._ledger = ledger
        self.policy = known.policy
        self.calendar = known.calendar
        self.comparables = Comparables(self._offers, self._acts_of)
        self._bookings: dict[tuple[str, str], Sequence[Booking]] = {}
        self._totals: dict[tuple[str, str, str], RunningTotal] = {}
        self._stays: dict[tuple[str, str], StaysIn] = {}

    def quota(self, rep: str, quarter: str, at: datetime) -> tuple[Money | None, tuple[UUID, ...]]:
        """Give the quota in force at an instant and the events that set it."""
        return self._known.quota(rep, quarter, at)

    def quota_changes(self, rep: str, quarter: str) -> Sequence[datetime]:
        """Give the instants at which the quota changes."""
        history = self._known.quotas.get((rep, None, quarter))
        return [step.since for step in history.steps] if history else []

    def booked(self, rep: str, quarter: str, currency: str) -> RunningTotal:
        """Give what is credited to a rep in a quarter, in a currency."""
        key = (rep, quarter, currency)
        if key not in self._totals:
            self._totals[key] = RunningTotal(
                (booking.occurred_at, self.convert(booking.amount, currency, quarter))
                for booking in self._booked(rep, quarter)
            )
        return self._totals[key]

    def wins(self, rep: str, quarter: str, before: datetime) -> tuple[UUID, ...]:
        """Give the events that credited the rep in the quarter strictly before an instant."""
        booked = self._booked(rep, quarter)
        end = bisect_left(booked, before, key=lambda booking: booking.occurred_at)
        return tuple(booking.event_id for booking in booked[:end])

    def convert(self, amount: Money, currency: str, quarter: str) -> Decimal | None:
        """Give an amount at the plan rate of the quarter's fiscal year; None without one."""
        return self._known.convert(amount, currency, quarter)

    def dwell(self, process: str, stage: str, deal_id: UUID, before: datetime) -> Dwell | None:
        """Give how long stays of other deals in a stage are; None where there are too few."""
        key = (process, stage)
        if key not in self._stays:
            known = STAYS.known(
                self._connection,
                as_of=self._as_of,
                where="process = %s AND stage = %s",
                params=key,
            )
            self._stays[key] = StaysIn(known)
        return self._stays[key].dwell(deal_id, before, self.policy)

    def coverage(self, reps: frozenset[str] | None, until: datetime) -> tuple[int, int]:
        """Give how many events outside the window have a customer cause, of how many.

        Of these reps, or of everybody where None; judged at or before an instant.
        """
        row = self._connection.execute(
            "SELECT count(*) FILTER (WHERE NOT seller_only), count(*) FROM acts"
            " WHERE outside AND action_time <= %s AND (%s::text[] IS NULL OR rep = ANY(%s))"
            " AND from_position <= %s AND (until_position IS NULL OR until_position > %s)",
            (until, *[sorted(reps) if reps is not None else None] * 2, self._as_of, self._as_of),
        ).fetchone()
        return (row[0], row[1]) if row else (0, 0)

    def _booked(self, rep: str, quarter: str) -> Sequence[Booking]:
        if (rep, quarter) not in self._bookings:
            found = self._ledger(self._connection, rep, quarter, self._as_of)
            self._bookings[rep, quarter] = found
        return self._bookings[rep, quarter]

    def _offers(self) -> Iterable[tuple[UUID, Act]]:
        return ACTS.known(
            self._connection, as_of=self._as_of, where="kind = 'discount_offered' AND interior"
        )

    def _acts_of(self, rep: str) -> Iterable[tuple[UUID, Act]]:
        return ACTS.known(
            self._connection, as_of=self._as_of, where="rep = %s AND outside", params=(rep,)
        )
