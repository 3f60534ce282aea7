"""The shapes of replays: visits, moves of close dates, frames, waterfalls, differences, tapes."""

from datetime import date, datetime
from uuid import UUID

from pydantic import Field, JsonValue

from api.http.schemas import Answer, CustomerLed, LateEvent, Money, Standing, Verdicts
from api.http.schemas_context import Quarter, RepFigures, TeamFigures
from api.http.schemas_off_fit import OffFitOpened


class Visit(Answer):
    """A stay in a stage, the `number`-th of this deal in this stage."""

    event_id: UUID
    process: str
    stage: str
    episode: int
    number: int
    entered_at: datetime
    left_at: datetime | None
    seconds: int | None
    ended_by: UUID | None
    ended_how: str | None


class StageTime(Answer):
    """All visits to one stage together."""

    stage: str
    visits: int
    seconds: int
    lasts: bool


class Gap(Answer):
    """Where the rep stood against the quota at that time."""

    quarter: str | None
    days_left: int | None
    elapsed: float | None
    quota: Money | None
    attained: Money | None
    pressure: float | None
    shortfall: float | None


class CloseDateMove(Answer):
    """One change of a close date."""

    event_id: UUID
    position: int
    at: datetime
    by: str
    days: int | None
    quarters_crossed: int | None
    direction: str | None
    cause: str


class GappedMove(CloseDateMove):
    """One change of a close date, with the quota position of its moment."""

    quota_gap: Gap | None


class Counted(Answer):
    """How many, and the events behind the number."""

    count: int
    event_ids: list[UUID]


class Counters(Answer):
    """Moves of close dates by cause; slips are those to a later quarter, whoever made them."""

    push: Counted
    pull_in: Counted
    pull_out: Counted
    correction: Counted
    machine: Counted
    slips: Counted


class CloseDateMoves(Answer):
    """The moves of one deal's close date."""

    moves: list[GappedMove]
    counters: Counters


class MovementAnswer(Standing):
    """How a deal moved: through its stages, and its close date through the calendar."""

    deal_id: UUID
    visits: list[Visit]
    stages: list[StageTime]
    close_date: CloseDateMoves
    late: list[LateEvent]


class ReplayPart(Answer):
    """Which clock a replay runs on, and which part of the quarter it covers.

    `known_since` is when the ledger was first told of a deal; before that nothing can be
    replayed as known.
    """

    clock: str
    known_since: datetime | None
    from_: datetime = Field(alias="from")
    until: datetime


class LateDealEvent(LateEvent):
    """A late event of a deal."""

    deal_id: UUID


class LateEvents(Answer):
    """What of the quarter was told late, or told otherwise before; the first of `total`."""

    total: int
    events: list[LateDealEvent]


class Replayed(Standing):
    """What every answer about a quarter's replay carries."""

    quarter: str
    start: date
    end: date
    replay: ReplayPart


class Group(Answer):
    """Open deals that have something in common."""

    deals: int
    amounts: list[Money]


class StageGroup(Group):
    """Open deals of one stage."""

    stage: str | None


class CategoryGroup(Group):
    """Open deals of one forecast category."""

    category: str | None


class Pipeline(Group):
    """Open deals together, by stage and by forecast category."""

    by_stage: list[StageGroup]
    by_category: list[CategoryGroup]


class Pipelines(Answer):
    """All deals that were open at `stands_at`, and those expected to close in the quarter."""

    stands_at: datetime
    open: Pipeline
    closing_in_quarter: Pipeline


class ProgressShares(Answer):
    """What of the ticked activities is ticked only, and who moved the deals on."""

    counts: dict[str, int]
    checkbox_only: float | None
    checkbox_only_lenient: float | None
    checkbox_only_progress: float | None
    customer_led_movement: CustomerLed


class RepProgress(ProgressShares):
    """The progress of one owner's open deals."""

    rep: str


class QuarterProgress(ProgressShares):
    """The progress of the deals open at `stands_at`, together and by owner."""

    stands_at: datetime
    reps: list[RepProgress]


class RepVerdicts(Verdicts):
    """The verdicts on the seller events of one rep in the quarter."""

    rep: str


class QuarterVerdicts(Verdicts):
    """The verdicts on the seller events of the quarter, together and by rep, as at `stands_at`."""

    stands_at: datetime
    reps: list[RepVerdicts]


class QuarterAnswer(Replayed, Quarter):
    """Where a quarter stood: pipeline, attainment against pace, progress and pressure.

    All of it stands at `stands_at`, after the quarter's end where nobody names an earlier moment
    (`after_end`); `replay` says which part of the quarter a replay of its days covers.
    """

    stands_at: datetime
    after_end: bool
    reps: list[RepFigures]
    teams: list[TeamFigures]
    booked: list[Money]
    pipeline: Pipelines
    progress: QuarterProgress
    pressure: QuarterVerdicts
    off_fit_opened: OffFitOpened
    late: LateEvents


class ScopeAnswer(Answer):
    """Whose deals count; both null for everybody's."""

    rep: str | None
    team: str | None


class Frame(Answer):
    """The open pipeline at the end of a local day, and what was booked in the quarter by then.

    `position` is the last that was told by then, where the replay is as known; frames of a rep or
    a team also have `by_owner`.
    """

    day: date
    total: Group
    by_stage: list[StageGroup]
    by_category: list[CategoryGroup]
    booked: list[Money]
    at: datetime


class FramesAnswer(Replayed):
    """One frame for each day that the replay has reached."""

    scope: ScopeAnswer
    frames: list[Frame]
    late: LateEvents


class CellEntry(Answer):
    """One deal's part of a cell, and the event that put it there or brought its state."""

    deal_id: UUID
    event_id: UUID
    position: int
    type: str | None
    amount: Money | None


class Cell(Answer):
    """The deals of a cell, what they come to, and each of them."""

    deals: int
    amounts: list[Money]
    entries: list[CellEntry]


class WaterfallScope(ScopeAnswer):
    """Whose deals count, and of which forecast category."""

    category: str | None


class WaterfallAnswer(Replayed):
    """What moved the pipeline of a quarter: closing = opening + inflows - outflows, exact."""

    scope: WaterfallScope
    opening: Cell
    new: Cell
    reopened_in: Cell
    pulled_in: Cell
    pushed_in: Cell
    increased: Cell
    owner_in: Cell
    hierarchy_in: Cell
    category_in: Cell
    pulled_out: Cell
    pushed_out: Cell
    decreased: Cell
    owner_out: Cell
    hierarchy_out: Cell
    category_out: Cell
    lost: Cell
    won: Cell
    closing: Cell
    late: LateEvents


class EndAnswer(Answer):
    """One end of a comparison."""

    position: int
    instant: datetime | None


class DealThen(Answer):
    """What a deal was at one end."""

    owner: str
    stage: str | None
    closed: str | None
    amount: Money | None
    close_date: date | None
    forecast_category: str | None


class ChangedValue(Answer):
    """One thing that differs."""

    what: str
    before: JsonValue
    after: JsonValue


class DealDifference(Answer):
    """A deal that differs; null where it was not there."""

    deal_id: UUID
    before: DealThen | None
    after: DealThen | None
    changes: list[ChangedValue]


class DifferenceAnswer(Replayed):
    """The deals that differ between two moments; `in_quarter` names those of its pipeline."""

    a: EndAnswer
    b: EndAnswer
    totals: dict[str, Group]
    deals: list[DealDifference]
    in_quarter: list[UUID]


class QuarterMove(CloseDateMove):
    """One change of a deal's close date."""

    deal_id: UUID


class RepCounters(Answer):
    """The moves that one person made."""

    rep: str
    counters: Counters


class QuarterMovementAnswer(Replayed):
    """How close dates moved into, out of and within a quarter."""

    scope: ScopeAnswer
    moves: list[QuarterMove]
    counters: Counters
    reps: list[RepCounters]
    late: LateEvents


class TapeAnswer(Replayed):
    """A page of the tape; its form stands in docs/replay.md."""

    total: int
    tape: dict[str, JsonValue]
    next: str | None
