"""What one deal adds to the comparisons of others: its seller events, and its stays in stages."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Literal, TypeAlias
from uuid import UUID

from domain.causes import CauseKind

ActKind: TypeAlias = Literal["stage_entered", "discount_offered", "close_date_moved"]


@dataclass(frozen=True, slots=True)
class Act:
    """A seller event with all that its verdict takes from its own deal.

    `outside` says that it lies outside the last days of its quarter, `interior` that it also
    lies outside the first ones; both are None where no fiscal quarter contains it.

    An offer has its `depth` in per cent, the `previous` one that stood before it, and the day
    that it expires on. A moved close date has the day it was and the day it became. A stage
    entered has its `steps` above the high-water mark, how many stages it skipped, how many
    required outcomes of the stages left are missing (None: the process states none), and, of a
    move forward, the stay that it ended: in which stage of which process, begun when.

    Its `cause` is of which kind, and neither which customer event nor how well that is told: these
    may change with later seller events, since a customer event explains one of them alone.

    A question that hides what occurred after an instant before `unsettled_until` may find the
    act otherwise: a later event bears on it (None: none does).
    """

    event_id: UUID
    kind: ActKind
    rep: str
    segment: str | None
    occurred_at: datetime
    action_time: datetime
    quarter: str | None
    outside: bool | None
    interior: bool | None
    cause: CauseKind
    unsettled_until: datetime | None = None
    depth: Decimal | None = None
    previous: Decimal | None = None
    expires_on: date | None = None
    close_from: date | None = None
    close_to: date | None = None
    steps: int | None = None
    skipped: int | None = None
    missing: int | None = None
    process: str | None = None
    left_stage: str | None = None
    left_stage_entered_at: datetime | None = None

    @property
    def seller_only(self) -> bool:
        """F3: whether no customer event explains it."""
        return self.cause == "seller_only"


@dataclass(frozen=True, slots=True)
class Stay:
    """A stay of the deal in a stage; `left_at` is None while it lasts."""

    event_id: UUID
    process: str
    stage: str
    entered_at: datetime
    left_at: datetime | None
