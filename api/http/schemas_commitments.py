"""The shapes of answers about commitments and reviews."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from api.http.schemas import Answer, LateEvent, Standing


class Said(Answer):
    """An event quoted: in words, with its age and whose word it is.

    `word_from` is `level`, or `recorder` where the event has no level: then the word is that of
    whoever recorded it.
    """

    event_id: UUID
    type: str
    title: str
    detail: str | None
    level: int | None
    word: str
    word_from: str
    recorded_by: str
    occurred_at: datetime
    age_days: int


class Kept(Answer):
    """What came of one side's word; the rate is kept/(kept + broken) with its Wilson interval."""

    live: int
    counts: dict[str, int]
    kept: int
    kept_late: int
    broken: int
    kept_ratio: float | None
    kept_ci: list[float] | None
    kept_n: int


class CustomerVector(Kept):
    """The strength of the customer's commitments: several numbers, and no single score."""

    level: int
    roles: int
    role_names: list[str]
    roles_unknown: int
    economic_buyer: bool
    days_since_customer_act: int | None
    last_customer_act: Said | None


class Word(Answer):
    """What one side said it will do, and what became of it."""

    event_id: UUID
    what: str
    status: str
    live: bool
    made_at: datetime
    age_days: int
    due: date | None
    overdue_at: datetime | None
    settled_at: datetime | None
    kept_late: bool
    event_ids: list[UUID]


class CustomerCommitment(Word):
    """What the customer said it will do."""

    commitment_id: str
    kind: str
    level: int
    by: str | None
    role: str | None


class SellerPromise(Word):
    """What we said we will do."""

    promise_id: str


class OneSided(Answer):
    """What the seller did since the customer last did something."""

    since: datetime | None
    days: int | None
    acts: int
    event_ids: list[UUID]


class Initiated(Answer):
    """How many of the acts of both sides the customer began; of fewer than five only the counts."""

    initiated: int
    initiated_ratio: float | None
    initiated_ci: list[float] | None
    initiated_n: int
    event_ids: list[UUID]


class Acts(Answer):
    """What one side did."""

    acts: int
    event_ids: list[UUID]


class QuarterOfWork(Answer):
    """Who did the work in a fiscal quarter; `one_sided` is as it was when the quarter ended."""

    quarter: str
    start: date
    end: date
    customer: Acts
    seller: Acts
    customer_initiated: Initiated
    one_sided: OneSided


class ChangeRung(Answer):
    """A rung of the ladder from unaware to acting."""

    name: str
    reached: bool
    event_ids: list[UUID]


class Change(Answer):
    """How far the customer has committed to change; `standing` counts rungs without a gap."""

    standing: int
    rungs: list[ChangeRung]


class GoalAchieved(Said):
    """A goal that the customer reached, and where it was recorded before."""

    goal_event_id: UUID | None
    after_win: bool


class Goals(Answer):
    """What the customer wants to achieve, and what it has."""

    recorded: list[Said]
    achieved: list[GoalAchieved]


class CommitmentsAnswer(Standing):
    """What the customer committed to, what we promised, and who does the work."""

    deal_id: UUID
    customer: CustomerVector
    seller: Kept
    commitments: list[CustomerCommitment]
    promises: list[SellerPromise]
    one_sided: OneSided
    customer_initiated: Initiated
    by_quarter: list[QuarterOfWork]
    change: Change
    consequences: list[Said]
    goals: Goals
    late: list[LateEvent]


class ReviewWord(Said):
    """What answers a question; of a commitment or promise also when it is due and its status."""

    due: date | None
    status: str | None


class ReviewQuestion(Answer):
    """A question of the review: `state` is blank, partly or answered; answers latest first."""

    name: str
    question: str
    state: str
    missing: list[str]
    latest_by_customer: UUID | None
    answers: list[ReviewWord]


class UnmetOutcome(Answer):
    """An outcome that a gate found unmet, and the evidence since."""

    outcome: str
    required_level: int
    met: bool
    level: int | None
    met_at: datetime | None
    event_id: UUID | None


class Gate(Answer):
    """The last decision at a gate, and what it let pass that is not shown to this day."""

    stage: str
    decision: str
    overridden: bool
    detail: str | None
    decided_by: str
    decided_at: datetime
    age_days: int
    event_id: UUID
    unmet_from: str
    unmet: list[UnmetOutcome]
    still_unmet: list[str]


class Flag(Answer):
    """A health flag; `holds` is null where it cannot be told, `n` how many it compares with."""

    flag: str
    colour: str
    holds: bool | None
    value: float | str | None
    threshold: float | str | None
    n: int | None
    event_ids: list[UUID]


class Health(Answer):
    """The colour of the worst flag that holds, and all flags; neither for a closed deal."""

    colour: str | None
    flags: list[Flag]


class ReviewAnswer(Standing):
    """The review sheet of a deal."""

    deal_id: UUID
    last_review: Said | None
    questions: list[ReviewQuestion]
    gates: list[Gate]
    health: Health
    late: list[LateEvent]


class WaitedFor(Answer):
    """What somebody said they will do and nobody has settled; broken means past its day."""

    side: Literal["customer", "seller"]
    id: str
    what: str
    by: str | None
    level: int | None
    due: date | None
    status: Literal["open", "renegotiated", "broken"]
    event_id: UUID


class WaitedForOfDeal(WaitedFor):
    """The same with its deal; `overdue_at` is the instant from which it counts as broken."""

    deal_id: UUID
    deal: str
    account: str
    owner: str
    overdue_at: datetime | None


class WaitingCounts(Answer):
    """How many of one side wait, by status."""

    open: int
    renegotiated: int
    broken: int


class CountsBySide(Answer):
    """The same of both sides, of the deals that are listed and the days that were asked for."""

    customer: WaitingCounts
    seller: WaitingCounts


class CommitmentList(Standing):
    """A page of what both sides said, by the day that it is due; `next` leads to the next page."""

    total: int
    counts: CountsBySide
    commitments: list[WaitedForOfDeal]
    next: str | None
