"""The pipelines of a CRM as processes, each deal being pinned to the one of its pipeline."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from api.exchange.context import ContextStage, ContextWriter, ProcessInUse, declared_calendar
from api.exchange.lines import ExportRefusedError, Line
from api.exchange.profile import UNSTATED_GOAL, Profile

LAST: Final = 1 << 30
"""The order of a stage that comes after all that have one."""


@dataclass(slots=True)
class Pipelines:
    """The stages by pipeline, in order; ids of stages are unique over all pipelines."""

    stages: dict[str, list[ContextStage]] = field(default_factory=dict)
    _orders: dict[str, Decimal | int] = field(default_factory=dict)

    def add(self, pipeline: str, stage: ContextStage, *, order: Decimal | int = LAST) -> None:
        """Put a stage at its place; those of one order stand as they came."""
        self._orders[stage.id] = order
        stages = self.stages.setdefault(pipeline, [])
        if stage.id not in [one.id for one in stages]:
            stages.append(stage)
            stages.sort(key=lambda one: self._orders[one.id])

    @property
    def closes(self) -> dict[str, str | None]:
        return {stage.id: stage.closes for stages in self.stages.values() for stage in stages}

    @property
    def of_stage(self) -> dict[str, str]:
        return {stage.id: name for name, stages in self.stages.items() for stage in stages}

    def ensure_closing(self, file: str, *, used: set[str]) -> None:
        """Refuse an export whose deals are in no pipeline, or in one that lacks an ending."""
        if not used & self.stages.keys():
            names = ", ".join(sorted(used - {""})) or "no pipeline"
            raise ExportRefusedError(f"none of the pipelines that deals are in: {names}", file=file)
        for name, stages in self.stages.items():
            for closes in ("won", "lost") if name in used else ():
                if closes not in [stage.closes for stage in stages]:
                    reason = f"the pipeline {name!r} has no stage in which a deal is {closes}"
                    raise ExportRefusedError(reason, file=file)

    def publish(
        self, writer: ContextWriter, profile: Profile, *, used: set[str], file: str
    ) -> tuple[dict[str, ProcessInUse], list[Line]]:
        """The process of each pipeline that deals are in, and the lines of context that are new."""
        calendar = declared_calendar(writer, profile, file="profile")
        lines = [calendar] if calendar else []
        processes: dict[str, ProcessInUse] = {}
        for pipeline, stages in sorted(self.stages.items()):
            if pipeline in used:
                processes[pipeline], line = writer.process(
                    process_id=f"{profile.process or writer.system}-{pipeline}",
                    stages=stages,
                    profile=profile,
                    file=file,
                )
                lines += [line] if line else []
        return processes, lines


def goal_of(profile: Profile, *names: str) -> str:
    """The goal that the profile declares for a stage by its id or label."""
    goals: Mapping[str, str] = {stage.name: stage.goal for stage in profile.stages}
    return next((goals[name] for name in names if name in goals), UNSTATED_GOAL)
