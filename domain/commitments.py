"""What the customer said it will do, what the seller promised, and what came of both."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, Literal, TypeAlias
from uuid import UUID

from domain.calendars import CalendarHistory
from domain.events.base import DomainEvent
from domain.events.customer import (
    CommitmentBroken,
    CommitmentKept,
    CommitmentKind,
    CommitmentRenegotiated,
    CommitmentWithdrawn,
    CustomerCommitmentRecorded,
    SellerPromiseBroken,
    SellerPromiseKept,
    SellerPromiseMade,
)
from domain.fiscal import local_midnight
from domain.policy import Policy
from domain.replay import Event

Side: TypeAlias = Literal["customer", "seller"]
Settlement: TypeAlias = Literal["kept", "broken", "withdrawn"]
Status: TypeAlias = Literal["open", "renegotiated", "kept", "broken", "withdrawn"]

STATUSES: Final[tuple[Status, ...]] = ("open", "renegotiated", "kept", "broken", "withdrawn")
KEPT_COUNTS_FOR: Final = timedelta(days=90)
"""How long a commitment that was kept still shows a customer who moves (METRICS section 5)."""
DATED_LEVEL: Final = 1
"""A verbal, dated action: the first rung of the ladder that is more than a continuation."""

_SETTLEMENTS: Final[dict[type[DomainEvent], Settlement]] = {
    CommitmentBroken: "broken",
    CommitmentKept: "kept",
    CommitmentWithdrawn: "withdrawn",
    SellerPromiseBroken: "broken",
    SellerPromiseKept: "kept",
}
_WEIGHTS: Final[dict[Settlement, int]] = {"kept": 1, "withdrawn": 2, "broken": 3}
_STATEMENTS: Final[frozenset[type[DomainEvent]]] = frozenset(
    {CustomerCommitmentRecorded, SellerPromiseMade}
)
OF_COMMITMENTS: Final[frozenset[type[DomainEvent]]] = frozenset(
    {*_STATEMENTS, *_SETTLEMENTS, CommitmentRenegotiated}
)
"""The events that commitments and promises rest on."""


@dataclass(frozen=True, slots=True)
class Word:
    """How strong somebody's word is, until when it holds, and what became of it.

    `level` is None for a promise, which is the seller's own word. `due` is the last day agreed on
    and `overdue_at` the instant from which it counts as broken if nothing settled it; both are
    None for one without a day.
    """

    level: int | None
    due: date | None
    overdue_at: datetime | None
    renegotiated: bool
    settled: Settlement | None
    settled_at: datetime | None

    def status(self, at: datetime) -> Status:
        """Give the status at an instant that the folded view does not reach beyond.

        What was settled is settled, also where it was overdue before: kept late is kept. A
        commitment that is not settled is broken from `overdue_at` on; `renegotiated` is open with
        another day than it was made with.
        """
        if self.settled is not None:
            return self.settled
        if self.overdue_at is not None and at >= self.overdue_at:
            return "broken"
        return "renegotiated" if self.renegotiated else "open"

    def live(self, at: datetime) -> bool:
        """Say whether it still counts: open, or kept within the last 90 days."""
        match self.status(at):
            case "open" | "renegotiated":
                return True
            case "kept":
                return self.settled_at is not None and at - self.settled_at <= KEPT_COUNTS_FOR
            case _:
                return False

    @property
    def kept_late(self) -> bool:
        """Whether it was kept, but only after it had counted as broken."""
        if self.settled != "kept" or self.settled_at is None or self.overdue_at is None:
            return False
        return self.settled_at >= self.overdue_at


@dataclass(frozen=True, slots=True)
class Commitment(Word):
    """A commitment of the customer or a promise of the seller, as folded from a deal's view.

    `made_at` is when it was first stated; the last statement rules, and `event_id` names it.
    `event_ids` are all events that it rests on.
    """

    side: Side
    id: str
    event_id: UUID
    what: str
    kind: CommitmentKind | None
    by: str | None
    role: str | None
    made_at: datetime
    event_ids: tuple[UUID, ...]


def commitments_of(
    events: Iterable[Event],
    calendar: CalendarHistory,
    policy: Policy,
    *,
    until: datetime | None = None,
) -> list[Commitment]:
    """Give the commitments and promises of a deal's view, in the order they were first made.

    `until` leaves out what occurred later; ask for the status at that instant or later. A
    settlement or another day without a statement, which only an import can tell, is left out.
    """
    own = by_commitment(e for e in events if until is None or e.occurred_at <= until)

    def deadline(due: date) -> datetime:
        return overdue_at(due, calendar, policy)

    found = [_commitment(name, events_of, deadline) for name, events_of in own.items()]
    made = [commitment for commitment in found if commitment is not None]
    return sorted(made, key=lambda one: (one.made_at, one.side, one.id))


def by_commitment(events: Iterable[Event]) -> dict[tuple[Side, str], list[Event]]:
    """Give the events of each commitment and promise, in the order in which they come."""
    own: dict[tuple[Side, str], list[Event]] = {}
    for event in events:
        if type(event.data) in OF_COMMITMENTS:
            own.setdefault(_named(event.data), []).append(event)
    return own


def live_level(words: Iterable[Word], at: datetime) -> int:
    """Give the strength of the customer's commitments: the highest live level, 0 without any.

    Promises of the seller have no level and do not count.
    """
    levels = (one.level for one in words if one.level is not None and one.live(at))
    return max(levels, default=0)


def broken_level(words: Iterable[Word], at: datetime) -> int | None:
    """Give the highest level at which the customer broke its word; None if it never did."""
    broken = (one.level for one in words if one.status(at) == "broken")
    return max((level for level in broken if level is not None), default=None)


def dated_next(words: Iterable[Word], today: date, at: datetime) -> list[Word]:
    """Give what the customer will do next: open, by a day that is not past.

    A continuation (level 0) is no next step; from a verbal, dated action on it is one.
    """
    return [
        one
        for one in words
        if one.status(at) in {"open", "renegotiated"}
        and one.level is not None
        and one.level >= DATED_LEVEL
        and one.due is not None
        and one.due >= today
    ]


def first_due(words: Iterable[Word]) -> date | None:
    """Give the first day that something is due; None where nothing has a day."""
    return min((one.due for one in words if one.due is not None), default=None)


def overdue_at(due: date, calendar: CalendarHistory, policy: Policy) -> datetime:
    """Give the instant from which what is due on a local day counts as broken.

    The due day and the days of grace pass in full: due on the 15th with three days of grace, it
    is broken from the first instant of the 19th.
    """
    first_day_after = due + timedelta(days=policy.commitment_grace_days + 1)
    return local_midnight(first_day_after, calendar.calendar_on(due).zone)


def _named(data: DomainEvent) -> tuple[Side, str]:
    match data:
        case (
            CustomerCommitmentRecorded(commitment_id=name)
            | CommitmentKept(commitment_id=name)
            | CommitmentBroken(commitment_id=name)
            | CommitmentWithdrawn(commitment_id=name)
            | CommitmentRenegotiated(commitment_id=name)
        ):
            return "customer", name
        case (
            SellerPromiseMade(promise_id=name)
            | SellerPromiseKept(promise_id=name)
            | SellerPromiseBroken(promise_id=name)
        ):
            return "seller", name
        case _:
            message = f"{type(data).__name__} is of no commitment"
            raise TypeError(message)


def _commitment(
    name: tuple[Side, str], events: Sequence[Event], deadline: Callable[[date], datetime]
) -> Commitment | None:
    statements = [event for event in events if type(event.data) in _STATEMENTS]
    if not statements:
        return None
    stated = max(statements, key=_told)
    moved = max((e for e in events if _moves(e, stated)), key=_told, default=None)
    settled = max((e for e in events if type(e.data) in _SETTLEMENTS), key=_told, default=None)
    due = _day_of(moved or stated)
    recorded = stated.data if isinstance(stated.data, CustomerCommitmentRecorded) else None
    return Commitment(
        side=name[0],
        id=name[1],
        event_id=stated.event_id,
        what=_what(stated.data),
        kind=recorded.kind if recorded else None,
        level=recorded.level if recorded else None,
        by=recorded.by if recorded else None,
        role=recorded.role if recorded else None,
        made_at=min(event.occurred_at for event in statements),
        due=due,
        overdue_at=None if due is None else deadline(due),
        renegotiated=moved is not None,
        settled=_SETTLEMENTS[type(settled.data)] if settled else None,
        settled_at=settled.occurred_at if settled else None,
        event_ids=tuple(event.event_id for event in sorted(events, key=_told)),
    )


def _told(event: Event) -> tuple[datetime, int, bytes, UUID]:
    """Order by when it happened, then by what is said: never by when we were told.

    At one instant broken outweighs withdrawn, and that kept; and a later day an earlier one.
    """
    settlement = _SETTLEMENTS.get(type(event.data))
    weight = _WEIGHTS[settlement] if settlement else 0
    return event.occurred_at, weight, event.data.to_json(), event.event_id


def _moves(event: Event, stated: Event) -> bool:
    return (
        isinstance(event.data, CommitmentRenegotiated) and event.occurred_at >= stated.occurred_at
    )


def _day_of(event: Event) -> date | None:
    match event.data:
        case (
            CustomerCommitmentRecorded(due=due)
            | SellerPromiseMade(due=due)
            | CommitmentRenegotiated(due=due)
        ):
            return due
        case _:
            return None


def _what(data: DomainEvent) -> str:
    match data:
        case CustomerCommitmentRecorded(what=what) | SellerPromiseMade(what=what):
            return what
        case _:
            message = f"{type(data).__name__} states no commitment"
            raise TypeError(message)
