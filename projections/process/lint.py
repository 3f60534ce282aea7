"""What a process would do better without, by its shape and by its deals (METRICS section 6)."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Final, Literal, Self, TypeAlias

from domain.comparisons import NO_VERDICT, Rate
from domain.process import Activity, Process, Stage
from projections.process.effectiveness import Passage, Worth, worths
from projections.process.paths import Path
from projections.rates import interval_json, number

Rule: TypeAlias = Literal[
    "too_many_stages",
    "too_many_outcomes",
    "stage_without_outcomes",
    "outcome_never_evidenced",
    "ritual",
    "dead",
    "no_value_shown",
]
MOST_STAGES: Final = 5
MOST_OUTCOMES: Final = 3
"""More than these and nobody uses the process."""
RITUAL_TICKED: Final = Fraction(4, 5)
RITUAL_EVIDENCED: Final = Fraction(1, 5)
"""Ticked in at least this share of deals, and evidenced in at most that one."""
DEAD_DAYS: Final = 90
"""An activity without a tick for so long is not done any more."""
ENOUGH_FOR_NO_VALUE: Final = 100
"""Deals from which it means something that no difference shows."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that the process would do better without, with the number that says so.

    `n` is the number of deals that it rests on; None for what the process alone says.
    """

    rule: Rule
    stage: str | None
    value: float
    threshold: float
    detail: str
    activity: str | None = None
    outcome: str | None = None
    n: int | None = None
    interval: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Experience:
    """What the deals of a process have shown by an instant.

    `passages` are the deals that left the stage of each activity behind, `evidenced` the outcomes
    that were ever shown at their required level. `since` says when each activity was first in
    a version published; None for those of the built-in one, which was always there. An activity
    that it lacks is new.
    """

    at: datetime
    paths: Sequence[Path]
    passages: Mapping[str, Sequence[Passage]]
    evidenced: Collection[str]
    since: Mapping[str, datetime | None]


def lint(process: Process, experience: Experience | None) -> list[Finding]:
    """Say what a version of a process should do without; without experience, by its shape alone."""
    return [*_by_shape(process), *(_by_experience(process, experience) if experience else ())]


def unseen_outcomes(process: Process, passages: Mapping[str, Sequence[Passage]]) -> dict[str, int]:
    """Give the outcomes of which no deal that left their stage shows one, with the level needed.

    Only where enough deals did: where few have come by, nothing can be missed yet.
    """
    return {
        outcome.id: outcome.needed
        for _, activity in process.activities.values()
        if len(passages[activity.id]) >= NO_VERDICT
        and not any(passage.group == "evidenced" for passage in passages[activity.id])
        for outcome in activity.outcomes
    }


def warnings_json(found: Iterable[Finding]) -> list[dict[str, object]]:
    """Give warnings in the shape of the API."""
    return [
        {
            "rule": warning.rule,
            "stage": warning.stage,
            "activity": warning.activity,
            "outcome": warning.outcome,
            "value": number(warning.value),
            "threshold": warning.threshold,
            "n": warning.n,
            "interval": interval_json(warning.interval),
            "detail": warning.detail,
        }
        for warning in found
    ]


def _by_shape(process: Process) -> Iterable[Finding]:
    stages = len(process.working_stages)
    if stages > MOST_STAGES:
        detail = f"{stages} stages; beyond {MOST_STAGES} nobody keeps them apart"
        yield Finding("too_many_stages", None, stages, MOST_STAGES, detail)
    for stage in process.working_stages:
        outcomes = sum(len(activity.outcomes) for activity in stage.activities)
        if outcomes > MOST_OUTCOMES:
            detail = (
                f"{stage.name} asks for {outcomes} outcomes; a long checklist is used by nobody"
            )
            yield Finding("too_many_outcomes", stage.id, outcomes, MOST_OUTCOMES, detail)
        if not outcomes:
            detail = f"{stage.name} states no outcome, so progress in it can only be claimed"
            yield Finding("stage_without_outcomes", stage.id, 0, 1, detail)


def _by_experience(process: Process, experience: Experience) -> Iterable[Finding]:
    recent = _Recent.of(experience)
    for worth in worths(experience.passages, process):
        stage, activity = process.activities[worth.activity]
        seen = experience.passages[activity.id]
        if len(seen) >= NO_VERDICT:
            yield from _never_evidenced(stage, activity, len(seen), experience.evidenced)
            yield from _ritual(stage, activity, seen)
        yield from _dead(stage, activity, experience, recent)
        yield from _no_value(stage, activity, worth)


def _never_evidenced(
    stage: Stage, activity: Activity, n: int, evidenced: Collection[str]
) -> Iterable[Finding]:
    for outcome in activity.outcomes:
        if outcome.id not in evidenced:
            detail = f"{n} deals left {stage.name}, and “{outcome.name}” was never evidenced in any"
            yield Finding(
                "outcome_never_evidenced", stage.id, 0, 1, detail, activity.id, outcome.id, n
            )


def _ritual(stage: Stage, activity: Activity, seen: Sequence[Passage]) -> Iterable[Finding]:
    """Both shares are of the deals that left the stage behind."""
    evidenced = Rate(sum(passage.group == "evidenced" for passage in seen), len(seen))
    ticked = Rate(sum(passage.group != "not_ticked" for passage in seen), len(seen))
    if ticked.share is None or evidenced.share is None:
        return
    if ticked.share >= RITUAL_TICKED and evidenced.share <= RITUAL_EVIDENCED:
        detail = (
            f"{activity.name} was ticked in {ticked.successes} of {len(seen)} deals and its "
            f"outcome shown in {evidenced.successes}"
        )
        yield Finding(
            "ritual",
            stage.id,
            float(evidenced.share),
            float(RITUAL_EVIDENCED),
            detail,
            activity.id,
            n=len(seen),
            interval=evidenced.interval,
        )


@dataclass(frozen=True, slots=True)
class _Recent:
    """What the last days showed: activities that were ticked, and how many deals in each stage."""

    since: datetime
    ticked: Collection[str]
    there: Counter[str]

    @classmethod
    def of(cls, experience: Experience) -> Self:
        since = experience.at - timedelta(days=DEAD_DAYS)
        paths = experience.paths
        ticked = {tick.activity for path in paths for tick in path.ticks if tick.from_at > since}
        there: Counter[str] = Counter()
        for path in paths:
            there.update({s.stage for s in path.stays if s.left_at is None or s.left_at > since})
        return cls(since, ticked, there)


def _dead(
    stage: Stage, activity: Activity, experience: Experience, recent: _Recent
) -> Iterable[Finding]:
    """An activity is dead if deals came through its stage, and nobody ticked it in any deal."""
    if activity.id not in experience.since:
        return
    begun = experience.since[activity.id]
    if begun is not None and begun > recent.since:
        return
    there = recent.there[stage.id]
    if there and activity.id not in recent.ticked:
        detail = (
            f"{there} deals were in {stage.name} within {DEAD_DAYS} days, and nobody ticked "
            f"{activity.name} in any"
        )
        yield Finding("dead", stage.id, 0, 1, detail, activity.id, n=there)


def _no_value(stage: Stage, activity: Activity, worth: Worth) -> Iterable[Finding]:
    found = worth.of("outcome_value")
    n = worth.rates["evidenced"].n + worth.rates["ticked_only"].n
    if found is None or n < ENOUGH_FOR_NO_VALUE:
        return
    low, high = found.interval
    if low <= 0 <= high:
        detail = (
            f"no difference shown in how often deals were won with the outcome of {activity.name} "
            f"shown or with a tick alone: {low:+.0%} to {high:+.0%} is possible; association, not "
            "cause"
        )
        yield Finding(
            "no_value_shown",
            stage.id,
            found.value,
            0,
            detail,
            activity.id,
            n=n,
            interval=found.interval,
        )
