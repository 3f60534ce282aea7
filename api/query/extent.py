"""Between which places of the log the events of a query lie, as far as its terms say.

It decides where events are looked for first, and nothing about what a query holds for.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, TypeAlias, TypeVar

from api.query import fiscal, values
from api.query.ground import Ground
from api.query.tree import AllOf, Between, Comparison, Query, Term
from domain.stamp import FUTURE_TOLERANCE

Place = TypeVar("Place", int, datetime)
Span: TypeAlias = tuple[Place | None, Place | None]
"""From one place until before another; None is no end."""
_INSTANT: Final = timedelta(microseconds=1)
"""The least that lies between two instants."""


@dataclass(frozen=True, slots=True)
class Extent:
    """Where events lie: by their positions, by when they were recorded, by when they occurred."""

    positions: Span[int] = (None, None)
    recorded: Span[datetime] = (None, None)
    occurred: Span[datetime] = (None, None)


def extent_of(query: Query, ground: Ground) -> Extent:
    """Give where everything lies that a query holds for."""
    found = Extent()
    for part in query.parts if isinstance(query, AllOf) else (query,):
        if isinstance(part, Term | Between) and part.field.text in _NARROWING:
            found = _NARROWING[part.field.text](found, part, ground)
    # Nothing is told before it occurs, but for what the clocks of clients are ahead.
    since, until = found.occurred[0], found.recorded[1]
    if since is not None:
        told = _within(found.recorded, (since - FUTURE_TOLERANCE, None))
        found = replace(found, recorded=told)
    if until is not None:
        happened = _within(found.occurred, (None, until + FUTURE_TOLERANCE))
        found = replace(found, occurred=happened)
    return found


def inside(whole: tuple[Place, Place], *spans: Span[Place]) -> tuple[Place, Place]:
    """Give what of a whole lies in every one of some spans."""
    first, last = whole
    for since, until in spans:
        first = first if since is None else max(first, since)
        last = last if until is None else min(last, until)
    return first, last


def _within(one: Span[Place], other: Span[Place]) -> Span[Place]:
    since = [end for end in (one[0], other[0]) if end is not None]
    until = [end for end in (one[1], other[1]) if end is not None]
    return max(since, default=None), min(until, default=None)


def _by_position(found: Extent, leaf: Term | Between, _ground: Ground) -> Extent:
    if isinstance(leaf, Between):  # no such query can be read
        return found
    spans = [(place, place + 1) for place in map(values.whole, leaf.values)]
    return replace(found, positions=_within(found.positions, _compared(leaf.comparison, spans)))


def _by_recording(found: Extent, leaf: Term | Between, ground: Ground) -> Extent:
    return replace(found, recorded=_within(found.recorded, _times(leaf, ground)))


def _by_occurrence(found: Extent, leaf: Term | Between, ground: Ground) -> Extent:
    return replace(found, occurred=_within(found.occurred, _times(leaf, ground)))


def _by_quarter(found: Extent, leaf: Term | Between, ground: Ground) -> Extent:
    if isinstance(leaf, Between):  # no such query can be read
        return found
    names = [word.text for word in leaf.values]
    spans = fiscal.in_quarters(ground.stretches, names.__contains__)
    if not spans:
        return found
    return replace(found, occurred=_within(found.occurred, _compared(leaf.comparison, spans)))


def _times(leaf: Term | Between, ground: Ground) -> Span[datetime]:
    if isinstance(leaf, Between):
        since, until = (
            None if end is None else ground.span_of(values.day_or_instant(end))[0]
            for end in (leaf.since, leaf.until)
        )
        return since, until
    read = [ground.span_of(values.day_or_instant(word)) for word in leaf.values]
    spans = [(since, max(until, since + _INSTANT)) for since, until in read]
    return _compared(leaf.comparison, spans)


def _compared(comparison: Comparison, spans: Sequence[tuple[Place, Place]]) -> Span[Place]:
    """Give where that lies which compares with one of some spans, each of a whole value."""
    first, last = min(since for since, _ in spans), max(until for _, until in spans)
    match comparison:
        case ":":
            return first, last
        case "<":
            return None, first
        case "<=":
            return None, last
        case ">":
            return last, None
        case ">=":
            return first, None


_NARROWING: Final[dict[str, Callable[[Extent, Term | Between, Ground], Extent]]] = {
    "occurred": _by_occurrence,
    "position": _by_position,
    "quarter": _by_quarter,
    "recorded": _by_recording,
}
