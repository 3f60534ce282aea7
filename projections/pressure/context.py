"""Reads what the judgement of a deal needs to know of all others, as known at one position."""

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import product
from typing import Any, Final, TypeAlias
from uuid import UUID

from psycopg import sql

from domain.bookings import Booking, RunningTotal
from domain.fiscal import FiscalQuarter
from domain.known import Known
from domain.pace import Pace
from domain.values import Money
from projections.facts import FactTable, Rows
from projections.pressure.acts import Act, ActKind, Stay
from projections.pressure.base_rate import BaseRates, Deed
from projections.pressure.baseline import Comparables, Dwell, Lasted, Offer, StaysIn
from projections.pressure.derive import placing
from projections.pressure.recording import Coverage

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
        other_policy: bool = False,
    ) -> None:
        """Take the context `known` at position `as_of`; `at` is the instant of the question.

        With `other_policy` the facts of then rest on another policy than that of the context:
        which of them lie outside the first and the last days of their quarter is found anew. Why
        those of other deals happened stays as it was found under theirs.
        """
        self.connection = connection
        self.known = known
        self.as_of = as_of
        self.at = at
        self._ledger = ledger
        self._other_policy = other_policy
        self.policy = known.policy
        self.calendar = known.calendar
        self.comparables = Comparables(self._offers)
        self.base_rates = BaseRates(self._deeds)
        self._bookings: dict[RepQuarter, Sequence[Booking]] = {}
        self._totals: dict[tuple[str, str, str], RunningTotal] = {}
        self._stays: dict[tuple[str, str], StaysIn] = {}
        self._coverage: dict[frozenset[str] | None, Coverage] = {}

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
            self._bookings |= {key: found.get(key, ()) for key in missing}

    def read_booked(self, reps: Iterable[str], quarters: Iterable[str]) -> None:
        """Read at once what is credited to these reps in these quarters."""
        self.read_bookings(list(product(reps, quarters)))

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

    def coverage(self, rep: str | None) -> Coverage:
        """Give how often the team of a rep records what customers do (METRICS section 4).

        The team is that of the instant of the question, the events are those of its members that
        were judged by then outside the window; everybody's where the rep is in none, or is None.
        """
        team = self.known.teammates(rep, self.at) if rep else None
        if team not in self._coverage:
            self._coverage[team] = self._read_coverage(team)
        return self._coverage[team]

    def _read_coverage(self, team: frozenset[str] | None) -> Coverage:
        condition = "action_time <= %(at)s AND (%(team)s::text[] IS NULL OR rep = ANY(%(team)s))"
        params = {"at": self.at, "team": None if team is None else sorted(team)}
        if self._other_policy:
            rows = self._acts("action_time, cause <> 'seller_only'", condition, params)
            explained = [told for at, told in rows if self._placing(at)[0]]
            return Coverage(sum(explained), len(explained))
        counts = "count(*) FILTER (WHERE cause <> 'seller_only'), count(*)"
        ((explained_then, of),) = self._acts(counts, f"outside AND {condition}", params)
        return Coverage(explained_then, of)

    def _acts(
        self, columns: str, condition: str, params: Mapping[str, object]
    ) -> list[tuple[Any, ...]]:
        """Read columns of the acts known then; the texts are of this module alone."""
        query = sql.SQL(
            "SELECT {} FROM acts WHERE {} AND from_position <= %(as_of)s"
            " AND (until_position IS NULL OR until_position > %(as_of)s)"
        ).format(_sql(columns), _sql(condition))
        return self.connection.execute(query, {**params, "as_of": self.as_of}).fetchall()

    def _placing(self, at: datetime) -> tuple[bool | None, bool | None]:
        return placing(self.calendar.quarter_at(at), at, self.policy)

    def _booked(self, rep: str, quarter: str) -> Sequence[Booking]:
        self.read_bookings([(rep, quarter)])
        return self._bookings[rep, quarter]

    def _offers(self, reps: Collection[str] | None) -> Iterable[Offer]:
        interior = "true" if self._other_policy else "interior"
        rows = self._acts(
            "deal_id, rep, segment, action_time, depth, previous",
            f"kind = 'discount_offered' AND {interior} AND (%(everybody)s OR rep = ANY(%(reps)s))",
            {"everybody": reps is None, "reps": sorted(reps or ())},
        )
        offers = (Offer(*row) for row in rows)
        if not self._other_policy:
            return offers
        return (offer for offer in offers if self._placing(offer.action_time)[1])

    def _deeds(self, kind: ActKind, rep: str | None) -> Iterable[Deed]:
        outside = "true" if self._other_policy else "outside"
        rows = self._acts(
            "deal_id, segment, action_time, cause = 'seller_only'",
            f"kind = %(kind)s AND {outside} AND (%(rep)s::text IS NULL OR rep = %(rep)s)",
            {"kind": kind, "rep": rep},
        )
        deeds = (Deed(*row) for row in rows)
        if not self._other_policy:
            return deeds
        return (deed for deed in deeds if self._placing(deed.action_time)[0])


def _sql(text: str) -> sql.SQL:
    # Only texts of this module come here.
    return sql.SQL(text)
