"""Where everything on the deal chart stands: plain numbers, known before any browser opens.

Across, a place is a share of the plot's width in per cent, so that the chart stretches without
script; down, it is pixels from the top of the plot.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from api.web.chart_curve import BAND_HEIGHT, Curve, CurvePoint, draw_curve, height_of
from api.web.chart_pins import Pin, place_pins

NOMINAL_WIDTH: Final = 1080
"""Pixels the plot has at least; narrower windows scroll it. Distances are kept at this width."""
HIT: Final = 24
"""Side of what a finger must be able to hit, and so the least distance of two marks."""
MAX_ROWS: Final = 6
STRIP_TOP: Final = BAND_HEIGHT + 8
STRIP_HEIGHT: Final = 26
LANES_TOP: Final = STRIP_TOP + STRIP_HEIGHT + 10
LANE_GAP: Final = 6
LANE_PAD: Final = 4
AXIS_HEIGHT: Final = 44
SIDE_MARGIN: Final = 1.4
"""Per cent left free on both sides, so that no mark is cut in half."""
LEAST_SPAN: Final = timedelta(days=7)
QUARTER_END_NEAR: Final = timedelta(days=14)
STAGE_NAME_WIDTH: Final = 64
"""Pixels below which a stage's name on the strip would be a stump."""
MONTH_LABEL_WIDTH: Final = 46
QUARTER_LABEL_WIDTH: Final = 96
LANES: Final = (("customer", "Customer"), ("seller", "Seller"), ("other", "Record"))


@dataclass(frozen=True, slots=True)
class Moment:
    """One event to be marked: `pressure_shaped` ones get a number and a tether."""

    key: str
    at: datetime
    lane: str
    glyph: str
    fill: str
    label: str
    pressure_shaped: bool = False
    pressure: float | None = None


@dataclass(frozen=True, slots=True)
class Visit:
    """A stay in a stage; `left` is None while the deal is still there."""

    name: str
    entered: datetime
    left: datetime | None


@dataclass(frozen=True, slots=True)
class QuarterEnd:
    """The instant at which a fiscal quarter is over."""

    name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ChartData:
    """What is to be drawn; `end` is the instant the page stands at, or the last event's.

    The plot goes on to the end of the quarter where that is near, as it is what presses.
    """

    start: datetime
    end: datetime
    threshold: float
    curve: Sequence[CurvePoint] = ()
    moments: Sequence[Moment] = ()
    visits: Sequence[Visit] = ()
    quarter_ends: Sequence[QuarterEnd] = ()
    zoom: int = 1


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment in its place; `number` is that of its reason, None if it has none."""

    moment: Moment
    x: float
    y: float
    row: int
    number: int | None = None


@dataclass(frozen=True, slots=True)
class Tether:
    """The line from a pin on the curve down to the mark it stands for."""

    x: float
    top: float
    height: float


@dataclass(frozen=True, slots=True)
class Rest:
    """How many moments found no row near this place, and the first of them."""

    x: float
    y: float
    count: int
    key: str


@dataclass(frozen=True, slots=True)
class Lane:
    """One band of marks; `top` and `height` in pixels."""

    name: str
    title: str
    top: float
    height: float


@dataclass(frozen=True, slots=True)
class Strip:
    """A stage on the strip; `named` says whether its name has room."""

    name: str
    x: float
    width: float
    named: bool


@dataclass(frozen=True, slots=True)
class Tick:
    """A line across the plot with its label; an empty label had no room."""

    x: float
    label: str
    before: bool = False


@dataclass(frozen=True, slots=True)
class Chart:
    """The finished drawing."""

    height: float
    zoom: int
    curve: Curve
    lanes: tuple[Lane, ...]
    marks: tuple[Mark, ...]
    pins: tuple[Pin, ...]
    tethers: tuple[Tether, ...]
    rests: tuple[Rest, ...]
    stages: tuple[Strip, ...]
    months: tuple[Tick, ...]
    quarters: tuple[Tick, ...]


@dataclass(frozen=True, slots=True)
class Scale:
    """Turns instants into per cent of the plot, and pixels into per cent at its least width."""

    start: datetime
    seconds: float
    pixels: float

    def x(self, at: datetime) -> float:
        share = (at - self.start).total_seconds() / self.seconds
        inner = 100 - 2 * SIDE_MARGIN
        return round(SIDE_MARGIN + inner * min(1.0, max(0.0, share)), 3)

    def per_cent(self, pixels: float) -> float:
        return pixels / self.pixels * 100


def draw_chart(data: ChartData) -> Chart:
    """Places everything; moments that find no free row in their lane are counted in a `Rest`."""
    scale = scale_of(data)
    moments = sorted(data.moments, key=lambda moment: (moment.at, moment.key))
    seated, lanes, rests = _fill_lanes(moments, scale)
    numbers = {m.key: n for n, m in enumerate((m for m in moments if m.pressure_shaped), start=1)}
    marks = tuple(
        replace(mark, number=numbers.get(mark.moment.key))
        for mark in sorted(seated, key=lambda mark: (mark.moment.at, mark.moment.key))
    )
    return Chart(
        height=lanes[-1].top + lanes[-1].height + AXIS_HEIGHT,
        zoom=data.zoom,
        curve=draw_curve(data.curve, threshold=data.threshold, x_of=scale.x),
        lanes=lanes,
        marks=marks,
        pins=place_pins(
            [
                (scale.x(m.at), height_of(m.pressure or 0.0), numbers[m.key])
                for m in moments
                if m.pressure_shaped
            ],
            apart=scale.per_cent(20),
        ),
        tethers=tuple(_tether(mark) for mark in marks if mark.number is not None),
        rests=rests,
        stages=_stages(data, scale),
        months=_months(scale, data.end),
        quarters=_quarters(data, scale),
    )


def scale_of(data: ChartData) -> Scale:
    """From the start, or the first thing that happened, to the end, or the last one."""
    instants = [data.start, data.end, *(moment.at for moment in data.moments)]
    first, last = min(instants), max(instants)
    ahead = [q.at for q in data.quarter_ends if last <= q.at <= last + QUARTER_END_NEAR]
    span = max(max([last, *ahead]) - first, LEAST_SPAN)
    return Scale(first, span.total_seconds(), NOMINAL_WIDTH * data.zoom)


def _fill_lanes(
    moments: Sequence[Moment], scale: Scale
) -> tuple[list[Mark], tuple[Lane, ...], tuple[Rest, ...]]:
    top: float = LANES_TOP
    marks: list[Mark] = []
    rests: list[Rest] = []
    lanes: list[Lane] = []
    for name, title in LANES:
        mine = [moment for moment in moments if moment.lane == name]
        if name == "other" and not mine:
            continue
        rows, left_over = _seat(mine, scale)
        used = max([1, *(row + 1 for row, _ in rows)])
        height = (used + (1 if left_over else 0)) * HIT + 2 * LANE_PAD
        lane = Lane(name, title, top, height)
        marks += [Mark(m, scale.x(m.at), _row_middle(lane, row), row) for row, m in rows]
        rests += _rests(left_over, scale, y=_row_middle(lane, used))
        lanes.append(lane)
        top += height + LANE_GAP
    return marks, tuple(lanes), tuple(rests)


def _row_middle(lane: Lane, row: int) -> float:
    """Customer rows grow up and the others down, so that both lanes meet in the middle."""
    offset = LANE_PAD + row * HIT + HIT / 2
    return lane.top + (lane.height - offset if lane.name == "customer" else offset)


def _seat(moments: Sequence[Moment], scale: Scale) -> tuple[list[tuple[int, Moment]], list[Moment]]:
    """The first free row for each; pressure-shaped ones choose first, as a reason points at them.

    No two marks of a row are nearer than a hit area.
    """
    apart = scale.per_cent(HIT)
    taken: list[list[float]] = [[] for _ in range(MAX_ROWS)]
    seated: list[tuple[int, Moment]] = []
    left_over: list[Moment] = []
    for moment in sorted(moments, key=lambda moment: not moment.pressure_shaped):
        x = scale.x(moment.at)
        row = _free_row(taken, x, apart)
        if row is None:
            left_over.append(moment)
        else:
            insort(taken[row], x)
            seated.append((row, moment))
    return seated, left_over


def _free_row(taken: Sequence[Sequence[float]], x: float, apart: float) -> int | None:
    for row, places in enumerate(taken):
        # In order, so that only the neighbours can be too near.
        at = bisect_left(places, x)
        if all(abs(x - place) >= apart for place in places[max(0, at - 1) : at + 1]):
            return row
    return None


def _rests(left_over: Sequence[Moment], scale: Scale, *, y: float) -> list[Rest]:
    """Neighbours without a row share one "+n", which stands at the first of them."""
    apart = scale.per_cent(1.5 * HIT)
    rests: list[Rest] = []
    for moment in sorted(left_over, key=lambda moment: (moment.at, moment.key)):
        x = scale.x(moment.at)
        if rests and x - rests[-1].x < apart:
            rests[-1] = replace(rests[-1], count=rests[-1].count + 1)
        else:
            rests.append(Rest(x, y, 1, moment.key))
    return rests


def _tether(mark: Mark) -> Tether:
    top = height_of(mark.moment.pressure or 0.0)
    return Tether(mark.x, top, max(0.0, round(mark.y - HIT / 3 - top, 1)))


def _stages(data: ChartData, scale: Scale) -> tuple[Strip, ...]:
    strips = []
    for visit in data.visits:
        x = scale.x(visit.entered)
        width = round(scale.x(visit.left or data.end) - x, 3)
        strips.append(Strip(visit.name, x, width, width >= scale.per_cent(STAGE_NAME_WIDTH)))
    return tuple(strips)


def _months(scale: Scale, end: datetime) -> tuple[Tick, ...]:
    """The first of each month; labels thin out where months are narrower than their names."""
    firsts = list(_first_days(scale.start, end))
    step = _thinning([scale.x(first) for first in firsts], scale.per_cent(MONTH_LABEL_WIDTH))
    return tuple(
        Tick(scale.x(first), _month_name(first) if index % step == 0 else "")
        for index, first in enumerate(firsts)
    )


def _first_days(start: datetime, end: datetime) -> Iterable[datetime]:
    month = start.year * 12 + start.month  # counted from year 0, so this is the month after start's
    while (
        first := start.replace(
            year=month // 12, month=month % 12 + 1, day=1, hour=0, minute=0, second=0, microsecond=0
        )
    ) <= end:
        yield first
        month += 1


def _thinning(places: Sequence[float], apart: float) -> int:
    nearest = min((right - left for left, right in pairwise(places)), default=apart)
    step = 1
    while nearest * step < apart:
        step += 1
    return step


def _month_name(first: datetime) -> str:
    return f"{first:%b %Y}" if first.month == 1 else f"{first:%b}"


def _quarters(data: ChartData, scale: Scale) -> tuple[Tick, ...]:
    """Those within the plot; one too near the left edge names itself on the other side."""
    last = scale.start + timedelta(seconds=scale.seconds)
    ends = [q for q in sorted(data.quarter_ends, key=lambda q: q.at) if scale.start <= q.at <= last]
    step = _thinning([scale.x(q.at) for q in ends], scale.per_cent(QUARTER_LABEL_WIDTH))
    room = scale.per_cent(QUARTER_LABEL_WIDTH)
    return tuple(
        Tick(
            scale.x(q.at),
            f"{q.name} ends" if index % step == 0 else "",
            before=scale.x(q.at) >= room,
        )
        for index, q in enumerate(ends)
    )
