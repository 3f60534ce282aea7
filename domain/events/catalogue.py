"""The one list of all event types, and the closed registry that reads stored names."""

import json
from collections.abc import Mapping
from typing import Final, TypeAlias, cast, get_args

from domain.events import context, customer, honesty, life, money, people, progress
from domain.events.base import DomainEvent, type_name

LifeEvent: TypeAlias = (
    life.DealOpened
    | life.OwnerChanged
    | life.CreditSplitSet
    | life.AmountChanged
    | life.CloseDateMoved
    | life.ForecastCategoryChanged
    | life.DealWon
    | life.DealLost
    | life.DealDisqualified
    | life.DealReopened
    | life.WinReversed
    | life.DealMovedToProcess
    | life.DealDeleted
)
ProgressEvent: TypeAlias = (
    progress.StageEntered
    | progress.GateDecided
    | progress.ActivityTicked
    | progress.ActivityUnticked
    | progress.OutcomeEvidenced
    | progress.OutcomeContradicted
    | progress.EvidenceWithdrawn
    | progress.StepFeedbackGiven
)
CustomerEvent: TypeAlias = (
    customer.CustomerGoalRecorded
    | customer.ConsequenceRecorded
    | customer.ObstacleRecorded
    | customer.ObstacleRemoved
    | customer.ContactIdentified
    | customer.DecisionCriterionRecorded
    | customer.AlternativeRecorded
    | customer.FitAssessed
    | customer.CustomerRequestReceived
    | customer.CustomerCommitmentRecorded
    | customer.CommitmentKept
    | customer.CommitmentBroken
    | customer.CommitmentWithdrawn
    | customer.CommitmentRenegotiated
    | customer.SellerPromiseMade
    | customer.SellerPromiseKept
    | customer.SellerPromiseBroken
    | customer.CustomerFeedbackRecorded
    | customer.CustomerGoalAchieved
)
MoneyEvent: TypeAlias = money.DiscountOffered | money.DiscountWithdrawn | money.ConcessionOffered
PeopleEvent: TypeAlias = people.ReviewHeld | people.CoachingGiven | people.NoteAdded
HonestyEvent: TypeAlias = honesty.EventAmended | honesty.EventRetracted | honesty.HistoryGap
DealEvent: TypeAlias = (
    LifeEvent | ProgressEvent | CustomerEvent | MoneyEvent | PeopleEvent | HonestyEvent
)
QuotaEvent: TypeAlias = context.QuotaAssigned | context.QuotaRevised | context.QuotaWithdrawn
OrganisationEvent: TypeAlias = context.MemberJoined | context.MemberLeft
ContextEvent: TypeAlias = (
    QuotaEvent
    | OrganisationEvent
    | context.ProcessPublished
    | context.PolicyPublished
    | context.CalendarAdopted
    | context.PlanRateSet
    | context.ForecastCalled
)

_ALL: Final = cast("tuple[type[DomainEvent], ...]", get_args(DealEvent) + get_args(ContextEvent))
EVENT_TYPES: Final[Mapping[str, type[DomainEvent]]] = {event.TOPIC: event for event in _ALL}
"""Every event type by its stored topic; a topic that is not here cannot be read."""
TYPES_BY_NAME: Final[Mapping[str, type[DomainEvent]]] = {type_name(event): event for event in _ALL}
"""Every event type by the name that the API and the import lines use."""
STREAM_KINDS: Final[Mapping[str, str]] = {
    name: event.TOPIC.split(".")[0] for name, event in TYPES_BY_NAME.items()
}
"""The kind of stream (`deal`, `quota`, `process`, ...) that each event type belongs to."""

_ENCODER: Final = json.JSONEncoder(ensure_ascii=False)


def parse(event_type: type[DomainEvent], data: Mapping[str, object]) -> DomainEvent:
    """Read a payload from decoded JSON, as strictly as from its text.

    Raises:
        pydantic.ValidationError: the payload is not of this type.
    """
    text = _ENCODER.encode(data)
    # Not `model_validate_json`, whose options cost more than reading a small payload.
    read: DomainEvent = event_type.__pydantic_validator__.validate_json(text)
    return read
