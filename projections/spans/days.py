"""The local days of the fiscal calendar, and where they begin on each clock."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from domain.calendars import CalendarHistory
from domain.fiscal import local_day, zone_named
from domain.stamp import FUTURE_TOLERANCE
from projections.facts import Rows
from projections.spans.clocks import EPOCH, KNOWN, Clock, micros

_DAY: Final = timedelta(days=1)
_MICROSECOND: Final = timedelta(microseconds=1)
_BEGINNING: Final = datetime.min.replace(tzinfo=UTC)
_END: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Days:
    """Consecutive local days, each with its zone and the instant it begins at, and their end."""

    starts: Sequence[datetime]
    days: Sequence[tuple[date, str]]
    end: datetime

    def of(self, instant: datetime) -> tuple[date, str]:
        """Give the day of an instant from the first of them on."""
        return self.days[bisect_right(self.starts, instant) - 1]


def zones(calendars: CalendarHistory) -> list[tuple[datetime, str]]:
    """Give the zones that local days are counted in, each with its first instant."""
    changes = sorted({one.since for one in calendars.adopted})
    found: list[tuple[datetime, str]] = []
    for since in (_BEGINNING, *changes):
        zone = calendars.calendar_at(since).zone
        if not found or found[-1][1] != zone:
            found.append((since, zone))
    return found


def days_between(calendars: CalendarHistory, first: datetime, last: datetime) -> Days:
    """Give the local days from that of one instant to that of another.

    A day begins at its first local midnight; where the zone changes, one is cut short.
    """
    parts = zones(calendars)
    ends = [*(since for since, _ in parts[1:]), _END]
    found = [
        (start, min(end, until), (day, zone))
        for (since, zone), until in zip(parts, ends, strict=True)
        for start, end, day in _days(zone, max(since, first), min(until, last + _MICROSECOND))
    ]
    return Days([start for start, _, _ in found], [day for _, _, day in found], found[-1][1])


def _days(zone: str, since: datetime, until: datetime) -> Iterator[tuple[datetime, datetime, date]]:
    """Give the days of a zone that begin or go on between two instants, with start and end."""
    if since >= until:
        return
    # A day before, because clocks put back over midnight show that day again.
    day = local_day(since, zone) - _DAY
    start, end = _midnight(day, zone), _midnight(day + _DAY, zone)
    while start < until:
        if end > since:
            yield start, end, day
        day += _DAY
        start, end = end, _midnight(day + _DAY, zone)


def _midnight(day: date, zone: str) -> datetime:
    return datetime.combine(day, time.min, zone_named(zone)).astimezone(UTC)


def coordinates(connection: Rows, clock: Clock, instants: Sequence[datetime]) -> list[int]:
    """Give the first coordinate from each instant on.

    The time of recording never decreases along the positions, so each is one look into an index.
    """
    if clock is not KNOWN:
        return [micros(instant) for instant in instants]
    rows = connection.execute(
        "SELECT coalesce((SELECT e.position FROM events e WHERE e.recorded_at < i.instant"
        " ORDER BY e.recorded_at DESC, e.position DESC LIMIT 1), 0) + 1"
        " FROM unnest(%s::timestamptz[]) WITH ORDINALITY AS i(instant, number)"
        " ORDER BY i.number",
        (list(instants),),
    ).fetchall()
    return [row[0] for row in rows]


def last_slabs(connection: Rows, clock: Clock, positions: Sequence[int]) -> list[int]:
    """Give the slabs up to which rows are kept that go on, in ledgers of that many positions.

    On the clock of what happened it is the one that an event recorded by then can lie in.
    """
    if clock is KNOWN:
        return [position // clock.width for position in positions]
    recorded = {0: EPOCH, **recorded_at(connection, positions)}
    return [micros(recorded[p] + FUTURE_TOLERANCE) // clock.width for p in positions]


def recorded_at(connection: Rows, positions: Iterable[int]) -> dict[int, datetime]:
    """Give when positions were recorded."""
    return dict(
        connection.execute(
            "SELECT position, recorded_at FROM events WHERE position = ANY(%s)", (list(positions),)
        ).fetchall()
    )
