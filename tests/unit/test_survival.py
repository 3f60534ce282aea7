from collections import Counter
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.statistics import kaplan_meier
from domain.survival import aalen_johansen, log_rank

Observations = list[tuple[int, str | None]]
OBSERVATIONS = st.lists(
    st.tuples(st.integers(1, 12), st.sampled_from(["won", "lost", None])), min_size=3, max_size=40
)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # its standard errors divide by none at risk
@given(OBSERVATIONS)
def test_incidence_is_that_of_statsmodels(duration: Any, observations: Observations) -> None:
    found = aalen_johansen(counted(observations))
    kinds = {"won": 1, "lost": 2, None: 0}
    expected = duration.CumIncidenceRight(
        [float(time) for time, _ in observations], [kinds[ending] for _, ending in observations]
    )

    for kind, shares in zip(("won", "lost"), expected.cinc, strict=False):
        for time, share in zip(expected.times, shares, strict=True):
            assert found.by(Decimal(int(time)), kind) == pytest.approx(share, abs=1e-6)


@given(OBSERVATIONS)
def test_what_has_ended_and_what_runs_on_are_all_there_is(observations: Observations) -> None:
    found = aalen_johansen(counted(observations))
    survival = kaplan_meier(
        [Decimal(time) for time, _ in observations],
        [ending is not None for _, ending in observations],
    )

    for day in range(15):
        at = Decimal(day)
        ended = found.by(at, "won") + found.by(at, "lost")
        assert ended + found.running_at(at) == pytest.approx(1, abs=1e-9)
        assert found.running_at(at) == pytest.approx(float(survival.at(at)), abs=1e-9)


def test_what_still_runs_at_an_age_may_be_won_later() -> None:
    found = aalen_johansen(counted([(1, "lost"), (2, "won"), (3, "won"), (9, None)]))

    assert found.expected(Decimal(0), Decimal(9), "won") == pytest.approx(0.5)
    assert found.expected(Decimal(2), Decimal(9), "won") == pytest.approx(0.5)
    assert found.expected(Decimal(2), Decimal(9), "lost") == 0
    assert aalen_johansen(counted([(1, "won")])).expected(Decimal(1), Decimal(2), "won") is None


def test_what_was_not_followed_so_long_is_not_known() -> None:
    followed = aalen_johansen(counted([(1, "won"), (4, None)]))
    over = aalen_johansen(counted([(1, "won"), (4, "lost")]))

    assert followed.expected(Decimal(0), Decimal(4), "won") == 0.5
    assert followed.expected(Decimal(0), Decimal(5), "won") is None
    assert over.expected(Decimal(0), Decimal(5), "won") == 0.5


def test_durations_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="0 or more"):
        aalen_johansen(counted([(-1, "won")]))


GROUP = st.lists(st.tuples(st.integers(1, 12), st.booleans()), min_size=2, max_size=30)


@given(one=GROUP, other=GROUP)
def test_the_log_rank_test_is_that_of_scipy(
    scipy_stats: Any, one: list[tuple[int, bool]], other: list[tuple[int, bool]]
) -> None:
    first, second = (
        ([Decimal(time) for time, _ in group], [over for _, over in group])
        for group in (one, other)
    )
    found = log_rank(first, second)
    if found is None:
        return
    censored = [
        scipy_stats.CensoredData(
            uncensored=[t for t, over in group if over], right=[t for t, over in group if not over]
        )
        for group in (one, other)
    ]
    expected = scipy_stats.logrank(*censored)

    assert found.statistic == pytest.approx(expected.statistic**2, abs=1e-6)
    assert found.p == pytest.approx(expected.pvalue, abs=1e-6)


def test_groups_of_which_none_ended_together_are_not_compared() -> None:
    assert log_rank(([Decimal(1)], [False]), ([Decimal(2)], [True])) is None


def counted(observations: Observations) -> Counter[tuple[Decimal, str | None]]:
    return Counter((Decimal(time), ending) for time, ending in observations)
