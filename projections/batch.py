"""What a projection is given: deals with their new events, and the context to read them with."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol
from uuid import UUID

from domain.causes import action_time
from domain.known import Known
from domain.replay import Event
from projections.facts import Rows

DEAL_PREFIX = "deal:"
FRAMING_KINDS = ("calendar", "policy", "process")
"""What is published under these kinds of topics begins a frame: every deal is read anew."""


def deal_of(stream_id: str) -> UUID | None:
    """Give the deal whose stream this is; None for the streams of the context."""
    return UUID(stream_id[len(DEAL_PREFIX) :]) if stream_id.startswith(DEAL_PREFIX) else None


class Frames(Protocol):
    """The context that deals are read with, as it was at each position.

    A frame begins where a calendar, a policy or a process is published: all deals read
    differently from there on. Inside a frame these three do not change; what else the context
    holds (quotas, people, rates) may be older than the position, and no fact rests on it.
    """

    def at(self, position: int) -> Known:
        """Give the context that the deals are read with at a position."""
        ...

    def between(self, after: int, upto: int) -> Sequence[int]:
        """Give the positions after one and up to another at which a frame begins."""
        ...


@dataclass(frozen=True, slots=True)
class Batch:
    """A stretch of the log, after position `after` and up to `upto`, as some deals see it.

    `streams` holds whole streams as known at `upto`, in the order of positions: those of the
    deals that the stretch touches and, where a frame begins in it, those of all others for the
    projections that rest on frames.
    """

    after: int
    upto: int
    streams: Mapping[UUID, Sequence[Event]]
    frames: Frames

    def only(self, streams: Mapping[UUID, Sequence[Event]], *, upto: int | None = None) -> "Batch":
        """Give the same stretch, or its beginning, for other streams."""
        return replace(self, streams=streams, upto=self.upto if upto is None else upto)

    def new(self, deal_id: UUID) -> list[Event]:
        """Give the events of a deal that the stretch brings, in the order of positions."""
        return [e for e in self.streams[deal_id] if self.after < e.position <= self.upto]

    def positions(
        self, topics: Collection[str], *, onward: Collection[str], framed: bool
    ) -> dict[UUID, list[int]]:
        """Give the positions at which facts of each deal may change, in order.

        These are its own events of some topics and, for facts that rest on frames, the beginnings
        of frames since its first event. Events of the topics `onward` bear only on what is judged
        when they occurred or later: they count where something told before them was.
        """
        begun = self.frames.between(self.after, self.upto) if framed else ()
        found: dict[UUID, list[int]] = {}
        for deal_id, stream in self.streams.items():
            told = [e for e in self.new(deal_id) if e.data.TOPIC in topics]
            if any(e.data.TOPIC in onward for e in told):
                told = list(_bearing(stream, told, onward))
            own = [e.position for e in told]
            since = stream[0].position if stream else self.upto
            framing = [position for position in begun if position > since]
            if own or framing:
                found[deal_id] = sorted({*own, *framing})
        return found


def _bearing(
    stream: Iterable[Event], told: Iterable[Event], onward: Collection[str]
) -> Iterator[Event]:
    """Give the events that may bear on what the stream told before each of them."""
    waiting = {event.position for event in told}
    latest = datetime.min.replace(tzinfo=UTC)
    for event in stream:
        if event.position in waiting and (
            event.data.TOPIC not in onward or event.occurred_at <= latest
        ):
            yield event
        latest = max(latest, event.occurred_at, action_time(event))


class Projection(Protocol):
    """A read model that is kept up to date stretch by stretch, and can be made anew.

    `tables` are its own tables. `topics` are those of the deal events that it rests on. `framed`
    says whether all deals must be read anew where a frame begins, `reads_bare_events` whether
    position, time, payload and source of an event that was never corrected suffice to load it.
    """

    @property
    def name(self) -> str:
        """What it is called."""
        ...

    @property
    def tables(self) -> Sequence[str]:
        """The tables that it alone writes."""
        ...

    @property
    def topics(self) -> Collection[str]:
        """The topics of deal events that can change its rows."""
        ...

    @property
    def framed(self) -> bool:
        """Whether calendars, policies and processes change its rows."""
        ...

    @property
    def reads_bare_events(self) -> bool:
        """Whether it loads deals from events without most of their envelopes."""
        ...

    def project(self, connection: Rows, batch: Batch) -> None:
        """Write what a stretch changes; the caller commits it together with the position."""
        ...

    def load(self, connection: Rows, batch: Batch) -> None:
        """Add whole deals to its tables, which hold nothing of them and have no indexes yet."""
        ...

    def fill(self, connection: Rows, whole: Batch, *, part: int, parts: int) -> None:
        """Fill one part of what derives from the rows of all deals, once these are loaded."""
        ...

    def refold(self, connection: Rows, batch: Batch) -> None:
        """Write the deals of a stretch that lies behind the projection's position."""
        ...
