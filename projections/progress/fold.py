"""What was ticked, what was shown, and by when: the meaning of checkbox-only progress."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final
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
)
from domain.evidence import Evidence, evidence_of, standing_evidence, unshown
from domain.path import Move, Processes, moves, pinned_reference
from domain.policy import Policy
from domain.process import Process
from domain.replay import Event
from projections.progress.knowledge import Knowledge, knowledge
from projections.progress.status import Status, status_of

_CLOSING: Final = frozenset({DealDisqualified, DealLost, DealWon})


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
class Claim:
    """A tick in force, and until when its outcomes count as in time."""

    tick_id: UUID
    ticked_at: datetime
    settles_at: datetime


@dataclass(frozen=True, slots=True)
class ActivityProgress:
    """An activity: its tick in force if it has one, and what shows its outcomes."""

    activity: str
    stage: str | None
    weight: Decimal
    expressible: bool
    outcomes: tuple[OutcomeProgress, ...] = ()
    claim: Claim | None = None

    def reached_at(self) -> datetime | None:
        """Give when the last of the outcomes was reached; None while one is not."""
        reached = [outcome.reached() for outcome in self.outcomes]
        shown = [evidence.occurred_at for evidence in reached if evidence]
        return max(shown, default=None) if len(shown) == len(reached) else None

    def asserted_at(self) -> datetime | None:
        """Give when the first evidence for any of the outcomes was given, of whatever level."""
        return min((o.evidence[0].occurred_at for o in self.outcomes if o.evidence), default=None)

    def status(self, at: datetime) -> Status:
        """Give the status at an instant (METRICS section 5).

        With several outcomes, all must be evidenced; some evidence for some is `asserted_only`.
        """
        if self.claim is None:
            return "not_ticked"
        return status_of(
            expressible=self.expressible,
            settles_at=self.claim.settles_at,
            reached_at=self.reached_at(),
            asserted_at=self.asserted_at(),
            at=at,
        )


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
class StageAdvance:
    """A move above the high-water mark, and how many of the outcomes left behind were shown."""

    event_id: UUID
    occurred_at: datetime
    steps: int
    customer_led: bool
    required: int
    evidenced: int


@dataclass(frozen=True, slots=True)
class Progress:
    """A deal's progress as folded; what time alone changes is computed by `status(at)`.

    `knowledge` is what was learned along the way, and by which activity.
    """

    process_id: str
    process_version: int
    activities: tuple[ActivityProgress, ...]
    stage_path: tuple[str, ...]
    skips: tuple[StageJump, ...]
    regressions: tuple[StageRegression, ...]
    advances: tuple[StageAdvance, ...]
    knowledge: Knowledge


def fold(events: Sequence[Event], processes: Processes, policy: Policy) -> Progress:
    """Fold a deal's view (domain.replay.view) into its progress."""
    path = moves(events, processes)
    process = processes(pinned_reference(events))
    return Progress(
        process_id=process.id,
        process_version=process.version,
        activities=tuple(activities_of(events, path, process, policy)),
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
        advances=tuple(advances_of(events, path, causes(events, processes, policy))),
        knowledge=knowledge(events, policy),
    )


def activities_of(
    events: Sequence[Event], path: Sequence[Move], process: Process, policy: Policy
) -> Iterable[ActivityProgress]:
    """Give every activity of the process, and the ticks that the process does not know."""
    sheet = _Sheet(events, path, process, policy)
    unknown = (activity for activity in sheet.ticks if activity not in process.activities)
    return map(sheet.activity, [*process.activities, *unknown])


def ticked_of(
    events: Sequence[Event], path: Sequence[Move], process: Process, policy: Policy
) -> Iterable[tuple[ActivityProgress, Claim]]:
    """Give the activities that are ticked, and no others, each with its tick."""
    sheet = _Sheet(events, path, process, policy)
    activities = map(sheet.activity, sheet.ticks)
    return ((activity, activity.claim) for activity in activities if activity.claim)


def advances_of(
    events: Sequence[Event], path: Sequence[Move], explained: Mapping[UUID, Cause]
) -> Iterable[StageAdvance]:
    """Give the moves above the high-water mark, with what explains each and what it left shown."""
    evidence = evidence_of(events)
    return (_advance(move, explained, evidence) for move in path if move.steps > 0)


def _advance(
    move: Move, explained: Mapping[UUID, Cause], evidence: Mapping[str, tuple[Evidence, ...]]
) -> StageAdvance:
    required = move.process.required_outcomes(move.left)
    missing = unshown(required, evidence, move.event.occurred_at)
    return StageAdvance(
        event_id=move.event.event_id,
        occurred_at=move.event.occurred_at,
        steps=move.steps,
        customer_led=explained[move.event.event_id].customer_led,
        required=len(required),
        evidenced=len(required) - len(missing),
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


class _Sheet:
    """The activities of a deal with their ticks in force and what shows their outcomes."""

    def __init__(
        self, events: Sequence[Event], path: Sequence[Move], process: Process, policy: Policy
    ) -> None:
        self.ticks = _standing_ticks(events)
        self._evidence = standing_evidence(events)
        self._closings = [(e.order, e.occurred_at) for e in events if type(e.data) in _CLOSING]
        self._path = [(move.event.order, move) for move in path]
        self._process = process
        self._grace = timedelta(days=policy.grace_days)

    def activity(self, name: str) -> ActivityProgress:
        placed = self._process.activities.get(name)
        if placed is None:
            # Only an import holds a tick that its process does not know: nothing was intended.
            claim = self._claim(name, None)
            return ActivityProgress(name, None, Decimal(1), expressible=False, claim=claim)
        stage, activity = placed
        return ActivityProgress(
            activity=name,
            stage=stage.id,
            weight=Decimal(1) if activity.weight is None else activity.weight,
            expressible=True,
            outcomes=tuple(
                OutcomeProgress(outcome.id, outcome.needed, self._evidence.get(outcome.id, ()))
                for outcome in activity.outcomes
            ),
            claim=self._claim(name, stage.id),
        )

    def _claim(self, activity: str, stage: str | None) -> Claim | None:
        """Give the tick in force; leaving its stage and a close cut its time of grace short."""
        tick = self.ticks.get(activity)
        if tick is None:
            return None
        ends = [tick.occurred_at + self._grace, *self._closed_after(tick)]
        left = self._left_after(tick, stage)
        settles_at = min(ends if left is None else [*ends, left])
        return Claim(tick.event_id, tick.occurred_at, settles_at)

    def _closed_after(self, tick: Event) -> list[datetime]:
        ticked = tick.order
        return [closed_at for closed, closed_at in self._closings if closed > ticked]

    def _left_after(self, tick: Event, stage: str | None) -> datetime | None:
        """Give the first instant after the tick at which its stage was left."""
        ticked, standing = tick.order, None
        for moved, move in self._path:
            if moved < ticked:
                standing = move.target
            elif _leaves(move, stage, standing, self._process):
                return move.event.occurred_at
        return None


def _leaves(move: Move, stage: str | None, standing: str | None, process: Process) -> bool:
    """Say whether a move leaves the stage of an activity ticked while the deal stood elsewhere.

    Ticked in its own stage or in a later one, the next move leaves; ticked ahead of its stage, as
    before the first one is entered, only leaving that stage, or passing it, does.
    """
    rank = process.rank(stage) if stage else None
    at = process.rank(standing) if standing else -1
    if rank is None or at is None or at >= rank:
        return True
    target = process.rank(move.target)
    return move.source == stage or target is None or target > rank
