"""What a close pattern is made from: deals that were closed, and the parts of a quarter."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, TypeAlias
from uuid import UUID

from domain.fiscal import DaySpan, FiscalQuarter
from domain.values import Money

Outcome: TypeAlias = Literal["won", "lost", "disqualified"]
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Closing:
    """A deal that stands closed, the local day it was closed on, and the event that closed it.

    `reps` are those credited with a win, else the owner; `teams` theirs at that time. `net` is
    what was signed, of a win. `event_id` is None where the log no longer has an event that closed
    it then.
    """

    deal_id: UUID
    event_id: UUID | None
    day: date
    outcome: Outcome
    reps: tuple[str, ...]
    teams: tuple[str, ...]
    net: Money | None = None


@dataclass(frozen=True, slots=True)
class Parts:
    """The opening, the interior and the window of a quarter (METRICS section 4, baseline)."""

    opening: DaySpan
    interior: DaySpan
    window: DaySpan

    @classmethod
    def of(cls, quarter: FiscalQuarter, *, window_days: int, opening_days: int) -> "Parts":
        """Divide a quarter by the numbers of a policy; where they overlap the window counts."""
        whole = DaySpan(quarter.start, quarter.end)
        first = max(quarter.start, quarter.end - _DAY * (window_days - 1))
        begun = min(first, quarter.start + _DAY * opening_days)
        return cls(
            opening=DaySpan(whole.first, begun - _DAY),
            interior=DaySpan(begun, first - _DAY),
            window=DaySpan(first, whole.last),
        )


def wins_by_day(closings: Iterable[Closing]) -> Counter[date]:
    """Count the wins of each local day."""
    return Counter(one.day for one in closings if one.outcome == "won")
