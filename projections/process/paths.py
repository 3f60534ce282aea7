"""What a question about many deals knows of each: its stages in order, its ticks, how it ended."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from domain.process import Process


class Stay(NamedTuple):
    """A stay in a stage; `left_at` is None while it lasts."""

    stage: str
    entered_at: datetime
    left_at: datetime | None


class Tick(NamedTuple):
    """An activity ticked, and when its outcomes were shown, as it reads between two instants."""

    activity: str
    from_at: datetime
    until_at: datetime | None
    reached_at: datetime | None

    def stood(self, at: datetime) -> bool:
        """Say whether the tick was in force at an instant."""
        return self.from_at <= at and (self.until_at is None or at < self.until_at)

    def shown(self, at: datetime) -> bool:
        """Say whether its outcomes had been shown by an instant."""
        return self.reached_at is not None and self.reached_at <= at


@dataclass(frozen=True, slots=True)
class Path:
    """A deal's way: its stays in order, its ticks, and whether it was won; None while open."""

    deal_id: UUID
    won: bool | None
    stays: tuple[Stay, ...]
    ticks: tuple[Tick, ...] = ()


def landmarks(path: Path, process: Process) -> Mapping[str, datetime]:
    """Give when the deal left each stage behind, for the stages of the process that it left.

    A stage is left behind when the deal first enters a later one that is not a closing one:
    from there on the deal was still open, so that nobody counts as without a tick because they
    lost before they could have had one. The last stage is left by the close itself.
    """
    ranked = [(stay, _rank(process, stay.stage)) for stay in path.stays]
    last = len(process.working_stages) - 1
    found: dict[str, datetime] = {}
    for index, (stay, rank) in enumerate(ranked):
        if rank is None or stay.stage in found:
            continue
        later = (s.entered_at for s, r in ranked[index + 1 :] if r is not None and r > rank)
        left_at = _closed_at(path, stay.stage) if rank == last else next(later, None)
        if left_at is not None:
            found[stay.stage] = left_at
    return found


def in_order(stays: Sequence[Stay], process: Process) -> tuple[Stay, ...]:
    """Put stays in order; of those of one instant the last is that which lasted longest.

    What is entered and left in the instant in which others are, is in the order of the process.
    """
    return tuple(sorted(stays, key=lambda stay: _place(stay, process)))


def _place(stay: Stay, process: Process) -> tuple[datetime, bool, datetime, int]:
    rank = process.rank(stay.stage)
    return (
        stay.entered_at,
        stay.left_at is None,
        stay.left_at or stay.entered_at,
        len(process.stages) if rank is None else rank,
    )


def _closed_at(path: Path, last_stage: str) -> datetime | None:
    """Give when a closed deal left the last stage for good; None for one that is open."""
    if path.won is None:
        return None
    return next((stay.left_at for stay in reversed(path.stays) if stay.stage == last_stage), None)


def _rank(process: Process, stage: str) -> int | None:
    """Give the place of a working stage; closing and unknown ones have none."""
    return None if stage in process.won_stages else process.rank(stage)
