"""How a path is laid beside its model, by the worked examples and at the edges."""

from fractions import Fraction

from projections.process.alignment import align, follow, replay_tokens, win_of
from tests.support.told import process
from tests.support.worked_examples import worked_example

LINEAR = process(("qualify", {}), ("discover", {}), ("propose", {}))


def test_paths_cost_and_fit_as_in_the_worked_example() -> None:
    example = worked_example("EX22")
    model = example["input"]["model"]

    for name, trace in example["input"]["traces"].items():
        expected = example["expect"][name]
        aligned, replayed = align(trace, model), replay_tokens(trace, model)
        assert aligned.cost == expected["align_cost"], name
        assert round(float(aligned.fitness or 0), 6) == expected["align_fitness"], name
        assert replayed.produced == expected["p"], name
        assert replayed.consumed == expected["c"], name
        assert replayed.missing == expected["m"], name
        assert replayed.remaining == expected["r"], name
        assert round(float(replayed.fitness), 6) == expected["fitness"], name


def test_nothing_beside_nothing_has_no_fitness() -> None:
    assert align([], []).fitness is None


def test_nothing_in_common_fits_not_at_all() -> None:
    assert align(["a", "b"], ["c"]).cost == 3
    assert align(["a", "b"], ["c"]).fitness == 0


def test_two_gaps_miss_two_tokens() -> None:
    replayed = replay_tokens(["b", "d"], ["a", "b", "c", "d"])

    assert (replayed.missing, replayed.remaining) == (2, 2)


def test_a_step_that_the_model_lacks_moves_no_token() -> None:
    assert replay_tokens(["a", "lunch"], ["a"]) == replay_tokens(["a"], ["a"])


def test_an_open_deal_is_compared_as_far_as_it_came() -> None:
    followed = follow(LINEAR, ["qualify", "discover"], won=False)

    assert followed.model == ("qualify", "discover")
    assert followed.fitness == 1


def test_a_win_is_the_last_step_of_the_model_entered_or_not() -> None:
    entered = follow(LINEAR, ["qualify", "discover", "propose", "won"], won=True)
    silent = follow(LINEAR, ["qualify", "discover", "propose"], won=True)

    assert entered == silent
    assert silent.model[-1] == win_of(LINEAR)
    assert silent.cost == 0


def test_a_deal_given_up_early_is_not_blamed_for_what_lay_beyond() -> None:
    followed = follow(LINEAR, ["qualify", "lost"], won=False)

    assert followed.trace == ("qualify",)
    assert followed.fitness == 1


def test_a_step_that_the_process_lacks_costs_one() -> None:
    followed = follow(LINEAR, ["qualify", "lunch", "discover"], won=False)

    assert followed.cost == 1
    assert followed.fitness == Fraction(4, 5)
