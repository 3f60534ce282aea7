"""A deal's timeline as an auditor reads it: every event, both clocks, corrections shown."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal, TypeAlias
from uuid import UUID

from domain.calendars import CalendarHistory
from domain.causes import Cause, causes, is_customer_event
from domain.events.base import type_name
from domain.events.catalogue import CustomerEvent, parse
from domain.events.honesty import EventAmended, EventRetracted
from domain.events.progress import StageEntered
from domain.path import Processes
from domain.policy import Policy
from domain.replay import Event, corrections, view
from projections.names import Names
from projections.words import detail, title

Driver: TypeAlias = Literal["customer", "seller", "other"]
_SELLER_TYPES: Final = frozenset(
    {"activity_unticked", "concession_offered", "discount_withdrawn", "forecast_category_changed"}
)


@dataclass(frozen=True, slots=True)
class Correction:
    """What a later event of a rep did to this one; `data` is the payload that counts instead."""

    event_id: UUID
    rep: str
    recorded_at: datetime
    reason: str
    data: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One event of the timeline.

    `told_at` is when the source of an event was told, or else the ledger; it and what follows
    from it (`lag_hours`, `late`, `backdated`) are None where an import does not say.
    `stage` is where the deal stood just before, as the events are ordered with hindsight.
    """

    event_id: UUID
    position: int
    version: int
    type: str
    title: str
    detail: str | None
    data: str
    occurred_at: datetime
    recorded_at: datetime
    ingested_at: datetime
    actor: str
    on_behalf_of: str | None
    rep: str
    channel: str
    clock: str
    caused_by: UUID | None
    stage: str | None
    driver: Driver
    explained_by: UUID | None
    told_at: datetime | None
    lag_hours: float | None
    late: bool | None
    backdated: bool | None
    amended: Correction | None
    retracted: Correction | None


def fold(
    events: Sequence[Event], processes: Processes, policy: Policy, calendar: CalendarHistory
) -> list[Entry]:
    """Fold a deal's raw stream, as known, into its timeline, in the order things happened."""
    seen = view(events)
    explained = causes(seen, processes, policy)
    stages = _stages_before(seen)
    amended, retracted = _corrected(events)
    told = {event.event_id: event for event in seen}
    names = Names.of(seen, processes)
    return [
        _entry(
            event,
            told=told.get(event.event_id, event),
            names=names,
            stage=stages.get(event.event_id),
            cause=explained.get(event.event_id),
            lateness=_Lateness(event, policy, calendar),
            amended=amended.get(event.event_id),
            retracted=retracted.get(event.event_id),
        )
        for event in sorted(events, key=lambda event: event.order)
    ]


def _entry(
    event: Event,
    *,
    told: Event,
    names: Names,
    stage: str | None,
    cause: Cause | None,
    lateness: "_Lateness",
    amended: Correction | None,
    retracted: Correction | None,
) -> Entry:
    return Entry(
        event_id=event.event_id,
        position=event.position,
        version=event.version,
        type=type_name(type(event.data)),
        title=title(told.data, names),
        detail=detail(told.data, names),
        data=event.data.to_json().decode(),
        occurred_at=event.occurred_at,
        recorded_at=event.recorded_at,
        ingested_at=event.ingested_at,
        actor=event.actor,
        on_behalf_of=event.on_behalf_of,
        rep=event.rep,
        channel=event.channel,
        clock=event.clock,
        caused_by=event.caused_by,
        stage=stage,
        driver=_driver(event, cause),
        explained_by=cause.explained_by if cause else None,
        told_at=lateness.told_at,
        lag_hours=lateness.hours,
        late=lateness.late,
        backdated=lateness.backdated,
        amended=amended,
        retracted=retracted,
    )


def _driver(event: Event, cause: Cause | None) -> Driver:
    if cause is not None:
        return "seller" if cause.kind == "seller_only" else "customer"
    if is_customer_event(event) or isinstance(event.data, CustomerEvent):
        return "seller" if type_name(type(event.data)).startswith("seller_") else "customer"
    return "seller" if type_name(type(event.data)) in _SELLER_TYPES else "other"


def _stages_before(seen: Sequence[Event]) -> dict[UUID, str | None]:
    stage: str | None = None
    before: dict[UUID, str | None] = {}
    for event in seen:
        before[event.event_id] = stage
        if isinstance(event.data, StageEntered):
            stage = event.data.stage
    return before


def _corrected(
    events: Sequence[Event],
) -> tuple[dict[UUID, Correction], dict[UUID, Correction]]:
    """Give the correction in force of each amended and of each retracted event."""
    gone, in_force = corrections(events)
    amended: dict[UUID, Correction] = {}
    retracted: dict[UUID, Correction] = {}
    for event in events:
        if event.event_id in gone:
            continue
        match event.data:
            case EventAmended(event_id=target, reason=reason):
                if in_force.get(target) is event.data:
                    replaced = _replacement(events, target, event.data)
                    amended[target] = _correction(event, reason, replaced)
            case EventRetracted(event_id=target, reason=reason):
                retracted[target] = _correction(event, reason, None)
            case _:
                pass
    return amended, retracted


def _correction(event: Event, reason: str, data: str | None) -> Correction:
    return Correction(event.event_id, event.rep, event.recorded_at, reason, data)


def _replacement(events: Sequence[Event], target: UUID, amendment: EventAmended) -> str | None:
    amended = next((event for event in events if event.event_id == target), None)
    if amended is None:
        return None
    return parse(type(amended.data), amendment.data).to_json().decode()


class _Lateness:
    """How long after it happened an event was told, and into which quarter (METRICS 1)."""

    def __init__(self, event: Event, policy: Policy, calendar: CalendarHistory) -> None:
        self.told_at: datetime | None = None
        self.hours: float | None = None
        self.late: bool | None = None
        self.backdated: bool | None = None
        unstated = event.channel == "import" and event.clock == "server"
        if unstated and (event.source is None or event.source.recorded_at is None):
            return
        self.told_at = event.told_at
        lag = event.told_at - event.occurred_at
        self.hours = round(lag / timedelta(hours=1), 6)
        self.late = lag > timedelta(hours=policy.late_hours)
        # By name: where another calendar comes into force within a quarter, it stays that one.
        self.backdated = calendar.name_at(event.occurred_at) != calendar.name_at(event.told_at)
