"""What a process should do without: each rule at its edge."""

from datetime import datetime

import pytest

from domain.process import Process
from projections.process.effectiveness import passages
from projections.process.lint import (
    Experience,
    Finding,
    lint,
    unseen_outcomes,
    warnings_json,
)
from projections.process.paths import Path
from tests.support.paths import LINEAR, day, deal, group, tick, worked
from tests.support.told import process

ALL = {"criteria", "goal", "fit"}


def findings(
    paths: list[Path],
    *,
    evidenced: set[str] = ALL,
    at: float = 400,
    since: datetime | None = None,
    of: Process = LINEAR,
) -> list[Finding]:
    experience = Experience(
        day(at), paths, passages(paths, of), evidenced, dict.fromkeys(of.activities, since)
    )
    return lint(of, experience)


def rules(found: list[Finding], activity: str = "meet") -> list[str]:
    return [one.rule for one in found if one.activity == activity]


def test_a_process_of_few_stages_with_outcomes_needs_no_warning() -> None:
    assert lint(LINEAR, None) == []


def test_the_shape_of_a_process_is_judged_without_any_deal() -> None:
    outcomes = {f"a{n}": f"o{n}" for n in range(4)}
    three = {f"a{n}": f"o{n}" for n in range(3)}
    five = process(*((f"s{n}", {f"a{n}": f"o{n}"}) for n in range(5)))
    six = process(*((f"s{n}", {f"a{n}": f"o{n}"}) for n in range(6)))

    assert lint(five, None) == lint(process(("s", three)), None) == []
    assert [(f.rule, f.value, f.threshold) for f in lint(six, None)] == [("too_many_stages", 6, 5)]
    assert [f.rule for f in lint(process(("s", outcomes)), None)] == ["too_many_outcomes"]
    assert [f.rule for f in lint(process(("s", {})), None)] == ["stage_without_outcomes"]


@pytest.mark.parametrize(("n", "times"), [(19, 0), (20, 1)])
def test_an_outcome_that_no_deal_showed_is_never_evidenced(n: int, times: int) -> None:
    paths = group(5, n, first=0)

    found = findings(paths, evidenced=ALL - {"criteria"})
    assert rules(found).count("outcome_never_evidenced") == times
    assert "outcome_never_evidenced" not in rules(findings(paths))
    assert list(unseen_outcomes(LINEAR, passages(paths, LINEAR))).count("criteria") == times


def test_an_outcome_that_one_deal_showed_is_not_looked_for() -> None:
    paths = [*group(5, 30, first=0), deal(99, tick("meet", 1, shown=2))]

    assert set(unseen_outcomes(LINEAR, passages(paths, LINEAR))) == {"goal", "fit"}


@pytest.mark.parametrize(
    ("evidenced", "bare", "silent", "told"),
    [(4, 12, 4, [("meet", 0.2, 20)]), (5, 11, 4, []), (4, 11, 5, []), (3, 12, 4, [])],
)
def test_what_is_ticked_by_most_and_shown_by_few_is_a_ritual(
    evidenced: int, bare: int, silent: int, told: list[object]
) -> None:
    counts = {"evidenced": (0, evidenced), "ticked_only": (0, bare), "not_ticked": (0, silent)}

    found = [f for f in findings(worked(counts)) if f.rule == "ritual"]

    assert [(f.activity, f.value, f.n) for f in found] == told


def test_an_activity_without_a_tick_for_ninety_days_is_dead_if_deals_came_by() -> None:
    old = [deal(1, tick("meet", 1), won=None), deal(2, tick("demo", 6), won=None)]

    assert "dead" in rules(findings(old, at=96), "demo")
    assert "dead" not in rules(findings(old, at=95.9), "demo")
    assert "dead" not in rules(findings([deal(1)], at=111), "demo")
    assert "dead" in rules(findings([deal(1)], at=109), "demo")
    assert "dead" not in rules(findings(old, at=96, since=day(6.1)), "demo")
    assert "dead" in rules(findings(old, at=96, since=day(6)), "demo")


def test_an_activity_that_is_new_in_the_version_is_not_dead() -> None:
    paths = [deal(1, won=None)]
    told = Experience(day(400), paths, passages(paths, LINEAR), ALL, {"meet": None})

    assert [f.activity for f in lint(LINEAR, told) if f.rule == "dead"] == []


@pytest.mark.parametrize(
    ("evidenced", "ticked_only", "times"),
    [((25, 50), (25, 50), 1), ((25, 50), (24, 49), 0), ((45, 50), (5, 50), 0)],
)
def test_a_hundred_deals_without_a_difference_show_no_value(
    evidenced: tuple[int, int], ticked_only: tuple[int, int], times: int
) -> None:
    found = findings(worked({"evidenced": evidenced, "ticked_only": ticked_only}))

    assert rules(found).count("no_value_shown") == times


def test_a_warning_names_what_it_rests_on() -> None:
    found = findings(worked({"evidenced": (25, 50), "ticked_only": (25, 50)}))
    told = next(one for one in warnings_json(found) if one["rule"] == "no_value_shown")

    assert (told["stage"], told["activity"], told["n"]) == ("qualify", "meet", 100)
    assert (told["value"], told["threshold"]) == (0, 0)
    assert isinstance(told["interval"], list)
    assert told["interval"][0] < 0 < told["interval"][1]
    assert "not cause" in str(told["detail"])
