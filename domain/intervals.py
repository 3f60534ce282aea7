"""Intervals of means, of correlations and of ratios of counts, in pure Python.

Each function names the formula that it follows, so that a reader can check it by hand.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import asin, atanh, cos, inf, pi, sin, sqrt, tan, tanh
from statistics import fmean, stdev
from typing import Final

from domain.comparisons import COUNTS_ONLY, NO_VERDICT
from domain.statistics import Z_95

Interval = tuple[float, float]
_SURE: Final = 0.95
_MANY: Final = 1_000
"""Degrees of freedom from which the expansion of Student's t is exact to eight digits."""
_HALVINGS: Final = 60


@dataclass(frozen=True, slots=True)
class Mean:
    """The mean of some values, with as much said of it as their number allows."""

    n: int
    value: float | None
    interval: Interval | None

    @classmethod
    def of(cls, values: Sequence[float]) -> "Mean":
        """Give the mean and its 95 % interval by Student's t; None below `COUNTS_ONLY` values.

        Student (1908, Biometrika 6:1): mean -+ t * s / sqrt(n), t of n - 1 degrees of freedom.
        """
        if len(values) < COUNTS_ONLY:
            return cls(len(values), None, None)
        middle = fmean(values)
        half = student_t(len(values) - 1) * stdev(values) / sqrt(len(values))
        return cls(len(values), middle, (middle - half, middle + half))

    @property
    def conclusive(self) -> bool:
        """Whether there are enough values to conclude anything."""
        return self.n >= NO_VERDICT


@lru_cache(maxsize=1_024)
def student_t(degrees: int) -> float:
    """The value that Student's t with these degrees of freedom exceeds in 2.5 % of cases.

    From the finite series of its distribution (Abramowitz and Stegun 26.7.3 and 26.7.4), by
    halving; for many degrees from its expansion (26.7.5). Raises ValueError below 1.
    """
    if degrees < 1:
        raise ValueError(f"expected 1 degree of freedom or more, not {degrees}")
    if degrees > _MANY:
        z = Z_95
        first = (z**3 + z) / 4
        second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
        return z + first / degrees + second / degrees**2
    low, high = 0.0, asin(1.0)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if _within(middle, degrees) < _SURE else (low, middle)
    return tan(low) * sqrt(degrees)


def _within(angle: float, degrees: int) -> float:
    """Give how likely |t| lies below tan(angle) * sqrt(degrees)."""
    odd = degrees % 2
    term = cos(angle) if odd else 1.0
    total = term if degrees > 1 else 0.0
    for step in range(1 + odd, degrees - 2, 2):
        term *= cos(angle) ** 2 * step / (step + 1)
        total += term
    series = sin(angle) * total
    return 2 / pi * (angle + series) if odd else series


def share_interval(parts: Sequence[float], wholes: Sequence[float]) -> Interval | None:
    """The 95 % interval of a sum over a sum, of units that each have a part and a whole.

    By the residuals of the ratio estimator (Cochran 1977, Sampling Techniques, 6.4): share -+
    t * sqrt(n) * s(part - share * whole) / sum(whole). None below `COUNTS_ONLY` units, and where
    the wholes come to 0.
    """
    n, whole = len(wholes), sum(wholes)
    if n < COUNTS_ONLY or whole == 0:
        return None
    share = sum(parts) / whole
    residuals = [part - share * own for part, own in zip(parts, wholes, strict=True)]
    half = student_t(n - 1) * sqrt(n) * stdev(residuals) / abs(whole)
    return share - half, share + half


def spearman_interval(rho: float, n: int) -> Interval | None:
    """The 95 % interval of a rank correlation of n pairs; None below `COUNTS_ONLY` pairs.

    tanh(atanh(rho) -+ z * sqrt((1 + rho^2 / 2) / (n - 3))) (Bonett and Wright 2000, Psychometrika
    65:23). A perfect correlation has no width.
    """
    if n < COUNTS_ONLY:
        return None
    centre = inf * rho if abs(rho) >= 1 else atanh(rho)
    half = Z_95 * sqrt((1 + rho * rho / 2) / (n - 3))
    return tanh(centre - half), tanh(centre + half)


@dataclass(frozen=True, slots=True)
class Weighed:
    """A weighed sum of independent counts, and its variance if each is Poisson-distributed."""

    value: float
    variance: float

    @classmethod
    def of(cls, counts: Sequence[int], weights: Sequence[Fraction]) -> "Weighed":
        """Weigh counts, exactly; the variance of a Poisson count is the count itself."""
        pairs = list(zip(counts, weights, strict=True))
        return cls(float(sum(c * w for c, w in pairs)), float(sum(c * w * w for c, w in pairs)))

    @property
    def interval(self) -> Interval:
        """The 95 % interval: value -+ z * standard deviation."""
        half = Z_95 * sqrt(self.variance)
        return self.value - half, self.value + half


def ratio_interval(above: Weighed, below: Weighed, covariance: float) -> Interval | None:
    """The 95 % interval of one sum over another (Fieller 1954, J. R. Stat. Soc. B 16:175).

    All ratios r for which above - r * below is not surely apart from 0. None where `below` is not
    surely apart from 0 itself: then any ratio may be true.
    """
    z_squared = Z_95 * Z_95
    square = below.value**2 - z_squared * below.variance
    if square <= 0:
        return None
    cross = above.value * below.value - z_squared * covariance
    rest = above.value**2 - z_squared * above.variance
    # Never negative but for rounding, where the sums agree with their variances.
    root = sqrt(max(0.0, cross * cross - square * rest))
    return (cross - root) / square, (cross + root) / square
