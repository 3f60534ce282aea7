from fractions import Fraction
from math import sqrt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.intervals import Mean, Weighed, ratio_interval, spearman_interval, student_t
from domain.statistics import Z_95

VALUES = st.lists(st.floats(-100, 100), min_size=5, max_size=60)


@pytest.mark.parametrize("degrees", [1, 2, 3, 4, 5, 19, 20, 255, 1_000, 1_001, 50_000])
def test_students_t_is_that_of_scipy(scipy_stats: Any, degrees: int) -> None:
    assert student_t(degrees) == pytest.approx(scipy_stats.t.ppf(0.975, degrees), abs=5e-9)


def test_no_degree_of_freedom_is_refused() -> None:
    with pytest.raises(ValueError, match="1 degree"):
        student_t(0)


@given(VALUES)
def test_a_mean_has_the_interval_of_scipy(scipy_stats: Any, values: list[float]) -> None:
    found = Mean.of(values)

    assert found.interval is not None
    error = scipy_stats.sem(values)
    if error > 1e-9:
        expected = scipy_stats.t.interval(0.95, len(values) - 1, sum(values) / len(values), error)
        assert found.interval == pytest.approx(expected, rel=1e-6, abs=1e-6)


def test_four_values_are_counted_and_nothing_more() -> None:
    assert Mean.of([1.0] * 4) == Mean(4, None, None)
    assert not Mean.of([1.0] * 19).conclusive
    assert Mean.of([1.0] * 20).conclusive


def test_the_interval_of_a_correlation_follows_bonett_and_wright() -> None:
    low, high = spearman_interval(0.5, 28) or (0, 0)

    # z = atanh(.5) = .549306; half = 1.959964 * sqrt(1.125 / 25) = .415771
    assert (round(low, 6), round(high, 6)) == (0.132747, 0.746533)
    assert spearman_interval(1.0, 20) == (1.0, 1.0)
    assert spearman_interval(-1.0, 20) == (-1.0, -1.0)
    assert spearman_interval(0.5, 4) is None


@given(st.lists(st.integers(0, 50), min_size=1, max_size=20))
def test_a_plain_sum_of_counts_has_the_variance_of_a_poisson_count(counts: list[int]) -> None:
    found = Weighed.of(counts, [Fraction(1)] * len(counts))

    total = sum(counts)
    assert found.interval == pytest.approx((total - Z_95 * sqrt(total), total + Z_95 * sqrt(total)))


@given(
    st.floats(-200, 200), st.floats(1, 200), st.floats(0.1, 50), st.floats(0.1, 50),
    st.floats(-1, 1),
)  # fmt: skip
def test_the_ends_of_a_ratio_are_where_it_is_just_not_surely_wrong(
    above: float, below: float, variance: float, other: float, correlation: float
) -> None:
    covariance = correlation * sqrt(variance * other)

    found = ratio_interval(Weighed(above, variance), Weighed(below, other), covariance)

    if found is None:
        assert below**2 <= Z_95**2 * other
        return
    assert found[0] <= above / below <= found[1]
    for end in found:
        distance = (above - end * below) ** 2
        spread = variance - 2 * end * covariance + end * end * other
        assert distance == pytest.approx(Z_95**2 * spread, rel=1e-4, abs=1e-4)
