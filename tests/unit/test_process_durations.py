"""How long deals stay: medians and restricted means, as the worked examples have them."""

from decimal import Decimal

import pytest

from domain.statistics import kaplan_meier
from projections.process.durations import (
    Durations,
    durations_in,
    durations_json,
    log_rank_json,
    median,
    restricted_mean,
)
from projections.process.paths import Path
from tests.support.paths import day, stays
from tests.support.told import named
from tests.support.worked_examples import worked_example


def durations(*days: int, over: bool = True) -> Durations:
    return Durations(tuple(map(Decimal, days)), (over,) * len(days))


def test_the_median_and_the_restricted_mean_are_those_of_the_worked_example() -> None:
    example = worked_example("EX21")
    found = Durations(
        tuple(map(Decimal, example["input"]["days"])),
        tuple(map(bool, example["input"]["observed"])),
    )

    assert median(found.incidence) == example["expect"]["median"]
    mean = restricted_mean(found, Decimal(30))
    assert mean is not None
    assert round(mean, 6) == example["expect"]["rmst30"]
    same = kaplan_meier(found.days, found.over).restricted_mean(Decimal(12))
    assert restricted_mean(found, Decimal(12)) == pytest.approx(float(same))


def test_a_mean_beyond_what_was_followed_is_unknown() -> None:
    running = Durations((Decimal(10), Decimal(20)), (True, False))

    assert restricted_mean(running, Decimal(20)) == 15
    assert restricted_mean(running, Decimal(21)) is None
    assert restricted_mean(durations(10, 20), Decimal(90)) == 15


def test_half_that_never_is_over_has_no_median() -> None:
    assert (
        median(Durations((Decimal(1), Decimal(2), Decimal(3)), (True, False, False)).incidence)
        is None
    )


def test_a_stay_that_lasts_counts_as_far_as_it_has_come() -> None:
    path = Path(named("deal"), None, stays(("qualify", 0), ("discover", 1.5), ("qualify", 4)))

    found = durations_in([path], "qualify", day(10))

    assert found == Durations((Decimal("1.5"), Decimal(6)), (True, False))


def test_few_stays_are_counted_and_nothing_more() -> None:
    assert durations_json(durations(1, 2, 3, 4)) == {
        "n": 4,
        "over": 4,
        "median_days": None,
        "restricted_mean_days": None,
    }
    assert durations_json(durations(1, 2, 3, 4, 5))["median_days"] == 3
    assert log_rank_json(durations(1, 2, 3, 4), durations(1, 2, 3, 4, 5)) is None


def test_unlike_stays_are_told_apart_and_judged_if_there_are_enough() -> None:
    short, long = durations(*range(1, 21)), durations(*range(40, 60))
    found = log_rank_json(short, long)
    few = log_rank_json(durations(*range(1, 20)), long)

    assert found is not None
    assert found["conclusive"] is True
    assert isinstance(found["p"], float)
    assert found["p"] < 0.001
    assert few is not None
    assert few["conclusive"] is False
    assert log_rank_json(durations(1, 2, 3, 4, 5, over=False), durations(*range(6, 12))) is None
