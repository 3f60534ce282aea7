"""How deals of one version of a process went: how they followed it, and against another version."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from functools import cached_property

from domain.comparisons import COUNTS_ONLY, Rate
from domain.process import Process
from projections.process.alignment import follow
from projections.process.durations import durations_in, durations_json, log_rank_json
from projections.process.effectiveness import Passage, passages
from projections.process.paths import Path
from projections.process.rates import difference, difference_json
from projections.rates import number, rate_json


@dataclass(frozen=True)
class Version:
    """One version of a process with the deals that are judged by it."""

    process: Process
    paths: tuple[Path, ...]

    @cached_property
    def _passages(self) -> dict[tuple[str, int], dict[str, list[Passage]]]:
        return {}

    def passages(self, process: Process) -> Mapping[str, Sequence[Passage]]:
        """Give its deals that left the stages of a process behind, of this version or another."""
        named = process.id, process.version
        if named not in self._passages:
            self._passages[named] = passages(self.paths, process)
        return self._passages[named]

    @property
    def wins(self) -> Rate:
        """How many of the closed deals were won."""
        closed = [path for path in self.paths if path.won is not None]
        return Rate(sum(path.won is True for path in closed), len(closed))

    @cached_property
    def fitnesses(self) -> list[Fraction]:
        """Give how each deal that entered a stage fits the process as far as it came."""
        ways = [(tuple(stay.stage for stay in path.stays), path.won is True) for path in self.paths]
        # Many deals go one of few ways.
        fits = {way: follow(self.process, way[0], won=way[1]).fitness for way in set(ways)}
        return [fitness for way in ways if (fitness := fits[way]) is not None]


def deals_json(version: Version) -> dict[str, object]:
    """Count the deals of a version by how they stand."""
    wins = version.wins
    return {
        "n": len(version.paths),
        "won": wins.successes,
        "not_won": wins.n - wins.successes,
        "open": len(version.paths) - wins.n,
    }


def fitness_json(fitnesses: Sequence[Fraction]) -> dict[str, object]:
    """Give the mean fitness, and how many deals went exactly the way of the process."""
    mean = Fraction(sum(fitnesses), len(fitnesses)) if len(fitnesses) >= COUNTS_ONLY else None
    return {
        "n": len(fitnesses),
        "mean": number(mean),
        "as_modelled": rate_json(_as_modelled(fitnesses)),
    }


def comparison_json(one: Version, other: Version, at: datetime) -> dict[str, object]:
    """Compare a version with another: wins, fitness and the time in stages that both have.

    The two ran at different times and perhaps with different deals: association, not cause.
    """
    fits, others = one.fitnesses, other.fitnesses
    shown = difference(_as_modelled(fits), _as_modelled(others))
    return {
        "version": other.process.version,
        "deals": deals_json(other),
        "win_rate": {
            "this": rate_json(one.wins),
            "other": rate_json(other.wins),
            "change": difference_json(difference(one.wins, other.wins), None),
        },
        "fitness": {
            "this": fitness_json(fits),
            "other": fitness_json(others),
            "change": difference_json(shown, None),
        },
        "stages": [_stage(stage, one, other, at) for stage in _shared(one.process, other.process)],
    }


def _stage(stage: str, one: Version, other: Version, at: datetime) -> dict[str, object]:
    here, there = durations_in(one.paths, stage, at), durations_in(other.paths, stage, at)
    return {
        "stage": stage,
        "this": durations_json(here),
        "other": durations_json(there),
        "log_rank": log_rank_json(here, there),
    }


def _shared(one: Process, other: Process) -> Iterable[str]:
    known = {stage.id for stage in other.working_stages}
    return (stage.id for stage in one.working_stages if stage.id in known)


def _as_modelled(fitnesses: Iterable[Fraction]) -> Rate:
    found = list(fitnesses)
    return Rate(sum(fitness == 1 for fitness in found), len(found))
