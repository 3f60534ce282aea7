"""What a deal is at a moment, as lists and boards show it."""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Final, NamedTuple, Protocol, get_args

from domain.events.base import DomainEvent
from domain.events.catalogue import LifeEvent
from domain.events.honesty import EventAmended, EventRetracted
from domain.events.life import (
    AmountChanged,
    CloseDateMoved,
    CreditSplitSet,
    DealDeleted,
    DealDisqualified,
    DealLost,
    DealMovedToProcess,
    DealOpened,
    DealReopened,
    DealWon,
    ForecastCategoryChanged,
    OwnerChanged,
    WinReversed,
)
from domain.events.money import DiscountOffered, DiscountWithdrawn
from domain.events.progress import StageEntered
from domain.stamp import Source

CORRECTIONS: Final = frozenset({EventAmended.TOPIC, EventRetracted.TOPIC})
"""May change any state since the event that they correct."""
TOPICS: Final = CORRECTIONS | {
    kind.TOPIC
    for kind in (*get_args(LifeEvent), StageEntered, DiscountOffered, DiscountWithdrawn)
    if kind is not CreditSplitSet
}
"""What can change the state of a deal; all other events may be left out of its fold."""


class Told(Protocol):
    """As much of an event as its state rests on."""

    @property
    def position(self) -> int: ...
    @property
    def occurred_at(self) -> datetime: ...
    @property
    def data(self) -> DomainEvent: ...
    @property
    def source(self) -> Source | None: ...


class DealState(NamedTuple):
    """The state of one deal; `external_id` is its name in the system it was imported from.

    A tuple, because lists make thousands of them for an answer.
    """

    name: str
    account_id: str
    account_name: str
    segment: str | None
    owner: str
    stage: str | None
    process_id: str | None
    process_version: int | None
    closed: str | None
    amount: Decimal | None
    currency: str | None
    close_date: date | None
    forecast_category: str | None
    discount: Decimal | None
    opened_at: datetime
    closed_at: datetime | None
    deleted: bool
    source_system: str | None
    external_id: str | None

    @property
    def open(self) -> bool:
        """Whether the deal counts in the pipeline."""
        return self.closed is None and not self.deleted


def fold(events: Iterable[Told]) -> DealState | None:
    """Fold a deal's view into its state; None before it is opened."""
    state: DealState | None = None
    for event in events:
        state = evolve(state, event)
    return state


def evolve(state: DealState | None, event: Told) -> DealState | None:
    """Give the state after one more event; events before the opening change nothing."""
    if state is None:
        return _opened(event, event.data) if isinstance(event.data, DealOpened) else None
    return _told(state, event)


def _opened(event: Told, data: DealOpened) -> DealState:
    source = event.source
    return DealState(
        name=data.name,
        account_id=data.account.id,
        account_name=data.account.name,
        segment=data.account.segment,
        owner=data.owner,
        stage=None,
        process_id=data.process.id if data.process else None,
        process_version=data.process.version if data.process else None,
        closed=None,
        amount=data.amount.amount if data.amount else None,
        currency=data.amount.currency if data.amount else None,
        close_date=data.close_date,
        forecast_category=None,
        discount=None,
        opened_at=event.occurred_at,
        closed_at=None,
        deleted=False,
        source_system=source.system if source else None,
        external_id=source.stream if source else None,
    )


def _told(state: DealState, event: Told) -> DealState:
    match event.data:
        case StageEntered(stage=stage):
            return state._replace(stage=stage)
        case ForecastCategoryChanged(category=category):
            return state._replace(forecast_category=category)
        case CloseDateMoved(to=to):
            return state._replace(close_date=to)
        case AmountChanged(amount=amount):
            return state._replace(amount=amount.amount, currency=amount.currency)
        case OwnerChanged(owner=owner):
            return state._replace(owner=owner)
        case DiscountOffered(percent=percent):
            return state._replace(discount=percent)
        case DiscountWithdrawn():
            return state._replace(discount=None)
        case _:
            return _closed_or_reopened(state, event)


def _closed_or_reopened(state: DealState, event: Told) -> DealState:
    at = event.occurred_at
    match event.data:
        case DealWon(net=net):
            won = state._replace(amount=net.amount, currency=net.currency)
            return won._replace(closed="won", closed_at=at)
        case DealLost():
            return state._replace(closed="lost", closed_at=at)
        case DealDisqualified():
            return state._replace(closed="disqualified", closed_at=at)
        case DealReopened() | WinReversed():
            return state._replace(closed=None, closed_at=None)
        case DealMovedToProcess():
            return _moved(state, event.data)
        case DealDeleted():
            return state._replace(deleted=True)
        case _:
            return state


def _moved(state: DealState, data: DealMovedToProcess) -> DealState:
    stage = (data.mapping or {}).get(state.stage, state.stage) if state.stage else None
    return state._replace(
        stage=stage, process_id=data.process.id, process_version=data.process.version
    )
