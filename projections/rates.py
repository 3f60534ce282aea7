"""Rates and numbers in the shape of the API, and from how many observations on a rate is told.

The counts of a rate are always told. Its share and its interval are told from `COUNTS_ONLY` (5)
observations on, and from `NO_VERDICT` (20) on something may be concluded (METRICS section 7). One
rate is told from the first observation on: how often one deal's customer, or its seller, kept its
word (METRICS section 5), which describes all that was settled in that deal and samples nothing.
"""

from fractions import Fraction
from typing import Final

from domain.comparisons import COUNTS_ONLY, Rate
from domain.statistics import wilson

_PLACES: Final = 6
FROM_THE_FIRST: Final = 1
"""The fewest observations of a rate that describes one deal."""


def number(value: Fraction | float | None) -> float | None:
    """Give a number to six places, as all answers do."""
    return None if value is None else round(float(value), _PLACES)


def interval_json(interval: tuple[float, float] | None) -> list[float] | None:
    """Give both ends of an interval."""
    return None if interval is None else [round(end, _PLACES) for end in interval]


def rate_json(rate: Rate, *, over: bool = True) -> dict[str, object]:
    """Give a rate with its counts, which alone are told where they are few, and its interval.

    Of what is not `over` yet there are only counts: more may still happen.
    """
    return {
        "count": rate.successes,
        "n": rate.n,
        "share": number(rate.share) if over else None,
        "interval": interval_json(rate.interval) if over else None,
        "conclusive": rate.conclusive and over,
    }


def ratio_json(name: str, rate: Rate, *, fewest: int = COUNTS_ONLY) -> dict[str, object]:
    """Give a rate among other figures, under its name, with its 95 % Wilson interval and its n.

    Ratio and interval are None below the fewest observations; whoever calls tells the count.
    """
    told = rate.n >= fewest
    return {
        f"{name}_ratio": number(Fraction(rate.successes, rate.n)) if told else None,
        f"{name}_ci": interval_json(wilson(rate.successes, rate.n)) if told else None,
        f"{name}_n": rate.n,
    }
