"""What the customer wants, says, asks for and commits to."""

from typing import ClassVar, Literal, TypeAlias

from domain.events.base import DomainEvent
from domain.values import (
    CommitmentLevel,
    Identifier,
    Level,
    LocalDate,
    LongText,
    Money,
    ShortText,
)

CommitmentKind: TypeAlias = Literal[
    "action",
    "decision_date",
    "people",
    "data",
    "budget",
    "procurement",
    "signature",
    "order",
    "for_discount",
    "other",
]
RequestTopic: TypeAlias = Literal["discount", "date", "terms", "competitor", "other"]


class CustomerGoalRecorded(DomainEvent):
    """What the customer wants to achieve."""

    TOPIC: ClassVar[str] = "deal.customer_goal_recorded.v1"

    goal: LongText
    measure: LongText | None = None
    level: Level


class ConsequenceRecorded(DomainEvent):
    """What happens to the customer if nothing changes, to whom, how much, by when."""

    TOPIC: ClassVar[str] = "deal.consequence_recorded.v1"

    consequence: LongText
    who: ShortText | None = None
    amount: Money | None = None
    by: LocalDate | None = None
    level: Level


class ObstacleRecorded(DomainEvent):
    """What stands in the customer's way."""

    TOPIC: ClassVar[str] = "deal.obstacle_recorded.v1"

    obstacle_id: Identifier
    obstacle: LongText
    level: Level | None = None


class ObstacleRemoved(DomainEvent):
    """An obstacle no longer stands in the way."""

    TOPIC: ClassVar[str] = "deal.obstacle_removed.v1"

    obstacle_id: Identifier


class ContactIdentified(DomainEvent):
    """A person at the customer, and the part they play in the decision."""

    TOPIC: ClassVar[str] = "deal.contact_identified.v1"

    contact: Identifier
    role: ShortText


class DecisionCriterionRecorded(DomainEvent):
    """Something the customer decides by."""

    TOPIC: ClassVar[str] = "deal.decision_criterion_recorded.v1"

    criterion: LongText
    level: Level | None = None


class AlternativeRecorded(DomainEvent):
    """Something the customer could do instead."""

    TOPIC: ClassVar[str] = "deal.alternative_recorded.v1"

    alternative: LongText
    level: Level | None = None


class FitAssessed(DomainEvent):
    """Whether the customer's problem is one that the seller solves well."""

    TOPIC: ClassVar[str] = "deal.fit_assessed.v1"

    verdict: Literal["in", "out", "unclear"]
    criteria: dict[Identifier, ShortText] | list[Identifier] | None = None


class CustomerRequestReceived(DomainEvent):
    """The customer asked for something: a discount, a date, terms, or it named a competitor."""

    TOPIC: ClassVar[str] = "deal.customer_request_received.v1"

    topic: RequestTopic
    level: Level
    statement: LongText | None = None


class CustomerCommitmentRecorded(DomainEvent):
    """The customer said that it will do something, perhaps by a date."""

    TOPIC: ClassVar[str] = "deal.customer_commitment_recorded.v1"

    commitment_id: Identifier
    what: LongText
    kind: CommitmentKind
    level: CommitmentLevel
    by: ShortText | None = None
    role: ShortText | None = None
    due: LocalDate | None = None


class CommitmentKept(DomainEvent):
    """The customer did what it had said."""

    TOPIC: ClassVar[str] = "deal.commitment_kept.v1"

    commitment_id: Identifier
    reason: LongText | None = None


class CommitmentBroken(DomainEvent):
    """The customer did not do what it had said."""

    TOPIC: ClassVar[str] = "deal.commitment_broken.v1"

    commitment_id: Identifier
    reason: LongText | None = None


class CommitmentWithdrawn(DomainEvent):
    """The customer took its commitment back."""

    TOPIC: ClassVar[str] = "deal.commitment_withdrawn.v1"

    commitment_id: Identifier
    reason: LongText | None = None


class CommitmentRenegotiated(DomainEvent):
    """The customer still means it, by another day."""

    TOPIC: ClassVar[str] = "deal.commitment_renegotiated.v1"

    commitment_id: Identifier
    due: LocalDate


class SellerPromiseMade(DomainEvent):
    """The seller said that it will do something for the customer."""

    TOPIC: ClassVar[str] = "deal.seller_promise_made.v1"

    promise_id: Identifier
    what: LongText
    due: LocalDate | None = None


class SellerPromiseKept(DomainEvent):
    """The seller did what it had said."""

    TOPIC: ClassVar[str] = "deal.seller_promise_kept.v1"

    promise_id: Identifier


class SellerPromiseBroken(DomainEvent):
    """The seller did not do what it had said."""

    TOPIC: ClassVar[str] = "deal.seller_promise_broken.v1"

    promise_id: Identifier


class CustomerFeedbackRecorded(DomainEvent):
    """The customer says how the sale felt."""

    TOPIC: ClassVar[str] = "deal.customer_feedback_recorded.v1"

    felt_pressured: bool
    statement: LongText | None = None


class CustomerGoalAchieved(DomainEvent):
    """The customer reached what it wanted, perhaps long after the win."""

    TOPIC: ClassVar[str] = "deal.customer_goal_achieved.v1"

    goal: LongText
    level: Level
    statement: LongText | None = None
