"""Where the numbered pins of pressure-shaped events stand: on the curve, never on each other."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from api.web.chart_curve import BAND_HEIGHT

PIN: Final = 18
"""Height of a pin and the least distance of two above each other, in pixels."""


@dataclass(frozen=True, slots=True)
class Pin:
    """A pin with the numbers it carries; more than one where the band had no room for each."""

    x: float
    y: float
    numbers: tuple[int, ...]

    @property
    def label(self) -> str:
        return str(self.numbers[0]) if len(self.numbers) == 1 else f"{self.numbers[0]}+"


def place_pins(wanted: Sequence[tuple[float, float, int]], *, apart: float) -> tuple[Pin, ...]:
    """A pin for each (x, y, number), moved up, then down, out of its neighbours' way.

    One that finds no room within the band joins the nearest neighbour.
    """
    pins: list[Pin] = []
    for x, y, number in wanted:
        near = [pin for pin in pins if abs(pin.x - x) < apart]
        free = _free_height(y, [pin.y for pin in near])
        if free is not None:
            pins.append(Pin(x, free, (number,)))
            continue
        host = min(near, key=lambda pin: (abs(pin.x - x), abs(pin.y - y), pin.numbers))
        pins[pins.index(host)] = Pin(host.x, host.y, (*host.numbers, number))
    return tuple(pins)


def _free_height(y: float, taken: Sequence[float]) -> float | None:
    top, bottom = PIN / 2, BAND_HEIGHT - PIN / 2
    start = min(bottom, max(top, y))
    beside = [place + step for place in taken for step in (-PIN, PIN)]
    upwards = sorted((place for place in beside if place < start), reverse=True)
    downwards = sorted(place for place in beside if place >= start)
    for height in (start, *upwards, *downwards):
        if top <= height <= bottom and all(abs(height - place) >= PIN for place in taken):
            return height
    return None
