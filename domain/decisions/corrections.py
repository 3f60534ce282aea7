"""Refusals of corrections: what may be amended or retracted, and into what."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from pydantic import ValidationError

from domain.deal_state import Deal
from domain.decisions.references import ensure_process, ensure_references
from domain.decisions.sense import ensure_not_negative
from domain.errors import (
    AlreadySoError,
    ContradictionError,
    DomainError,
    PayloadRefusedError,
    UnknownReferenceError,
)
from domain.events.base import DomainEvent, type_name
from domain.events.catalogue import DealEvent, parse
from domain.events.honesty import EventAmended, EventRetracted
from domain.events.life import DealOpened
from domain.path import Processes
from domain.replay import Event, corrections, view


def ensure_amendment(
    deal: Deal, intent: EventAmended, *, processes: Processes, events: Sequence[Event]
) -> None:
    """Refuse an amendment that would put an event into the history that could not be there.

    An original is amended, as often as needed, the latest amendment counts; an amendment itself
    is only ever retracted.
    """
    amended = read_amended(intent, events)
    if intent.event_id in corrections(events)[0]:
        message = "this event is retracted; retract the retraction first"
        raise ContradictionError(message, field="data.event_id")
    stands = next(e.data for e in view(events) if e.event_id == intent.event_id)
    if amended == stands:
        raise AlreadySoError("the event says this already", field="data.data")
    try:
        _ensure_amended_references(deal, amended, processes)
    except DomainError as error:
        error.field = f"data.{error.field}"
        raise


def read_amended(intent: EventAmended, events: Iterable[Event]) -> DealEvent:
    """Give the payload that an amendment puts in place of its target's.

    Raises:
        UnknownReferenceError: there is no such event in this deal.
        ContradictionError: the target is a correction itself.
        PayloadRefusedError: the payload is not of the target's type.
    """
    target = _target(intent.event_id, events).data
    if isinstance(target, EventAmended | EventRetracted):
        message = "a correction is not amended: amend the original again, or retract the correction"
        raise ContradictionError(message, field="data.event_id")
    try:
        amended = parse(type(target), intent.data)
    except ValidationError as error:
        raise _payload_refused(type(target), error) from error
    if not isinstance(amended, DealEvent):
        message = f"{type(target).__name__} does not belong to a deal"
        raise TypeError(message)
    return amended


def _payload_refused(target: type[DomainEvent], error: ValidationError) -> PayloadRefusedError:
    first = error.errors(include_url=False, include_input=False)[0]
    path = ".".join(["data.data", *(str(step) for step in first["loc"])])
    message = f"{path}: {first['msg']} (the amended event is a {type_name(target)})"
    return PayloadRefusedError(message, field=path)


def _ensure_amended_references(deal: Deal, amended: DealEvent, processes: Processes) -> None:
    """Check what the process must have; whether a named thing is settled is past deciding."""
    ensure_not_negative(amended)
    if isinstance(amended, DealOpened):
        ensure_process(amended.process, processes)
        return
    try:
        ensure_references(deal, amended, processes)
    except AlreadySoError:
        return


def ensure_retraction(intent: EventRetracted, events: Sequence[Event]) -> None:
    """Refuse a retraction of the opening, of what is retracted, and of what is not there.

    A correction can be retracted as well; what it corrected then counts as it stood before.
    """
    target = _target(intent.event_id, events)
    if isinstance(target.data, DealOpened):
        message = "deal_opened cannot be retracted; amend it, or record deal_deleted"
        raise ContradictionError(message, field="data.event_id")
    if intent.event_id in corrections(events)[0]:
        raise AlreadySoError("this event is retracted already", field="data.event_id")


def _target(event_id: UUID, events: Iterable[Event]) -> Event:
    for event in events:
        if event.event_id == event_id:
            return event
    message = f"this deal has no event {event_id}"
    raise UnknownReferenceError(message, field="data.event_id")
