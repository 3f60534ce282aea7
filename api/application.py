"""The one door: every fact that enters the log is decided here, whoever brings it."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Final, TypeAlias, TypeVar
from uuid import UUID

from api.context import LatestContext
from api.errors import ContendedError, KeyReusedError, UnknownDealError, VersionMismatchError
from api.identity.access import Access
from api.identity.permissions import Identity, ensure_may_write
from api.identity.reach import ensure_may_append, ensure_may_call
from api.standing import RecentDeals, Standing
from api.storage.event_store import EventStore
from api.storage.requests import (
    Appended,
    AppendRequest,
    Duplicate,
    NewEvent,
    VersionConflict,
    as_recorded,
    new_event_id,
)
from api.turns import Turns
from domain.context import decide_context
from domain.deal import decide
from domain.errors import DomainError, MisplacedEventError
from domain.events.base import DomainEvent, type_name
from domain.events.catalogue import DealEvent
from domain.events.honesty import EventAmended, EventRetracted
from domain.events.life import DealMovedToProcess, DealOpened, ProcessRef
from domain.known import Known
from domain.replay import Event
from domain.stamp import Channel, RecordedEvent, Stamp
from domain.undoing import ensure_nothing_rests_on
from projections.batch import DEAL_PREFIX

Made = TypeVar("Made")
RETRIES: Final = 8
"""How often a decision is made again because its stream moved, if the client named no version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Whose request it is: the credential decides who acts, never the body."""

    identity: Identity
    channel: Channel = "api"

    @property
    def actor(self) -> str:
        """Whom the log names."""
        return self.identity.actor


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """An event that somebody wants recorded; without `occurred_at` it happens now."""

    data: DomainEvent
    occurred_at: datetime | None = None
    on_behalf_of: str | None = None
    correlation_id: str | None = None
    caused_by: UUID | None = None
    undoes: bool = False  # no later event may rest on what it retracts


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """Events of one stream to be recorded together or not at all.

    `correlation_id` names what they are part of, where an intent names nothing of its own.
    """

    caller: Caller
    intents: tuple[Intent, ...]
    idempotency_key: str
    body_hash: str
    if_match: tuple[int, ...] | None = None
    correlation_id: str | None = None


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


_DECIDED_HERE: Final = 256
"""Events of a deal and of a command that are folded on the loop; with more, beside it."""
_NEEDS_THE_LATEST: Final = (DealMovedToProcess, EventAmended, EventRetracted)
"""Events that may name a process published a moment ago, maybe in another process of the server."""

Decide: TypeAlias = Callable[[Standing, tuple[Stamp, ...], Known], list[DomainEvent]]
"""Decides the events of a command against the stream as it stands and the context as known."""


class Application:
    """Use cases: load, decide, append, answer."""

    def __init__(
        self,
        store: EventStore,
        context: LatestContext,
        clock: Callable[[], datetime],
        access: Access,
    ) -> None:
        self._store = store
        self._context = context
        self._clock = clock
        self._access = access
        self._recent = RecentDeals()
        self._turns = Turns()

    async def open_deal(self, command: Command) -> Recorded:
        """Record the first events of a new deal; the process in force is pinned to it."""
        return await self._record(f"deal:{new_event_id()}", command, self._decide_deal(command))

    async def append_to_deal(self, deal_id: UUID, command: Command) -> Recorded:
        """Record events of a deal.

        Raises:
            UnknownDealError: there is no such deal, or none that the caller may see.
            NotPermittedError: the caller may not write this, or not in this name.
            DomainError: the model refuses one of them; nothing is recorded.
            VersionMismatchError: the deal is not at the version that the client named.
            KeyReusedError: the idempotency key was used for another request.
            ContendedError: others were first, again and again; nothing is recorded.
            LogUnavailableError: the log gave no answer in time; it may be recorded.
        """
        stream_id = f"deal:{deal_id}"
        return await self._record(stream_id, command, self._decide_deal(command, deal_id))

    async def append_to_context(self, stream_id: str, command: Command) -> Recorded:
        """Record events of a quota, a process, a policy, a calendar, the organisation or rates.

        Raises:
            NotPermittedError: the caller may not write this, or not in this name.
        """

        def decided(stream: Standing, stamps: tuple[Stamp, ...], known: Known) -> list[DomainEvent]:
            reach = self._access.reach(command.caller.identity, known)
            intents = [intent.data for intent in command.intents]
            ensure_may_call(reach, intents)
            _check_version(stream, command)
            return decide_context(stream_id, stream.events, intents, stamps=stamps, known=known)

        return await self._record(stream_id, command, decided)

    def _decide_deal(self, command: Command, deal_id: UUID | None = None) -> Decide:
        def decided(deal: Standing, stamps: tuple[Stamp, ...], known: Known) -> list[DomainEvent]:
            if deal_id is not None and not deal.events:
                raise UnknownDealError(f"there is no deal {deal_id}")
            intents = [(one.data, f"events[{n}]") for n, one in enumerate(command.intents)]
            reach = self._access.reach(command.caller.identity, known)
            ensure_may_append(reach, str(deal_id), deal.events, intents)
            _check_version(deal, command)
            return decide_deal(deal, command.intents, stamps, known)

        return decided

    async def _record(self, stream_id: str, command: Command, decided: Decide) -> Recorded:
        async with self._turns.of(stream_id):
            return await self._decide_and_append(stream_id, command, decided)

    async def _decide_and_append(
        self, stream_id: str, command: Command, decided: Decide
    ) -> Recorded:
        """Decide on a stream as last seen, or else as loaded, and append; again if overtaken.

        What was seen may be old, so that it never refuses: the stream is loaded first.
        """
        named = [intent.on_behalf_of for intent in command.intents]
        ensure_may_write(command.caller.identity, stream_id, on_behalf_of=named)
        ordinary = not any(isinstance(one.data, _NEEDS_THE_LATEST) for one in command.intents)
        seen = self._recent.get(stream_id) if ordinary else None
        for _ in range(RETRIES):
            standing = seen or await self._load(stream_id)
            try:
                request = await self._request(
                    stream_id, command, decided, standing, latest=seen is None
                )
            except (DomainError, UnknownDealError, VersionMismatchError):
                if seen is not None:
                    seen = None
                    continue
                # A retry of what is recorded by now is answered, not refused for being said twice.
                before = await self._answered_before(command)
                if before is None:
                    raise
                return before
            verdict = await self._store.append(request)
            match verdict:
                case Appended():
                    events = as_recorded(request, verdict)
                    await self._keep(stream_id, standing, events)
                    return Recorded(stream_id, events)
                case Duplicate():
                    return await self._replayed(verdict, command)
                case VersionConflict(current_version=current):
                    _refuse_named_version(command, current)
                    seen = None
        message = f"{stream_id} is being written by many at once; send the request again"
        raise ContendedError(message)

    async def _request(
        self, stream_id: str, command: Command, decided: Decide, standing: Standing, *, latest: bool
    ) -> AppendRequest:
        """Decide a command and give what to append.

        The operator may see all, however old the context; who else may see what is told by the
        organisation as it is now.
        """
        latest = latest or not command.caller.identity.operator
        stamps = _stamps(command, self._clock())
        known = await self._context.known(latest=latest)
        size = standing.version + len(stamps)
        payloads = await _near(partial(decided, standing, stamps, known), size=size)
        return _request(stream_id, command, stamps, payloads, standing.version)

    async def _load(self, stream_id: str) -> Standing:
        events = await self._store.load(stream_id)
        if not stream_id.startswith(DEAL_PREFIX):
            return Standing(tuple(events))
        return await _near(partial(Standing.of_deal, events), size=len(events))

    async def _keep(self, stream_id: str, standing: Standing, events: tuple[Event, ...]) -> None:
        """Keep a deal as it stands now for the next append."""
        if stream_id.startswith(DEAL_PREFIX):
            followed = partial(self._recent.follow, stream_id, standing, events)
            await _near(followed, size=standing.version + len(events))

    async def _answered_before(self, command: Command) -> Recorded | None:
        found = await self._store.find_request_async(command.caller.actor, command.idempotency_key)
        if found is None:
            return None
        before = await self._replayed(found, command)
        identity = command.caller.identity
        await asyncio.to_thread(self._access.ensure_shown, identity, before.events)
        return before

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


async def _near(work: Callable[[], Made], *, size: int) -> Made:
    """Do what is short on the loop, where it costs least, and what is long beside it."""
    return work() if size <= _DECIDED_HERE else await asyncio.to_thread(work)


def decide_deal(
    standing: Standing, intents: Sequence[Intent], stamps: Sequence[Stamp], known: Known
) -> list[DomainEvent]:
    """Decide a run of a deal's events, each on top of the ones before it.

    Raises:
        DomainError: the model refuses one; its field says which of the run it is.
    """
    decided: list[DomainEvent] = []
    for index, (intent, stamp) in enumerate(zip(intents, stamps, strict=True)):
        if index:
            standing = standing.then(_provisional(standing, decided[-1], stamps[index - 1]))
        try:
            data = _pinned(_deal_event(intent.data), stamp, known)
            processes = known.processes_since(standing.deal.opened_at if standing.deal else None)
            payload = decide(
                standing.deal, data, stamp=stamp, processes=processes, events=standing.events
            )
            if intent.undoes and isinstance(payload, EventRetracted):
                ensure_nothing_rests_on(payload, standing.events, processes)
        except DomainError as error:
            error.field = f"events[{index}].{error.field or 'type'}"
            raise
        decided.append(payload)
    return decided


def _deal_event(data: DomainEvent) -> DealEvent:
    if not isinstance(data, DealEvent):
        raise MisplacedEventError(f"{type_name(type(data))} is of no deal", field="type")
    return data


def _provisional(standing: Standing, payload: DomainEvent, stamp: Stamp) -> Event:
    """Give a decided event as the next of its stream, for the decisions that follow it."""
    position = standing.events[-1].position + 1 if standing.events else 1
    return RecordedEvent(
        event_id=new_event_id(),
        stream_id="",
        version=standing.version + 1,
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
            stamps.append(_stamp(intent, command, now))
        except DomainError as error:
            error.field = f"events[{index}].{error.field}"
            raise
    return tuple(stamps)


def _stamp(intent: Intent, command: Command, now: datetime) -> Stamp:
    return Stamp(
        occurred_at=intent.occurred_at or now,
        recorded_at=now,
        actor=command.caller.actor,
        on_behalf_of=intent.on_behalf_of,
        channel=command.caller.channel,
        correlation_id=intent.correlation_id or command.correlation_id,
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


def _check_version(standing: Standing, command: Command) -> None:
    if standing.version not in (command.if_match or (standing.version,)):
        _refuse_named_version(command, standing.version)


def _refuse_named_version(command: Command, current: int) -> None:
    if command.if_match is not None and current not in command.if_match:
        named = " or ".join(map(str, command.if_match))
        message = f"the deal is at version {current}, not {named}: somebody was first"
        raise VersionMismatchError(message, current_version=current)
