"""Which instants lie in which fiscal quarters, so many days before their ends."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from api.query.tree import Comparison
from domain.calendars import CalendarHistory
from domain.fiscal import FiscalQuarter, local_midnight

Span: TypeAlias = tuple[datetime, datetime]
"""From an instant until before another."""
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time in which the calendar in force has one fiscal quarter, or none, and one zone."""

    start: datetime
    end: datetime
    quarter: FiscalQuarter | None
    zone: str


def stretches(calendar: CalendarHistory, since: datetime, until: datetime) -> list[Stretch]:
    """Divide the time from one instant to another, both included, without a gap."""
    turns = [one.since for one in calendar.adopted]
    found: list[Stretch] = []
    at = since
    while at <= until:
        quarter, zone = calendar.quarter_at(at), calendar.calendar_at(at).zone
        end = quarter.end_instant if quarter else _end_outside(calendar, at)
        stretch = Stretch(at, min([end, *(turn for turn in turns if turn > at)]), quarter, zone)
        if found and (found[-1].quarter, found[-1].zone) == (quarter, zone):
            stretch = replace(stretch, start=found.pop().start)
        found.append(stretch)
        at = stretch.end
    return found


def _end_outside(calendar: CalendarHistory, at: datetime) -> datetime:
    """Give an instant until which there is no quarter, where there is none at another."""
    quarter = calendar.quarter_at(at + _DAY)
    return quarter.start_instant if quarter and at < quarter.start_instant else at + _DAY


def in_quarters(found: Iterable[Stretch], holds: Callable[[str], bool]) -> list[Span]:
    """Give the spans of the quarters whose names something holds for."""
    return _joined((s.start, s.end) for s in found if s.quarter and holds(s.quarter.name))


def with_days_left(found: Iterable[Stretch], comparison: Comparison, days: int) -> list[Span]:
    """Give the spans in which the days to a quarter's end compare like that."""
    spans: list[Span] = []
    for stretch in found:
        if stretch.quarter:
            since, until = _between(stretch.quarter, comparison, days)
            spans.append((max(since, stretch.start), min(until, stretch.end)))
    return _joined(spans)


def _between(quarter: FiscalQuarter, comparison: Comparison, days: int) -> Span:
    """Give from when until when it holds, if the quarter is not cut short."""
    first, last = quarter.start_instant, quarter.end_instant
    match comparison:
        case ":":
            return _from(quarter, days), _from(quarter, days - 1)
        case "<=":
            return _from(quarter, days), last
        case "<":
            return _from(quarter, days - 1), last
        case ">=":
            return first, _from(quarter, days - 1)
        case ">":
            return first, _from(quarter, days)


def _from(quarter: FiscalQuarter, days: int) -> datetime:
    """Give the instant from which at most so many days are left."""
    if days < 0:
        return quarter.end_instant
    if days >= quarter.days - 1:
        return quarter.start_instant
    return local_midnight(quarter.end - days * _DAY, quarter.zone)


def _joined(spans: Iterable[Span]) -> list[Span]:
    """Leave out empty spans, and join those that follow one another."""
    joined: list[Span] = []
    for since, until in spans:
        if since < until:
            follows = bool(joined) and joined[-1][1] == since
            joined.append((joined.pop()[0] if follows else since, until))
    return joined


def boundaries(found: Sequence[Stretch]) -> list[datetime]:
    """Give the instants at which stretches begin, and the one at which the last ends."""
    return [stretch.start for stretch in found] + [stretch.end for stretch in found[-1:]]
