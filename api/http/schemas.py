"""The shapes of answers, for the OpenAPI description; no field has a default, all are there."""

from datetime import date, datetime
from typing import Final, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, JsonValue


class Answer(BaseModel):
    """An answer; later versions may add fields."""

    # What is answered is written as it is, so that only the description builds the schemas.
    model_config = ConfigDict(extra="allow", defer_build=True)


class FieldError(Answer):
    """One field at fault."""

    field: str
    detail: str


class Problem(Answer):
    """A refusal (RFC 9457): `code` for programs, `detail` for people."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    field: str | None
    errors: list[FieldError]
    request_id: str


class AsOf(Answer):
    """What was known: everything up to this position of the log."""

    position: int
    recorded_at: datetime | None


class Standing(Answer):
    """The moment that an answer stands on."""

    as_of: AsOf
    effective_at: datetime


class CorrectionTold(Answer):
    """Who corrected an event, when and why."""

    rep: str
    recorded_at: datetime
    reason: str


class LateEvent(Answer):
    """An event that an answer rests on and that was told late, or told otherwise before."""

    event_id: UUID
    type: str
    position: int
    occurred_at: datetime
    recorded_at: datetime
    because: list[str]
    corrected_by: UUID | None
    correction: CorrectionTold | None


class Money(Answer):
    """An exact amount in one currency."""

    amount: str
    currency: str


class Rate(Answer):
    """How often something was so, of how many, with the 95 % interval.

    Share and interval are null below five observations; below twenty nothing is concluded.
    """

    count: int
    n: int
    share: float | None
    interval: list[float] | None
    conclusive: bool


class Account(Answer):
    """The buying company."""

    id: str
    name: str
    segment: str | None


class ProcessVersion(Answer):
    """A version of a sales process."""

    id: str
    version: int


class RecordedEvent(Answer):
    """One event that a write recorded."""

    event_id: UUID
    type: str
    version: int
    position: int
    recorded_at: datetime


class RecordedDeal(Answer):
    """What an append to a deal recorded."""

    deal_id: UUID
    version: int
    position: int
    events: list[RecordedEvent]


class RecordedContext(Answer):
    """What an append to a stream of the context recorded."""

    stream_id: str
    version: int
    position: int
    events: list[RecordedEvent]


MAX_KEY: Final = 200
KEY_PATTERN: Final = "^[!-~]([ -~]*[!-~])?$"
"""An idempotency key: printable ASCII, and no blank at either end, where a header loses it."""


class BulkLine(BaseModel):
    """One line of a bulk append: one event, or `events` of one deal; no `deal_id` opens one."""

    model_config = ConfigDict(extra="allow")

    idempotency_key: str = Field(min_length=1, max_length=MAX_KEY, pattern=KEY_PATTERN)
    deal_id: UUID | None = None
    if_match: int | None = None
    type: str | None = None
    data: dict[str, JsonValue] | None = None
    events: list[dict[str, JsonValue]] | None = None


class State(Answer):
    """The state of a deal."""

    name: str
    account: Account
    owner: str
    stage: str | None
    process: ProcessVersion | None
    closed: Literal["won", "lost", "disqualified"] | None
    amount: Money | None
    close_date: date | None
    forecast_category: str | None
    discount: str | None
    opened_at: datetime
    closed_at: datetime | None
    deleted: bool
    source_system: str | None
    external_id: str | None


class DealAnswer(Standing, State):
    """One deal."""

    deal_id: UUID
    version: int
    late: list[LateEvent]


class Verdicts(Answer):
    """How many of a deal's seller events are consistent with quota pressure."""

    shaped: int
    consistent: int
    evaluable: int


class Shares(Answer):
    """How much of a deal's progress was shown, and how much only ticked."""

    checkbox_only: float | None
    checkbox_only_lenient: float | None
    counts: dict[str, int]


class RowHealth(Answer):
    """Flags of a deal that hold, those that a list cannot tell, and the worst colour that holds."""

    colour: Literal["red", "amber"] | None
    holds: list[str]
    untold: list[str]


class DealRow(State):
    """One deal of a list; health only of an open one."""

    deal_id: UUID
    since_position: int
    verdicts: Verdicts | None
    progress: Shares | None
    health: RowHealth | None


class DealList(Standing):
    """A page of deals."""

    total: int
    deals: list[DealRow]
    next: str | None


class Source(Answer):
    """Where an imported event comes from."""

    system: str
    external_id: str | None
    stream: str | None
    file_sha256: str | None
    recorded_at: datetime | None


class Event(Answer):
    """An event with its envelope."""

    event_id: UUID
    stream_id: str
    version: int
    position: int
    topic: str
    type: str
    occurred_at: datetime
    recorded_at: datetime
    ingested_at: datetime
    actor: str
    on_behalf_of: str | None
    channel: Literal["ui", "api", "import", "rule"]
    idempotency_key: str | None
    correlation_id: str | None
    caused_by: UUID | None
    clock: Literal["server", "source"]
    source: Source | None
    data: dict[str, JsonValue]


class CorrectedBy(Answer):
    """The correction in force of an event, as known then.

    `data` is the payload that counts in the place of the event's; null where it was retracted.
    """

    event_id: UUID
    how: Literal["amended", "retracted"]
    position: int
    data: dict[str, JsonValue] | None


class LoggedEvent(Event):
    """An event as it was told, and what corrected it; null where it reads as told."""

    corrected_by: CorrectedBy | None


class DealEventsAnswer(Standing):
    """The raw events of a deal."""

    deal_id: UUID
    events: list[LoggedEvent]


class OutcomeProgress(Answer):
    """Whether an intended outcome was shown, and by what."""

    outcome: str
    required_level: int
    level: int | None
    evidenced_at: datetime | None
    event_id: UUID | None


class Learned(Answer):
    """A fact that was new, whose word it is (null: not stated), and what ties it to the tick."""

    kind: Literal[
        "person",
        "role",
        "criterion",
        "alternative",
        "goal",
        "consequence",
        "obstacle",
        "date",
        "budget",
    ]
    value: str
    level: int | None
    event_id: UUID
    link: Literal["caused_by", "correlation", "nearest"] | None


class ActivityProgress(Answer):
    """Whether an activity was ticked, its outcomes shown, and what it taught.

    `changed` says whether anything followed from what was learned within the policy's
    `discovery_days`; null where nothing was learned, and while something still may follow.
    """

    activity: str
    stage: str
    status: str
    ticked_at: datetime | None
    outcomes: list[OutcomeProgress]
    learned: list[Learned]
    changed: bool | None
    changed_by: list[UUID]


class Skip(Answer):
    """A move past stages."""

    model_config = ConfigDict(extra="allow", populate_by_name=True)

    from_: str | None = Field(alias="from")
    to: str
    skipped: list[str]
    event_id: UUID


class Regression(Answer):
    """A move back."""

    model_config = ConfigDict(extra="allow", populate_by_name=True)

    from_: str | None = Field(alias="from")
    to: str
    event_id: UUID


class CustomerLed(Answer):
    """How many steps forward followed something that the customer did."""

    led: int
    steps: int


class ProgressAnswer(Standing):
    """A deal's progress: ticked beside shown.

    `unlinked_facts` were learned, and nothing says by which activity: one with nothing in `learned`
    may have brought them.
    """

    deal_id: UUID
    process: ProcessVersion
    activities: list[ActivityProgress]
    unlinked_facts: list[Learned]
    counts: dict[str, int]
    checkbox_only: float | None
    checkbox_only_lenient: float | None
    stage_path: list[str]
    skips: list[Skip]
    regressions: list[Regression]
    customer_led_movement: CustomerLed
    late: list[LateEvent]
