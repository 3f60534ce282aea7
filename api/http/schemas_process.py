"""The shapes of answers about processes: how deals follow them, and what they are worth."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from api.http.schemas import Answer, LateEvent, ProcessVersion, Rate, RecordedContext, Standing


class Fitness(Answer):
    """How much of a deal's path and its process match, from 0 to 1; null where nothing can."""

    cost: int
    fitness: float | None


class TokenReplay(Answer):
    """The tokens of a replay on the process; fitness is null where no stage was entered."""

    produced: int
    consumed: int
    missing: int
    remaining: int
    fitness: float | None


class Deviation(Answer):
    """One thing that is not as the process has it, with the event that shows it."""

    category: Literal[
        "skipped", "repeated", "backward", "unknown_step", "hollow", "retro_evidenced"
    ]
    stage: str | None
    activity: str | None
    event_id: UUID


class ConformanceAnswer(Standing):
    """How a deal followed its process; the model ends at the furthest stage it reached."""

    deal_id: UUID
    process: ProcessVersion
    trace: list[str]
    model: list[str]
    alignment: Fitness
    token_replay: TokenReplay
    counts: dict[str, int]
    deviations: list[Deviation]
    late: list[LateEvent]


class Finding(Answer):
    """Something that makes a process hard to use; `n` deals say so, null: its shape alone does."""

    rule: Literal[
        "too_many_stages",
        "too_many_outcomes",
        "stage_without_outcomes",
        "outcome_never_evidenced",
        "ritual",
        "dead",
        "no_value_shown",
    ]
    stage: str | None
    activity: str | None
    outcome: str | None
    value: float
    threshold: float
    n: int | None
    interval: list[float] | None
    detail: str


class LintAnswer(Standing):
    """What a version of a process should do without."""

    id: str
    version: int
    warnings: list[Finding]


class RecordedProcess(RecordedContext):
    """What was recorded, and what the version published should do without."""

    warnings: list[Finding]


class Difference(Answer):
    """One rate minus another, with its 95 % interval (Newcombe) and p-value (Fisher).

    `p_adjusted` is that of Benjamini and Hochberg over the activities; null where one comparison
    stands alone. The verdict is null where one of the rates has fewer than 20 observations.
    """

    difference: float
    interval: list[float]
    p: float
    p_adjusted: float | None
    verdict: Literal["more", "fewer", "no_difference_shown"] | None


class Statement(Answer):
    """What somebody said of a step."""

    event_id: UUID
    deal_id: UUID
    rep: str
    occurred_at: datetime
    statement: str


class Feedback(Answer):
    """What reps said of a step: how often, how many of them, and in which words."""

    n: int
    reps: int
    statements: list[Statement]


class ActivityWorth(Answer):
    """An activity: how often deals were won by what was true when they left its stage."""

    activity: str
    stage: str
    evidenced: Rate
    ticked_only: Rate
    not_ticked: Rate
    open: int
    outcome_value: Difference | None
    tick_value: Difference | None
    sentence: str
    feedback: Feedback


class Deals(Answer):
    """How many deals there are, and how they stand."""

    n: int
    won: int
    not_won: int
    open: int


class StageTime(Answer):
    """How long stays in a stage are (Kaplan-Meier); null where too few, or not followed so far."""

    n: int
    over: int
    median_days: float | None
    restricted_mean_days: float | None


class TimeInStage(StageTime):
    """How long stays in one stage are."""

    stage: str


class FitnessOfDeals(Answer):
    """How deals fit their process, and how many went exactly its way."""

    n: int
    mean: float | None
    as_modelled: Rate


class LogRank(Answer):
    """How unlike two groups of stays are."""

    statistic: float
    p: float
    conclusive: bool


class StageCompared(Answer):
    """The time in a stage that both versions have."""

    stage: str
    this: StageTime
    other: StageTime
    log_rank: LogRank | None


class WinsCompared(Answer):
    """How often deals of both versions were won."""

    this: Rate
    other: Rate
    change: Difference | None


class FitnessCompared(Answer):
    """How deals fit both versions; the change is that of those that went exactly the way."""

    this: FitnessOfDeals
    other: FitnessOfDeals
    change: Difference | None


class Comparison(Answer):
    """A version beside another one."""

    version: int
    deals: Deals
    win_rate: WinsCompared
    fitness: FitnessCompared
    stages: list[StageCompared]


class EffectivenessAnswer(Standing):
    """What the activities of a version go with, and the version beside another one."""

    process: ProcessVersion
    note: str
    deals: Deals
    activities: list[ActivityWorth]
    horizon_days: int
    stages: list[TimeInStage]
    fitness: FitnessOfDeals
    comparison: Comparison | None


class Passage(Answer):
    """A deal that left the stage of an activity behind; `won` is null while it is open."""

    deal_id: UUID
    left_at: datetime
    group: Literal["evidenced", "ticked_only", "not_ticked"]
    won: bool | None


class PassagesAnswer(Standing):
    """The deals that the figures of an activity are made of."""

    process: ProcessVersion
    activity: str
    stage: str
    deals: list[Passage]
