"""Moves of the expected close date, read against the quarter in which somebody made them."""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from itertools import pairwise
from typing import Final, Literal, TypeAlias

from domain.events.life import CloseDateMoved, DealOpened
from domain.fiscal import FiscalQuarter
from domain.replay import Event

MoveKind: TypeAlias = Literal["pull_in", "push_out", "within"]

OPENING_DAYS: Final = 5
"""Days at a quarter's start in which a close held back from the quarter before would land."""


def move_kind(old: date, new: date, *, quarter: FiscalQuarter) -> MoveKind:
    """Whether the move crosses the end of the quarter of the action, and which way.

    `within` is a move that stays on one side of that end, in this quarter or in later ones.
    """
    if old > quarter.end >= new:
        return "pull_in"
    if old <= quarter.end < new:
        return "push_out"
    return "within"


def days_moved(old: date, new: date) -> int:
    """Negative where the close date was pulled in."""
    return (new - old).days


def lands_in_opening_days(
    old: date, new: date, *, quarter: FiscalQuarter, opening_days: int = OPENING_DAYS
) -> bool:
    """Whether a close expected by the quarter's end now falls just after it."""
    opening = quarter.end + timedelta(days=opening_days)
    return move_kind(old, new, quarter=quarter) == "push_out" and new <= opening


def is_month_push(old: date, new: date) -> bool:
    """Whether the close date moved to a later calendar month; one move is one push, however far."""
    return (new.year, new.month) > (old.year, old.month)


def month_pushes(close_dates: Iterable[date]) -> int:
    """How often, along these successive close dates, the calendar month moved later."""
    return sum(is_month_push(old, new) for old, new in pairwise(close_dates))


def dates_told(events: Iterable[Event]) -> Iterator[tuple[Event, date | None, date]]:
    """Give the dates a view tells, each with the one that stood before; none before the opening."""
    opened = False
    standing: date | None = None
    for event in events:
        match event.data:
            case DealOpened(close_date=day) if not opened:
                opened = True
            case CloseDateMoved(to=day) if opened:
                pass
            case _:
                continue
        if day is not None:
            yield event, standing, day
            standing = day


def pushes_of(events: Iterable[Event]) -> list[Event]:
    """Give the moves of a view by which somebody put the close off; what a rule moved is none."""
    return [
        event
        for event, before, after in dates_told(events)
        if before is not None
        and after > before
        and isinstance(event.data, CloseDateMoved)
        and event.channel != "rule"
    ]
