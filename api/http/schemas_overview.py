"""The shapes of the first page's answers: what changed, what is hollow, and a rep's working day."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from api.http.schemas import Answer, Standing
from api.http.schemas_commitments import WaitedFor
from projections.progress.status import Status


class Change(Answer):
    """A change of a deal, with the event that tells it and whom it is attributed to."""

    deal_id: UUID
    deal: str
    account: str
    owner: str
    event_id: UUID
    position: int
    occurred_at: datetime
    recorded_at: datetime
    rep: str
    title: str
    detail: str | None


class MoveChange(Change):
    """A move from one stage to another, by their names."""

    from_stage: str
    to_stage: str


class BrokenCommitment(Change):
    """A commitment that was broken, or whose day passed with its grace; the event is its last."""

    side: Literal["customer", "seller"]
    due: date | None


class ChangesByKind(Answer):
    """The changes of each kind, the latest first; one event may be of several kinds."""

    opened: list[Change]
    moves: list[MoveChange]
    wins: list[Change]
    losses: list[Change]
    taken_back: list[Change]
    pushes: list[Change]
    pull_ins: list[Change]
    discounts: list[Change]
    pressure_shaped: list[Change]
    broken_commitments: list[BrokenCommitment]


class Hollow(Answer):
    """How many activities have settled and are checkbox-only, and their share by weight."""

    hollow: int
    settled: int
    checkbox_only: float | None


class HollowGroup(Hollow):
    """The same of some deals with settled activities; `deals_with` have checkbox-only ones."""

    deals: int
    deals_with: int


class HollowDeal(Hollow):
    """The same of a deal."""

    deal_id: UUID
    deal: str
    account: str
    owner: str


class HollowStage(HollowGroup):
    """The same of the deals in a stage."""

    stage: str | None
    name: str


class HollowRep(HollowGroup):
    """The same of the deals of a rep; never ordered by it."""

    rep: str


class HollowProgress(Hollow):
    """Where the progress of open deals is hollow; `deals` are those with most of it."""

    deals_with: int
    deals: list[HollowDeal]
    stages: list[HollowStage]
    reps: list[HollowRep]


class OverviewAnswer(Standing):
    """What changed between two moments, and where progress is hollow at the later one.

    `complete` is false where too many deals changed; then no change is told.
    """

    since: datetime
    since_position: int
    complete: bool
    changes: ChangesByKind
    hollow: HollowProgress


class NextOutcome(Answer):
    """An outcome of the deal's stage that is not shown at the level that the process asks for."""

    activity: str
    activity_id: str
    outcome: str
    outcome_id: str
    required_level: int
    status: Status
    settles_at: datetime | None


class DealToday(Answer):
    """What an open deal waits for; `next_step` says whether the customer has one with a day."""

    deal_id: UUID
    deal: str
    account: str
    owner: str
    stage: str | None
    close_date: date | None
    next_step: bool
    next_outcomes: list[NextOutcome]
    commitments: list[WaitedFor]


class TodayAnswer(Standing):
    """The open deals of a rep with what they wait for, the first to close first."""

    rep: str
    deals: list[DealToday]
