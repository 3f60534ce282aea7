"""The context of a judgement from plain values, for folds without a database."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid5

from domain.bookings import Booking, RunningTotal
from domain.calendars import CalendarHistory
from domain.policy import DEFAULT_POLICY, Policy
from domain.values import Money
from projections.pressure.acts import Act, Stay
from projections.pressure.baseline import Comparables, Dwell, StaysIn
from tests.support.told import DEAL, NAMESPACE, at, named, usd


@dataclass(slots=True)
class PlainContext:
    """What a judgement knows of the rest: one quota for everybody, bookings, offers and stays."""

    quota_amount: str | None = "1000000"
    bookings: Sequence[tuple[str, str]] = ()
    offers: Sequence[tuple[UUID, Act]] = ()
    stays: Sequence[Stay] = ()
    policy: Policy = DEFAULT_POLICY
    calendar: CalendarHistory = field(default_factory=CalendarHistory)

    @property
    def comparables(self) -> Comparables:
        return Comparables(
            lambda: self.offers, lambda rep: [o for o in self.offers if o[1].rep == rep]
        )

    def quota(self, rep: str, quarter: str, at: datetime) -> tuple[Money | None, tuple[UUID, ...]]:
        del rep, quarter, at
        if self.quota_amount is None:
            return None, ()
        return usd(self.quota_amount), (named("quota"),)

    def quota_changes(self, rep: str, quarter: str) -> Sequence[datetime]:
        del rep, quarter
        return ()

    def _booked(self, quarter: str) -> list[Booking]:
        return [
            Booking(named(f"win {when}"), at(when), usd(amount))
            for when, amount in self.bookings
            if self.calendar.quarter_of(at(when)).name == quarter
        ]

    def booked(self, rep: str, quarter: str, currency: str) -> RunningTotal:
        del rep
        return RunningTotal(
            (b.occurred_at, self.convert(b.amount, currency, quarter))
            for b in self._booked(quarter)
        )

    def wins(self, rep: str, quarter: str, before: datetime) -> tuple[UUID, ...]:
        del rep
        return tuple(b.event_id for b in self._booked(quarter) if b.occurred_at < before)

    def convert(self, amount: Money, currency: str, quarter: str) -> Decimal | None:
        del quarter
        return amount.amount if amount.currency == currency else None

    def dwell(self, process: str, stage: str, deal_id: UUID, before: datetime) -> Dwell | None:
        del process, stage
        return StaysIn((DEAL, stay) for stay in self.stays).dwell(deal_id, before, self.policy)


def offers(
    depths: Iterable[float], *, rep: str, steps: bool = False, since: str = "2025-02-01"
) -> list[tuple[UUID, Act]]:
    """Build interior offers of other deals: of these depths, or with these steps from 50%."""
    found = []
    for index, value in enumerate(depths):
        size = Decimal(str(value)) * 100
        act = Act(
            event_id=uuid5(NAMESPACE, f"offer {rep} {steps} {index}"),
            kind="discount_offered",
            rep=rep,
            segment=None,
            action_time=at(since) + timedelta(hours=index),
            quarter="FY2025Q1",
            outside=True,
            interior=True,
            seller_only=index % 3 == 0,
            depth=size + 50 if steps else size,
            previous=Decimal(50) if steps else None,
        )
        found.append((uuid5(NAMESPACE, f"other deal {rep} {steps} {index}"), act))
    return found
