"""The way a deal took through its process: moves, steps, skips and regressions, by episode."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from domain.events.base import DomainEvent
from domain.events.life import (
    DealDisqualified,
    DealLost,
    DealMovedToProcess,
    DealOpened,
    DealReopened,
    DealWon,
    ProcessRef,
    WinReversed,
)
from domain.events.progress import StageEntered
from domain.process import Process
from domain.replay import Event

Processes: TypeAlias = Callable[[ProcessRef | None], Process]
"""Gives the process that a deal is pinned to; without a reference the one in force by default."""


@dataclass(frozen=True, slots=True)
class Move:
    """One stage entered: where from, how far above the episode's high-water mark, what was jumped.

    `steps` counts only above the high-water mark and is 0 for the first stage of an episode,
    which is creation, not movement. `jumped` are the stages passed over by this move,
    `never_entered` those of them that the episode had not seen before (METRICS section 1).
    """

    event: Event
    process: Process
    source: str | None
    target: str
    episode: int
    creation: bool
    steps: int = 0
    left: tuple[str, ...] = ()
    jumped: tuple[str, ...] = ()
    never_entered: tuple[str, ...] = ()
    regression: bool = False


_ON_THE_WAY: Final = frozenset(
    {DealOpened, DealMovedToProcess, DealReopened, StageEntered, WinReversed}
)
"""Looked up by type, since events are never subclassed: most events of a deal are not of these."""

EPISODE_ENDS: Final[tuple[type[DomainEvent], ...]] = (
    DealWon,
    DealLost,
    DealDisqualified,
    DealReopened,
    WinReversed,
)
"""What ends a stay in a stage besides the next move; a new episode begins in no stage."""


@dataclass(slots=True)
class _Episode:
    number: int
    stage: str | None = None
    high_water: int = -1
    entered: set[str] = field(default_factory=set)


def pinned_reference(events: Iterable[Event]) -> ProcessRef | None:
    """Give the process that a deal's view is pinned to at its end; None if it names none."""
    reference: ProcessRef | None = None
    for event in events:
        match event.data:
            case DealOpened(process=pinned) | DealMovedToProcess(process=pinned):
                reference = pinned
            case _:
                pass
    return reference


def moves(events: Iterable[Event], processes: Processes) -> list[Move]:
    """Give the moves of a deal's view, in its order; entering the stage it is in is no move."""
    process = processes(None)
    episode = _Episode(number=1)
    found: list[Move] = []
    for event in [event for event in events if type(event.data) in _ON_THE_WAY]:
        match event.data:
            case DealOpened(process=reference):
                process = processes(reference)
            case DealMovedToProcess(process=reference, mapping=mapping):
                process = processes(reference)
                _remap(episode, process, mapping or {})
            case DealReopened() | WinReversed():
                episode = _Episode(number=episode.number + 1)
            case StageEntered(stage=target) if target != episode.stage:
                found.append(_move(episode, process, event, target))
            case _:
                pass
    return found


def stretches(
    events: Sequence[Event],
    processes: Processes,
    *,
    ends: tuple[type[DomainEvent], ...] = EPISODE_ENDS,
) -> list[tuple[Move, Event | None]]:
    """Give each move of a deal's view with the event that ended the stay; None while it lasts.

    A stay is ended by the next move, or before it by an event of the types `ends`.
    """
    path = moves(events, processes)
    ending = [event for event in events if isinstance(event.data, ends)]
    found: list[tuple[Move, Event | None]] = []
    for index, move in enumerate(path):
        following = [later.event for later in path[index + 1 : index + 2]]
        leaving = [event for event in ending + following if event.order > move.event.order]
        found.append((move, min(leaving, key=lambda event: event.order, default=None)))
    return found


def _remap(episode: _Episode, process: Process, mapping: dict[str, str]) -> None:
    """Carry the episode over to another process: the same stages under their new names."""
    episode.stage = mapping.get(episode.stage, episode.stage) if episode.stage else None
    episode.entered = {mapping.get(stage, stage) for stage in episode.entered}
    ranks = (process.rank(stage) for stage in episode.entered)
    episode.high_water = max((rank for rank in ranks if rank is not None), default=-1)


def _move(episode: _Episode, process: Process, event: Event, target: str) -> Move:
    source, creation = episode.stage, not episode.entered
    rank, source_rank = process.rank(target), process.rank(source) if source else None
    high_water = episode.high_water
    episode.stage = target
    entered_before = frozenset(episode.entered)
    episode.entered.add(target)
    if rank is None:
        return Move(event, process, source, target, episode.number, creation)
    episode.high_water = max(high_water, rank)
    if creation:
        return Move(event, process, source, target, episode.number, creation)
    start = high_water if source_rank is None else source_rank
    jumped = process.between(start, rank)
    return Move(
        event,
        process,
        source,
        target,
        episode.number,
        creation,
        steps=max(0, rank - high_water) if high_water >= 0 else 0,
        left=process.between(start - 1, rank),
        jumped=jumped,
        never_entered=tuple(stage for stage in jumped if stage not in entered_before),
        regression=rank < start,
    )
