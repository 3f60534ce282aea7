"""Which histories are measured, and what came out over their seeds."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import mean, stdev
from typing import Final

from api.sample.history import Setting, history
from api.sample.journal import Json
from api.sample.profiles import PROFILES
from api.validation.folded import FoldedHistory
from api.validation.patterns import found_in
from api.validation.scores import (
    Score,
    Scores,
    score_openings,
    score_patterns,
    scores_of,
)

END: Final = datetime(2026, 2, 1, tzinfo=UTC)
"""Where the histories end, so that they are the same whenever they are measured."""


@dataclass(frozen=True, slots=True)
class Case:
    """A kind of history: why its quarters end as they do, and how much is not recorded."""

    profile: str
    unrecorded: float

    @property
    def name(self) -> str:
        return f"{self.profile}, {self.unrecorded:.0%} unrecorded"


CASES: Final = (
    Case("gaming", 0.1),
    Case("gaming", 0.0),
    Case("customers", 0.0),
    Case("customers", 0.1),
    Case("effort", 0.0),
    Case("quiet", 0.0),
)


@dataclass(frozen=True, slots=True)
class Spread:
    """A figure over seeds: its mean and standard deviation; None where no seed has it."""

    mean: float | None
    deviation: float | None

    @classmethod
    def of(cls, values: Iterable[float | None]) -> "Spread":
        """Take the figure of each seed; those that have none are left out."""
        known = [value for value in values if value is not None]
        return cls(
            mean(known) if known else None,
            stdev(known) if len(known) > 1 else None,
        )


@dataclass(frozen=True, slots=True)
class Measured:
    """A case with its scores, one for each seed."""

    case: Case
    scores: Sequence[Scores]

    def total(self, name: str) -> Score:
        """Add up the acts of all seeds."""
        every = [scores.score(name) for scores in self.scores]
        return Score(
            right=sum(score.right for score in every),
            wrong=sum(score.wrong for score in every),
            missed=sum(score.missed for score in every),
            acts=sum(score.acts for score in every),
        )

    def spread(self, name: str, figure: Callable[[Score], float | None]) -> Spread:
        return Spread.of(figure(scores.score(name)) for scores in self.scores)

    @property
    def money(self) -> Spread:
        return Spread.of(scores.money_ratio for scores in self.scores)

    def off_fit(self, *, behind: bool) -> tuple[Spread, Spread]:
        """Give the rate of PR-1 and the true one, of deals opened while behind or otherwise."""
        rates = [scores.off_fit[behind] for scores in self.scores]
        return Spread.of(one.rate for one in rates), Spread.of(one.truth for one in rates)

    @property
    def missed(self) -> Counter[tuple[str, str]]:
        """Why truly shaped acts were missed, over all seeds."""
        return sum((scores.missed for scores in self.scores), Counter[tuple[str, str]]())


def measure(case: Case, *, seed: int, quarters: int, reps: int) -> Scores:
    """Make a history of the case and hold the verdicts against its truth."""
    truth: list[Json] = []
    setting = Setting(
        PROFILES[case.profile], quarters=quarters, reps=reps, unrecorded=case.unrecorded
    )
    folded = FoldedHistory(history(setting, now=END, seed=seed, truth=truth.append))
    deals = list(folded.deals())
    scores = scores_of(deals, truth)
    score_patterns(scores, found_in(deals, folded.known, END), truth)
    score_openings(scores, folded.opened(), truth)
    return scores
