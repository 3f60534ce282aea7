"""What a quarter will probably bring, from how deals in the same stages have ended before."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from math import sqrt
from typing import Literal, TypeAlias
from uuid import UUID

from domain.comparisons import NO_VERDICT, Rate
from domain.statistics import Z_95
from domain.survival import Incidence, aalen_johansen

Ending: TypeAlias = Literal["won", "lost"]
StageOf: TypeAlias = tuple[str, str]
"""A process and one of its stages."""
Observations: TypeAlias = Mapping[tuple[Decimal, Ending | None], int]
"""How many deals lasted so many days from entering a stage and then ended so; None: still open."""


@dataclass(frozen=True, slots=True)
class OpenDeal:
    """A deal that may still be won: where it stands, for how many days, and what it is worth.

    The stage is None for a deal that has entered none.
    """

    deal_id: UUID
    owner: str
    stage: StageOf | None
    age_days: Decimal
    amount: Decimal
    currency: str | None


@dataclass(frozen=True, slots=True)
class Chance:
    """How likely a deal is won by the horizon, and how many stays in its stage say so.

    `n` are those that lasted longer than this one has. `p` is None where they are too few, or where
    none of them was followed as far as the horizon.
    """

    p: float | None
    n: int


@dataclass(frozen=True, slots=True)
class Expected:
    """What the open deals of one currency will probably bring by the horizon.

    `expected` is the sum of each chance times its amount, `sd` its standard deviation if deals are
    won independently, `low` and `high` bound the 95 % of a normal distribution within what is
    possible. Only the `evaluable` deals count; `left_out` is what the others amount to.
    """

    currency: str
    deals: int
    evaluable: int
    open: Decimal
    left_out: Decimal
    expected: Decimal
    sd: float
    low: Decimal
    high: Decimal


class Odds:
    """How deals have ended after entering a stage, as far as it was known at one moment."""

    def __init__(self, seen: Mapping[StageOf, Observations]) -> None:
        self._seen = seen
        self._curves: dict[StageOf, Incidence[Ending]] = {}

    def stages(self) -> list[StageOf]:
        """Give the stages that deals have entered."""
        return sorted(self._seen)

    def ended(self, stage: StageOf) -> dict[Ending | None, int]:
        """Give how many stays in a stage have ended how; None: the deal is still open."""
        counts: dict[Ending | None, int] = defaultdict(int)
        for (_, ending), count in self._seen.get(stage, {}).items():
            counts[ending] += count
        return dict(counts)

    def chance(self, stage: StageOf | None, age_days: Decimal, within_days: Decimal) -> Chance:
        """Give how likely a deal is won within so many days that has been in a stage for so many.

        By the estimate of Aalen and Johansen from the entry into the stage to the end of the deal:
        lost deals compete, open ones are censored (METRICS section 5).
        """
        if stage is None or stage not in self._seen:
            return Chance(None, 0)
        if stage not in self._curves:
            self._curves[stage] = aalen_johansen(self._seen[stage])
        curve = self._curves[stage]
        n = curve.beyond(age_days)
        if n < NO_VERDICT:
            return Chance(None, n)
        return Chance(curve.expected(age_days, age_days + within_days, "won"), n)


def expectations(deals: Iterable[tuple[OpenDeal, Chance]]) -> list[Expected]:
    """Give what deals will probably bring, by currency; those without an amount bring nothing."""
    by_currency: dict[str, list[tuple[OpenDeal, Chance]]] = defaultdict(list)
    for deal, chance in deals:
        if deal.currency is not None:
            by_currency[deal.currency].append((deal, chance))
    return [_expected(currency, by_currency[currency]) for currency in sorted(by_currency)]


def _expected(currency: str, deals: list[tuple[OpenDeal, Chance]]) -> Expected:
    told = [(deal.amount, chance.p) for deal, chance in deals if chance.p is not None]
    open_amount = sum((deal.amount for deal, _ in deals), Decimal(0))
    known = sum((amount for amount, _ in told), Decimal(0))
    expected = sum((Decimal(p) * amount for amount, p in told), Decimal(0))
    sd = sqrt(sum(p * (1 - p) * float(amount) ** 2 for amount, p in told))
    reach = Decimal(Z_95 * sd)
    return Expected(
        currency=currency,
        deals=len(deals),
        evaluable=len(told),
        open=open_amount,
        left_out=open_amount - known,
        expected=expected,
        sd=sd,
        low=max(Decimal(0), expected - reach),
        high=min(known, expected + reach),
    )


@dataclass(frozen=True, slots=True)
class Calibration:
    """How the chances given at the start of a quarter compare with what came of the deals.

    `won` of the `evaluable` deals were won, those with a chance.

    `brier` is the mean squared distance of a chance from what came (0: every deal foreseen, .25: as
    good as a coin), `bias` the mean chance minus the share won: above 0 too much was promised. Both
    are None where no chance could be given.
    """

    deals: int
    evaluable: int
    won: int
    brier: float | None
    bias: float | None

    @property
    def conclusive(self) -> bool:
        """Whether there are enough deals to conclude anything."""
        return self.evaluable >= NO_VERDICT


def calibration(told: Iterable[tuple[Chance, bool]]) -> Calibration:
    """Compare chances with whether each deal was won by the horizon."""
    pairs = list(told)
    known = [(chance.p, won) for chance, won in pairs if chance.p is not None]
    n = len(known)
    return Calibration(
        deals=len(pairs),
        evaluable=n,
        won=sum(won for _, won in known),
        brier=sum((p - won) ** 2 for p, won in known) / n if n else None,
        bias=sum(p - won for p, won in known) / n if n else None,
    )


def slip(forecast: Iterable[UUID], won: Iterable[UUID]) -> Rate:
    """Give how many of the deals forecast for a quarter at its start were not won in it."""
    promised = set(forecast)
    return Rate(len(promised - set(won)), len(promised))
