"""The context of a judgement from plain values, for folds without a database."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID, uuid5

from domain.bookings import Booking, RunningTotal
from domain.calendars import CalendarHistory
from domain.fiscal import FiscalQuarter
from domain.pace import Active, Pace, pace
from domain.policy import DEFAULT_POLICY, Policy
from domain.replay import Event
from domain.values import Money
from projections.pressure.acts import Act, ActKind, Stay
from projections.pressure.answer import answer, judged_json
from projections.pressure.around import explain
from projections.pressure.base_rate import BaseRates, Deed
from projections.pressure.baseline import Comparables, Dwell, Lasted, Offer
from projections.pressure.fold import Judged
from projections.pressure.recording import Coverage
from projections.pressure.stays import StaysIn
from tests.support.told import NAMESPACE, at, named, usd

NOTHING_RECORDED: Final = Coverage(0, 0)


@dataclass(slots=True)
class PlainContext:
    """What a judgement knows of the rest: one quota for everybody, bookings, offers and stays."""

    quota_amount: str | None = "1000000"
    bookings: Sequence[tuple[str, str]] = ()
    offers: Sequence[tuple[UUID, Act]] = ()
    stays: Sequence[tuple[UUID, Stay]] = ()
    policy: Policy = DEFAULT_POLICY
    calendar: CalendarHistory = field(default_factory=CalendarHistory)
    recorded: Coverage = NOTHING_RECORDED
    active: Sequence[Active] = ()
    above: tuple[str, tuple[str, ...]] | None = None
    roles: Mapping[str, str] = field(default_factory=dict)

    @property
    def comparables(self) -> Comparables:
        return comparables(self.offers)

    @property
    def base_rates(self) -> BaseRates:
        return base_rates(self.offers)

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
        return StaysIn.of(lasted(self.stays)).dwell(deal_id, before, self.policy)

    def pace(self, rep: str, quarter: FiscalQuarter, at: datetime) -> Pace:
        del rep
        return pace(quarter, at, self.active)

    def turns(self, rep: str) -> Sequence[datetime]:
        del rep
        return [one.since for one in self.active]

    def managed(self, rep: str, at: datetime) -> tuple[str, tuple[str, ...]] | None:
        del rep, at
        return self.above

    def teammates(self, rep: str, at: datetime) -> frozenset[str]:
        del at
        return frozenset({rep})

    def role(self, person: str, at: datetime) -> str | None:
        del at
        return self.roles.get(person)

    def read_booked(self, reps: Iterable[str], quarters: Iterable[str]) -> None:
        """There is nothing to read: bookings are at hand."""

    def coverage(self, rep: str | None) -> Coverage:
        del rep
        return self.recorded


def lasted(stays: Iterable[tuple[UUID, Stay]]) -> list[Lasted]:
    return [(deal_id, stay.entered_at, stay.left_at) for deal_id, stay in stays]


def comparables(acts: Sequence[tuple[UUID, Act]]) -> Comparables:
    """Compare with these acts, as with stored ones."""

    def offers_of(reps: Collection[str] | None) -> Iterable[Offer]:
        for deal_id, act in acts:
            if act.depth is not None and act.interior and (reps is None or act.rep in reps):
                yield Offer(deal_id, act.rep, act.segment, act.action_time, act.depth, act.previous)

    return Comparables(offers_of)


def base_rates(acts: Sequence[tuple[UUID, Act]]) -> BaseRates:
    """Tell how often these acts have no customer cause, as with stored ones."""

    def deeds_of(rep: str | None) -> dict[ActKind, list[Deed]]:
        found: dict[ActKind, list[Deed]] = {}
        for deal_id, act in acts:
            if act.outside and rep in (None, act.rep):
                deed = Deed(deal_id, act.segment, act.action_time, act.seller_only)
                found.setdefault(act.kind, []).append(deed)
        return found

    return BaseRates(deeds_of)


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
            occurred_at=at(since) + timedelta(hours=index),
            action_time=at(since) + timedelta(hours=index),
            quarter="FY2025Q1",
            outside=True,
            interior=True,
            cause="customer_preceded" if index % 3 else "seller_only",
            depth=size + 50 if steps else size,
            previous=Decimal(50) if steps else None,
        )
        found.append((uuid5(NAMESPACE, f"other deal {rep} {steps} {index}"), act))
    return found


def answered(
    events: Sequence[Event], judged: Sequence[Judged], context: PlainContext, recorded: Coverage
) -> Any:
    """Give the answer about a deal's pressure as questions about it do."""
    told = [judged_json(one, context.policy) for one in explain(judged, context)]
    return answer(events, judged, context.policy, recorded, told)
