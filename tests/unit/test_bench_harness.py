"""A case is measured fairly: both sides in turn, warm, by medians, and shown against its goal."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager

import pytest

from api.bench.cases import CASES
from api.bench.grounds import Grounds
from api.bench.harness import (
    AnswersDifferError,
    Case,
    Goal,
    Result,
    Sides,
    at_least,
    at_most,
    chosen,
    ensure_same,
    run_case,
    timed,
)

NOWHERE = Grounds("", events=1000, seed=1)


class Tape:
    """Sides that take what they are told to take, and what was asked of them."""

    def __init__(self, what: Sequence[float], against: Sequence[float]) -> None:
        self.played: list[str] = []
        self._what = iter(what)
        self._against = iter(against)

    def prepare(self, _: Grounds) -> AbstractContextManager[Sides]:
        return self._prepared()

    @contextmanager
    def _prepared(self) -> Iterator[Sides]:
        yield Sides(self._play_what, self._play_against)
        self.played.append("closed")

    def _play_what(self) -> float:
        self.played.append("what")
        return next(self._what)

    def _play_against(self) -> float:
        self.played.append("against")
        return next(self._against)


def case_of(tape: Tape, *, rounds: int, goal: Goal) -> Case:
    return Case(
        name="tape",
        what="a tape",
        against="another",
        unit="round",
        goal=goal,
        prepare=tape.prepare,
        rounds=rounds,
    )


def test_both_sides_warm_up_and_are_then_measured_in_turn() -> None:
    tape = Tape([9, 1, 2, 3], [9, 4, 5, 6])

    run_case(case_of(tape, rounds=3, goal=at_most(1)), NOWHERE)

    assert tape.played == ["what", "against"] * 4 + ["closed"]


def test_the_ratio_is_that_of_the_medians_without_the_warm_up() -> None:
    tape = Tape([900, 1, 2, 90], [900, 8, 4, 0.1])

    result = run_case(case_of(tape, rounds=3, goal=at_most(1)), NOWHERE)

    assert (result.seconds, result.against_seconds, result.ratio) == (2, 4, 0.5)


@pytest.mark.parametrize(
    ("goal", "ratio", "met"),
    [
        (at_most(0.5), 0.5, True),
        (at_most(0.4), 0.5, False),
        (at_least(2), 2, True),
        (at_least(3), 2, False),
        (Goal(of="time"), 0.5, None),
        (Goal(of="rate"), 2, None),
    ],
)
def test_a_goal_is_a_longest_time_or_a_lowest_rate(
    *, goal: Goal, ratio: float, met: bool | None
) -> None:
    result = Result(case=case_of(Tape([], []), rounds=1, goal=goal), seconds=1, against_seconds=2)

    assert (result.ratio, result.met) == (ratio, met)


def test_a_result_says_what_was_measured_and_how() -> None:
    result = Result(
        case=case_of(Tape([], []), rounds=7, goal=at_least(3)), seconds=1.0, against_seconds=2.0
    )

    assert result.to_json() == {
        "name": "tape",
        "what": "a tape",
        "against": "another",
        "unit": "round",
        "ratio_of": "rate",
        "ratio": 2.0,
        "goal": 3,
        "met": False,
        "seconds": 1.0,
        "against_seconds": 2.0,
        "rounds": 7,
    }


def test_progress_is_told_up_to_the_last_round() -> None:
    told: list[tuple[str, int, int]] = []
    where = Grounds("", events=1000, seed=1)
    where.progress = lambda *step: told.append(step)

    run_case(case_of(Tape([1] * 3, [1] * 3), rounds=2, goal=at_most(1)), where)

    assert told == [("tape", 0, 2), ("tape", 1, 2), ("tape", 2, 2)]


def test_a_measure_is_the_time_of_one_unit_of_the_work() -> None:
    done: list[int] = []

    assert timed(lambda: done.append(1), units=1000)() >= 0
    assert done == [1]


def test_cases_are_chosen_by_name_and_by_pattern_in_their_own_order() -> None:
    names = [case.name for case in chosen(CASES, ["post-event", "append-long-*"])]

    assert names == ["append-long-1000", "append-long-10000", "post-event"]
    assert chosen(CASES, []) == list(CASES)


def test_a_name_that_means_no_case_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(LookupError, match="append-64"):
        chosen(CASES, ["append-65"])


def test_every_case_has_a_name_of_its_own() -> None:
    assert len({case.name for case in CASES}) == len(CASES)


def test_both_sides_must_say_the_same_in_any_order_and_as_often() -> None:
    ensure_same([1, 2, 2], iter([2, 1, 2]))

    with pytest.raises(AnswersDifferError, match="1 answers too many"):
        ensure_same([1, 2, 2], [1, 2])
    with pytest.raises(AnswersDifferError, match="3"):
        ensure_same([1, 2], [1, 2, 3])
