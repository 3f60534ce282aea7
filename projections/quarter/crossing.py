"""Whether a move of the close date carried a deal into a quarter or out of it, and which way."""

from datetime import date
from typing import Literal, TypeAlias

from domain.fiscal import FiscalQuarter

Crossing: TypeAlias = Literal["pulled_in", "pushed_in", "pulled_out", "pushed_out"]


def lies_in(day: date | None, quarter: FiscalQuarter) -> bool:
    """Say whether the day is one of the quarter's; no date lies beyond every quarter."""
    return day is not None and quarter.start <= day <= quarter.end


def crossing(before: date | None, after: date | None, quarter: FiscalQuarter) -> Crossing | None:
    """Give how the move entered or left the quarter; None where it did neither."""
    was, stands = lies_in(before, quarter), lies_in(after, quarter)
    if was == stands:
        return None
    if stands:
        return "pushed_in" if _earlier(before, quarter) else "pulled_in"
    return "pulled_out" if _earlier(after, quarter) else "pushed_out"


def _earlier(day: date | None, quarter: FiscalQuarter) -> bool:
    return day is not None and day < quarter.start
