"""Rates and their differences in the shape of the API, with what their number allows to say."""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from domain.comparisons import Rate, fisher_exact, newcombe
from projections.rates import interval_json, number

Direction: TypeAlias = Literal["more", "fewer", "no_difference_shown"]
SIGNIFICANT: Final = 0.05
"""A p-value below it, adjusted where several are looked at, shows a difference."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One rate minus another, its 95 % interval (Newcombe) and its p-value (Fisher)."""

    value: float
    interval: tuple[float, float]
    p: float
    conclusive: bool


def difference(one: Rate, other: Rate) -> Difference | None:
    """Compare two rates; None where one of them has too few observations to be told."""
    interval = newcombe(one, other)
    if one.share is None or other.share is None or interval is None:
        return None
    return Difference(
        value=float(one.share - other.share),
        interval=interval,
        p=fisher_exact(one, other),
        conclusive=one.conclusive and other.conclusive,
    )


def direction(found: Difference, p: float) -> Direction | None:
    """Say which way a difference shows; None where there is too little to conclude from."""
    if not found.conclusive:
        return None
    if p >= SIGNIFICANT:
        return "no_difference_shown"
    return "more" if found.value > 0 else "fewer"


def difference_json(found: Difference | None, p_adjusted: float | None) -> dict[str, object] | None:
    """Give a difference with its p-value, also adjusted for the number of comparisons."""
    if found is None:
        return None
    p = found.p if p_adjusted is None else p_adjusted
    return {
        "difference": number(found.value),
        "interval": interval_json(found.interval),
        "p": number(found.p),
        "p_adjusted": number(p_adjusted),
        "verdict": direction(found, p),
    }
