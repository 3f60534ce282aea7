"""The sample company read by the product's own rules: parsed, in order, judged."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from itertools import count
from uuid import NAMESPACE_OID, UUID, uuid5

from domain.bookings import Booking, RunningTotal
from domain.deal import decide, evolve, replay
from domain.deal_state import Deal
from domain.errors import DomainError
from domain.events.catalogue import TYPES_BY_NAME, DealEvent, HonestyEvent, parse
from domain.fiscal import FiscalQuarter
from domain.known import Known
from domain.pace import Pace
from domain.path import Processes
from domain.policy import DEFAULT_POLICY
from domain.replay import Event, view
from domain.stamp import RecordedEvent, Stamp
from domain.values import Money, utc_instant
from projections.attainment.fold import credits_of
from projections.pressure.acts import Act, Stay
from projections.pressure.baseline import Comparables, Dwell
from projections.pressure.derive import derive_acts, derive_stays
from projections.pressure.fold import Judged
from projections.pressure.fold import fold as judge
from projections.pressure.recording import Coverage
from projections.pressure.stays import StaysIn
from projections.progress.fold import Progress
from projections.progress.fold import fold as follow
from tests.support.pressure import comparables, lasted

Line = dict[str, object]


def events_of(lines: Iterable[Line]) -> list[Event]:
    """Give the lines as a founding import would store them; the external id is the event's."""
    versions: dict[str, count[int]] = defaultdict(lambda: count(1))
    return [
        _event(line, version=next(versions[str(line["stream"])]), position=position)
        for position, line in enumerate(lines, start=1)
    ]


def _event(line: Line, *, version: int, position: int) -> Event:
    data = line["data"]
    assert isinstance(data, dict)
    cause = line.get("caused_by")
    return RecordedEvent(
        event_id=UUID(str(line["external_id"])),
        stream_id=str(line["stream"]),
        version=version,
        position=position,
        occurred_at=utc_instant(line["occurred_at"]),
        recorded_at=utc_instant(line["recorded_at"]),
        ingested_at=utc_instant(line["recorded_at"]),
        actor=str(line["actor"]),
        data=parse(TYPES_BY_NAME[str(line["type"])], data),
        channel="import",
        caused_by=UUID(str(cause)) if cause else None,
        clock="source",
    )


def deal_id(key: str) -> UUID:
    return uuid5(NAMESPACE_OID, key)


@dataclass
class Company:
    """Every deal and its context, and what the folds say about them with hindsight."""

    lines: Sequence[Line]
    policy = DEFAULT_POLICY
    events: list[Event] = field(init=False)
    deals: dict[str, list[Event]] = field(init=False)

    def __post_init__(self) -> None:
        self.events = events_of(self.lines)
        streams: dict[str, list[Event]] = defaultdict(list)
        for event in self.events:
            kind, _, key = event.stream_id.partition(":")
            if kind == "deal":
                streams[key].append(event)
        self.deals = {key: view(events) for key, events in streams.items()}

    @cached_property
    def known(self) -> Known:
        kinds = (e for e in self.events if not e.stream_id.startswith("deal:"))
        return Known(kinds)

    def processes(self, key: str) -> Processes:
        return self.known.processes(self.deals[key])

    def judged(self, key: str) -> list[Judged]:
        return judge(deal_id(key), self.deals[key], self.processes(key), _Context(self))

    def progress(self, key: str) -> Progress:
        return follow(self.deals[key], self.processes(key), self.policy)

    @cached_property
    def acts(self) -> list[tuple[UUID, Act]]:
        return [
            (deal_id(key), act)
            for key, events in self.deals.items()
            for act in derive_acts(events, self.known)
        ]

    @cached_property
    def comparables(self) -> Comparables:
        return comparables(self.acts)

    @cached_property
    def stays(self) -> dict[tuple[str, str], list[tuple[UUID, Stay]]]:
        found: dict[tuple[str, str], list[tuple[UUID, Stay]]] = defaultdict(list)
        for key, events in self.deals.items():
            for stay in derive_stays(events, self.known):
                found[stay.process, stay.stage].append((deal_id(key), stay))
        return found

    @cached_property
    def bookings(self) -> dict[tuple[str, str], list[Booking]]:
        found: dict[tuple[str, str], list[Booking]] = defaultdict(list)
        for events in self.deals.values():
            for one in credits_of(events, self.known.calendar):
                if one.quarter:
                    money = Money(amount=one.amount, currency=one.currency)
                    booking = Booking(one.event_id, one.occurred_at, money)
                    found[one.rep, one.quarter].append(booking)
        for booked in found.values():
            booked.sort(key=lambda booking: booking.occurred_at)
        return found


def refusals(company: Company) -> Iterator[str]:
    """Tell every deal event to the deal's own rules, and say which of them would be refused."""
    streams: dict[str, list[Event]] = {key: [] for key in company.deals}
    states: dict[str, Deal | None] = dict.fromkeys(company.deals)
    for event in company.events:
        if not isinstance(event.data, DealEvent):
            continue
        key = event.stream_id.removeprefix("deal:")
        told, stamp = streams[key], Stamp(event.occurred_at, event.recorded_at, event.actor)
        try:
            decide(
                states[key],
                event.data,
                stamp=stamp,
                processes=company.processes(key),
                events=told,
            )
        except DomainError as error:
            yield f"{key}: {type(event.data).__name__}: {error}"
        told.append(event)
        late = told[-2:-1] and event.occurred_at < max(one.occurred_at for one in told[:-1])
        simple = not late and not isinstance(event.data, HonestyEvent)
        states[key] = evolve(states[key], event) if simple else replay(told)


class _Context:
    """The judgement's context from the company itself."""

    def __init__(self, company: Company) -> None:
        self._company = company
        self.policy = company.policy
        self.calendar = company.known.calendar
        self.comparables = company.comparables

    def quota(self, rep: str, quarter: str, at: datetime) -> tuple[Money | None, tuple[UUID, ...]]:
        return self._company.known.quota(rep, quarter, at)

    def quota_changes(self, rep: str, quarter: str) -> Sequence[datetime]:
        history = self._company.known.quotas.get((rep, None, quarter))
        return [step.since for step in history.steps] if history else []

    def booked(self, rep: str, quarter: str, currency: str) -> RunningTotal:
        return RunningTotal(
            (b.occurred_at, self.convert(b.amount, currency, quarter))
            for b in self._company.bookings[rep, quarter]
        )

    def wins(self, rep: str, quarter: str, before: datetime) -> tuple[UUID, ...]:
        booked = self._company.bookings[rep, quarter]
        return tuple(b.event_id for b in booked if b.occurred_at < before)

    def convert(self, amount: Money, currency: str, quarter: str) -> Decimal | None:
        return self._company.known.convert(amount, currency, quarter)

    def dwell(self, process: str, stage: str, deal_id: UUID, before: datetime) -> Dwell | None:
        stays = self._company.stays.get((process, stage), [])
        return StaysIn.of(lasted(stays)).dwell(deal_id, before, self.policy)

    def coverage(self, rep: str | None) -> Coverage:
        own = [a for _, a in self._company.acts if a.outside and rep in (None, a.rep)]
        return Coverage(sum(not act.seller_only for act in own), len(own))

    def pace(self, rep: str, quarter: FiscalQuarter, at: datetime) -> Pace:
        return self._company.known.pace(rep, quarter, at)

    def turns(self, rep: str) -> Sequence[datetime]:
        return self._company.known.turns(rep)
