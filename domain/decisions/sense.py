"""Refusals of what the deal says already, and of what contradicts it."""

from datetime import datetime, timedelta
from typing import Final

from domain.deal_state import Deal, Named, Turn
from domain.errors import (
    AlreadySoError,
    ContradictionError,
    DealNotClosedError,
    PayloadRefusedError,
)
from domain.events.catalogue import CustomerEvent, DealEvent, LifeEvent
from domain.events.customer import (
    CustomerCommitmentRecorded,
    ObstacleRecorded,
    SellerPromiseMade,
)
from domain.events.life import (
    AmountChanged,
    CloseDateMoved,
    CreditSplitSet,
    DealMovedToProcess,
    DealReopened,
    DealWon,
    ForecastCategoryChanged,
    OwnerChanged,
    WinReversed,
)
from domain.events.money import DiscountOffered, DiscountWithdrawn
from domain.events.progress import (
    ActivityTicked,
    ActivityUnticked,
    OutcomeEvidenced,
    StageEntered,
)
from domain.stamp import Stamp
from domain.values import Money

EARLIEST_ZONE: Final = timedelta(hours=14)
"""Where a day begins first on Earth: what is tomorrow there as well has not come yet."""
CUSTOMER_SOURCED: Final = 3
"""The evidence level from which it is the customer's word (METRICS section 5)."""


def ensure_sense(deal: Deal, intent: DealEvent, *, stamp: Stamp, now: Deal) -> None:
    """Refuse a repetition or a contradiction.

    `deal` is what it was when this happened; an id may not be used twice `now` either, and
    closing and reopening are told in the order in which they happened.
    """
    if isinstance(intent, Turn):
        _ensure_turn(deal, intent, stamp=stamp, turned_at=now.turned_at)
    elif isinstance(intent, LifeEvent):
        _ensure_change(deal, intent)
    elif isinstance(intent, CustomerEvent):
        _ensure_new_name(now, intent)
    else:
        _ensure_step(deal, intent)


def _ensure_turn(deal: Deal, intent: Turn, *, stamp: Stamp, turned_at: datetime | None) -> None:
    if turned_at is not None and stamp.occurred_at < turned_at:
        message = (
            f"occurred_at {stamp.occurred_at.isoformat()} lies before the deal was last closed "
            f"or reopened, on {turned_at.isoformat()}; correct that event instead"
        )
        raise ContradictionError(message, field="occurred_at")
    match intent:
        case DealWon():
            _ensure_win(deal, intent, stamp)
        case DealReopened() if deal.closed is None:
            raise DealNotClosedError(
                "the deal is open; only a closed one is reopened", field="type"
            )
        case WinReversed() if not deal.win_stands:
            raise DealNotClosedError("no win of this deal stands to be reversed", field="type")
        case _:
            pass


def _ensure_win(deal: Deal, intent: DealWon, stamp: Stamp) -> None:
    if deal.win_stands:
        message = "an earlier win of this deal still stands; reverse it (win_reversed) first"
        raise ContradictionError(message, field="type")
    if intent.closed_on > (stamp.recorded_at + EARLIEST_ZONE).date():
        message = f"closed_on {intent.closed_on.isoformat()} lies in the future"
        raise ContradictionError(message, field="data.closed_on")
    _ensure_currency(deal.amount, intent.net, field="data.net.currency")
    _ensure_currency(intent.net, intent.list, field="data.list.currency")


def _ensure_currency(expected: Money | None, given: Money | None, *, field: str) -> None:
    if expected and given and expected.currency != given.currency:
        message = (
            f"{given.currency} does not fit the deal, which is in {expected.currency}; "
            "change its amount first if the currency changed"
        )
        raise ContradictionError(message, field=field)


def _ensure_change(deal: Deal, intent: LifeEvent) -> None:
    match intent:
        case OwnerChanged(owner=owner) if owner == deal.owner:
            raise AlreadySoError(f"{owner!r} owns the deal already", field="data.owner")
        case CreditSplitSet() if intent == deal.split:
            raise AlreadySoError("the credit is split like this already", field="data.shares")
        case AmountChanged(amount=amount) if amount == deal.amount:
            raise AlreadySoError("the deal has this amount already", field="data.amount")
        case CloseDateMoved(to=day) if day == deal.close_date:
            raise AlreadySoError(f"the close date is {day.isoformat()} already", field="data.to")
        case ForecastCategoryChanged(category=category) if category == deal.forecast:
            raise AlreadySoError(f"the category is {category} already", field="data.category")
        case DealMovedToProcess(process=reference) if reference == deal.process:
            raise AlreadySoError("the deal is judged by this process", field="data.process")
        case _:
            pass


def _ensure_new_name(deal: Deal, intent: CustomerEvent) -> None:
    match intent:
        case CustomerCommitmentRecorded(commitment_id=name):
            _ensure_unused(deal.commitments, name, field="data.commitment_id")
        case SellerPromiseMade(promise_id=name):
            _ensure_unused(deal.promises, name, field="data.promise_id")
        case ObstacleRecorded(obstacle_id=name):
            _ensure_unused(deal.obstacles, name, field="data.obstacle_id")
        case _:
            pass


def _ensure_unused(named: Named, name: str, *, field: str) -> None:
    if name in named.stated:
        message = f"{name!r} is used already in this deal; every one needs an id of its own"
        raise AlreadySoError(message, field=field)


def _ensure_step(deal: Deal, intent: DealEvent) -> None:
    match intent:
        case StageEntered(stage=stage) if stage == deal.stage:
            raise AlreadySoError(f"the deal is in stage {stage!r} already", field="data.stage")
        case ActivityTicked(activity=activity) if activity in deal.ticked:
            raise AlreadySoError(f"{activity!r} is ticked already", field="data.activity")
        case ActivityUnticked(activity=activity) if activity not in deal.ticked:
            raise AlreadySoError(f"{activity!r} is not ticked", field="data.activity")
        case OutcomeEvidenced(level=level, author=author) if author and author.side == "seller":
            _ensure_seller_level(level)
        case DiscountOffered(list=price):
            _ensure_currency(deal.amount, price, field="data.list.currency")
        case DiscountWithdrawn() if deal.discount is None:
            raise ContradictionError("no discount stands to be withdrawn", field="type")
        case _:
            pass


def _ensure_seller_level(level: int) -> None:
    if level >= CUSTOMER_SOURCED:
        message = f"level {level} is the customer's word; the seller's own is of level 1 or 2"
        raise ContradictionError(message, field="data.level")


def ensure_not_negative(intent: DealEvent) -> None:
    """Refuse an amount below nothing; an import keeps what its source says.

    Raises:
        PayloadRefusedError: naming the amount.
    """
    for name in type(intent).model_fields:
        value = getattr(intent, name)
        if isinstance(value, Money) and value.amount < 0:
            message = f"{name}: an amount is not negative, as {value.amount} is"
            raise PayloadRefusedError(message, field=f"data.{name}.amount")
