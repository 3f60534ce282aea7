"""Two versions of a process side by side, each by its own deals."""

from typing import Any

from projections.process.paths import Path
from projections.process.versions import Version, comparison_json, deals_json, fitness_json
from tests.support.paths import LINEAR, day, deal, group, stays
from tests.support.told import named, process

OTHER = process(("qualify", {}), ("propose", {}))


def compared(one: list[Path], other: list[Path]) -> Any:
    return comparison_json(Version(LINEAR, tuple(one)), Version(LINEAR, tuple(other)), day(30))


def test_deals_are_counted_by_how_they_stand() -> None:
    version = Version(LINEAR, (deal(1), deal(2, won=False), deal(3, won=None)))

    assert deals_json(version) == {"n": 3, "won": 1, "not_won": 1, "open": 1}


def test_fitness_is_told_of_deals_that_entered_a_stage() -> None:
    straight = Path(named("a"), won=True, stays=stays(("qualify", 0), until=3))
    nowhere = Path(named("b"), None, ())
    version = Version(LINEAR, (*group(4, 4, first=1), straight, nowhere))

    found = fitness_json(version.fitnesses)

    # Four of 1, and one of 1 - 1/5: a stage skipped on the way to a win.
    assert found["n"] == 5
    assert found["mean"] == 0.96
    assert found["as_modelled"] == {
        "count": 4,
        "n": 5,
        "share": 0.8,
        "interval": [0.375535, 0.963776],
        "conclusive": False,
    }
    assert fitness_json(version.fitnesses[:4])["mean"] is None


def test_versions_are_compared_by_wins_fitness_and_time() -> None:
    fast = [deal(k, won=k < 18, left=1 + k % 4) for k in range(20)]
    slow = [deal(k, won=k < 4, left=6 + k % 4) for k in range(20)]

    told = compared(fast, slow)

    assert told["win_rate"]["this"]["share"] == 0.9
    assert told["win_rate"]["change"]["difference"] == 0.7
    assert told["win_rate"]["change"]["verdict"] == "more"
    assert told["fitness"]["change"]["difference"] == 0
    assert told["fitness"]["change"]["verdict"] == "no_difference_shown"
    assert [stage["stage"] for stage in told["stages"]] == ["qualify", "discover"]
    qualify = told["stages"][0]
    assert (qualify["this"]["median_days"], qualify["other"]["median_days"]) == (2, 7)
    assert qualify["log_rank"]["p"] < 0.001
    assert qualify["log_rank"]["conclusive"]


def test_few_deals_are_counted_and_not_compared() -> None:
    told = compared(group(4, 4, first=0), group(4, 20, first=100))

    assert told["win_rate"]["this"] == {
        "count": 4,
        "n": 4,
        "share": None,
        "interval": None,
        "conclusive": False,
    }
    assert told["win_rate"]["change"] is None
    assert told["stages"][0]["log_rank"] is None


def test_only_stages_that_both_have_are_compared() -> None:
    told: Any = comparison_json(Version(LINEAR, ()), Version(OTHER, ()), day(30))

    assert [stage["stage"] for stage in told["stages"]] == ["qualify"]
