"""What was ticked, what was shown, and by when: the meaning of checkbox-only progress."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, Literal, TypeAlias
from uuid import UUID

from domain.causes import Cause, causes
from domain.events.life import (
    DealDisqualified,
    DealLost,
    DealWon,
)
from domain.events.progress import (
    ActivityTicked,
    ActivityUnticked,
    EvidenceWithdrawn,
    OutcomeContradicted,
    OutcomeEvidenced,
)
from domain.path import Move, Processes, moves, pinned_reference
from domain.policy import Policy
from domain.process import Activity, Process
from domain.replay import Event

Status: TypeAlias = Literal[
    "evidenced",
    "evidenced_late",
    "asserted_only",
    "bare_tick",
    "pending",
    "not_ticked",
    "not_expressible",
]
STATUSES: Final[tuple[Status, ...]] = (
    "evidenced",
    "evidenced_late",
    "asserted_only",
    "bare_tick",
    "pending",
    "not_ticked",
    "not_expressible",
)
SETTLED: Final = frozenset({"evidenced", "evidenced_late", "asserted_only", "bare_tick"})


@dataclass(frozen=True, slots=True)
class Evidence:
    """One piece of evidence that stands: not withdrawn, not contradicted since."""

    event_id: UUID
    level: int
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class OutcomeProgress:
    """An intended outcome and what shows it."""

    outcome: str
    required_level: int
    evidence: tuple[Evidence, ...] = ()

    def reached(self) -> Evidence | None:
        """Give the first piece of evidence at the required level."""
        return next((e for e in self.evidence if e.level >= self.required_level), None)

    def best(self) -> Evidence | None:
        """Give the strongest piece of evidence, the first of its level."""
        return max(self.evidence, key=lambda e: e.level, default=None)


@dataclass(frozen=True, slots=True)
class ActivityProgress:
    """An activity: its tick in force, until when its outcomes count as in time, what shows them."""

    activity: str
    stage: str | None
    weight: Decimal
    expressible: bool
    outcomes: tuple[OutcomeProgress, ...] = ()
    ticked_at: datetime | None = None
    tick_id: UUID | None = None
    settles_at: datetime | None = None

    def status(self, at: datetime) -> Status:
        """Give the status at an instant (METRICS section 5).

        With several outcomes, all must be evidenced; some evidence for some is `asserted_only`.
        """
        if self.ticked_at is None or self.settles_at is None:
            return "not_ticked"
        if not self.expressible:
            return "not_expressible"
        reached = [outcome.reached() for outcome in self.outcomes]
        if all(reached):
            last = max(evidence.occurred_at for evidence in reached if evidence)
            return "evidenced" if last <= self.settles_at else "evidenced_late"
        if at < self.settles_at:
            return "pending"
        asserted = any(outcome.evidence for outcome in self.outcomes)
        return "asserted_only" if asserted else "bare_tick"


@dataclass(frozen=True, slots=True)
class StageJump:
    """A forward move that passed over stages; `never_entered` are those the episode never saw."""

    event_id: UUID
    source: str
    target: str
    jumped: tuple[str, ...]
    never_entered: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StageRegression:
    """A move back."""

    event_id: UUID
    source: str
    target: str


@dataclass(frozen=True, slots=True)
class Advance:
    """A move above the high-water mark, and how many of the outcomes left behind were shown."""

    event_id: UUID
    steps: int
    customer_led: bool
    required: int
    evidenced: int


@dataclass(frozen=True, slots=True)
class Progress:
    """A deal's progress as folded; what time alone changes is computed by `status(at)`."""

    process_id: str
    process_version: int
    activities: tuple[ActivityProgress, ...]
    stage_path: tuple[str, ...]
    skips: tuple[StageJump, ...]
    regressions: tuple[StageRegression, ...]
    advances: tuple[Advance, ...]


def fold(events: Sequence[Event], processes: Processes, policy: Policy) -> Progress:
    """Fold a deal's view (domain.replay.view) into its progress."""
    path = moves(events, processes)
    process = processes(pinned_reference(events))
    evidence = standing_evidence(events)
    explained = causes(events, processes, policy)
    return Progress(
        process_id=process.id,
        process_version=process.version,
        activities=tuple(_activities(events, path, process, evidence, policy)),
        stage_path=tuple(move.target for move in path),
        skips=tuple(
            StageJump(m.event.event_id, m.source, m.target, m.jumped, m.never_entered)
            for m in path
            if m.jumped and m.source is not None
        ),
        regressions=tuple(
            StageRegression(m.event.event_id, m.source, m.target)
            for m in path
            if m.regression and m.source is not None
        ),
        advances=tuple(_advance(m, explained, evidence) for m in path if m.steps > 0),
    )


def standing_evidence(events: Iterable[Event]) -> dict[str, tuple[Evidence, ...]]:
    """Give the evidence for each outcome that was neither withdrawn nor contradicted since."""
    withdrawn = {e.data.event_id for e in events if isinstance(e.data, EvidenceWithdrawn)}
    found: dict[str, tuple[Evidence, ...]] = {}
    for event in events:
        match event.data:
            case OutcomeEvidenced(outcome=outcome, level=level):
                if event.event_id not in withdrawn:
                    piece = Evidence(event.event_id, level, event.occurred_at)
                    found[outcome] = (*found.get(outcome, ()), piece)
            case OutcomeContradicted(outcome=outcome):
                found[outcome] = ()
            case _:
                pass
    return found


def _advance(
    move: Move, explained: dict[UUID, Cause], evidence: dict[str, tuple[Evidence, ...]]
) -> Advance:
    required = move.process.required_outcomes(move.left)
    shown = [
        outcome
        for outcome in required
        if any(
            piece.level >= outcome.needed and piece.occurred_at <= move.event.occurred_at
            for piece in evidence.get(outcome.id, ())
        )
    ]
    return Advance(
        event_id=move.event.event_id,
        steps=move.steps,
        customer_led=explained[move.event.event_id].customer_led,
        required=len(required),
        evidenced=len(shown),
    )


def _activities(
    events: Sequence[Event],
    path: Sequence[Move],
    process: Process,
    evidence: dict[str, tuple[Evidence, ...]],
    policy: Policy,
) -> Iterable[ActivityProgress]:
    ticks = _standing_ticks(events)
    cuts = _Cuts(events, path)
    for stage, activity in process.activities.values():
        blank = _of_process(activity, stage.id, evidence)
        tick = ticks.pop(activity.id, None)
        yield blank if tick is None else _ticked(blank, tick, cuts, process, policy)
    for name, tick in ticks.items():
        # Only an import holds a tick that its process does not know: nothing was intended by it.
        blank = ActivityProgress(name, None, Decimal(1), expressible=False)
        yield _ticked(blank, tick, cuts, process, policy)


def _of_process(
    activity: Activity, stage: str, evidence: dict[str, tuple[Evidence, ...]]
) -> ActivityProgress:
    return ActivityProgress(
        activity=activity.id,
        stage=stage,
        weight=Decimal(1) if activity.weight is None else activity.weight,
        expressible=True,
        outcomes=tuple(
            OutcomeProgress(outcome.id, outcome.needed, evidence.get(outcome.id, ()))
            for outcome in activity.outcomes
        ),
    )


def _standing_ticks(events: Iterable[Event]) -> dict[str, Event]:
    """Give the tick in force of each activity: the first since it was last unticked."""
    ticks: dict[str, Event] = {}
    for event in events:
        match event.data:
            case ActivityTicked(activity=activity):
                ticks.setdefault(activity, event)
            case ActivityUnticked(activity=activity):
                ticks.pop(activity, None)
            case _:
                pass
    return ticks


def _ticked(
    blank: ActivityProgress, tick: Event, cuts: "_Cuts", process: Process, policy: Policy
) -> ActivityProgress:
    grace_ends = tick.occurred_at + timedelta(days=policy.grace_days)
    cut = cuts.after(tick, blank.stage, process)
    return replace(
        blank,
        ticked_at=tick.occurred_at,
        tick_id=tick.event_id,
        settles_at=grace_ends if cut is None else min(grace_ends, cut),
    )


class _Cuts:
    """What cuts the time of grace short: leaving the stage, a win, a loss."""

    def __init__(self, events: Sequence[Event], path: Sequence[Move]) -> None:
        closing = DealWon | DealLost | DealDisqualified
        self._closings = [event for event in events if isinstance(event.data, closing)]
        self._path = path

    def after(self, tick: Event, stage: str | None, process: Process) -> datetime | None:
        """Give the first instant after the tick at which its stage was left or the deal closed."""
        instants = [event.occurred_at for event in self._closings if event.order > tick.order]
        left = self._left_after(tick, stage, process)
        return min([*instants, *([left] if left else [])], default=None)

    def _left_after(self, tick: Event, stage: str | None, process: Process) -> datetime | None:
        before = [move for move in self._path if move.event.order < tick.order]
        standing = before[-1].target if before else None
        for move in self._path:
            if move.event.order > tick.order and _leaves(move, stage, standing, process):
                return move.event.occurred_at
        return None


def _leaves(move: Move, stage: str | None, standing: str | None, process: Process) -> bool:
    """Say whether a move leaves the stage of an activity ticked while the deal stood elsewhere.

    Ticked in its own stage or in a later one, the next move leaves; ticked ahead of its stage,
    only leaving that stage, or passing it, does.
    """
    rank = process.rank(stage) if stage else None
    at = process.rank(standing) if standing else None
    if rank is None or at is None or at >= rank:
        return True
    target = process.rank(move.target)
    return move.source == stage or target is None or target > rank
