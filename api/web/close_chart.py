"""The chart of when deals of a quarter were won and lost: a bar a day, placed in per cent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from api.web import format as f

_GAP: Final = 0.18
"""The share of a day that stays free beside its bar."""


@dataclass(frozen=True, slots=True)
class Bar:
    """What closed on one day: won upward, lost and disqualified downward from the line."""

    x: float
    width: float
    won: float
    out: float
    text: str


@dataclass(frozen=True, slots=True)
class Tick:
    """Where a month begins."""

    x: float
    label: str


@dataclass(frozen=True, slots=True)
class CloseChart:
    """All bars; heights are per cent of the part above or below the line, which lies at `line`.

    `window` is where the last days begin; None until the quarter is over.
    """

    name: str
    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]
    window: float | None
    line: float
    most: int
    share: str
    text: str


def close_charts(patterns: Sequence[Mapping[str, Any]]) -> tuple[CloseChart, ...]:
    """Draw several quarters on one scale, so that their bars can be compared."""
    most = max((one["won"] for pattern in patterns for one in pattern["days"]), default=0)
    out = max((_out(one) for pattern in patterns for one in pattern["days"]), default=0)
    return tuple(_close_chart(pattern, most, out) for pattern in patterns)


def _close_chart(pattern: Mapping[str, Any], most: int, out: int) -> CloseChart:
    """Place the days of a quarter, its months and its last days side by side."""
    start, end = (date.fromisoformat(str(pattern[name])) for name in ("start", "end"))
    days = (end - start).days + 1
    told = [(date.fromisoformat(str(one["day"])), one) for one in pattern["days"]]
    line = 100.0 if not out else 100 * max(most, 1) / (max(most, 1) + out)
    width = 100 / days
    last = pattern["pattern"]["window"] if pattern["pattern"] else None
    window = date.fromisoformat(str(last["from"])) if last else None
    wins = f.count(pattern["wins"], "win")
    return CloseChart(
        name=pattern["quarter"],
        bars=tuple(
            Bar(
                x=round((day - start).days * width + width * _GAP / 2, 3),
                width=round(width * (1 - _GAP), 3),
                won=round(line * one["won"] / max(most, 1), 2),
                out=round((100 - line) * _out(one) / max(out, 1), 2),
                text=_text(day, one),
            )
            for day, one in told
        ),
        ticks=tuple(
            Tick(round((begins - start).days * width, 3), f"{begins:%b}")
            for begins in (
                date.fromisoformat(str(one["from"])) for one in pattern["win_rates"]["months"]
            )
        ),
        window=round((window - start).days * width, 3) if window else None,
        line=round(line, 2),
        most=most,
        share=_share(last) if last else "",
        text=f"{wins}, of them {_share(last)} in the last {(end - window).days + 1} days"
        if last and window
        else f"{wins} so far",
    )


def _out(one: Mapping[str, Any]) -> int:
    return int(one["lost"] + one["disqualified"])


def _share(told: Mapping[str, Any]) -> str:
    return f"{told['count']:,} of {told['n']:,}"


def _text(day: date, one: Mapping[str, Any]) -> str:
    parts = [f"{one['won']} won"] if one["won"] else []
    parts += [f"{one['lost']} lost"] if one["lost"] else []
    parts += [f"{one['disqualified']} disqualified"] if one["disqualified"] else []
    return f"{f.day(day)}: {', '.join(parts)}"
