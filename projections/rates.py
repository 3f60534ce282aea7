"""Rates and numbers in the shape of the API."""

from fractions import Fraction
from typing import Final

from domain.comparisons import Rate

_PLACES: Final = 6


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
