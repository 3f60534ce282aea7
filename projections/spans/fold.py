"""What a deal is at a moment, as lists and boards show it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal

from domain.events.life import (
    AmountChanged,
    CloseDateMoved,
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
from domain.replay import Event


@dataclass(frozen=True, slots=True)
class DealState:
    """The state of one deal; `external_id` is its name in the system it was imported from."""

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


def fold(events: Iterable[Event]) -> DealState | None:
    """Fold a deal's view into its state; None before it is opened."""
    state: DealState | None = None
    for event in events:
        state = evolve(state, event)
    return state


def evolve(state: DealState | None, event: Event) -> DealState | None:
    """Give the state after one more event; events before the opening change nothing."""
    if isinstance(event.data, DealOpened):
        return _opened(event, event.data) if state is None else state
    if state is None:
        return None
    return _told(_closed_or_reopened(state, event), event)


def _opened(event: Event, data: DealOpened) -> DealState:
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


def _told(state: DealState, event: Event) -> DealState:
    match event.data:
        case OwnerChanged(owner=owner):
            return replace(state, owner=owner)
        case AmountChanged(amount=amount):
            return replace(state, amount=amount.amount, currency=amount.currency)
        case CloseDateMoved(to=to):
            return replace(state, close_date=to)
        case ForecastCategoryChanged(category=category):
            return replace(state, forecast_category=category)
        case StageEntered(stage=stage):
            return replace(state, stage=stage)
        case DealMovedToProcess():
            return _moved(state, event.data)
        case _:
            return replace(state, discount=_discount(state, event))


def _discount(state: DealState, event: Event) -> Decimal | None:
    match event.data:
        case DiscountOffered(percent=percent):
            return percent
        case DiscountWithdrawn():
            return None
        case _:
            return state.discount


def _moved(state: DealState, data: DealMovedToProcess) -> DealState:
    stage = (data.mapping or {}).get(state.stage, state.stage) if state.stage else None
    return replace(
        state, stage=stage, process_id=data.process.id, process_version=data.process.version
    )


def _closed_or_reopened(state: DealState, event: Event) -> DealState:
    match event.data:
        case DealWon(net=net):
            won = replace(state, amount=net.amount, currency=net.currency)
            return replace(won, closed="won", closed_at=event.occurred_at)
        case DealLost():
            return replace(state, closed="lost", closed_at=event.occurred_at)
        case DealDisqualified():
            return replace(state, closed="disqualified", closed_at=event.occurred_at)
        case DealReopened() | WinReversed():
            return replace(state, closed=None, closed_at=None)
        case DealDeleted():
            return replace(state, deleted=True)
        case _:
            return state
