"""The deal: what happened to it makes its state, and its state decides what may happen next."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final, TypeAlias, assert_never

from domain.deal_state import Deal, Turn
from domain.decisions.corrections import ensure_amendment, ensure_retraction, read_amended
from domain.decisions.order import ensure_after_opening, ensure_not_opened, ensure_open
from domain.decisions.references import ensure_named, ensure_process, ensure_references
from domain.decisions.sense import ensure_not_negative, ensure_sense
from domain.errors import (
    ContradictionError,
    DealNotOpenedError,
    DomainError,
    PayloadRefusedError,
)
from domain.events.catalogue import (
    CustomerEvent,
    DealEvent,
    HonestyEvent,
    LifeEvent,
    MoneyEvent,
    PeopleEvent,
    ProgressEvent,
)
from domain.events.customer import (
    AlternativeRecorded,
    CommitmentBroken,
    CommitmentKept,
    CommitmentRenegotiated,
    CommitmentWithdrawn,
    ConsequenceRecorded,
    ContactIdentified,
    CustomerCommitmentRecorded,
    CustomerFeedbackRecorded,
    CustomerGoalAchieved,
    CustomerGoalRecorded,
    CustomerRequestReceived,
    DecisionCriterionRecorded,
    FitAssessed,
    ObstacleRecorded,
    ObstacleRemoved,
    SellerPromiseBroken,
    SellerPromiseKept,
    SellerPromiseMade,
)
from domain.events.honesty import EventAmended, EventRetracted
from domain.events.life import (
    AmountChanged,
    CloseDateMoved,
    CreditSplitSet,
    DealDeleted,
    DealDisqualified,
    DealLost,
    DealMovedToProcess,
    DealOpened,
    DealReopened,
    DealWon,
    ForecastCategoryChanged,
    OwnerChanged,
    WinReversed,
)
from domain.events.money import ConcessionOffered, DiscountOffered, DiscountWithdrawn
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
from domain.replay import Event, view
from domain.stamp import Stamp

Change: TypeAlias = (
    DealOpened
    | OwnerChanged
    | CreditSplitSet
    | AmountChanged
    | CloseDateMoved
    | ForecastCategoryChanged
    | DealMovedToProcess
)
"""The other events of a deal's life: what it is, and who answers for it."""
_UNTOLD: Final = Deal()
"""A deal of which nothing is told yet."""


def decide(
    deal: Deal | None,
    intent: DealEvent,
    *,
    stamp: Stamp,
    processes: Processes,
    events: Sequence[Event],
) -> DealEvent:
    """Give the event to record, which is the intent itself, or refuse it.

    `deal` is the replay of `events`, the deal's stream so far, corrections included. Something
    told late is also held against the deal as it was when it happened, as known now.

    Raises:
        DomainError: the model refuses; `field` is a path such as `data.stage`, from the envelope.
    """
    ensure_not_negative(intent)
    if isinstance(intent, DealOpened):
        ensure_not_opened(deal)
        ensure_process(intent.process, processes)
        return intent
    if deal is None or deal.opened_at is None:
        message = "the first event of a deal is deal_opened; this deal is not opened yet"
        raise DealNotOpenedError(message, field="type")
    ensure_open(deal, intent)
    ensure_after_opening(deal.opened_at, stamp)
    match intent:
        case EventAmended():
            ensure_amendment(deal, intent, processes=processes, events=events)
        case EventRetracted():
            ensure_retraction(intent, events)
        case _:
            then = _as_it_was(deal, stamp.occurred_at, events)
            ensure_open(then, intent, then=then is not deal)
            ensure_references(then, intent, processes)
            ensure_named(deal, intent)
            ensure_sense(then, intent, stamp=stamp, now=deal)
    return intent


def _as_it_was(deal: Deal, instant: datetime, events: Sequence[Event]) -> Deal:
    if all(event.occurred_at <= instant for event in events):
        return deal
    return replay(events, effective_at=instant) or deal


def check_imported(
    deal: Deal | None, intent: DealEvent, *, processes: Processes, events: Sequence[Event]
) -> DomainError | None:
    """Give what an imported event refers to in vain, as a flag to keep with it; None if nothing.

    An import is kept whatever order its history comes in, and whatever stage it names. Only a
    correction that could not be replayed is refused.

    Raises:
        PayloadRefusedError: an amendment whose payload is not of the amended event's type.
        ContradictionError: an amended correction, or a retracted opening.
    """
    try:
        match intent:
            case EventAmended():
                read_amended(intent, events)
            case EventRetracted():
                ensure_retraction(intent, events)
            case DealOpened():
                ensure_process(intent.process, processes)
            case _:
                ensure_references(deal or _UNTOLD, intent, processes)
    except (PayloadRefusedError, ContradictionError):
        raise
    except DomainError as flag:
        return flag
    return None


def replay(events: Iterable[Event], *, effective_at: datetime | None = None) -> Deal | None:
    """Fold a deal's stream, corrections applied; None if nothing (or nothing yet) happened."""
    deal: Deal | None = None
    for event in view(events, effective_at=effective_at):
        deal = evolve(deal, event)
    return deal


def evolve(deal: Deal | None, event: Event) -> Deal:
    """Fold one event; never refuses, since history already happened.

    Corrections are applied by `replay` before, and change nothing here.
    """
    data = event.data
    if not isinstance(data, DealEvent):
        message = f"{type(data).__name__} does not belong to a deal"
        raise TypeError(message)
    deal = deal or _UNTOLD
    if isinstance(data, LifeEvent):
        return _evolve_life(deal, data, event.occurred_at)
    if isinstance(data, ProgressEvent):
        return _evolve_progress(deal, data, event)
    if isinstance(data, CustomerEvent):
        return _evolve_customer(deal, data)
    if isinstance(data, MoneyEvent):
        return _evolve_money(deal, data)
    if isinstance(data, PeopleEvent | HonestyEvent):
        return deal  # said, and meant: these change no rule
    assert_never(data)


def _evolve_life(deal: Deal, data: LifeEvent, occurred_at: datetime) -> Deal:
    if isinstance(data, Change):
        return _change(deal, data, occurred_at)
    return _turn(replace(deal, turned_at=occurred_at), data)


def _turn(deal: Deal, data: Turn) -> Deal:
    match data:
        case DealWon():
            return replace(deal, closed="won", win_stands=True)
        case DealLost():
            return replace(deal, closed="lost")
        case DealDisqualified():
            return replace(deal, closed="disqualified")
        case DealReopened():
            return replace(deal, closed=None, stage=None)
        case WinReversed() if deal.closed == "won":
            return replace(deal, closed=None, stage=None, win_stands=False)
        case WinReversed():
            return replace(deal, win_stands=False)
        case DealDeleted():
            return replace(deal, deleted=True)
        case _:
            assert_never(data)


def _change(deal: Deal, data: Change, occurred_at: datetime) -> Deal:
    match data:
        case DealOpened():
            return _open(deal, data, occurred_at)
        case OwnerChanged(owner=owner):
            return replace(deal, owner=owner)
        case CreditSplitSet():
            return replace(deal, split=data)
        case AmountChanged(amount=amount):
            return replace(deal, amount=amount)
        case CloseDateMoved(to=day):
            return replace(deal, close_date=day)
        case ForecastCategoryChanged(category=category):
            return replace(deal, forecast=category)
        case DealMovedToProcess():
            return _move(deal, data)
        case _:
            assert_never(data)


def _open(deal: Deal, data: DealOpened, occurred_at: datetime) -> Deal:
    return replace(
        deal,
        opened_at=deal.opened_at or occurred_at,
        owner=data.owner,
        process=data.process,
        amount=data.amount,
        close_date=data.close_date,
    )


def _move(deal: Deal, data: DealMovedToProcess) -> Deal:
    """Carry the stage and the ticks over; what the mapping does not name keeps its id."""
    mapping = data.mapping or {}
    return replace(
        deal,
        process=data.process,
        stage=mapping.get(deal.stage, deal.stage) if deal.stage else None,
        ticked=frozenset(mapping.get(activity, activity) for activity in deal.ticked),
    )


def _evolve_progress(deal: Deal, data: ProgressEvent, event: Event) -> Deal:
    match data:
        case StageEntered(stage=stage):
            return replace(deal, stage=stage)
        case ActivityTicked(activity=activity):
            return replace(deal, ticked=deal.ticked | {activity})
        case ActivityUnticked(activity=activity):
            return replace(deal, ticked=deal.ticked - {activity})
        case OutcomeEvidenced():
            return replace(deal, evidence=deal.evidence.with_stated(str(event.event_id)))
        case EvidenceWithdrawn(event_id=target):
            return replace(deal, evidence=deal.evidence.with_settled(str(target)))
        case GateDecided() | OutcomeContradicted() | StepFeedbackGiven():
            return deal  # said, and meant: these change no rule
        case _:
            assert_never(data)


def _evolve_customer(deal: Deal, data: CustomerEvent) -> Deal:
    match data:
        case CustomerCommitmentRecorded(commitment_id=name):
            return replace(deal, commitments=deal.commitments.with_stated(name))
        case (
            CommitmentKept(commitment_id=name)
            | CommitmentBroken(commitment_id=name)
            | CommitmentWithdrawn(commitment_id=name)
        ):
            return replace(deal, commitments=deal.commitments.with_settled(name))
        case SellerPromiseMade(promise_id=name):
            return replace(deal, promises=deal.promises.with_stated(name))
        case SellerPromiseKept(promise_id=name) | SellerPromiseBroken(promise_id=name):
            return replace(deal, promises=deal.promises.with_settled(name))
        case ObstacleRecorded(obstacle_id=name):
            return replace(deal, obstacles=deal.obstacles.with_stated(name))
        case ObstacleRemoved(obstacle_id=name):
            return replace(deal, obstacles=deal.obstacles.with_settled(name))
        case (
            CommitmentRenegotiated()
            | CustomerGoalRecorded()
            | ConsequenceRecorded()
            | ContactIdentified()
            | DecisionCriterionRecorded()
            | AlternativeRecorded()
            | FitAssessed()
            | CustomerRequestReceived()
            | CustomerFeedbackRecorded()
            | CustomerGoalAchieved()
        ):
            return deal  # said, and meant: these change no rule
        case _:
            assert_never(data)


def _evolve_money(deal: Deal, data: MoneyEvent) -> Deal:
    match data:
        case DiscountOffered(percent=percent):
            return replace(deal, discount=percent)
        case DiscountWithdrawn():
            return replace(deal, discount=None)
        case ConcessionOffered():
            return deal  # said, and meant: this changes no rule
        case _:
            assert_never(data)
