"""Reads the context of the deals as known at any position, and keeps it for the next question."""

import asyncio
from bisect import bisect_right
from collections import OrderedDict
from threading import Lock
from typing import Final

from api.clock import Deadline
from api.storage.log_reader import LogReader
from api.storage.rows import Unreadable
from domain.events.catalogue import EVENT_TYPES, STREAM_KINDS, TYPES_BY_NAME
from domain.known import Known
from domain.replay import Event
from projections.batch import FRAMING_KINDS

CONTEXT_TOPICS: Final = tuple(
    sorted(TYPES_BY_NAME[name].TOPIC for name, kind in STREAM_KINDS.items() if kind != "deal")
)
"""What the log holds besides deals: quotas, processes, policies, calendars, people, rates."""
REFRAMING_TOPICS: Final = frozenset(
    topic for topic in EVENT_TYPES if topic.split(".")[0] in FRAMING_KINDS
)
"""Events at which a frame begins: every deal is read anew."""
_STANDS_SECONDS: Final = 1.0
_KEPT: Final = 64
"""How many moments of the context stay folded; a replay asks for many of the same."""


class ContextReader:
    """The context as known at a position; the log never changes, so what was read stays true.

    `unreadable` lists the events of the context that this version cannot read, and goes without.
    """

    def __init__(self, store: LogReader) -> None:
        self._store = store
        self._lock = Lock()
        self._events: list[Event] = []
        self._frames: list[int] = []
        self.unreadable: list[Unreadable] = []
        self._read_upto = 0
        self._folded: OrderedDict[int, Known] = OrderedDict()

    def known(self, as_of: int) -> Known:
        """Give the context as known at a position of the log."""
        with self._lock:
            self._read(as_of)
            count = bisect_right(self._events, as_of, key=lambda event: event.position)
            if count not in self._folded:
                self._folded[count] = Known(self._events[:count])
                while len(self._folded) > _KEPT:
                    self._folded.popitem(last=False)
            self._folded.move_to_end(count)
            return self._folded[count]

    def at(self, position: int) -> Known:
        """Give the context that deals are read with at a position (projections/batch.py, Frames).

        It is that of the frame's beginning, so that a rebuild folds it once a frame and not once
        for each quota that was set in between.
        """
        begun = self.between(0, position)
        return self.known(begun[-1] if begun else 0)

    def between(self, after: int, upto: int) -> list[int]:
        """Give the positions after one and up to another at which a frame begins."""
        with self._lock:
            self._read(upto)
            first = bisect_right(self._frames, after)
            return self._frames[first : bisect_right(self._frames, upto)]

    def _read(self, upto: int) -> None:
        if upto <= self._read_upto:
            return
        events, unreadable = self._store.readable_topics(
            CONTEXT_TOPICS, after=self._read_upto, upto=upto
        )
        self._events += events
        self.unreadable += unreadable
        self._frames += [e.position for e in events if e.data.TOPIC in REFRAMING_TOPICS]
        self._read_upto = upto


class LatestContext:
    """The context that decisions are made with: as it stands, or as it stood a second ago.

    What a decision asks of it hardly ever changes, and asking costs more than to decide.
    """

    def __init__(self, store: LogReader, context: ContextReader) -> None:
        self._store = store
        self._context = context
        self._known: Known | None = None
        self._until = Deadline.after(0)

    async def known(self, *, latest: bool) -> Known:
        """Give the context; with `latest`, including what another process recorded just now."""
        if latest or self._known is None or self._until.passed():
            # Set first, so that of many at once one asks.
            self._until = Deadline.after(_STANDS_SECONDS)
            self._known = await asyncio.to_thread(self._read)
        return self._known

    def _read(self) -> Known:
        return self._context.known(self._store.head().position)
