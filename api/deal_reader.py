"""Reads stretches of the log with the deals that they touch, and keeps them for the next."""

from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from api.memory import memory_of
from api.storage.log_reader import LogReader
from api.storage.rows import Unreadable
from domain.replay import Event
from projections.batch import DEAL_PREFIX, deal_of

KEPT_BYTES: Final = 400_000_000
"""Estimated memory of the deals that stay read: most of those that are being worked on."""


@dataclass(slots=True)
class _Stream:
    events: list[Event] = field(default_factory=list)
    unreadable: Unreadable | None = None
    bytes: int = 0

    def add(self, events: Iterable[Event]) -> None:
        """Append what comes next; nothing follows an event that cannot be read."""
        limit = self.unreadable.position if self.unreadable else None
        added = [e for e in events if limit is None or e.position < limit]
        self.events += added
        self.bytes += memory_of(added)


@dataclass(frozen=True, slots=True)
class Deals:
    """Deals as known at one position; one with an unreadable event stops before it."""

    streams: Mapping[UUID, Sequence[Event]]
    unreadable: Mapping[UUID, Unreadable]


class DealReader:
    """The deals as known at the end of one stretch after the other."""

    def __init__(self, store: LogReader) -> None:
        self._store = store
        self._upto = 0
        self._kept: OrderedDict[UUID, _Stream] = OrderedDict()
        self._bytes = 0
        self._touched: tuple[int, int, frozenset[UUID]] | None = None

    def touched(self, after: int, upto: int) -> frozenset[UUID]:
        """Give the deals with events in a stretch; from now on deals are as known at its end."""
        if self._touched is None or self._touched[:2] != (after, upto):
            events, unreadable = self._store.readable(first=after + 1, last=upto)
            names = {e.stream_id for e in events} | {e.stream_id for e in unreadable}
            ids = {deal_id for name in names if (deal_id := deal_of(name))}
            self._go_on(after, upto, events, unreadable)
            self._touched = (after, upto, frozenset(ids))
        return self._touched[2]

    def deals(self, ids: Collection[UUID], *, keep: bool = True) -> Deals:
        """Give deals whole, as known at the end of the stretch, in the order of their ids.

        What is not to be kept for the next stretch is forgotten at once.
        """
        missing = [deal_id for deal_id in ids if deal_id not in self._kept]
        read = self._read(missing)
        found = {i: self._kept.get(i) or read[i] for i in sorted(ids)}
        if keep:
            self._keep(read)
        return Deals(
            {i: stream.events for i, stream in found.items()},
            {i: stream.unreadable for i, stream in found.items() if stream.unreadable},
        )

    def every_deal(self) -> list[UUID]:
        """Give all deals that were opened by the end of the stretch."""
        rows = self._store.rows(
            "SELECT stream_id FROM events WHERE topic = 'deal.deal_opened.v1'"
            " AND position <= %(upto)s ORDER BY stream_id",
            {"upto": self._upto},
        )
        return [deal_id for row in rows if (deal_id := deal_of(row[0]))]

    def forget(self) -> None:
        """Give up everything that was kept."""
        self._kept.clear()
        self._bytes, self._touched = 0, None

    def _go_on(
        self, after: int, upto: int, events: Iterable[Event], unreadable: Iterable[Unreadable]
    ) -> None:
        """Bring the kept deals from the end of the last stretch to the end of this one."""
        if self._upto != after:
            self.forget()
        self._upto = upto
        for one in unreadable:
            stream = self._kept.get(deal_of(one.stream_id) or UUID(int=0))
            if stream and not stream.unreadable:
                stream.unreadable = one
        for deal_id, new in _by_deal(events).items():
            if kept := self._kept.get(deal_id):
                before = kept.bytes
                kept.add(new)
                self._bytes += kept.bytes - before
                self._kept.move_to_end(deal_id)

    def _read(self, ids: Sequence[UUID]) -> dict[UUID, _Stream]:
        found = {deal_id: _Stream() for deal_id in ids}
        if not ids:
            return found
        names = [f"{DEAL_PREFIX}{deal_id}" for deal_id in ids]
        events, unreadable = self._store.readable_streams(names, upto=self._upto)
        for one in sorted(unreadable, key=lambda one: one.position, reverse=True):
            if deal_id := deal_of(one.stream_id):
                found[deal_id].unreadable = one
        for deal_id, own in _by_deal(events).items():
            found[deal_id].add(own)
        return found

    def _keep(self, streams: Mapping[UUID, _Stream]) -> None:
        for deal_id, stream in streams.items():
            self._kept[deal_id] = stream
            self._bytes += stream.bytes
        while self._bytes > KEPT_BYTES and len(self._kept) > 1:
            _, oldest = self._kept.popitem(last=False)
            self._bytes -= oldest.bytes


def _by_deal(events: Iterable[Event]) -> dict[UUID, list[Event]]:
    found: dict[UUID, list[Event]] = {}
    names: dict[str, UUID | None] = {}
    for event in events:
        if event.stream_id not in names:
            names[event.stream_id] = deal_of(event.stream_id)
        if deal_id := names[event.stream_id]:
            found.setdefault(deal_id, []).append(event)
    return found
