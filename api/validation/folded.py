"""A history read by the product's own rules, in memory: no ledger, the same pure folds."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from operator import attrgetter
from typing import Final, cast
from uuid import NAMESPACE_OID, UUID, uuid5

from api.sample.journal import Json
from domain.bookings import Booking, RunningTotal
from domain.events.catalogue import STREAM_KINDS, TYPES_BY_NAME, parse
from domain.fiscal import FiscalQuarter
from domain.known import Known
from domain.pace import Pace
from domain.replay import Event, view
from domain.stamp import RecordedEvent
from domain.values import Money, utc_instant
from projections.attainment.fold import credits_of
from projections.pressure.acts import Act
from projections.pressure.baseline import Comparables, Dwell, Lasted, Offer
from projections.pressure.curve import standing
from projections.pressure.derive import ActSeen, acts_seen, derive_stays
from projections.pressure.fold import Judged, judge
from projections.pressure.off_fit import Opened
from projections.pressure.recording import Coverage
from projections.pressure.rules import Truth
from projections.pressure.stays import StaysIn
from projections.progress.openings import derive_openings

_RepQuarter = tuple[str, str]
_NONE: Final[Sequence[Booking]] = ()
_OCCURRED: Final = attrgetter("occurred_at")


@dataclass(frozen=True, slots=True)
class Deal:
    """A deal's view, and its seller events with their verdicts."""

    key: str
    events: Sequence[Event]
    judged: Sequence[Judged]

    @property
    def deal_id(self) -> UUID:
        """The id that it has among the others."""
        return _id(self.key)


class FoldedHistory:
    """A whole history, as known at its end; gives each deal judged against all others."""

    def __init__(self, lines: Iterable[Json]) -> None:
        """Take lines in the order of their recording, as a founding import stores them.

        A line without a recording time is one of an ordinary import: it is told at the end.
        """
        surroundings: list[Event] = []
        streams: dict[str, list[Event]] = defaultdict(list)
        for position, line in enumerate(lines, start=1):
            event = _event(line, position)
            if STREAM_KINDS[str(line["type"])] == "deal":
                streams[event.stream_id.partition(":")[2]].append(event)
            else:
                surroundings.append(event)
        known = self.known = Known(surroundings)
        self._views = {key: view(events) for key, events in streams.items()}
        self._seen = {
            key: acts_seen(events, known.processes(events), known.policy, known.calendar)
            for key, events in self._views.items()
        }
        self._context = _Context(known, self._views, self._seen)

    def deals(self) -> Iterator[Deal]:
        """Give every deal, judged."""
        for key, events in self._views.items():
            yield Deal(key, events, judge(_id(key), self._seen[key], self._context))

    def opened(self) -> Iterator[tuple[str, Opened]]:
        """Give the opening of every deal, and how its rep stood then."""
        for key, events in self._views.items():
            for one in derive_openings(events, self.known):
                if one.until_at is None:
                    behind = self._context.behind(one.rep, one.opened_at)
                    yield key, Opened(one.event_id, one.rep, behind, one.fit, one.fit_event_id)


def _id(key: str) -> UUID:
    return uuid5(NAMESPACE_OID, key)


def _event(line: Json, position: int) -> Event:
    occurred_at = utc_instant(line["occurred_at"])
    stated, cause = line.get("recorded_at"), line.get("caused_by")
    recorded_at = utc_instant(stated) if stated else occurred_at
    return RecordedEvent(
        event_id=UUID(str(line["external_id"])),
        stream_id=str(line["stream"]),
        version=position,
        position=position,
        occurred_at=occurred_at,
        recorded_at=recorded_at,
        ingested_at=recorded_at,
        actor=str(line["actor"]),
        data=parse(TYPES_BY_NAME[str(line["type"])], cast("Json", line["data"])),
        channel="import",
        caused_by=UUID(str(cause)) if cause else None,
        clock="source" if stated else "server",
    )


class _Context:
    """What the judgement of one deal needs to know of the others, derived from their views."""

    def __init__(
        self,
        known: Known,
        views: Mapping[str, Sequence[Event]],
        seen: Mapping[str, Sequence[ActSeen]],
    ) -> None:
        self._known = known
        self.policy = known.policy
        self.calendar = known.calendar
        self._acts: dict[str, list[tuple[UUID, Act]]] = defaultdict(list)
        stays: dict[tuple[str, str], list[Lasted]] = defaultdict(list)
        self._bookings: dict[_RepQuarter, list[Booking]] = defaultdict(list)
        for key, events in views.items():
            deal_id = _id(key)
            for one in seen[key]:
                self._acts[one.act.rep].append((deal_id, one.act))
            for stay in derive_stays(events, known):
                stays[stay.process, stay.stage].append((deal_id, stay.entered_at, stay.left_at))
            self._book(events)
        every = (act.action_time for own in self._acts.values() for _, act in own)
        self._end = max(every, default=datetime.max.replace(tzinfo=UTC))
        for booked in self._bookings.values():
            booked.sort(key=_OCCURRED)
        self._stays = {key: StaysIn.of(found) for key, found in stays.items()}
        self._totals: dict[tuple[str, str, str], RunningTotal] = {}
        self.comparables = Comparables(self._offers)

    def quota(self, rep: str, quarter: str, at: datetime) -> tuple[Money | None, tuple[UUID, ...]]:
        return self._known.quota(rep, quarter, at)

    def behind(self, rep: str, at: datetime) -> Truth:
        """Say whether a rep was behind at an instant."""
        quarter = self.calendar.quarter_at(at)
        quota = self.quota(rep, quarter.name, at)[0] if quarter else None
        if quarter is None or quota is None:
            return None
        booked = self.booked(rep, quarter.name, quota.currency)
        pressure = standing(quota, booked, self.pace(rep, quarter, at).elapsed, at).pressure
        return None if pressure is None else pressure >= self.policy.theta

    def quota_changes(self, rep: str, quarter: str) -> Sequence[datetime]:
        history = self._known.quotas.get((rep, None, quarter))
        return [step.since for step in history.steps] if history else []

    def pace(self, rep: str, quarter: FiscalQuarter, at: datetime) -> Pace:
        return self._known.pace(rep, quarter, at)

    def turns(self, rep: str) -> Sequence[datetime]:
        return self._known.turns(rep)

    def teammates(self, rep: str, at: datetime) -> frozenset[str]:
        return self._known.teammates(rep, at) or frozenset({rep})

    def coverage(self, rep: str | None) -> Coverage:
        team = self.teammates(rep, self._end) if rep else frozenset(self._acts)
        told = [act for one in team for _, act in self._acts.get(one, ()) if act.outside]
        return Coverage(sum(not act.seller_only for act in told), len(told))

    def booked(self, rep: str, quarter: str, currency: str) -> RunningTotal:
        key = (rep, quarter, currency)
        if key not in self._totals:
            self._totals[key] = RunningTotal(
                (booking.occurred_at, self.convert(booking.amount, currency, quarter))
                for booking in self._bookings.get((rep, quarter), _NONE)
            )
        return self._totals[key]

    def wins(self, rep: str, quarter: str, before: datetime) -> tuple[UUID, ...]:
        booked = self._bookings.get((rep, quarter), _NONE)
        end = bisect_left(booked, before, key=_OCCURRED)
        return tuple(booking.event_id for booking in booked[:end])

    def convert(self, amount: Money, currency: str, quarter: str) -> Decimal | None:
        return self._known.convert(amount, currency, quarter)

    def dwell(self, process: str, stage: str, deal_id: UUID, before: datetime) -> Dwell | None:
        stays = self._stays.get((process, stage))
        return stays.dwell(deal_id, before, self.policy) if stays else None

    def _book(self, events: Sequence[Event]) -> None:
        for credit in credits_of(events, self._known.calendar):
            if credit.kind == "revenue" and credit.quarter:
                # Unvalidated, because a share of an amount may have more digits than a payload.
                amount = Money.model_construct(amount=credit.amount, currency=credit.currency)
                booking = Booking(credit.event_id, credit.occurred_at, amount)
                self._bookings[credit.rep, credit.quarter].append(booking)

    def _offers(self, reps: Collection[str] | None) -> Iterator[Offer]:
        for rep in self._acts if reps is None else reps:
            for deal_id, act in self._acts.get(rep, ()):
                if act.depth is not None and act.interior:
                    yield Offer(
                        deal_id, act.rep, act.segment, act.action_time, act.depth, act.previous
                    )
