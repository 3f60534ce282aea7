"""What a question about many deals knows of each: its stages in order, its ticks, how it ended."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
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


class Landmarks:
    """Says when deals left each stage of a process behind, for the stages that they left.

    A stage is left behind when the deal first enters a later one that is not a closing one:
    from there on the deal was still open, so that nobody counts as without a tick because they
    lost before they could have had one. The last stage is left by the close itself.
    """

    def __init__(self, process: Process) -> None:
        self._process = process
        # Many deals go one of few ways, and on each the same stays are the landmarks.
        self._ways: dict[tuple[str, ...], list[tuple[str, int, bool]]] = {}

    def of(self, path: Path) -> dict[str, datetime]:
        """Give the landmarks of a deal by stage, in the order in which it entered these."""
        way = tuple(stay.stage for stay in path.stays)
        if way not in self._ways:
            self._ways[way] = list(self._found(way))
        found: dict[str, datetime] = {}
        for stage, place, by_close in self._ways[way]:
            if by_close and path.won is None:
                continue
            stay = path.stays[place]
            at = stay.left_at if by_close else stay.entered_at
            if at is not None:
                found[stage] = at
        return found

    def _found(self, stages: Sequence[str]) -> Iterator[tuple[str, int, bool]]:
        """Give each stage left, with the stay at whose beginning it was; or end, by a close."""
        ranks = [_rank(self._process, stage) for stage in stages]
        last = len(self._process.working_stages) - 1
        for place, (stage, rank) in enumerate(zip(stages, ranks, strict=True)):
            if rank is None or stage in stages[:place]:
                continue
            if rank == last:
                yield stage, max(n for n, one in enumerate(stages) if one == stage), True
                continue
            later = (n for n, r in enumerate(ranks) if n > place and r is not None and r > rank)
            if (entered := next(later, None)) is not None:
                yield stage, entered, False


def in_order(stays: Sequence[Stay], process: Process) -> tuple[Stay, ...]:
    """Put stays in order; of those of one instant the last is that which lasted longest.

    What is entered and left in the instant in which others are, is in the order of the process.
    """
    if all(one.entered_at < other.entered_at for one, other in pairwise(stays)):
        return tuple(stays)
    return tuple(sorted(stays, key=lambda stay: _place(stay, process)))


def _place(stay: Stay, process: Process) -> tuple[datetime, bool, datetime, int]:
    rank = process.rank(stay.stage)
    return (
        stay.entered_at,
        stay.left_at is None,
        stay.left_at or stay.entered_at,
        len(process.stages) if rank is None else rank,
    )


def _rank(process: Process, stage: str) -> int | None:
    """Give the place of a working stage; closing and unknown ones have none."""
    return None if stage in process.won_stages else process.rank(stage)
