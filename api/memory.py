"""How much memory events take that are kept, so that what keeps them can be bounded by it."""

from collections.abc import Iterable
from typing import Final

from domain.replay import Event

_EVENT_BYTES: Final = 1200
"""An event without what it says: its ids, instants, and the objects around them."""
_BYTES_PER_BYTE: Final = 12
"""At the worst, of what its data take as JSON: many short texts, each an object, or a long one with
one character of four bytes, after which all take as much."""


def memory_of(events: Iterable[Event]) -> int:
    """Estimate the bytes that events take in memory; they seldom take more, and mostly less."""
    return sum(_EVENT_BYTES + _BYTES_PER_BYTE * len(event.data.to_json()) for event in events)
