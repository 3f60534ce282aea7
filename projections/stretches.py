"""Facts that hold between two instants: how one row answers for what had happened by then.

As known at a position, a fact of a deal's whole view also tells what was true earlier, until an
event comes that changes what was there before: a tick taken back, evidence withdrawn. At such a
turn of the deal's life its facts are told anew, so that no stream has to be folded to look back.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import zip_longest
from operator import attrgetter
from typing import TypeVar

from domain.events.life import DealOpened
from domain.replay import Event

_OCCURRED = attrgetter("occurred_at")


@dataclass(frozen=True, slots=True)
class Stretch:
    """From when, and until when if not to this day, a fact tells what had happened."""

    from_at: datetime
    until_at: datetime | None


Fact = TypeVar("Fact", bound=Stretch)


def over_life(
    events: Sequence[Event],
    turns: Iterable[datetime],
    derive: Callable[[Sequence[Event]], Iterable[Fact]],
) -> list[Fact]:
    """Derive the facts of a deal's view for every instant from its opening on.

    `derive` gives them for one stretch, as from the events that occurred before its end: no event
    between two turns may change what the facts say of the time before it. A fact that goes on
    across a turn stays one.
    """
    starts = _starts(events, turns)
    if len(starts) == 1:
        return [_within(fact, max(starts[0], fact.from_at), None) for fact in derive(events)]
    found: list[tuple[Fact, datetime, datetime | None]] = []
    before: dict[Fact, int] = {}
    for since, until in zip_longest(starts, starts[1:]):
        standing: dict[Fact, int] = {}
        for fact in derive(_before(events, until)):
            index = before.get(fact, len(found))
            if index == len(found):
                found.append((fact, max(since, fact.from_at), until))
            else:
                found[index] = (fact, found[index][1], until)
            standing[fact] = index
        before = standing
    return [_within(fact, since, until) for fact, since, until in found]


def _starts(events: Iterable[Event], turns: Iterable[datetime]) -> list[datetime]:
    """Give when each stretch between turns begins; nothing for a deal that is not opened."""
    opened = next((e.occurred_at for e in events if isinstance(e.data, DealOpened)), None)
    return [] if opened is None else [opened, *sorted({turn for turn in turns if turn > opened})]


def _before(events: Sequence[Event], until: datetime | None) -> Sequence[Event]:
    return events if until is None else events[: bisect_left(events, until, key=_OCCURRED)]


def _within(fact: Fact, since: datetime, until: datetime | None) -> Fact:
    if fact.from_at == since and fact.until_at == until:
        return fact
    return replace(fact, from_at=since, until_at=until)
