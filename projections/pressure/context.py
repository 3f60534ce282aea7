"""Reads what the judgement of a deal needs to know of all others, as known at one position."""

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final, TypeAlias
from uuid import UUID

from domain.bookings import Booking, RunningTotal
from domain.known import Known
from domain.values import Money
from projections.facts import FactTable, Rows
from projections.pressure.acts import Act, Stay
from projections.pressure.baseline import Comparables, Dwell, Lasted, Offer, StaysIn

ACTS: Final = FactTable("acts", Act)
STAYS: Final = FactTable("stays", Stay)
RepQuarter: TypeAlias = tuple[str, str]
Ledger: TypeAlias = Callable[
    [Rows, Collection[RepQuarter], int], Mapping[RepQuarter, Sequence[Booking]]
]
"""Gives the bookings of reps in quarters as known at a position, in the order they occurred."""


class KnownContext:
    """The context of one question; what it has read once it does not read again.

    Whoever judges many acts first reads at once what they need (`read_bookings`, `read_stays`,
    `comparables.read`); what is asked for besides is read when it is asked for.
    """

    def __init__(self, connection: Rows, *, known: Known, as_of: int, ledger: Ledger) -> None:
        self.connection = connection
        self.known = known
        self.as_of = as_of
        self._ledger = ledger
        self.policy = known.policy
        self.calendar = known.calendar
        self.comparables = Comparables(self._offers, self._acts_of)
        self._bookings: dict[RepQuarter, Sequence[Booking]] = {}
        self._totals: dict[tuple[str, str, str], RunningTotal] = {}
        self._stays: dict[tuple[str, str], StaysIn] = {}

    def quota(self, rep: str, quarter: str, at: datetime) -> tuple[Money | None, tuple[UUID, ...]]:
        """Give the quota in force at an instant and the events that set it."""
        return self.known.quota(rep, quarter, at)

    def quota_changes(self, rep: str, quarter: str) -> Sequence[datetime]:
        """Give the instants at which the quota changes."""
        history = self.known.quotas.get((rep, None, quarter))
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
        return self.known.convert(amount, currency, quarter)

    def dwell(self, process: str, stage: str, deal_id: UUID, before: datetime) -> Dwell | None:
        """Give how long stays of other deals in a stage are; None where there are too few."""
        self.read_stays([(process, stage)])
        return self._stays[process, stage].dwell(deal_id, before, self.policy)

    def over_by(self, stay: Stay, at: datetime) -> tuple[int, float | None]:
        """Give of how many stays in a stage, this one among them, what share is over by its age.

        None where there are fewer than the policy needs (METRICS section 5, Health).
        """
        key = (stay.process, stay.stage)
        self.read_stays([key])
        n, share = self._stays[key].over_by(at - stay.entered_at, at)
        return n, share if n >= self.policy.n_dwell else None

    def read_bookings(self, wanted: Collection[RepQuarter]) -> None:
        """Read the bookings of these reps in these quarters at once."""
        missing = sorted(set(wanted) - self._bookings.keys())
        if missing:
            found = self._ledger(self.connection, missing, self.as_of)
            self._bookings |= {key: found.get(key, ()) for key in missing}

    def read_stays(self, wanted: Collection[tuple[str, str]]) -> None:
        """Read the stays in these stages, each (process, stage), at once."""
        missing = sorted(set(wanted) - self._stays.keys())
        if not missing:
            return
        found: dict[tuple[str, str], list[Lasted]] = {key: [] for key in missing}
        rows = self.connection.execute(
            "SELECT process, stage, deal_id, entered_at, left_at FROM stays"
            " WHERE (process, stage) IN (SELECT * FROM unnest(%s::text[], %s::text[]))"
            " AND from_position <= %s AND (until_position IS NULL OR until_position > %s)",
            ([p for p, _ in missing], [s for _, s in missing], self.as_of, self.as_of),
        ).fetchall()
        for process, stage, deal_id, entered, left in rows:
            found[process, stage].append((deal_id, entered, left))
        self._stays |= {key: StaysIn(stays) for key, stays in found.items()}

    def coverage(self, reps: frozenset[str] | None, until: datetime) -> tuple[int, int]:
        """Give how many events outside the window have a customer cause, of how many.

        Of these reps, or of everybody where None; judged at or before an instant.
        """
        row = self.connection.execute(
            "SELECT count(*) FILTER (WHERE cause <> 'seller_only'), count(*) FROM acts"
            " WHERE outside AND action_time <= %s AND (%s::text[] IS NULL OR rep = ANY(%s))"
            " AND from_position <= %s AND (until_position IS NULL OR until_position > %s)",
            (until, *[sorted(reps) if reps is not None else None] * 2, self.as_of, self.as_of),
        ).fetchone()
        return (row[0], row[1]) if row else (0, 0)

    def _booked(self, rep: str, quarter: str) -> Sequence[Booking]:
        self.read_bookings([(rep, quarter)])
        return self._bookings[rep, quarter]

    def _offers(self, reps: Collection[str] | None) -> Iterable[Offer]:
        rows = self.connection.execute(
            "SELECT deal_id, rep, segment, action_time, depth, previous FROM acts"
            " WHERE kind = 'discount_offered' AND interior"
            " AND (%(everybody)s OR rep = ANY(%(reps)s))"
            " AND from_position <= %(as_of)s"
            " AND (until_position IS NULL OR until_position > %(as_of)s)",
            {"everybody": reps is None, "reps": sorted(reps or ()), "as_of": self.as_of},
        ).fetchall()
        return (Offer(*row) for row in rows)

    def _acts_of(self, rep: str) -> Iterable[tuple[UUID, Act]]:
        return ACTS.known(
            self.connection, as_of=self.as_of, where="rep = %s AND outside", params=(rep,)
        )
