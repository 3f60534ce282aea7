"""The deals that were asked about last, read and folded: only what was told since is read again."""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Final
from uuid import UUID

from api.deal_seen import DealTold
from api.memory import memory_of
from api.storage.log_reader import LogReader
from domain.known import Known
from projections.batch import DEAL_PREFIX

KEPT_BYTES: Final = 40_000_000
"""Estimated memory of the deals that are kept: of some fifty events each about a hundred."""
KEPT_CONTEXTS: Final = 16
"""Contexts that the kept deals are read in: their memory is beside that of the deals.

One of 2,000 quotas takes 560 kB.
"""
_FOLDED: Final = 3
"""With what is folded of them, events take at the most so many times their memory."""


@dataclass(frozen=True, slots=True)
class _Kept:
    told: DealTold
    bytes: int


class DealsTold:
    """Reads what was told of deals up to a position.

    The log never changes, so what was read of a stream stays true; each question asks the log
    for what follows it, and so knows all that was told by then in whatever process. What was
    folded stands as long as nothing follows and the context is the same.
    """

    def __init__(self, store: LogReader, *, kept_bytes: int = KEPT_BYTES) -> None:
        self._store = store
        self._kept_bytes = kept_bytes
        self._lock = Lock()
        self._deals: OrderedDict[UUID, _Kept] = OrderedDict()
        self._bytes = 0
        self._contexts: OrderedDict[int, Known] = OrderedDict()

    def upto(
        self, deal_id: UUID, position: int, known: Known, cut: datetime | None
    ) -> DealTold | None:
        """Give what was told of a deal up to a position, in a context; None if nothing was."""
        with self._lock:
            kept = self._deals.get(deal_id)
        before = kept.told if kept and kept.told.stream[-1].position <= position else None
        stream_id = f"{DEAL_PREFIX}{deal_id}"
        if before is None:
            stream = self._store.stream(stream_id, upto=position)
        else:
            since = self._store.stream(stream_id, after=len(before.stream), upto=position)
            if not since and cut is None and before.known is known:
                self._keep(deal_id, before)
                return before
            stream = [*before.stream, *since]
        if not stream:
            return None
        told = DealTold.of(stream, known, cut)
        if cut is None:
            self._keep(deal_id, told)
        return told

    def _keep(self, deal_id: UUID, told: DealTold) -> None:
        """Keep a deal, unless more of it is kept already; the longest unused are forgotten."""
        with self._lock:
            before = self._deals.get(deal_id)
            if before is None or len(before.told.stream) <= len(told.stream):
                self._forget(deal_id)
                self._deals[deal_id] = kept = _Kept(told, _size(told, before))
                self._bytes += kept.bytes
            self._deals.move_to_end(deal_id)
            self._keep_context(self._deals[deal_id].told.known)
            while self._bytes > self._kept_bytes:
                self._forget(next(iter(self._deals)))

    def _keep_context(self, known: Known) -> None:
        """Let deals be kept in a context; those in the longest unused are forgotten with it."""
        self._contexts[id(known)] = known
        self._contexts.move_to_end(id(known))
        if len(self._contexts) > KEPT_CONTEXTS:
            _, gone = self._contexts.popitem(last=False)
            for deal_id in [one for one, kept in self._deals.items() if kept.told.known is gone]:
                self._forget(deal_id)

    def _forget(self, deal_id: UUID) -> None:
        if (gone := self._deals.pop(deal_id, None)) is not None:
            self._bytes -= gone.bytes


def _size(told: DealTold, before: _Kept | None) -> int:
    """Estimate the bytes of a deal, of which the first events may have been estimated before."""
    if before is None:
        return _FOLDED * memory_of(told.stream)
    return before.bytes + _FOLDED * memory_of(told.stream[len(before.told.stream) :])
