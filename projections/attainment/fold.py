"""Credited bookings: who is credited how much for a win, and when, and when it was taken back."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Literal, TypeAlias
from uuid import UUID

from domain.calendars import CalendarHistory
from domain.events.life import (
    CreditSplitSet,
    DealDeleted,
    DealOpened,
    DealWon,
    OwnerChanged,
    WinReversed,
)
from domain.replay import Event

CreditKind: TypeAlias = Literal["revenue", "overlay"]


@dataclass(frozen=True, slots=True)
class Credit:
    """An amount booked for a rep in a fiscal quarter; negative where wins were taken back.

    `quarter` is None outside the periods that an explicit calendar lists: it counts nowhere.
    An event gives a rep one of each kind, quarter and currency: facts that are equal are one fact.
    """

    event_id: UUID
    rep: str
    kind: CreditKind
    quarter: str | None
    occurred_at: datetime
    amount: Decimal
    currency: str


@dataclass(slots=True)
class _Split:
    owner: str = ""
    shares: dict[str, Decimal] | None = None
    overlays: dict[str, Decimal] | None = None

    def credited(self) -> Iterable[tuple[str, CreditKind, Decimal]]:
        for rep, share in (self.shares or {self.owner: Decimal(1)}).items():
            yield rep, "revenue", share
        for rep, share in (self.overlays or {}).items():
            yield rep, "overlay", share


def credits_of(events: Sequence[Event], calendar: CalendarHistory) -> list[Credit]:
    """Give the credits of one deal's view (METRICS section 1, credit).

    The split in force at the win counts; without one, the owner of that moment, and of a win
    that is dated before its deal was opened, whom the deal was opened with. A reversal subtracts
    the win's own shares in the quarter of the reversal; a deleted deal's credits end in the
    quarter where they were given, at the instant of the deletion.
    """
    split = _Split(_first_owner(events))
    given: list[Credit] = []
    standing: list[Credit] = []
    for event in events:
        match event.data:
            case DealOpened(owner=owner) | OwnerChanged(owner=owner):
                split.owner = owner
            case CreditSplitSet(shares=shares, overlays=overlays):
                split.shares, split.overlays = shares, overlays
            case DealWon():
                won = _won(event, event.data, split, calendar)
                standing += won
                given += won
            case WinReversed():
                quarter = _quarter(calendar, event)
                given += _taken_back((replace(c, quarter=quarter) for c in standing), event)
                standing = []
            case DealDeleted():
                given += _taken_back(standing, event)
                standing = []
            case _:
                pass
    return given


def _first_owner(events: Sequence[Event]) -> str:
    opened = (event.data.owner for event in events if isinstance(event.data, DealOpened))
    return next(opened, "")


def _won(event: Event, data: DealWon, split: _Split, calendar: CalendarHistory) -> list[Credit]:
    quarter = _quarter(calendar, event)
    return [
        Credit(
            event_id=event.event_id,
            rep=rep,
            kind=kind,
            quarter=quarter,
            occurred_at=event.occurred_at,
            amount=data.net.amount * share,
            currency=data.net.currency,
        )
        for rep, kind, share in split.credited()
    ]


def _quarter(calendar: CalendarHistory, event: Event) -> str | None:
    quarter = calendar.quarter_at(event.occurred_at)
    return quarter.name if quarter else None


def _taken_back(standing: Iterable[Credit], event: Event) -> Iterable[Credit]:
    """Give what an event takes back; of several wins, as imports tell of them, the sum."""
    found: dict[tuple[str, CreditKind, str | None, str], Credit] = {}
    for one in standing:
        key = (one.rep, one.kind, one.quarter, one.currency)
        amount = found[key].amount - one.amount if key in found else -one.amount
        found[key] = replace(
            one, event_id=event.event_id, occurred_at=event.occurred_at, amount=amount
        )
    return found.values()
