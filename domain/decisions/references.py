"""Refusals of events that name something which is not there."""

from collections.abc import Iterable

from domain.deal_state import Deal, Named
from domain.errors import (
    AlreadySoError,
    UnknownActivityError,
    UnknownOutcomeError,
    UnknownProcessError,
    UnknownReferenceError,
    UnknownStageError,
)
from domain.events.catalogue import DealEvent
from domain.events.customer import (
    CommitmentBroken,
    CommitmentKept,
    CommitmentRenegotiated,
    CommitmentWithdrawn,
    ObstacleRemoved,
    SellerPromiseBroken,
    SellerPromiseKept,
)
from domain.events.life import DealMovedToProcess, ProcessRef
from domain.events.progress import (
    ActivityTicked,
    ActivityUnticked,
    EvidenceWithdrawn,
    GateDecided,
    OutcomeContradicted,
    OutcomeEvidenced,
    StageEntered,
    StepFeedbackGiven,
)
from domain.path import Processes
from domain.process import Process


def ensure_references(deal: Deal, intent: DealEvent, processes: Processes) -> None:
    """Refuse an event that names what neither the deal nor its process has."""
    match intent:
        case StageEntered(stage=stage) | GateDecided(stage=stage):
            _ensure_stage(processes(deal.process), stage, field="data.stage")
        case ActivityTicked() | ActivityUnticked() | StepFeedbackGiven():
            _ensure_activity(processes(deal.process), intent.activity)
        case OutcomeEvidenced(outcome=outcome) | OutcomeContradicted(outcome=outcome):
            _ensure_outcome(processes(deal.process), outcome)
        case DealMovedToProcess():
            _ensure_move(deal, intent, processes)
        case _:
            ensure_named(deal, intent)


def ensure_named(deal: Deal, intent: DealEvent) -> None:
    """Refuse to settle what was never stated, or is settled already."""
    match intent:
        case EvidenceWithdrawn(event_id=target):
            _ensure_live(deal.evidence, str(target), kind="evidence", field="data.event_id")
        case CommitmentKept() | CommitmentBroken() | CommitmentWithdrawn():
            _ensure_commitment(deal, intent.commitment_id)
        case CommitmentRenegotiated(commitment_id=name):
            _ensure_commitment(deal, name)
        case SellerPromiseKept(promise_id=name) | SellerPromiseBroken(promise_id=name):
            _ensure_live(deal.promises, name, kind="promise", field="data.promise_id")
        case ObstacleRemoved(obstacle_id=name):
            _ensure_live(deal.obstacles, name, kind="obstacle", field="data.obstacle_id")
        case _:
            pass


def ensure_process(reference: ProcessRef | None, processes: Processes) -> None:
    """Refuse a process version that was never published; a deal need not name one."""
    if reference is not None:
        _published(reference, processes)


def _published(reference: ProcessRef, processes: Processes) -> Process:
    process = processes(reference)
    # Readers judge a deal of an unknown process by the default one; a decision must not.
    if (process.id, process.version) != (reference.id, reference.version):
        message = f"no version {reference.version} of a process {reference.id!r} is published"
        raise UnknownProcessError(message, field="data.process")
    return process


def _ensure_commitment(deal: Deal, name: str) -> None:
    _ensure_live(deal.commitments, name, kind="commitment", field="data.commitment_id")


def _ensure_live(named: Named, name: str, *, kind: str, field: str) -> None:
    if name not in named.stated:
        message = f"this deal has no {kind} {name!r} (or had none when this happened)"
        raise UnknownReferenceError(message, field=field)
    if name in named.settled:
        message = f"the {kind} {name!r} is settled already"
        raise AlreadySoError(message, field=field)


def _ensure_stage(process: Process, stage: str, *, field: str) -> None:
    if stage not in process.stage_ids:
        message = f"{_named(process)} has no stage {stage!r}; it has {_listed(process.stage_ids)}"
        raise UnknownStageError(message, field=field)


def _ensure_activity(process: Process, activity: str) -> None:
    if activity not in process.activities:
        message = (
            f"{_named(process)} has no activity {activity!r}; it has {_listed(process.activities)}"
        )
        raise UnknownActivityError(message, field="data.activity")


def _ensure_outcome(process: Process, outcome: str) -> None:
    if outcome not in process.outcomes:
        message = (
            f"{_named(process)} has no intended outcome {outcome!r}; "
            f"it has {_listed(process.outcomes)}"
        )
        raise UnknownOutcomeError(message, field="data.outcome")


def _ensure_move(deal: Deal, intent: DealMovedToProcess, processes: Processes) -> None:
    """Refuse a move that leaves the deal in a stage which the other process lacks."""
    target = _published(intent.process, processes)
    mapping = intent.mapping or {}
    known = target.stage_ids | target.activities.keys() | target.outcomes.keys()
    for old, new in mapping.items():
        if new not in known:
            message = f"{_named(target)} has no stage, activity or outcome {new!r}"
            raise UnknownReferenceError(message, field=f"data.mapping.{old}")
    if deal.stage is not None:
        _ensure_stage(target, mapping.get(deal.stage, deal.stage), field="data.mapping")


def _named(process: Process) -> str:
    return f"version {process.version} of the process {process.id!r}"


def _listed(ids: Iterable[str]) -> str:
    return ", ".join(sorted(ids)) or "none"
