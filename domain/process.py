"""The sales process: stages with a goal, activities with a purpose, outcomes that show it."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Final, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from domain.errors import ProcessRefusedError
from domain.values import Identifier, Level, LongText, ShortText

REQUIRED_LEVEL: Final = 3
"""Evidence that an outcome needs where the process states none: customer-sourced (METRICS 5)."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Outcome(_Part):
    """What an activity is for, as something that can be shown."""

    id: Identifier
    name: ShortText
    required_level: Level | None = None

    @property
    def needed(self) -> int:
        """The evidence level from which the outcome counts as evidenced."""
        return REQUIRED_LEVEL if self.required_level is None else self.required_level


class Activity(_Part):
    """Something a rep does, why, and what it is to bring about."""

    id: Identifier
    name: ShortText
    purpose: LongText
    weight: Annotated[Decimal, Field(gt=0, le=1000, strict=False)] | None = None
    outcomes: list[Outcome] = Field(min_length=1)


class Stage(_Part):
    """A step of the sale with an interim goal."""

    id: Identifier
    name: ShortText
    goal: LongText
    exit: LongText | list[LongText] | None = None
    activities: list[Activity] = Field(default_factory=list)


StageIds: TypeAlias = Identifier | Annotated[list[Identifier], Field(min_length=1)]


class Closing(_Part):
    """The stages, if the process has them, in which a deal is won or lost."""

    won: StageIds
    lost: StageIds


def _as_set(ids: StageIds) -> frozenset[str]:
    return frozenset([ids] if isinstance(ids, str) else ids)


class Process(BaseModel):
    """One published version of a sales process, and the questions that rules ask of it."""

    model_config = ConfigDict(frozen=True, ignored_types=(cached_property,))

    id: str
    version: int
    name: str
    stages: Sequence[Stage]
    closing: Closing

    @cached_property
    def won_stages(self) -> frozenset[str]:
        """The stages in which a deal is won."""
        return _as_set(self.closing.won)

    @cached_property
    def lost_stages(self) -> frozenset[str]:
        """The stages in which a deal is lost."""
        return _as_set(self.closing.lost)

    @cached_property
    def working_stages(self) -> tuple[Stage, ...]:
        """The stages in order, the closing ones left out."""
        closing = self.won_stages | self.lost_stages
        return tuple(stage for stage in self.stages if stage.id not in closing)

    @cached_property
    def _ranks(self) -> dict[str, int]:
        ranks = {stage.id: rank for rank, stage in enumerate(self.working_stages)}
        return ranks | dict.fromkeys(self.won_stages, len(self.working_stages))

    @cached_property
    def stage_ids(self) -> frozenset[str]:
        """Every stage that a deal may enter, closing ones included."""
        return frozenset(self._ranks) | self.lost_stages

    @cached_property
    def activities(self) -> dict[str, tuple[Stage, Activity]]:
        """Every activity by id, with the stage it belongs to, in the order of the process."""
        return {
            activity.id: (stage, activity)
            for stage in self.working_stages
            for activity in stage.activities
        }

    @cached_property
    def outcomes(self) -> dict[str, Outcome]:
        """Every intended outcome by id."""
        return {
            outcome.id: outcome
            for _, activity in self.activities.values()
            for outcome in activity.outcomes
        }

    def rank(self, stage: str) -> int | None:
        """Give the place of a stage on the way to a win; None for lost or unknown stages."""
        return self._ranks.get(stage)

    def between(self, low: int, high: int) -> tuple[str, ...]:
        """Give the working stages strictly between two ranks."""
        return tuple(stage.id for stage in self.working_stages[low + 1 : high])

    def required_outcomes(self, stages: Iterable[str]) -> tuple[Outcome, ...]:
        """Give the intended outcomes of the activities of these stages, in process order."""
        wanted = set(stages)
        return tuple(
            outcome
            for stage, activity in self.activities.values()
            if stage.id in wanted
            for outcome in activity.outcomes
        )


def check_process(stages: Sequence[Stage]) -> None:
    """Refuse a process in which one id stands for two things."""
    _refuse_repeated("stage", [stage.id for stage in stages])
    activities = [activity for stage in stages for activity in stage.activities]
    _refuse_repeated("activity", [activity.id for activity in activities])
    _refuse_repeated("outcome", [outcome.id for a in activities for outcome in a.outcomes])


def _refuse_repeated(kind: str, ids: list[str]) -> None:
    seen: set[str] = set()
    for name in ids:
        if name in seen:
            message = f"the {kind} id {name!r} is used twice in this process"
            raise ProcessRefusedError(message, field="stages")
        seen.add(name)
