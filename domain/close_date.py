"""Moves of the expected close date, read against the quarter in which somebody made them."""

from collections.abc import Iterable
from datetime import date, timedelta
from itertools import pairwise
from typing import Final, Literal, TypeAlias

from domain.fiscal import FiscalQuarter

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
