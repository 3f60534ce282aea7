"""The pressure curve of the deal chart: its line, the area under it and the hatch on top."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Final, TypeAlias

BAND_HEIGHT: Final = 150
HEAD: Final = 0.76
"""Share of the band that full pressure reaches; the pins need the rest."""
STUB: Final = 0.4
"""Per cent of the width drawn for a run of one point, which would have no line."""

Point: TypeAlias = tuple[float, float]


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """The pressure of an instant; None where quota is unknown, which leaves a gap.

    `run` names what the line belongs to: it never connects two of them.
    """

    at: datetime
    pressure: float | None
    run: str


@dataclass(frozen=True, slots=True)
class Curve:
    """Runs of the line, the areas under them and the parts above the threshold, as point lists.

    `lines` and `areas` are in a box of 100 by 100; `hatches` are CSS polygons in per cent.
    """

    lines: tuple[str, ...]
    areas: tuple[str, ...]
    hatches: tuple[str, ...]
    threshold: float
    threshold_pixels: float
    full_pixels: float


def height_of(pressure: float) -> float:
    """Pixels from the top of the band at which a pressure of 0 to 1 stands."""
    return round(_down(pressure) * BAND_HEIGHT / 100, 1)


def draw_curve(
    points: Sequence[CurvePoint], *, threshold: float, x_of: Callable[[datetime], float]
) -> Curve:
    """One line for each run and each stretch without a gap; attainment starts anew in each."""
    runs = [[(x_of(p.at), _down(p.pressure or 0.0)) for p in run] for run in _runs(points)]
    drawn = [run if len(run) > 1 else [run[0], (run[0][0] + STUB, run[0][1])] for run in runs]
    line = _down(threshold)
    return Curve(
        lines=tuple(_points(run) for run in drawn),
        areas=tuple(_points([(run[0][0], 100), *run, (run[-1][0], 100)]) for run in drawn),
        hatches=tuple(_polygon(part) for run in drawn for part in above(run, line)),
        threshold=threshold,
        threshold_pixels=height_of(threshold),
        full_pixels=height_of(1.0),
    )


def above(run: Sequence[Point], line: float) -> list[list[Point]]:
    """The closed parts of a run over a line, cut exactly where the run crosses it."""
    parts: list[list[Point]] = []
    part: list[Point] = [run[0]] if run[0][1] < line else []
    for left, right in pairwise(run):
        if (left[1] < line) != (right[1] < line):
            part.append(_crossing(left, right, line))
        if right[1] < line:
            part.append(right)
        elif part:
            parts.append(part)
            part = []
    if part:
        parts.append(part)
    return [[(part[0][0], line), *part, (part[-1][0], line)] for part in parts if len(part) > 1]


def _crossing(left: Point, right: Point, line: float) -> Point:
    share = (line - left[1]) / (right[1] - left[1])
    return left[0] + share * (right[0] - left[0]), line


def _runs(points: Sequence[CurvePoint]) -> list[list[CurvePoint]]:
    runs: list[list[CurvePoint]] = []
    last: CurvePoint | None = None
    for point in sorted(points, key=lambda point: point.at):
        if point.pressure is None:
            last = None
            continue
        if last is None or last.run != point.run:
            runs.append([])
        runs[-1].append(point)
        last = point
    return runs


def _down(pressure: float) -> float:
    return 100 - 100 * HEAD * min(1.0, max(0.0, pressure))


def _points(run: Sequence[Point]) -> str:
    return " ".join(f"{x:.2f},{y:.1f}" for x, y in run)


def _polygon(part: Sequence[Point]) -> str:
    return "polygon(" + ",".join(f"{x:.2f}% {y:.1f}%" for x, y in part) + ")"
