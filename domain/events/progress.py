"""Steps of the sales process: stages, gates, ticks, and what they were for."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from domain.events.base import DomainEvent, Part
from domain.values import EventId, Identifier, Level, LongText


class Author(Part):
    """Whose word it is."""

    side: Literal["customer", "seller"]
    contact: Identifier | None = None


class Artefact(Part):
    """Where the evidence can be seen, and the digest that shows that it is still the same."""

    uri: Annotated[str, Field(min_length=1, max_length=2000, pattern=r"^[^\x00-\x20\x7f]+$")]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None


class StageEntered(DomainEvent):
    """The deal moved to a stage; what was skipped or taken back is derived from the path."""

    TOPIC: ClassVar[str] = "deal.stage_entered.v1"

    stage: Identifier


class GateDecided(DomainEvent):
    """Somebody decided to go on with the deal, to stop, or to go on under conditions."""

    TOPIC: ClassVar[str] = "deal.gate_decided.v1"

    stage: Identifier
    decision: Literal["go", "no_go", "conditional"]
    reason: LongText | None = None
    unmet: list[Identifier] | None = None
    overridden: bool | None = None


class ActivityTicked(DomainEvent):
    """A rep claims that an activity is done; a tick is a claim, not a result."""

    TOPIC: ClassVar[str] = "deal.activity_ticked.v1"

    activity: Identifier


class ActivityUnticked(DomainEvent):
    """A rep takes the claim back."""

    TOPIC: ClassVar[str] = "deal.activity_unticked.v1"

    activity: Identifier
    reason: LongText | None = None


class OutcomeEvidenced(DomainEvent):
    """Something shows that an intended outcome was reached; its level says whose word it is."""

    TOPIC: ClassVar[str] = "deal.outcome_evidenced.v1"

    outcome: Identifier
    level: Level
    author: Author | None = None
    statement: LongText | None = None
    artefact: Artefact | None = None


class OutcomeContradicted(DomainEvent):
    """Something shows that an outcome once evidenced does not hold."""

    TOPIC: ClassVar[str] = "deal.outcome_contradicted.v1"

    outcome: Identifier
    statement: LongText | None = None


class EvidenceWithdrawn(DomainEvent):
    """A piece of evidence is taken back; the event that gave it stays visible."""

    TOPIC: ClassVar[str] = "deal.evidence_withdrawn.v1"

    event_id: EventId
    reason: LongText | None = None


class StepFeedbackGiven(DomainEvent):
    """A rep says what a step of the process is worth in practice."""

    TOPIC: ClassVar[str] = "deal.step_feedback_given.v1"

    activity: Identifier
    statement: LongText
