"""What activities go with: groups at landmarks, rates, and what few deals do not allow to say."""

from dataclasses import replace
from typing import Any

import pytest

from domain.comparisons import Rate
from projections.process.effectiveness import passages, passages_json, worths, worths_json
from projections.process.paths import Landmarks, Path, in_order
from projections.process.rates import difference, difference_json
from tests.support.paths import LINEAR, day, deal, stays, tick, worked
from tests.support.told import named
from tests.support.worked_examples import worked_example


def worth(paths: list[Path], activity: str = "meet") -> dict[str, Any]:
    told = worths_json(worths(passages(paths, LINEAR), LINEAR))
    return next(one for one in told if one["activity"] == activity)


def group(path: Path, activity: str = "meet") -> str:
    (passage,) = passages([path], LINEAR)[activity]
    return passage.group


def left(*entered: tuple[str, float], won: bool | None = None, until: float | None = None) -> Any:
    path = Path(named("deal"), won, stays(*entered, until=until))
    return Landmarks(LINEAR).of(path)


def test_values_are_those_of_the_worked_example() -> None:
    example = worked_example("EX24")
    told = worth(worked({name: tuple(counts) for name, counts in example["input"].items()}))

    for name, (rate, interval) in example["expect"]["rates"].items():
        assert told[name]["share"] == rate
        assert [round(bound, 4) for bound in told[name]["interval"]] == interval
    for measure in ("outcome_value", "tick_value"):
        expected = example["expect"][measure]
        assert told[measure]["difference"] == expected["diff"]
        assert [round(bound, 4) for bound in told[measure]["interval"]] == expected["ci"]
        assert told[measure]["p"] == expected["fisher_p"]
    assert told["outcome_value"]["verdict"] == "more"
    assert told["tick_value"]["verdict"] == "no_difference_shown"
    assert told["sentence"] == (
        "Won: 30 of 50 with the outcome shown, 12 of 60 with a tick alone, 8 of 40 without a tick."
        " Consistent with the outcome mattering; association, not cause."
    )


def test_p_values_are_adjusted_for_the_activities_that_were_compared() -> None:
    paths = worked({"evidenced": (30, 50), "ticked_only": (12, 60)})
    alone = worth(paths)["outcome_value"]
    # The second activity goes with nothing: shown in every other deal, whatever became of it.
    two = [
        replace(path, ticks=(*path.ticks, tick("demo", 6, shown=7 if index % 2 else None)))
        for index, path in enumerate(paths)
    ]
    found = worth(two)["outcome_value"]

    assert alone["p_adjusted"] == alone["p"] == found["p"]
    assert found["p_adjusted"] == pytest.approx(2 * alone["p"], abs=2e-6)
    assert worth(two, "call")["outcome_value"] is None


def test_a_verdict_rests_on_the_adjusted_p_value() -> None:
    found = difference(Rate(30, 50), Rate(12, 60))

    assert (difference_json(found, 0.04) or {})["verdict"] == "more"
    assert (difference_json(found, 0.05) or {})["verdict"] == "no_difference_shown"


@pytest.mark.parametrize(("n", "verdict"), [(4, "not told"), (5, None), (19, None), (20, "more")])
def test_few_deals_are_counted_and_not_judged(n: int, verdict: str | None) -> None:
    found = worth(worked({"evidenced": (n, n), "ticked_only": (0, 40)}))

    assert found["evidenced"]["n"] == n
    assert (found["evidenced"]["share"] is None) == (verdict == "not told")
    told = found["outcome_value"] or {"verdict": "not told"}
    assert told["verdict"] == verdict


def test_a_tick_that_goes_with_fewer_wins_says_fewer() -> None:
    found = worth(worked({"ticked_only": (2, 40), "not_ticked": (30, 40)}))

    assert found["tick_value"]["verdict"] == "fewer"
    assert found["outcome_value"] is None
    assert found["sentence"].endswith("Too few to conclude from.")


def test_open_deals_are_counted_and_not_compared() -> None:
    found = worth([deal(1, won=None), deal(2, won=True)])

    assert found["open"] == 1
    assert found["not_ticked"] == {
        "count": 1,
        "n": 1,
        "share": None,
        "interval": None,
        "conclusive": False,
    }


def test_the_group_is_what_was_true_when_the_stage_was_left() -> None:
    assert group(deal(1)) == "not_ticked"
    assert group(deal(1, tick("meet", 5))) == "ticked_only"
    assert group(deal(1, tick("meet", 5.1))) == "not_ticked"
    assert group(deal(1, tick("meet", 1, shown=5))) == "evidenced"
    assert group(deal(1, tick("meet", 1, shown=5.1))) == "ticked_only"
    assert group(deal(1, tick("meet", 1, gone=5))) == "not_ticked"
    assert group(deal(1, tick("meet", 1, gone=5.1))) == "ticked_only"
    assert group(deal(1, tick("call", 1))) == "not_ticked"


def test_a_stage_is_left_when_a_later_one_is_entered() -> None:
    assert left(("qualify", 0), ("discover", 3)) == {"qualify": day(3)}
    assert left(("qualify", 0)) == {}
    assert left(("qualify", 0), ("qualify", 3)) == {}
    assert left(("discover", 0), ("qualify", 3)) == {}
    assert left(("qualify", 0), ("nowhere", 1), ("discover", 3)) == {"qualify": day(3)}
    assert left(("qualify", 0), ("discover", 3), ("qualify", 4), ("discover", 6)) == {
        "qualify": day(3)
    }


def test_a_deal_that_ended_in_a_stage_did_not_leave_it_behind() -> None:
    assert left(("qualify", 0), won=False, until=4) == {}
    assert left(("qualify", 0), ("lost", 3), won=False, until=4) == {}
    assert left(("qualify", 0), ("won", 3), won=True, until=4) == {}


def test_the_last_stage_is_left_by_the_close() -> None:
    assert left(("discover", 0), won=False, until=4) == {"discover": day(4)}
    assert left(("discover", 0), ("won", 3), won=True, until=4) == {"discover": day(3)}
    assert left(("discover", 0), ("won", 3), won=None) == {}
    assert left(("discover", 0), ("nowhere", 2), ("discover", 4), won=True, until=6) == {
        "discover": day(6)
    }


def test_stays_of_one_instant_are_put_in_the_order_of_the_process() -> None:
    one = stays(("discover", 1), until=1)
    two = stays(("qualify", 1), until=1)
    three = stays(("qualify", 1))

    assert in_order([*three, *one, *two], LINEAR) == (*two, *one, *three)


def test_the_deals_behind_a_figure_come_in_the_order_in_which_they_left() -> None:
    told = passages([deal(1, left=6), deal(2, tick("meet", 1), left=3)], LINEAR)

    assert passages_json(told["meet"]) == [
        {"deal_id": str(named("deal 2")), "left_at": day(3), "group": "ticked_only", "won": True},
        {"deal_id": str(named("deal 1")), "left_at": day(6), "group": "not_ticked", "won": True},
    ]
