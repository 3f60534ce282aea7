"""What each activity goes with: how often deals were won with its outcome, its tick, or neither.

The groups are formed at a landmark, when the deal left the stage of the activity behind (METRICS
section 6), and compared by how the deals ended. That is association, and not cause: who shows an
outcome may sell to customers who would have bought anyway.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, NamedTuple, TypeAlias
from uuid import UUID

from domain.comparisons import Rate, benjamini_hochberg
from domain.process import Process
from projections.process.paths import Landmarks, Path, Tick
from projections.process.rates import (
    Difference,
    Direction,
    difference,
    difference_json,
    direction,
)
from projections.rates import rate_json

Group: TypeAlias = Literal["evidenced", "ticked_only", "not_ticked"]
GROUPS: Final[tuple[Group, ...]] = ("evidenced", "ticked_only", "not_ticked")
Measure: TypeAlias = Literal["outcome_value", "tick_value"]
MEASURES: Final[Mapping[Measure, tuple[Group, Group]]] = {
    "outcome_value": ("evidenced", "ticked_only"),
    "tick_value": ("ticked_only", "not_ticked"),
}
_WORDS: Final[Mapping[Group, str]] = {
    "evidenced": "with the outcome shown",
    "ticked_only": "with a tick alone",
    "not_ticked": "without a tick",
}
_VERDICTS: Final[Mapping[Direction | None, str]] = {
    "more": "Consistent with the outcome mattering; association, not cause.",
    "fewer": "Fewer were won where the outcome was shown; association, not cause.",
    "no_difference_shown": "No difference shows between shown and ticked alone.",
    None: "Too few to conclude from.",
}
NOTE: Final = (
    "Association, not cause: deals are grouped by what was true when they left the stage, and "
    "compared by how they ended. Deals that are still open are counted and not compared."
)


class Passage(NamedTuple):
    """A deal at the landmark of an activity: in which group, and whether it was won in the end."""

    deal_id: UUID
    left_at: datetime
    group: Group
    won: bool | None


@dataclass(frozen=True, slots=True)
class Worth:
    """An activity with the deals that left its stage behind, by group."""

    activity: str
    stage: str
    rates: Mapping[Group, Rate]
    open: int

    def of(self, measure: Measure) -> Difference | None:
        """Give what it goes with more often; None where there are too few deals."""
        one, other = MEASURES[measure]
        return difference(self.rates[one], self.rates[other])


def passages(paths: Iterable[Path], process: Process) -> dict[str, list[Passage]]:
    """Give, for each activity of a process, the deals that left its stage behind.

    A deal is `evidenced` if the activity was ticked and all its outcomes had been shown at their
    required levels by then, in time or late; `ticked_only` if it was ticked and they had not.
    """
    found: dict[str, list[Passage]] = {activity: [] for activity in process.activities}
    landmarks = Landmarks(process)
    of_stage = {
        stage.id: [(activity.id, found[activity.id]) for activity in stage.activities]
        for stage in process.working_stages
    }
    for path in paths:
        ticks: dict[str, list[Tick]] = {}
        for tick in path.ticks:
            ticks.setdefault(tick.activity, []).append(tick)
        for stage, at in landmarks.of(path).items():
            for activity, passed in of_stage[stage]:
                group = _group(ticks.get(activity, ()), at)
                passed.append(Passage(path.deal_id, at, group, path.won))
    return found


def together(found: Iterable[Mapping[str, Sequence[Passage]]]) -> dict[str, list[Passage]]:
    """Put the passages of several groups of deals, on one process, together."""
    every: dict[str, list[Passage]] = defaultdict(list)
    for one in found:
        for activity, passages in one.items():
            every[activity] += passages
    return every


def worths(found: Mapping[str, Sequence[Passage]], process: Process) -> list[Worth]:
    """Count the deals of each group and how many of them were won, for each activity."""
    told: list[Worth] = []
    for activity, (stage, _) in process.activities.items():
        closed = [passage for passage in found[activity] if passage.won is not None]
        n = Counter(passage.group for passage in closed)
        won = Counter(passage.group for passage in closed if passage.won)
        rates = {group: Rate(won[group], n[group]) for group in GROUPS}
        told.append(Worth(activity, stage.id, rates, len(found[activity]) - len(closed)))
    return told


def worths_json(told: Sequence[Worth]) -> list[dict[str, object]]:
    """Give the activities in the shape of the API.

    The p-values of a measure are adjusted for the number of activities that they were taken of.
    """
    adjusted = {measure: _adjusted(told, measure) for measure in MEASURES}
    return [
        _worth_json(worth, {m: values.get(worth.activity) for m, values in adjusted.items()})
        for worth in told
    ]


def _worth_json(worth: Worth, adjusted: Mapping[Measure, float | None]) -> dict[str, object]:
    found = {m: (worth.of(m), adjusted[m]) for m in MEASURES}
    value, p = found["outcome_value"]
    return {
        "activity": worth.activity,
        "stage": worth.stage,
        **{group: rate_json(worth.rates[group]) for group in GROUPS},
        "open": worth.open,
        **{measure: difference_json(*one) for measure, one in found.items()},
        "sentence": _sentence(worth, None if value is None or p is None else direction(value, p)),
    }


def _sentence(worth: Worth, verdict: Direction | None) -> str:
    """Say in words how deals ended in each group, and no more than their number allows."""
    told = ", ".join(
        f"{worth.rates[group].successes} of {worth.rates[group].n} {words}"
        for group, words in _WORDS.items()
    )
    return f"Won: {told}. {_VERDICTS[verdict]}"


def passages_json(found: Iterable[Passage]) -> list[dict[str, object]]:
    """Give the deals behind an activity's figures, in the order in which they left its stage."""
    ordered = sorted(found, key=lambda passage: (passage.left_at, str(passage.deal_id)))
    return [
        {
            "deal_id": str(passage.deal_id),
            "left_at": passage.left_at,
            "group": passage.group,
            "won": passage.won,
        }
        for passage in ordered
    ]


def _adjusted(told: Iterable[Worth], measure: Measure) -> dict[str, float]:
    differences = {worth.activity: worth.of(measure) for worth in told}
    compared = {name: found.p for name, found in differences.items() if found}
    return dict(zip(compared, benjamini_hochberg(list(compared.values())), strict=True))


def _group(ticks: Iterable[Tick], at: datetime) -> Group:
    group: Group = "not_ticked"
    for tick in ticks:
        if tick.stood(at):
            if tick.shown(at):
                return "evidenced"
            group = "ticked_only"
    return group
