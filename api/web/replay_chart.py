"""The drawings of a replay: events a day with the line of pressure, and attainment against plan."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from projections.quarter.board_scene import Film

HEIGHT = 62
"""Of the scrubber, in the units of its drawing; a day is as wide as the quarter's share of 100."""
_BARS, _LINE, _GAP = 46, 58, 0.12


@dataclass(frozen=True, slots=True)
class Span:
    """A quarter, and where an instant lies in it from 0 to 100."""

    start: datetime
    end: datetime

    def x(self, at: datetime) -> float:
        """Give the place of an instant, to thousandths; none lies outside."""
        share = (at - self.start) / (self.end - self.start)
        return round(100 * min(1.0, max(0.0, share)), 3)


def bars(events_by_day: Sequence[int]) -> str:
    """Give the path of one bar a day, the busiest day the highest."""
    top, width = max(events_by_day, default=0), 100 / max(1, len(events_by_day))
    return "".join(
        f"M{_n(day * width + width * _GAP)} {HEIGHT}v{_n(-count / top * _BARS)}"
        f"h{_n(width * (1 - 2 * _GAP))}V{HEIGHT}z"
        for day, count in enumerate(events_by_day)
        if count
    )


def pressure_line(span: Span, points: Sequence[tuple[datetime, float | None]]) -> str:
    """Give the path of the pressure, 0 at the foot and 1 near the top; broken where unknown."""
    path, drawn = "", False
    for at, value in points:
        if value is not None:
            path += f"{'L' if drawn else 'M'}{_n(span.x(at))} {_n(HEIGHT - value * _LINE)}"
        drawn = value is not None
    return path


@dataclass(frozen=True, slots=True)
class Attainment:
    """Attainment against plan in a square of 100: the path, the plan's end, and the top in %."""

    path: str
    plan_y: float
    top: int


def attainment(film: Film, span: Span) -> Attainment | None:
    """Give the steps of attainment; None where no quota is known at any instant."""
    places = sorted({*film.turns("quota"), *film.turns("attained")})
    shares: list[tuple[datetime, float]] = []
    for place in places:
        quota, attained = film.figure("quota", place), film.figure("attained", place)
        if quota and attained is not None:
            shares.append((film.instant(place), attained / quota))
    if not shares:
        return None
    top = max(1.0, *(value for _, value in shares))
    path = ""
    for at, value in shares:
        x, y = _n(span.x(at)), _n(100 - 100 * max(0.0, value) / top)
        path += f"H{x}V{y}" if path else f"M{x} {y}"
    return Attainment(f"{path}H{_n(span.x(film.end))}", round(100 - 100 / top, 2), round(top * 100))


def months(start: date, days: int) -> list[tuple[float, str]]:
    """Give where months begin in a quarter, and what to write there."""
    every = [(number, start + timedelta(days=number)) for number in range(days)]
    return [
        (round(number / days * 100, 3), f"{day.day} {day:%b}")
        for number, day in every
        if day.day == 1 or number == 0
    ]


def _n(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
