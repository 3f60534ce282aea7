"""Decisions about what surrounds the deals: quotas, processes, policy, calendar, people, rates."""

from collections.abc import Callable, Sequence
from typing import Final, assert_never
from uuid import UUID

from domain.calendars import calendar_from
from domain.errors import (
    AlreadySoError,
    CalendarRefusedError,
    ContradictionError,
    DomainError,
    MisplacedEventError,
    PolicyRefusedError,
    ProcessRefusedError,
)
from domain.events.base import DomainEvent, type_name
from domain.events.catalogue import STREAM_KINDS, ContextEvent, OrganisationEvent, QuotaEvent
from domain.events.context import (
    CalendarAdopted,
    ForecastCalled,
    PlanRateSet,
    PolicyPublished,
    ProcessPublished,
)
from domain.known import Known
from domain.organisation import ensure_membership
from domain.policy import policy_from
from domain.process import Process, check_process
from domain.quota import ensure_own_stream, ensure_quota
from domain.replay import Event
from domain.stamp import RecordedEvent, Stamp
from domain.template import DEFAULT_PROCESS

SINGLE_STREAMS: Final = frozenset({"policy", "calendar", "organisation", "rates"})
"""Kinds of which a ledger has one stream, called like its kind."""


def decide_context(
    stream_id: str,
    events: Sequence[Event],
    intents: Sequence[DomainEvent],
    *,
    stamps: Sequence[Stamp],
    known: Known,
) -> list[DomainEvent]:
    """Give the events to record in a stream of context, each decided on top of those before it.

    `events` is the stream so far, `known` the whole context as known now.

    Raises:
        DomainError: the model refuses one; its field says which of the run it is, and where.
    """
    history = list(events)
    for index, (intent, stamp) in enumerate(zip(intents, stamps, strict=True)):
        try:
            _decide(stream_id, history, intent, stamp=stamp, known=known)
        except DomainError as error:
            error.field = f"events[{index}].{error.field or 'type'}"
            raise
        history.append(_as_told(stream_id, history, intent, stamp))
    return list(intents)


def _decide(
    stream_id: str, events: Sequence[Event], intent: DomainEvent, *, stamp: Stamp, known: Known
) -> None:
    if not isinstance(intent, ContextEvent):
        message = f"{type_name(type(intent))} belongs to a deal, not to {stream_id!r}"
        raise MisplacedEventError(message, field="type")
    _ensure_stream(stream_id, intent)
    if isinstance(intent, QuotaEvent):
        ensure_quota(stream_id, events, intent, stamp=stamp, calendar=known.calendar)
    elif isinstance(intent, OrganisationEvent):
        ensure_membership(events, intent, stamp)
    elif isinstance(intent, ForecastCalled):
        ensure_own_stream(stream_id, intent, calendar=known.calendar)
        _ensure_forecast(intent)
    else:
        _decide_published(stream_id, events, intent)


def _ensure_stream(stream_id: str, intent: ContextEvent) -> None:
    name = type_name(type(intent))
    expected = STREAM_KINDS[name]
    kind, _, rest = stream_id.partition(":")
    if kind != expected or bool(rest) == (kind in SINGLE_STREAMS):
        form = expected if expected in SINGLE_STREAMS else f"{expected}:<id>"
        message = f"{name} belongs to a stream {form!r}, not to {stream_id!r}"
        raise MisplacedEventError(message, field="type")


def _decide_published(
    stream_id: str,
    events: Sequence[Event],
    intent: ProcessPublished | PolicyPublished | CalendarAdopted | PlanRateSet,
) -> None:
    match intent:
        case ProcessPublished():
            _ensure_process(stream_id, events, intent)
        case PolicyPublished():
            _ensure_policy(events, intent)
        case CalendarAdopted():
            _ensure_calendar(events, intent)
        case PlanRateSet():
            _ensure_rate(events, intent)
        case _:
            assert_never(intent)


def _ensure_process(stream_id: str, events: Sequence[Event], intent: ProcessPublished) -> None:
    process_id = stream_id.partition(":")[2]
    built_in = DEFAULT_PROCESS.version if process_id == DEFAULT_PROCESS.id else 0
    published = [e.data.version for e in events if isinstance(e.data, ProcessPublished)]
    last = max([built_in, *published])
    if intent.version <= last:
        message = f"version {last} is there already; versions only grow and never change"
        raise ProcessRefusedError(message, field="data.version")
    _with_field_in_data(lambda: check_process(intent.stages))
    process = Process(
        id=process_id,
        version=intent.version,
        name=intent.name,
        stages=intent.stages,
        closing=intent.closing,
    )
    both = process.won_stages & process.lost_stages
    if both:
        message = f"the stage {min(both)!r} cannot be both won and lost"
        raise ProcessRefusedError(message, field="data.closing")
    if not process.working_stages:
        message = "a process needs a stage before the closing ones"
        raise ProcessRefusedError(message, field="data.stages")
    _ensure_no_work_after_closing(process)


def _ensure_no_work_after_closing(process: Process) -> None:
    for index, stage in enumerate(process.stages):
        if stage.activities and stage not in process.working_stages:
            message = f"the closing stage {stage.id!r} has activities; nothing is left to do there"
            raise ProcessRefusedError(message, field=f"data.stages.{index}.activities")


def _ensure_policy(events: Sequence[Event], intent: PolicyPublished) -> None:
    last = max((e.data.version for e in events if isinstance(e.data, PolicyPublished)), default=0)
    if intent.version <= last:
        message = f"version {last} is published already; versions only grow and never change"
        raise PolicyRefusedError(message, field="data.version")
    _with_field_in_data(lambda: policy_from(intent.version, intent.numbers))


def _ensure_calendar(events: Sequence[Event], intent: CalendarAdopted) -> None:
    _with_field_in_data(
        lambda: calendar_from(kind=intent.kind, zone=intent.zone, parameters=intent.parameters)
    )
    adopted = [e.data for e in events if isinstance(e.data, CalendarAdopted)]
    if not adopted:
        return
    last = max(adopted, key=lambda calendar: calendar.effective_from)
    if intent.effective_from < last.effective_from:
        message = f"a later calendar is in force from {last.effective_from.isoformat()} already"
        raise CalendarRefusedError(message, field="data.effective_from")
    if (intent.kind, intent.zone, intent.parameters) == (last.kind, last.zone, last.parameters):
        raise AlreadySoError("this is the calendar in force already", field="data")


def _ensure_rate(events: Sequence[Event], intent: PlanRateSet) -> None:
    told = [
        e.data.rate
        for e in events
        if isinstance(e.data, PlanRateSet)
        and (e.data.fiscal_year, e.data.currency) == (intent.fiscal_year, intent.currency)
    ]
    if told and told[-1] == intent.rate:
        message = f"the plan rate of {intent.currency} for {intent.fiscal_year} is this already"
        raise AlreadySoError(message, field="data.rate")


def _ensure_forecast(intent: ForecastCalled) -> None:
    if intent.best_case is None:
        return
    if intent.best_case.currency != intent.commit.currency:
        message = f"the commit is in {intent.commit.currency}, the best case is not"
        raise ContradictionError(message, field="data.best_case.currency")
    if intent.best_case < intent.commit:
        raise ContradictionError("the best case is below the commit", field="data.best_case")


def _with_field_in_data(check: Callable[[], object]) -> None:
    """Run a check of a part of a payload, and name the field by its path in the event."""
    try:
        check()
    except DomainError as error:
        error.field = f"data.{error.field}" if error.field else "data"
        raise


def _as_told(stream_id: str, events: Sequence[Event], data: DomainEvent, stamp: Stamp) -> Event:
    """Give the event as the next decision sees it; the log gives it its real id and position."""
    last = events[-1] if events else None
    version = last.version + 1 if last else 1
    return RecordedEvent(
        event_id=UUID(int=version),
        stream_id=stream_id,
        version=version,
        position=last.position + 1 if last else 1,
        occurred_at=stamp.occurred_at,
        recorded_at=stamp.recorded_at,
        ingested_at=stamp.recorded_at,
        actor=stamp.actor,
        data=data,
    )
