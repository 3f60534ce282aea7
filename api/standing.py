"""Deals as this process last saw them, so that not every append has to load one."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from threading import Lock
from typing import Final

from api.memory import memory_of
from domain.deal import evolve, replay
from domain.deal_state import Deal
from domain.events.honesty import EventAmended, EventRetracted
from domain.replay import Event

KEPT_BYTES: Final = 100_000_000
"""Estimated memory of the deals that are kept: about a thousand that are being worked on."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A stream at one of its versions; for a deal also its state, None where there is none."""

    events: tuple[Event, ...]
    deal: Deal | None = None

    @classmethod
    def of_deal(cls, events: Sequence[Event]) -> "Standing":
        """Give a deal's stream with the state that it makes."""
        return cls(tuple(events), replay(events))

    @property
    def version(self) -> int:
        """The version of the stream."""
        return len(self.events)

    def then(self, event: Event) -> "Standing":
        """Give a deal with one event more; what is told late or corrects needs a replay."""
        events = (*self.events, event)
        in_order = all(earlier.occurred_at <= event.occurred_at for earlier in self.events)
        if in_order and not isinstance(event.data, EventAmended | EventRetracted):
            return Standing(events, evolve(self.deal, event))
        return Standing.of_deal(events)


@dataclass(frozen=True, slots=True)
class _Kept:
    standing: Standing
    bytes: int


_NOTHING: Final = _Kept(Standing(()), 0)


class RecentDeals:
    """The deals that were written last, the longest unused forgotten first.

    Somebody else may have written since, also in another process: the append checks the version,
    so what is old here costs a second try and never a wrong record.
    """

    def __init__(self, *, kept_bytes: int = KEPT_BYTES) -> None:
        self._kept_bytes = kept_bytes
        self._lock = Lock()
        self._deals: OrderedDict[str, _Kept] = OrderedDict()
        self._bytes = 0

    def get(self, stream_id: str) -> Standing | None:
        """Give a deal as last seen; None if it was not, or is forgotten."""
        with self._lock:
            if stream_id not in self._deals:
                return None
            self._deals.move_to_end(stream_id)
            return self._deals[stream_id].standing

    def follow(self, stream_id: str, standing: Standing, events: Sequence[Event]) -> None:
        """Keep a deal as it stands after these events."""
        self.put(stream_id, reduce(Standing.then, events, standing))

    def put(self, stream_id: str, standing: Standing) -> None:
        """Keep a deal, unless a later version of it is kept already."""
        with self._lock:
            before = self._deals.get(stream_id, _NOTHING)
            if before.standing.version >= standing.version:
                return
            added = memory_of(standing.events[before.standing.version :])
            self._deals[stream_id] = _Kept(standing, before.bytes + added)
            self._deals.move_to_end(stream_id)
            self._bytes += added
            while self._bytes > self._kept_bytes:
                _, oldest = self._deals.popitem(last=False)
                self._bytes -= oldest.bytes
