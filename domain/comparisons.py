"""Rates side by side, and what may be said of their difference, in pure Python.

Each function names the formula that it follows, so that a reader can check it by hand.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import compress
from math import fsum, sqrt
from random import Random
from typing import Final

from domain.statistics import wilson

COUNTS_ONLY: Final = 5
"""Below so many observations a rate is not told, only its counts (METRICS section 7)."""
NO_VERDICT: Final = 20
"""Below so many observations nothing is concluded from a rate (METRICS section 7)."""
_FLIPS: Final = 9_999
_SEED: Final = 20_250_331
"""Fixed, so that the same question gives the same answer."""
_FIRST_BIT: Final = bytes(byte >> 7 for byte in range(256))


@dataclass(frozen=True, slots=True)
class Rate:
    """How often something was so, of how many."""

    successes: int
    n: int

    @property
    def share(self) -> Fraction | None:
        """The rate itself; None below `COUNTS_ONLY` observations."""
        return None if self.n < COUNTS_ONLY else Fraction(self.successes, self.n)

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % Wilson interval; None below `COUNTS_ONLY` observations."""
        return None if self.n < COUNTS_ONLY else wilson(self.successes, self.n)

    @property
    def conclusive(self) -> bool:
        """Whether there are enough observations to conclude anything."""
        return self.n >= NO_VERDICT


def newcombe(one: Rate, other: Rate) -> tuple[float, float] | None:
    """The 95 % interval of one rate minus another, of independent observations.

    From the Wilson intervals of both (Newcombe 1998, Stat. Med. 17:873, method 10). None where
    one of them has no observation.
    """
    first, second = wilson(one.successes, one.n), wilson(other.successes, other.n)
    if first is None or second is None:
        return None
    p, q = one.successes / one.n, other.successes / other.n
    low = p - q - sqrt((p - first[0]) ** 2 + (second[1] - q) ** 2)
    high = p - q + sqrt((first[1] - p) ** 2 + (q - second[0]) ** 2)
    return low, high


def fisher_exact(one: Rate, other: Rate) -> float:
    """How likely a split as unlikely as this one is, if both rates were the same (two-sided).

    The probabilities of all tables with the same margins that are not more likely than the one
    observed (Fisher 1935), to some twelve digits. Each table's weight follows from its neighbour's,
    beginning with 1 at the likeliest one, so that no number is large; those of tables beyond all
    reach vanish.
    """
    successes = one.successes + other.successes
    low, high = max(0, successes - other.n), min(successes, one.n)
    mode = min(high, max(low, (successes + 1) * (one.n + 1) // (one.n + other.n + 2)))

    def odds(k: int) -> float:
        """How much likelier k + 1 successes of the first are than k."""
        ahead = (one.n - k) * (successes - k)
        return ahead / ((k + 1) * (other.n - successes + k + 1))

    weights = {mode: 1.0}
    for k in range(mode, high):
        weights[k + 1] = weights[k] * odds(k)
    for k in range(mode - 1, low - 1, -1):
        weights[k] = weights[k + 1] / odds(k)
    # Tables that are equally likely differ by rounding, and must count as equal.
    limit = weights[one.successes] * (1 + 1e-9)
    return fsum(weight for weight in weights.values() if weight <= limit) / fsum(weights.values())


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """The p-values adjusted for their number, in their order.

    Calling those below a level keeps the expected share of false calls below it (Benjamini and
    Hochberg 1995, J. R. Stat. Soc. B 57:289).
    """
    count = len(p_values)
    adjusted = [0.0] * count
    smallest = 1.0
    by_size = sorted(range(count), key=p_values.__getitem__, reverse=True)
    for rank, index in zip(range(count, 0, -1), by_size, strict=True):
        smallest = min(smallest, p_values[index] * count / rank)
        adjusted[index] = smallest
    return adjusted


def sign_flip(differences: Sequence[float]) -> float | None:
    """How likely a mean as far from 0 is, if each difference could as well have the other sign.

    The two-sided permutation test of paired samples with `m` = 9,999 random assignments of signs
    and a fixed seed: p = (b + 1) / (m + 1) (METRICS section 7). None without differences.
    """
    if not differences:
        return None
    count, total = len(differences), sum(differences)
    # Sums of the same numbers in another order differ by rounding, and must count as equal.
    reached = abs(total) - 1e-12 * sum(map(abs, differences))
    signs = _coins(_FLIPS * count)
    as_far = sum(
        abs(2 * sum(compress(differences, signs[start : start + count])) - total) >= reached
        for start in range(0, _FLIPS * count, count)
    )
    return (as_far + 1) / (_FLIPS + 1)


def spearman(pairs: Sequence[tuple[float, float]]) -> float | None:
    """How far two quantities rise together: the correlation of their ranks, from -1 to 1.

    Ties share the mean of their ranks (Spearman 1904). None where one of them never varies.
    """
    ranks = [_ranks([pair[side] for pair in pairs]) for side in (0, 1)]
    middle = (len(pairs) + 1) / 2
    first, second = ([rank - middle for rank in own] for own in ranks)
    spread = sqrt(sum(x * x for x in first) * sum(y * y for y in second))
    if spread == 0:
        return None
    return sum(x * y for x, y in zip(first, second, strict=True)) / spread


def gini(values: Sequence[int]) -> Fraction | None:
    """How unevenly a total is spread: 0 if evenly, (n - 1) / n if one holds it all.

    Half the relative mean absolute difference (Gini 1912). None where the total is 0.
    """
    total, count = sum(values), len(values)
    if total == 0:
        return None
    weighted = sum((2 * rank - count - 1) * value for rank, value in enumerate(sorted(values), 1))
    return Fraction(weighted, count * total)


def _coins(number: int) -> bytes:
    """Toss coins, always the same ones: 1 or 0 for each, the first bit of a random word."""
    chance = Random(_SEED)  # noqa: S311 - nothing is kept secret with it
    words = chance.getrandbits(32 * number).to_bytes(4 * number, "little")
    return words[3::4].translate(_FIRST_BIT)


def _ranks(values: Sequence[float]) -> list[float]:
    order = sorted(range(len(values)), key=values.__getitem__)
    ranks = [0.0] * len(values)
    start = 0
    while start < len(order):
        end = start
        while end < len(order) and values[order[end]] == values[order[start]]:
            end += 1
        for index in order[start:end]:
            ranks[index] = (start + 1 + end) / 2
        start = end
    return ranks
