from decimal import Decimal
from fractions import Fraction

import pytest

from domain.statistics import conformal_p, kaplan_meier, median, union_length, wilson
from tests.support.worked_examples import worked_example


def decimals(values: list[float]) -> list[Decimal]:
    return [Decimal(str(value)) for value in values]


def rounded(interval: tuple[float, float] | None, digits: int) -> list[float]:
    assert interval is not None
    return [round(bound, digits) for bound in interval]


def test_intervals_of_small_samples_agree_with_the_example() -> None:
    for rate, expected in worked_example("EX17d")["expect"].items():
        successes, n = (int(part) for part in rate.split("/"))
        assert rounded(wilson(successes, n), 4) == expected


def test_intervals_of_kept_commitments_agree_with_the_example() -> None:
    for day in worked_example("EX16")["expect"].values():
        n = day["kept"] + day["broken"]
        if n == 0:
            assert wilson(day["kept"], n) is day["kept_ci"] is None
        else:
            assert rounded(wilson(day["kept"], n), 6) == day["kept_ci"]


@pytest.mark.parametrize("n", [1, 7, 1_000_000])
def test_an_interval_is_exact_at_its_extremes(n: int) -> None:
    none, every = wilson(0, n), wilson(n, n)

    assert none is not None
    assert every is not None
    assert (none[0], every[1]) == (0, 1)


@pytest.mark.parametrize(("successes", "n"), [(-1, 3), (4, 3), (0, -1)])
def test_an_impossible_rate_is_refused(successes: int, n: int) -> None:
    with pytest.raises(ValueError, match=f"0 to {n} successes"):
        wilson(successes, n)


def test_the_median_of_an_even_number_is_between_the_two_middle_ones() -> None:
    assert median(decimals([0.3, 0.1, 0.2])) == Decimal("0.2")
    assert median(decimals([0.3, 0.1, 0.25, 0.2])) == Decimal("0.225")
    assert median([]) is None


def test_conformal_p_values_agree_with_the_discount_example() -> None:
    example = worked_example("EX09")
    level = decimals(example["input"]["level_baseline"])
    step = decimals(example["input"]["step_baseline"])
    facts = example["expect"]["facts"]

    assert conformal_p(Decimal("0.25"), level) == Fraction(1, 10) == Fraction(str(facts["p_level"]))
    assert round(float(conformal_p(Decimal("0.15"), step)), 6) == facts["p_step"]
    assert median(level) == Decimal(str(facts["median"]))


def test_ties_count_against_the_suspicion() -> None:
    example = worked_example("EX10")
    level = decimals(example["input"]["level_baseline"])
    step = decimals(example["input"]["step_baseline"])

    expected = {case[:12]: values for case, values in example["expect"].items()}
    assert round(float(conformal_p(Decimal("0.15"), level)), 6) == expected["15% from 10%"][1]
    assert round(float(conformal_p(Decimal("0.05"), step)), 6) == expected["15% from 10%"][2]
    assert round(float(conformal_p(Decimal("0.18"), level)), 6) == expected["18% from 10%"][1]
    assert round(float(conformal_p(Decimal("0.08"), step)), 6) == expected["18% from 10%"][2]
    assert conformal_p(Decimal(1), []) == 1


def test_a_union_counts_overlapping_discount_steps_once() -> None:
    example = worked_example("EX11")
    given = example["input"]
    list_price = Decimal(given["list"])
    flagged = [
        (Decimal(str(low)), Decimal(str(high))) for low, high, shaped in given["steps"] if shaped
    ]
    final, floor = Decimal(str(given["final"])), Decimal(str(given["median"]))
    cut = [(low, min(high, final)) for low, high in flagged]
    above = [(max(low, floor), high) for low, high in cut]

    found = [union_length(intervals) * list_price for intervals in (flagged, cut, above)]

    assert [f"{value:.2f}" for value in found] == example["expect"]["offered_realised_floor"]


def test_an_interval_that_ends_before_it_starts_is_empty() -> None:
    backward = (Decimal(3), Decimal(1))

    assert union_length([backward]) == union_length([]) == 0
    assert union_length([backward, (Decimal(0), Decimal(2))]) == 2
    assert union_length([(Decimal(0), Decimal(9)), (Decimal(1), Decimal(2))]) == 9
    assert union_length([(Decimal(0), Decimal(1)), (Decimal(1), Decimal(2))]) == 2


def test_survival_agrees_with_the_dwell_example() -> None:
    example = worked_example("EX21")
    days = decimals(example["input"]["days"])
    survival = kaplan_meier(days, [bool(mark) for mark in example["input"]["observed"]])
    expected = example["expect"]

    for day, share in expected["S"].items():
        assert round(float(survival.at(Decimal(day))), 6) == share
    for day, share in expected["age_percentile"].items():
        assert round(float(survival.percentile_of(Decimal(day))), 6) == share
    assert survival.median() == Decimal(str(expected["median"]))
    assert round(float(survival.restricted_mean(Decimal(30))), 6) == expected["rmst30"]


def test_survival_without_an_end_never_falls() -> None:
    survival = kaplan_meier(decimals([3, 5]), [False, False])

    assert survival.n == 2
    assert survival.at(Decimal(99)) == 1
    assert survival.median() is None
    assert survival.restricted_mean(Decimal(10)) == 10
    assert kaplan_meier([], []).quantile(Fraction(1, 10)) is None


def test_a_quantile_is_the_first_duration_by_which_its_share_is_over() -> None:
    survival = kaplan_meier(decimals([1, 2, 3, 4]), [True] * 4)

    assert survival.quantile(Fraction(1, 4)) == 1
    assert survival.quantile(Fraction(26, 100)) == 2
    assert survival.at(Decimal("0.5")) == 1
    assert survival.at(Decimal(4)) == 0


def test_durations_and_marks_belong_together() -> None:
    with pytest.raises(ValueError, match="2 durations but 1 observed marks"):
        kaplan_meier(decimals([1, 2]), [True])
    with pytest.raises(ValueError, match="0 or more"):
        kaplan_meier(decimals([-1]), [True])
