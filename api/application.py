"""The one door: every fact that enters the log is decided here, whoever brings it."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, TypeAlias
from uuid import UUID

from api.context import ContextReader
from api.errors import KeyReusedError, UnknownDealError, VersionMismatchError
from api.storage.event_store import EventStore
from api.storage.requests import (
    Appended,
    AppendRequest,
    Duplicate,
    NewEvent,
    VersionConflict,
    new_event_id,
)
from domain.context import decide_context
from domain.deal import decide, evolve, replay
from domain.deal_state import Deal
from domain.errors import DomainError, MisplacedEventError
from domain.events.base import DomainEvent, type_name
from domain.events.catalogue import DealEvent
from domain.events.honesty import EventAmended, EventRetracted
from domain.events.life import DealOpened, ProcessRef
from domain.known import Known
from domain.replay import Event, view
from domain.stamp import Channel, RecordedEvent, Stamp

RETRIES: Final = 8
"""How often a decision is made again because its stream moved, if the client named no version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Whose request it is: the credential decides who acts, never the body."""

    actor: str
    channel: Channel = "api"


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """An event that somebody wants recorded; without `occurred_at` it happens now."""

    data: DomainEvent
    occurred_at: datetime | None = None
    on_behalf_of: str | None = None
    correlation_id: str | None = None
    caused_by: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """Events of one stream to be recorded together or not at all."""

    caller: Caller
    intents: tuple[Intent, ...]
    idempotency_key: str
    body_hash: str
    if_match: int | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """What was recorded, in the order of versions; `replayed` if it was so before."""

    stream_id: str
    events: tuple[Event, ...]
    replayed: bool = False

    @property
    def version(self) -> int:
        """The version of the stream after these events."""
        return self.events[-1].version

    @property
    def position(self) -> int:
        """The position of the last of them."""
        return self.events[-1].position


Decide: TypeAlias = Callable[[Sequence[Event], tuple[Stamp, ...]], list[DomainEvent]]
"""Decides the events of a command against the stream as it stands."""


class Application:
    """Use cases: load, decide, append, answer."""

    def __init__(
        self, store: EventStore, context: ContextReader, clock: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._context = context
        self._clock = clock

    async def open_deal(self, command: Command) -> Recorded:
        """Record the first events of a new deal; the process in force is pinned to it."""
        return await self._record(f"deal:{new_event_id()}", command, self._decide_deal(command))

    async def append_to_deal(self, deal_id: UUID, command: Command) -> Recorded:
        """Record events of a deal.

        Raises:
            UnknownDealError: there is no such deal.
            DomainError: the model refuses one of them; nothing is recorded.
            VersionMismatchError: the deal is not at the version that the client named.
            KeyReusedError: the idempotency key was used for another request.
        """
        stream_id = f"deal:{deal_id}"
        return await self._record(stream_id, command, self._decide_deal(command, known=deal_id))

    async def append_to_context(self, stream_id: str, command: Command) -> Recorded:
        """Record events of a quota, a process, a policy, a calendar, the organisation or rates."""

        def decided(events: Sequence[Event], stamps: tuple[Stamp, ...]) -> list[DomainEvent]:
            known = self._known_now()
            intents = [intent.data for intent in command.intents]
            return decide_context(stream_id, events, intents, stamps=stamps, known=known)

        return await self._record(stream_id, command, decided)

    def _known_now(self) -> Known:
        return self._context.known(self._store.head().position)

    def _decide_deal(self, command: Command, known: UUID | None = None) -> Decide:
        def decided(events: Sequence[Event], stamps: tuple[Stamp, ...]) -> list[DomainEvent]:
            if known is not None and not events:
                message = f"there is no deal {known}"
                raise UnknownDealError(message)
            return decide_deal(events, command.intents, stamps, self._known_now())

        return decided

    async def _record(self, stream_id: str, command: Command, decided: Decide) -> Recorded:
        """Answer a repeated request as before; else load, decide, append, again if overtaken."""
        before = await self._answered_before(command)
        if before is not None:
            return before
        for _ in range(RETRIES):
            events = await self._store.load(stream_id)
            _check_version(events, command)
            now = self._clock()
            try:
                stamps = _stamps(command, now)
                payloads = await asyncio.to_thread(decided, events, stamps)
            except (DomainError, UnknownDealError):
                # A retry of what is recorded by now is answered, not refused for being said twice.
                before = await self._answered_before(command)
                if before is not None:
                    return before
                raise
            verdict = await self._store.append(
                _request(stream_id, command, stamps, payloads, len(events))
            )
            match verdict:
                case Appended():
                    return await self._recorded(verdict.first_position, verdict.last_position)
                case Duplicate():
                    return await self._replayed(verdict, command)
                case VersionConflict(current_version=current):
                    _refuse_named_version(command, current)
        message = f"{stream_id} is being written by many at once; send the request again"
        raise VersionMismatchError(message, current_version=current)

    async def _answered_before(self, command: Command) -> Recorded | None:
        found = await self._store.find_request_async(command.caller.actor, command.idempotency_key)
        return None if found is None else await self._replayed(found, command)

    async def _replayed(self, found: Duplicate, command: Command) -> Recorded:
        if found.body_hash != command.body_hash:
            message = (
                f"the Idempotency-Key {command.idempotency_key!r} was used for another request; "
                "a new request needs a new key"
            )
            raise KeyReusedError(message)
        recorded = await self._recorded(found.first_position, found.last_position)
        return replace(recorded, replayed=True)

    async def _recorded(self, first: int, last: int) -> Recorded:
        events = await asyncio.to_thread(self._store.events_at, first, last)
        return Recorded(events[0].stream_id, tuple(events))


def decide_deal(
    events: Sequence[Event],
    intents: Sequence[Intent],
    stamps: Sequence[Stamp],
    known: Known,
) -> list[DomainEvent]:
    """Decide a run of a deal's events, each on top of the ones before it.

    Raises:
        DomainError: the model refuses one; its field says which of the run it is.
    """
    history = list(events)
    deal = replay(history)
    decided: list[DomainEvent] = []
    for index, (intent, stamp) in enumerate(zip(intents, stamps, strict=True)):
        try:
            data = _pinned(_deal_event(intent.data), stamp, known)
            processes = known.processes(view(history))
            payload = decide(deal, data, stamp=stamp, processes=processes, events=history)
        except DomainError as error:
            error.field = f"events[{index}].{error.field or 'type'}"
            raise
        event = _as_recorded(history, payload, stamp)
        history.append(event)
        deal = _next(deal, event, history)
        decided.append(payload)
    return decided


def _deal_event(data: DomainEvent) -> DealEvent:
    if not isinstance(data, DealEvent):
        message = f"{type_name(type(data))} does not belong to a deal"
        raise MisplacedEventError(message, field="type")
    return data


def _next(deal: Deal | None, event: Event, history: Sequence[Event]) -> Deal | None:
    """Give the state after one more event; what is told late or corrects needs a replay."""
    in_order = all(earlier.occurred_at <= event.occurred_at for earlier in history)
    if in_order and not isinstance(event.data, EventAmended | EventRetracted):
        return evolve(deal, event)
    return replay(history)


def _as_recorded(history: Sequence[Event], payload: DomainEvent, stamp: Stamp) -> Event:
    """Give a decided event as the next of its stream, for the decisions that follow it."""
    position = history[-1].position + 1 if history else 1
    return RecordedEvent(
        event_id=new_event_id(),
        stream_id="",
        version=len(history) + 1,
        position=position,
        occurred_at=stamp.occurred_at,
        recorded_at=stamp.recorded_at,
        ingested_at=stamp.recorded_at,
        actor=stamp.actor,
        data=payload,
        on_behalf_of=stamp.on_behalf_of,
        channel=stamp.channel,
        correlation_id=stamp.correlation_id,
        caused_by=stamp.caused_by,
    )


def _pinned(data: DealEvent, stamp: Stamp, known: Known) -> DealEvent:
    """Pin a deal that names no process to the one in force when it is opened."""
    if not isinstance(data, DealOpened) or data.process is not None:
        return data
    process = known.default_process(stamp.occurred_at)
    return data.model_copy(update={"process": ProcessRef(id=process.id, version=process.version)})


def _stamps(command: Command, now: datetime) -> tuple[Stamp, ...]:
    stamps: list[Stamp] = []
    for index, intent in enumerate(command.intents):
        try:
            stamps.append(_stamp(intent, command.caller, now))
        except DomainError as error:
            error.field = f"events[{index}].{error.field}"
            raise
    return tuple(stamps)


def _stamp(intent: Intent, caller: Caller, now: datetime) -> Stamp:
    return Stamp(
        occurred_at=intent.occurred_at or now,
        recorded_at=now,
        actor=caller.actor,
        on_behalf_of=intent.on_behalf_of,
        channel=caller.channel,
        correlation_id=intent.correlation_id,
        caused_by=intent.caused_by,
    )


def _request(
    stream_id: str,
    command: Command,
    stamps: Sequence[Stamp],
    payloads: Sequence[DomainEvent],
    version: int,
) -> AppendRequest:
    return AppendRequest(
        stream_id=stream_id,
        events=tuple(
            NewEvent(
                event_id=new_event_id(),
                data=payload,
                occurred_at=stamp.occurred_at,
                actor=stamp.actor,
                on_behalf_of=stamp.on_behalf_of,
                channel=stamp.channel,
                correlation_id=stamp.correlation_id,
                caused_by=stamp.caused_by,
            )
            for payload, stamp in zip(payloads, stamps, strict=True)
        ),
        caller=command.caller.actor,
        expected_version=version,
        idempotency_key=command.idempotency_key,
        body_hash=command.body_hash,
    )


def _check_version(events: Sequence[Event], command: Command) -> None:
    if command.if_match is not None and command.if_match != len(events):
        _refuse_named_version(command, len(events))


def _refuse_named_version(command: Command, current: int) -> None:
    if command.if_match is not None:
        message = f"the deal is at version {current}, not {command.if_match}: somebody was first"
        raise VersionMismatchError(message, current_version=current)
