"""What one deal adds to the comparisons of others: its seller events, and its stays in stages."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final, Literal, TypeAlias
from uuid import UUID

from domain.calendars import CalendarHistory
from domain.causes import action_time, causes
from domain.events.life import (
    CloseDateMoved,
    DealDisqualified,
    DealLost,
    DealOpened,
    DealReopened,
    DealWon,
    WinReversed,
)
from domain.events.money import DiscountOffered, DiscountWithdrawn
from domain.events.progress import StageEntered
from domain.fiscal import FiscalQuarter, days_left, local_day
from domain.path import Processes, moves
from domain.policy import Policy
from domain.replay import Event

ActKind: TypeAlias = Literal["stage_entered", "discount_offered", "close_date_moved"]
KINDS: Final[dict[type, ActKind]] = {
    StageEntered: "stage_entered",
    DiscountOffered: "discount_offered",
    CloseDateMoved: "close_date_moved",
}


@dataclass(frozen=True, slots=True)
class Act:
    """A seller event as others are compared with it.

    `outside` says that it lies outside the last days of its quarter, `interior` that it also
    lies outside the first ones; both are None where no fiscal quarter contains it. `depth` is
    the discount in per cent, `previous` the one that stood before it.
    """

    event_id: UUID
    kind: ActKind
    rep: str
    segment: str | None
    action_time: datetime
    quarter: str | None
    outside: bool | None
    interior: bool | None
    seller_only: bool
    depth: Decimal | None = None
    previous: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Stay:
    """A stay of the deal in a stage; `left_at` is None while it lasts."""

    event_id: UUID
    process: str
    stage: str
    entered_at: datetime
    left_at: datetime | None


def standing_offers(events: Iterable[Event]) -> dict[UUID, Decimal | None]:
    """Give, for each offer, the discount that stood before it; None if there was none."""
    before: dict[UUID, Decimal | None] = {}
    standing: Decimal | None = None
    for event in events:
        match event.data:
            case DiscountOffered(percent=percent):
                before[event.event_id] = standing
                standing = percent
            case DiscountWithdrawn() | DealReopened():
                standing = None
            case _:
                pass
    return before


def acts_of(
    events: Sequence[Event], processes: Processes, policy: Policy, calendar: CalendarHistory
) -> list[Act]:
    """Give the seller events of one deal's view; entering the stage it is in is none."""
    explained = causes(events, processes, policy)
    before = standing_offers(events)
    moved = {move.event.event_id for move in moves(events, processes)}
    segment = next((e.data.account.segment for e in events if isinstance(e.data, DealOpened)), None)
    found: list[Act] = []
    for event in events:
        kind = KINDS.get(type(event.data))
        if kind is None or (kind == "stage_entered" and event.event_id not in moved):
            continue
        at = action_time(event)
        quarter = calendar.quarter_at(at)
        outside = None if quarter is None else days_left(quarter, at) >= policy.window_days
        opening = quarter is not None and in_opening(quarter, at, policy)
        found.append(
            Act(
                event_id=event.event_id,
                kind=kind,
                rep=event.rep,
                segment=segment,
                action_time=at,
                quarter=quarter.name if quarter else None,
                outside=outside,
                interior=None if outside is None else outside and not opening,
                seller_only=explained[event.event_id].kind == "seller_only",
                depth=event.data.percent if isinstance(event.data, DiscountOffered) else None,
                previous=before.get(event.event_id),
            )
        )
    return found


def in_opening(quarter: FiscalQuarter, instant: datetime, policy: Policy) -> bool:
    """Say whether the instant lies in the first days of the quarter."""
    return (local_day(instant, quarter.zone) - quarter.start).days < policy.opening_days


def stays_of(events: Sequence[Event], processes: Processes) -> list[Stay]:
    """Give the stays of one deal's view in its stages, in order; a closing ends the last."""
    path = moves(events, processes)
    closing = DealWon | DealLost | DealDisqualified | DealReopened | WinReversed
    ends = [event for event in events if isinstance(event.data, closing)]
    found: list[Stay] = []
    for index, move in enumerate(path):
        following = path[index + 1].event if index + 1 < len(path) else None
        leaving = [e for e in [*ends, following] if e and e.order > move.event.order]
        left = min(leaving, key=lambda event: event.order, default=None)
        found.append(
            Stay(
                event_id=move.event.event_id,
                process=move.process.id,
                stage=move.target,
                entered_at=move.event.occurred_at,
                left_at=left.occurred_at if left else None,
            )
        )
    return found
