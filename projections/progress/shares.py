"""The shares of one deal or of many: what is ticked only, and who moved the deals on."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final, NamedTuple, Self

from projections.progress.status import HOLLOW, SETTLED, STATUSES, Status

PLACES: Final = 6
"""Ratios are given to six places."""


def ratio(part: Decimal | Fraction | int, whole: Decimal | Fraction | int) -> float | None:
    """Give part/whole to six places; None where there is no whole."""
    if not whole:
        return None
    above, under = part.as_integer_ratio()
    times, by = whole.as_integer_ratio()
    return round((above * by) / (under * times), PLACES)


@dataclass(frozen=True, slots=True)
class TickShares:
    """How many activities have each status, and the weights that the shares are made of."""

    counts: Mapping[Status, int]
    settled: Decimal
    hollow: Decimal
    bare: Decimal

    @classmethod
    def of(cls, activities: Iterable[tuple[Status, Decimal]]) -> Self:
        """Count activities by status and weight."""
        counts = dict.fromkeys(STATUSES, 0)
        weights = dict.fromkeys(STATUSES, Decimal(0))
        for status, weight in activities:
            counts[status] += 1
            weights[status] += weight
        return cls(
            counts,
            settled=sum((weights[status] for status in SETTLED), Decimal(0)),
            hollow=sum((weights[status] for status in HOLLOW), Decimal(0)),
            bare=weights["bare_tick"],
        )

    def checkbox_only(self) -> float | None:
        """Give the share of what has settled that is ticked only; None while nothing has."""
        return ratio(self.hollow, self.settled)

    def answer(self) -> dict[str, object]:
        """Give the counts and both shares in the shape of the API."""
        return {
            "counts": dict(self.counts),
            "checkbox_only": self.checkbox_only(),
            "checkbox_only_lenient": ratio(self.bare, self.settled),
        }


class AdvancesAlike(NamedTuple):
    """Advances with one number of required outcomes, added up.

    `led` are the steps that the customer led; `shown` is the sum of steps x evidenced outcomes.
    """

    required: int
    steps: int
    led: int
    shown: int


@dataclass(frozen=True, slots=True)
class Movement:
    """The steps made above the high-water mark, and how many of them the customer led.

    `telling` are the steps that left a required outcome behind, and `unshown` is the sum of these
    steps x (1 - f), f the evidenced part of the required outcomes at the advance.
    """

    steps: int = 0
    led: int = 0
    telling: int = 0
    unshown: Fraction = Fraction(0)

    @classmethod
    def of(cls, advances: Iterable[AdvancesAlike]) -> Self:
        """Add up advances."""
        steps = led = telling = 0
        unshown = Fraction(0)
        for alike in advances:
            steps += alike.steps
            led += alike.led
            if alike.required:
                telling += alike.steps
                missing = alike.steps * alike.required - alike.shown
                unshown += Fraction(missing, alike.required)
        return cls(steps, led, telling, unshown)

    def checkbox_only_progress(self) -> float | None:
        """Give the share of steps made without the outcomes of the stages left.

        Advances that left no required outcome behind say nothing and are left out.
        """
        return ratio(self.unshown, self.telling)
