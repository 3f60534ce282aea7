"""The scrubber of a deal's page: every instant at which the deal was told something, and now."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from api.web import format as f
from api.web.asof import AsOf
from api.web.deal_chart import Entry
from api.web.reads import Answer

_HEIGHTS: Final = {"customer": (0, 5), "seller": (7, 12), "other": (4, 8)}
"""From where to where a mark goes on a strip of 12: customers above sellers, as in the chart."""
_UNKNOWN: Final = (5.5, 6.5)


@dataclass(frozen=True, slots=True)
class Scrubber:
    """Steps with position and time, from 1, the one after the last being now; `value` is shown.

    `marks` and `shaped` are paths on a strip whose steps are one apart, from 0: all of the deal's
    events, those that were not told yet as dots, and those that are pressure-shaped.
    """

    value: int
    steps: tuple[tuple[int, str], ...]
    marks: str
    shaped: str

    @property
    def last(self) -> int:
        return len(self.steps) + 1


def scrubber_of(answer: Answer, as_of: AsOf, entries: Iterable[Entry]) -> Scrubber:
    """The scrubber of a page, as it stands there."""
    told = {entry.event["position"]: entry for entry in entries}
    places = [position for position, _ in answer["told"]]
    reached = sum(position <= as_of.position for position in places)
    marks = [_mark(step, told.get(position)) for step, position in enumerate(places)]
    shaped = [position in told and told[position].pressure_shaped for position in places]
    return Scrubber(
        value=max(1, reached) if as_of.asked else len(places) + 1,
        steps=tuple((position, f.moment(at)) for position, at in answer["told"]),
        marks="".join(mark for mark, hot in zip(marks, shaped, strict=True) if not hot),
        shaped="".join(mark for mark, hot in zip(marks, shaped, strict=True) if hot),
    )


def _mark(step: int, entry: Entry | None) -> str:
    high, low = _HEIGHTS.get(entry.event["driver"], _HEIGHTS["other"]) if entry else _UNKNOWN
    return f"M{step} {high}V{low}"
