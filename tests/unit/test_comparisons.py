from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.comparisons import (
    Rate,
    benjamini_hochberg,
    fisher_exact,
    gini,
    newcombe,
    sign_flip,
    spearman,
)
from tests.support.worked_examples import worked_example


@st.composite
def rates(draw: st.DrawFn) -> Rate:
    n = draw(st.integers(1, 300))
    return Rate(draw(st.integers(0, n)), n)


def test_differences_of_win_rates_agree_with_the_example() -> None:
    example = worked_example("EX24")
    found = {name: Rate(*counts) for name, counts in example["input"].items()}

    for name, (share, interval) in example["expect"]["rates"].items():
        own = found[name]
        assert own.share is not None
        assert own.interval is not None
        assert round(float(own.share), 6) == share
        assert [round(bound, 4) for bound in own.interval] == interval
    for name, (one, other) in {
        "outcome_value": ("evidenced", "ticked_only"),
        "tick_value": ("ticked_only", "not_ticked"),
    }.items():
        expected = example["expect"][name]
        interval = newcombe(found[one], found[other])
        assert interval is not None
        assert [round(bound, 4) for bound in interval] == expected["ci"]
        assert round(fisher_exact(found[one], found[other]), 6) == expected["fisher_p"]


@pytest.mark.parametrize("n", [0, 4])
def test_few_observations_are_counted_and_nothing_more(n: int) -> None:
    assert Rate(0, n).share is None
    assert Rate(0, n).interval is None


def test_five_observations_have_a_rate() -> None:
    assert Rate(2, 5).share == Fraction(2, 5)
    assert Rate(2, 5).interval is not None


def test_twenty_observations_are_enough_for_a_verdict() -> None:
    assert Rate(3, 20).conclusive
    assert not Rate(3, 19).conclusive


@given(one=rates(), other=rates())
def test_newcombe_is_that_of_statsmodels(proportion: Any, one: Rate, other: Rate) -> None:
    expected = proportion.confint_proportions_2indep(
        one.successes, one.n, other.successes, other.n, method="newcomb"
    )

    assert newcombe(one, other) == pytest.approx(expected, abs=1e-6)


def test_nothing_observed_has_no_interval() -> None:
    assert newcombe(Rate(0, 0), Rate(1, 2)) is None


@given(one=rates(), other=rates())
def test_fisher_is_that_of_scipy(scipy_stats: Any, one: Rate, other: Rate) -> None:
    table = [[r.successes, r.n - r.successes] for r in (one, other)]

    assert fisher_exact(one, other) == pytest.approx(
        scipy_stats.fisher_exact(table).pvalue, abs=1e-6
    )


def test_fisher_of_many_observations_is_that_of_scipy(scipy_stats: Any) -> None:
    one, other = Rate(25_300, 50_000), Rate(24_800, 50_000)
    table = [[rate.successes, rate.n - rate.successes] for rate in (one, other)]

    expected = scipy_stats.fisher_exact(table).pvalue
    assert fisher_exact(one, other) == pytest.approx(expected, rel=1e-6)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_adjusted_p_values_are_those_of_scipy(scipy_stats: Any, p_values: list[float]) -> None:
    expected = scipy_stats.false_discovery_control(p_values, method="bh")

    assert benjamini_hochberg(p_values) == pytest.approx(list(expected), abs=1e-6)


@given(
    st.lists(st.tuples(st.integers(-5, 5), st.integers(-5, 5)), min_size=2, max_size=40).filter(
        lambda pairs: all(len({pair[side] for pair in pairs}) > 1 for side in (0, 1))
    )
)
def test_spearman_is_that_of_scipy(scipy_stats: Any, pairs: list[tuple[float, float]]) -> None:
    expected = scipy_stats.spearmanr(*zip(*pairs, strict=True)).statistic

    assert spearman(pairs) == pytest.approx(expected, abs=1e-6)


def test_what_never_varies_rises_with_nothing() -> None:
    assert spearman([(1, 2), (1, 3)]) is None
    assert spearman([]) is None


def test_a_quarter_closed_in_one_week_is_as_uneven_as_can_be() -> None:
    assert gini([0] * 12 + [80]) == Fraction(12, 13)
    assert gini([6] * 13) == 0
    assert gini([0] * 13) is None


@pytest.mark.parametrize(
    "differences", [[0.03, 0.02, 0.05, 0.01, 0.04, -0.01, 0.02, 0.03], [0.01, -0.02, 0.03, 0.0]]
)
def test_sign_flips_find_what_all_assignments_of_signs_would(
    scipy_stats: Any, differences: list[float]
) -> None:
    exact = scipy_stats.permutation_test(
        (differences,), sum, permutation_type="samples", n_resamples=100_000
    ).pvalue

    assert sign_flip(differences) == pytest.approx(exact, abs=0.015)


def test_sign_flips_give_the_same_answer_twice() -> None:
    differences = [0.1, 0.2, -0.05, 0.3]

    assert sign_flip(differences) == sign_flip(differences)
    assert sign_flip([]) is None
