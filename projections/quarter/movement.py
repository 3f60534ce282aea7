"""How a deal's close date moved, and why: pushes, pull-ins, machine sweeps and corrections.

A move is read from the deal's view, so that an amended move counts once, as it was meant. What the
amendment or retraction itself did to the date that stood is a move of its own, a correction, read
from the stream as it was known just before and just after it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Literal, TypeAlias, get_args
from uuid import UUID

from domain.calendars import CalendarHistory
from domain.close_date import MoveKind, dates_told, days_moved, move_kind
from domain.events.honesty import EventAmended, EventRetracted
from domain.events.life import CloseDateMoved
from domain.fiscal import FiscalCalendar, FiscalQuarter, OutsideCalendarError
from domain.replay import Event, view
from projections.quarter.crossing import crossing, lies_in

Cause: TypeAlias = Literal["push", "pull_in", "pull_out", "correction", "machine"]
CAUSES: Final[tuple[Cause, ...]] = get_args(Cause)


@dataclass(frozen=True, slots=True)
class Move:
    """One change of a deal's close date.

    `at` is when it counts as made: when it was recorded, an import's when it occurred. `days`
    and `quarters` are negative where the date came nearer; `quarters` counts the ends of quarters
    between the two dates. `direction` is read against the quarter of `at`. Each of the three is
    None where a date or a quarter is missing.
    """

    deal_id: UUID
    event_id: UUID
    position: int
    at: datetime
    by: str
    before: date | None
    after: date | None
    days: int | None
    quarters: int | None
    direction: MoveKind | None
    cause: Cause


@dataclass(frozen=True, slots=True)
class Counters:
    """Moves by cause, and the slips: moves to a later quarter, whoever made them."""

    causes: Mapping[Cause, tuple[Move, ...]]
    slips: tuple[Move, ...]


def moves_of(
    deal_id: UUID,
    stream: Iterable[Event],
    *,
    calendar: CalendarHistory,
    as_of: int | None = None,
    effective_at: datetime | None = None,
) -> list[Move]:
    """Give the moves of one deal as known at a position, of what was true at an instant.

    The first date of a deal that had none is no move, and neither is the date it has already.
    """
    known = [event for event in stream if as_of is None or event.position <= as_of]
    told = _told(view(known, effective_at=effective_at))
    corrected = _corrections(known, effective_at)
    found = [
        _move(deal_id, event, before, after, calendar)
        for event, before, after in (*told, *corrected)
    ]
    return sorted(found, key=lambda move: (move.at, move.position))


def counters(moves: Iterable[Move], *, quarter: FiscalQuarter | None = None) -> Counters:
    """Count moves by cause; with a quarter those that begin or end in it, as it sees them."""
    causes: dict[Cause, list[Move]] = {cause: [] for cause in CAUSES}
    slips: list[Move] = []
    for move in moves:
        if quarter is None or lies_in(move.before, quarter) or lies_in(move.after, quarter):
            causes[cause_in(move, quarter)].append(move)
            if _slipped(move, quarter):
                slips.append(move)
    return Counters({cause: tuple(made) for cause, made in causes.items()}, tuple(slips))


def cause_in(move: Move, quarter: FiscalQuarter | None) -> Cause:
    """Give the cause as a quarter sees it: to an earlier quarter a deal is pulled out of it."""
    if quarter is None or move.cause != "pull_in":
        return move.cause
    return "pull_out" if crossing(move.before, move.after, quarter) == "pulled_out" else "pull_in"


def _slipped(move: Move, quarter: FiscalQuarter | None) -> bool:
    if move.cause == "correction":
        return False
    if quarter is not None:
        return crossing(move.before, move.after, quarter) == "pushed_out"
    return move.quarters is not None and move.quarters > 0


def _told(events: Iterable[Event]) -> Iterator[tuple[Event, date, date]]:
    for event, before, after in dates_told(events):
        if isinstance(event.data, CloseDateMoved) and before is not None and before != after:
            yield event, before, after


def _corrections(
    known: Sequence[Event], effective_at: datetime | None
) -> Iterator[tuple[Event, date | None, date | None]]:
    for event in sorted(known, key=lambda event: event.position):
        if isinstance(event.data, EventAmended | EventRetracted):
            before = _standing(known, event.position - 1, effective_at)
            after = _standing(known, event.position, effective_at)
            if before != after:
                yield event, before, after


def _standing(known: Sequence[Event], as_of: int, effective_at: datetime | None) -> date | None:
    days = [day for _, _, day in dates_told(view(known, as_of=as_of, effective_at=effective_at))]
    return days[-1] if days else None


def _move(
    deal_id: UUID,
    event: Event,
    before: date | None,
    after: date | None,
    calendar: CalendarHistory,
) -> Move:
    at = event.bookkeeping_time
    quarter = calendar.quarter_at(at)
    both = (before, after) if before is not None and after is not None else None
    return Move(
        deal_id=deal_id,
        event_id=event.event_id,
        position=event.position,
        at=at,
        by=event.rep,
        before=before,
        after=after,
        days=days_moved(*both) if both else None,
        quarters=quarters_crossed(*both, calendar=calendar.calendar_at(at)) if both else None,
        direction=move_kind(*both, quarter=quarter) if both and quarter else None,
        cause=_cause(event, before, after),
    )


def _cause(event: Event, before: date | None, after: date | None) -> Cause:
    if isinstance(event.data, EventAmended | EventRetracted) or before is None or after is None:
        return "correction"
    if event.channel == "rule":
        return "machine"
    return "push" if after > before else "pull_in"


def quarters_crossed(old: date, new: date, *, calendar: FiscalCalendar) -> int | None:
    """Give how many quarter ends lie between two dates, negative where the date came nearer.

    None where the calendar does not reach one of them.
    """
    try:
        quarter = calendar.quarter_on(min(old, new))
        last = calendar.quarter_on(max(old, new))
    except OutsideCalendarError:
        return None
    crossed = 0
    # Counted, because the names in a list of periods may leave numbers out.
    while quarter.end < last.end:
        quarter = calendar.after(quarter)
        crossed += 1
    return crossed if new > old else -crossed
