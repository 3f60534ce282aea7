"""The chart of discounts against the days left of the quarter: means with their intervals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from api.web import format as f


@dataclass(frozen=True, slots=True)
class Bin:
    """The discounts offered with so many days left; heights in per cent of the chart."""

    label: str
    n: int
    at: float | None
    low: float
    height: float
    text: str


@dataclass(frozen=True, slots=True)
class DiscountChart:
    """The bins with the quarter's end at the right; `top` is the discount at the upper edge."""

    bins: tuple[Bin, ...]
    top: int


def discount_chart(bins: Sequence[Mapping[str, Any]]) -> DiscountChart:
    """Place the bins; one of too few discounts has only their number."""
    highest = max((one["interval"][1] for one in bins if one["interval"]), default=10.0)
    top = max(10, int(-(-highest // 10) * 10))
    ordered = sorted(bins, key=lambda one: one["days_left"]["from"], reverse=True)
    return DiscountChart(tuple(_bin(one, top) for one in ordered), top)


def _bin(one: Mapping[str, Any], top: int) -> Bin:
    first, last = one["days_left"]["from"], one["days_left"]["to"]
    label = f"{first}" if first == last else f"{last}\N{EN DASH}{first}" if last else f"{first}+"
    counted = f.count(one["n"], "discount")
    if one["mean"] is None:
        return Bin(label, one["n"], None, 0.0, 0.0, f"{label} days left: {counted}, too few")
    low, high = one["interval"]
    places = [round(100 * max(0.0, min(top, v)) / top, 2) for v in (one["mean"], low, high)]
    text = (
        f"{label} days left: mean {f.percentage(one['mean'])} of {counted},"
        f" 95% interval {f.percentage(low)} to {f.percentage(high)}"
    )
    return Bin(label, one["n"], places[0], places[1], round(places[2] - places[1], 2), text)
