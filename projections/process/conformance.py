"""Where a deal left the way of its process, and what it entered or ticked and never showed."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias
from uuid import UUID

from domain.events.life import DealMovedToProcess, DealReopened, DealWon, WinReversed
from domain.events.progress import StageEntered
from domain.path import Processes, moves, pinned_reference
from domain.process import Process
from domain.replay import Event
from projections.process.alignment import Alignment, TokenReplay, follow, replay_tokens, win_of
from projections.rates import number

Category: TypeAlias = Literal[
    "skipped", "repeated", "backward", "unknown_step", "hollow", "retro_evidenced"
]
CATEGORIES: Final[tuple[Category, ...]] = (
    "skipped",
    "repeated",
    "backward",
    "unknown_step",
    "hollow",
    "retro_evidenced",
)
_HOLLOW: Final = frozenset({"bare_tick", "asserted_only"})
PLACES: Final = 6


@dataclass(frozen=True, slots=True)
class Ticked:
    """An activity with its tick and what became of it (`status`, METRICS section 5)."""

    activity: str
    stage: str | None
    status: str
    tick_id: UUID


@dataclass(frozen=True, slots=True)
class Deviation:
    """One thing that is not as the process has it, with the event that shows it."""

    category: Category
    stage: str | None
    activity: str | None
    event_id: UUID


@dataclass(frozen=True, slots=True)
class Conformance:
    """How a deal followed its process, and each place where it did not."""

    process: Process
    alignment: Alignment
    replay: TokenReplay
    deviations: tuple[Deviation, ...]


@dataclass(frozen=True, slots=True)
class _Step:
    stage: str
    event_id: UUID
    backward: bool = False


def conformance_of(
    events: Sequence[Event],
    processes: Processes,
    *,
    ticked: Iterable[Ticked],
    evidenced: Collection[str],
) -> Conformance:
    """Compare a deal's view with its process.

    `ticked` are its ticks in force and `evidenced` the outcomes shown at their required level,
    as the fold of its progress has them. The whole life counts: a deal that was reopened and goes
    through a stage again has repeated it.
    """
    process = processes(pinned_reference(events))
    steps, won = _walk(events, processes)
    alignment = follow(process, [step.stage for step in steps], won=won is not None)
    if won is not None and len(alignment.trace) > len(_on_the_way(steps, process)):
        steps = [*steps, _Step(win_of(process), won)]
    deviations = (
        *_skipped(steps, alignment, process),
        *_repeated(_on_the_way(steps, process)),
        *(Deviation("backward", s.stage, None, s.event_id) for s in steps if s.backward),
        *_unknown(steps, process),
        *_hollow_stages(steps, process, evidenced),
        *_of_ticks(ticked),
    )
    replay = replay_tokens(alignment.trace, alignment.model)
    return Conformance(process, alignment, replay, deviations)


def answer(conformance: Conformance) -> dict[str, object]:
    """Give how a deal followed its process in the shape of the API."""
    alignment, replay = conformance.alignment, conformance.replay
    counts = Counter(deviation.category for deviation in conformance.deviations)
    return {
        "process": {"id": conformance.process.id, "version": conformance.process.version},
        "trace": list(alignment.trace),
        "model": list(alignment.model),
        "alignment": {"cost": alignment.cost, "fitness": number(alignment.fitness)},
        "token_replay": {
            "produced": replay.produced,
            "consumed": replay.consumed,
            "missing": replay.missing,
            "remaining": replay.remaining,
            "fitness": number(replay.fitness) if alignment.trace else None,
        },
        "counts": {category: counts[category] for category in CATEGORIES},
        "deviations": [
            {
                "category": deviation.category,
                "stage": deviation.stage,
                "activity": deviation.activity,
                "event_id": str(deviation.event_id),
            }
            for deviation in conformance.deviations
        ],
    }


def _walk(events: Sequence[Event], processes: Processes) -> tuple[list[_Step], UUID | None]:
    """Give the stages entered, by their names of today, and the win that stands."""
    entered = {move.event.event_id: move for move in moves(events, processes)}
    steps: list[_Step] = []
    won: UUID | None = None
    for event in events:
        match event.data:
            case StageEntered(stage=stage) if event.event_id in entered:
                backward = entered[event.event_id].regression
                steps.append(_Step(stage, event.event_id, backward))
            case DealMovedToProcess(mapping=mapping) if mapping:
                steps = [replace(step, stage=mapping.get(step.stage, step.stage)) for step in steps]
            case DealWon():
                won = event.event_id
            case WinReversed() | DealReopened():
                won = None
            case _:
                pass
    return steps, won


def _on_the_way(steps: Iterable[_Step], process: Process) -> list[_Step]:
    return [step for step in steps if step.stage not in process.lost_stages]


def _skipped(steps: Sequence[_Step], alignment: Alignment, process: Process) -> Iterable[Deviation]:
    """Name the stages never entered, each with the first step that went past it."""
    for stage in alignment.model:
        rank = process.rank(stage)
        if stage in alignment.trace or rank is None:
            continue
        past = next(s for s in steps if _rank(process, s) > rank)
        yield Deviation("skipped", stage, None, past.event_id)


def _repeated(steps: Iterable[_Step]) -> Iterable[Deviation]:
    seen: set[str] = set()
    for step in steps:
        if step.stage in seen:
            yield Deviation("repeated", step.stage, None, step.event_id)
        seen.add(step.stage)


def _unknown(steps: Iterable[_Step], process: Process) -> Iterable[Deviation]:
    for step in steps:
        if step.stage not in process.stage_ids:
            yield Deviation("unknown_step", step.stage, None, step.event_id)


def _hollow_stages(
    steps: Sequence[_Step], process: Process, evidenced: Collection[str]
) -> Iterable[Deviation]:
    """Name the stages that the deal went beyond and of whose outcomes none was ever shown.

    A stage that asks for no outcome cannot be hollow, nor can one in which the deal still is or
    was given up: nobody claimed that its work was done.
    """
    furthest = max((_rank(process, step) for step in steps), default=-1)
    first = {step.stage: step for step in reversed(steps)}
    for stage in process.working_stages:
        step = first.get(stage.id)
        wanted = process.required_outcomes([stage.id])
        if step is None or not wanted or _rank(process, step) >= furthest:
            continue
        if not any(outcome.id in evidenced for outcome in wanted):
            yield Deviation("hollow", stage.id, None, step.event_id)


def _of_ticks(ticked: Iterable[Ticked]) -> Iterable[Deviation]:
    for tick in ticked:
        if tick.status in _HOLLOW:
            yield Deviation("hollow", tick.stage, tick.activity, tick.tick_id)
        elif tick.status == "evidenced_late":
            yield Deviation("retro_evidenced", tick.stage, tick.activity, tick.tick_id)
        elif tick.stage is None:
            yield Deviation("unknown_step", None, tick.activity, tick.tick_id)


def _rank(process: Process, step: _Step) -> int:
    rank = process.rank(step.stage)
    return -1 if rank is None else rank
