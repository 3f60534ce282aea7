"""What the ids that events of a deal name things by are called: steps, and what was said."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Self

from domain.events.customer import CustomerCommitmentRecorded, ObstacleRecorded, SellerPromiseMade
from domain.events.life import DealMovedToProcess, DealOpened, ProcessRef
from domain.path import Processes
from domain.replay import Event


@dataclass(frozen=True, slots=True)
class Names:
    """Names by id; what has none is called by its id. People are in none: the log has ids only."""

    processes: Mapping[str, str]
    stages: Mapping[str, str]
    activities: Mapping[str, str]
    outcomes: Mapping[str, str]
    commitments: Mapping[str, str]
    promises: Mapping[str, str]
    obstacles: Mapping[str, str]

    @classmethod
    def of(cls, events: Iterable[Event], processes: Processes) -> Self:
        """Give the names in a deal's view; of its processes the one it moved to last rules."""
        pinned: list[ProcessRef | None] = []
        commitments, promises, obstacles = dict[str, str](), dict[str, str](), dict[str, str]()
        for event in events:
            match event.data:
                case DealOpened(process=reference) | DealMovedToProcess(process=reference):
                    pinned.append(reference)
                case CustomerCommitmentRecorded(commitment_id=name, what=what):
                    commitments[name] = what
                case SellerPromiseMade(promise_id=name, what=what):
                    promises[name] = what
                case ObstacleRecorded(obstacle_id=name, obstacle=obstacle):
                    obstacles[name] = obstacle
                case _:
                    pass
        through = [processes(reference) for reference in pinned or [None]]
        return cls(
            {one.id: one.name for one in through},
            {stage.id: stage.name for one in through for stage in one.stages},
            {step.id: step.name for one in through for _, step in one.activities.values()},
            {shown.id: shown.name for one in through for shown in one.outcomes.values()},
            commitments,
            promises,
            obstacles,
        )


NO_NAMES: Final = Names({}, {}, {}, {}, {}, {}, {})
"""Calls everything by its id."""
