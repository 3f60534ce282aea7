"""The shapes of answers about processes: how deals follow them, and what they are worth."""

from typing import Literal
from uuid import UUID

from api.http.schemas import Answer, LateEvent, ProcessVersion, Standing


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
