"""Reads what the judgement of a deal needs to know of all others, as known at one position."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import product
from typing import TYPE_CHECKING, Final, Self, TypeAlias
from uuid import UUID

from domain.bookings import Booking, RunningTotal
from domain.fiscal import FiscalQuarter
from domain.known import Known
from domain.pace import Pace
from domain.values import Money
from projections.facts import FactTable, Rows
from projections.pressure.acts import Act, Stay
from projections.pressure.base_rate import BaseRates
from projections.pressure.baseline import Comparables, Dwell
from projections.pressure.kept_stays import Stage
from projections.pressure.others import AS_STORED, OtherActs, Reading
from projections.pressure.recording import Coverage

if TYPE_CHECKING:
    from projections.pressure.stays import StaysIn

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

    def __init__(
        self,
        connection: Rows,
        *,
        known: Known,
        as_of: int,
        at: datetime,
        ledger: Ledger,
        reading: Reading = AS_STORED,
    ) -> None:
        """Take the context `known` at position `as_of`; `at` is the instant of the question."""
        self.connection = connection
        self.known = known
        self.as_of = as_of
        self.at = at
        self._ledger = ledger
        self.reading = reading
        self.policy = known.policy
        self.calendar = known.calendar
        self._others = OtherActs(connection, known=known, as_of=as_of, reading=reading)
        self.comparables = Comparables(self._others.offers)
        self.base_rates = BaseRates(self._others.deeds)
        self._bookings: dict[RepQuarter, Sequence[Booking]] = {}
        self._totals: dict[tuple[str, str, str], RunningTotal] = {}
        self._stays: dict[Stage, StaysIn] = {}
        self._coverage: dict[frozenset[str] | None, Coverage] = {}

    def over(self, connection: Rows) -> Self:
        """Go on over another connection; what was read stays, as what was known then does."""
        self.connection = self._others.connection = connection
        return self

    def quota(self, rep: str, quarter: str, at: datetime) -> tuple[Money | None, tuple[UUID, ...]]:
        """Give the quota in force at an instant and the events that set it."""
        return self.known.quota(rep, quarter, at)

    def quota_changes(self, rep: str, quarter: str) -> Sequence[datetime]:
        """Give the instants at which the quota changes."""
        history = self.known.quotas.get((rep, None, quarter))
        return [step.since for step in history.steps] if history else []

    def pace(self, rep: str, quarter: FiscalQuarter, at: datetime) -> Pace:
        """Give how much of a rep's time in a quarter has passed."""
        return self.known.pace(rep, quarter, at)

    def turns(self, rep: str) -> Sequence[datetime]:
        """Give the instants at which a rep joined or left a team."""
        return self.known.turns(rep)

    def managed(self, rep: str, at: datetime) -> tuple[str, tuple[str, ...]] | None:
        """Give the manager of a rep at an instant, and the reps who report to them."""
        return self.known.managed(rep, at)

    def teammates(self, rep: str, at: datetime) -> frozenset[str]:
        """Give the reps of the team that a rep is in at an instant, or the rep alone."""
        return self.known.teammates(rep, at) or frozenset({rep})

    def role(self, person: str, at: datetime) -> str | None:
        """Give somebody's role at an instant; None if unknown."""
        return self.known.role(person, at)

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
            self._bookings |= {key: self._true(found.get(key, ())) for key in missing}

    def read_booked(self, reps: Iterable[str], quarters: Iterable[str]) -> None:
        """Read at once what is credited to these reps in these quarters."""
        self.read_bookings(list(product(reps, quarters)))

    def read_stays(self, wanted: Collection[Stage]) -> None:
        """Read the stays in these stages, each (process, stage), at once."""
        missing = sorted(set(wanted) - self._stays.keys())
        self._stays |= self.reading.stays(self.connection, missing, self.as_of)

    def team(self, rep: str | None) -> frozenset[str] | None:
        """Give whose coverage is that of a rep: their team's at the instant of the question.

        None is everybody's, where the rep is in no team, or is None.
        """
        return self.known.teammates(rep, self.at) if rep else None

    def coverage(self, rep: str | None) -> Coverage:
        """Give how often the team of a rep records what customers do (METRICS section 4).

        The events are those of its members that were judged by the instant of the question outside
        the window.
        """
        team = self.team(rep)
        if team not in self._coverage:
            self._coverage[team] = self._others.coverage(team, self.at)
        return self._coverage[team]

    def _true(self, booked: Sequence[Booking]) -> Sequence[Booking]:
        """Give what of bookings, in the order they occurred, is not hidden by the cut."""
        cut = self.reading.cut
        if cut is None:
            return booked
        return booked[: bisect_right(booked, cut, key=lambda booking: booking.occurred_at)]

    def _booked(self, rep: str, quarter: str) -> Sequence[Booking]:
        self.read_bookings([(rep, quarter)])
        return self._bookings[rep, quarter]
