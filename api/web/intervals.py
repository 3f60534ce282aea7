"""Differences with their intervals as dots and whiskers on one axis, placed in per cent."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from api.web import format as f

_STEPS: Final = (0.1, 0.25, 0.5, 1.0)
"""How far the axis may go to both sides, as a ratio; the smallest that holds every interval."""


@dataclass(frozen=True, slots=True)
class Whisker:
    """Where a difference and its interval lie on the axis, and both in words."""

    at: float
    low: float
    width: float
    apart: bool
    text: str
    interval: str


@dataclass(frozen=True, slots=True)
class Axis:
    """An axis with zero in the middle, as far to both sides as `limit` says."""

    limit: float

    @classmethod
    def of(cls, differences: Iterable[Mapping[str, Any] | None]) -> "Axis":
        """Give the shortest axis that holds some differences."""
        ends = [abs(end) for one in differences if one is not None for end in one["interval"]]
        return cls(next((step for step in _STEPS if step >= max(ends, default=0.0)), _STEPS[-1]))

    @property
    def ends(self) -> tuple[str, str]:
        """What stands at both ends of the axis."""
        return points(-self.limit), points(self.limit)

    def whisker(self, difference: Mapping[str, Any] | None) -> Whisker | None:
        """Give where a difference lies; None where there is none."""
        if difference is None:
            return None
        low, high = difference["interval"]
        return Whisker(
            at=self._place(difference["difference"]),
            low=self._place(low),
            width=round(self._place(high) - self._place(low), 2),
            apart=low > 0 or high < 0,
            text=points(difference["difference"]),
            interval=f"{points(low)} to {points(high)}",
        )

    def _place(self, value: float) -> float:
        within = max(-self.limit, min(self.limit, value))
        return round(50 + 50 * within / self.limit, 2)


def points(difference: float) -> str:
    """`+12 pts`: a difference of two shares, in percentage points."""
    whole = round(difference * 100)
    sign = "+" if whole > 0 else f.MINUS if whole < 0 else ""
    return f"{sign}{abs(whole)} pts"


def rate(told: Mapping[str, Any]) -> str:
    """`23 of 28`, as the counts are what a share rests on."""
    return f"{told['count']:,} of {told['n']:,}"
