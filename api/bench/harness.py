"""How a case is measured: two things in turn, a warm-up each, and the medians of their rounds."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from statistics import median
from time import perf_counter
from typing import Final, Literal, TypeAlias

from api.bench.grounds import Grounds

Measure: TypeAlias = Callable[[], float]
"""Does the work of one round and gives the seconds that one unit of it took."""

ROUNDS: Final = 7
ROUNDS_OF_LONG_ONES: Final = 3


@dataclass(frozen=True, slots=True)
class Sides:
    """The two things that a case compares, ready to be measured."""

    what: Measure
    against: Measure


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """How much longer something may take, or how many times the other's rate it must reach.

    Without a factor the ratio is only shown.
    """

    of: Literal["time", "rate"]
    factor: float | None = None

    def ratio(self, what: float, against: float) -> float:
        """Give the ratio of the seconds of a unit as the goal counts it."""
        return what / against if self.of == "time" else against / what

    def met(self, ratio: float) -> bool | None:
        if self.factor is None:
            return None
        return ratio <= self.factor if self.of == "time" else ratio >= self.factor

    def __str__(self) -> str:
        """Give the goal as a table shows it."""
        sign = "<=" if self.of == "time" else ">="
        return "-" if self.factor is None else f"{sign} {self.factor:g}"


def at_most(factor: float) -> Goal:
    """Give the goal to take at most so many times as long."""
    return Goal(of="time", factor=factor)


def at_least(factor: float) -> Goal:
    """Give the goal to do at least so many times as much in a second."""
    return Goal(of="rate", factor=factor)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Something, what it is held against, and how both are prepared."""

    name: str
    what: str
    against: str
    unit: str
    goal: Goal
    prepare: Callable[[Grounds], AbstractContextManager[Sides]]
    rounds: int = ROUNDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came out of a case: the medians, in seconds of one unit, and their ratio."""

    case: Case
    seconds: float
    against_seconds: float

    @property
    def ratio(self) -> float:
        return self.case.goal.ratio(self.seconds, self.against_seconds)

    @property
    def met(self) -> bool | None:
        return self.case.goal.met(self.ratio)

    def to_json(self) -> dict[str, object]:
        """Give the result as the JSON document has it."""
        case = self.case
        return {
            "name": case.name,
            "what": case.what,
            "against": case.against,
            "unit": case.unit,
            "ratio_of": case.goal.of,
            "ratio": self.ratio,
            "goal": case.goal.factor,
            "met": self.met,
            "seconds": self.seconds,
            "against_seconds": self.against_seconds,
            "rounds": case.rounds,
        }


class AnswersDifferError(Exception):
    """The two sides do not say the same, so that comparing their times would mean nothing."""


def ensure_same(ours: Iterable[object], theirs: Iterable[object]) -> None:
    """Compare what both sides of a case say, in any order.

    Raises:
        AnswersDifferError: one of them says something that the other does not.
    """
    said, expected = Counter(ours), Counter(theirs)
    if said != expected:
        extra, missing = list(said - expected), list(expected - said)
        message = f"{len(extra)} answers too many, such as {extra[:1]}; {missing[:1]} is missing"
        raise AnswersDifferError(message)


def timed(work: Callable[[], object], *, units: int = 1) -> Measure:
    """Give the measure of a piece of work that does so many units each time."""

    def measure() -> float:
        start = perf_counter()
        work()
        return (perf_counter() - start) / units

    return measure


def run_case(case: Case, grounds: Grounds) -> Result:
    """Prepare a case and measure its two sides in turn, so that both see the same weather."""
    with case.prepare(grounds) as sides:
        sides.what()
        sides.against()
        seconds: list[float] = []
        against: list[float] = []
        for done in range(case.rounds):
            grounds.progress(case.name, done, case.rounds)
            seconds.append(sides.what())
            against.append(sides.against())
    grounds.progress(case.name, case.rounds, case.rounds)
    return Result(case=case, seconds=median(seconds), against_seconds=median(against))


def chosen(cases: Sequence[Case], patterns: Sequence[str]) -> list[Case]:
    """Give the cases of these names, in which `*` stands for anything; all without a name.

    Raises:
        LookupError: a name means no case.
    """
    for pattern in patterns:
        if not any(fnmatchcase(case.name, pattern) for case in cases):
            message = f"there is no case {pattern!r}; there are {', '.join(c.name for c in cases)}"
            raise LookupError(message)
    if not patterns:
        return list(cases)
    return [c for c in cases if any(fnmatchcase(c.name, pattern) for pattern in patterns)]
