"""The life of a deal: opened, owned, priced, dated, closed, reopened."""

from decimal import Decimal
from typing import Annotated, ClassVar, Literal, TypeAlias

from pydantic import Field, Strict, model_validator

from domain.events.base import DomainEvent, Part
from domain.values import WHOLE, Identifier, LocalDate, LongText, Money, Share, ShortText

ForecastCategory: TypeAlias = Literal[
    "pipeline", "best_case", "most_likely", "commit", "closed", "omitted"
]
ProcessVersion: TypeAlias = Annotated[int, Strict(), Field(ge=1, le=1_000_000), WHOLE]


class Account(Part):
    """The buying company, named by the seller's own id for it."""

    id: Identifier
    name: ShortText
    segment: Identifier | None = None


class ProcessRef(Part):
    """One version of a sales process; a deal is always judged by the version it is pinned to."""

    id: Identifier
    version: ProcessVersion


class DealOpened(DomainEvent):
    """A sale is being tried: somebody owns it, for an account, perhaps with a value and a date."""

    TOPIC: ClassVar[str] = "deal.deal_opened.v1"

    name: ShortText
    account: Account
    owner: Identifier
    amount: Money | None = None
    close_date: LocalDate | None = None
    process: ProcessRef | None = None


class OwnerChanged(DomainEvent):
    """Another rep is responsible for the deal from now on."""

    TOPIC: ClassVar[str] = "deal.owner_changed.v1"

    owner: Identifier


class CreditSplitSet(DomainEvent):
    """Who is credited if the deal is won: revenue shares that sum to 1, overlays beside them."""

    TOPIC: ClassVar[str] = "deal.credit_split_set.v1"

    shares: dict[Identifier, Share] = Field(min_length=1)
    overlays: dict[Identifier, Share] | None = None

    @model_validator(mode="after")
    def _shares_sum_to_one(self) -> "CreditSplitSet":
        total = sum(self.shares.values(), Decimal(0))
        if total != 1:
            message = f"the shares sum to {total}, not 1"
            raise ValueError(message)
        return self


class AmountChanged(DomainEvent):
    """The deal is expected to be worth something else."""

    TOPIC: ClassVar[str] = "deal.amount_changed.v1"

    amount: Money


class CloseDateMoved(DomainEvent):
    """The deal is expected to close on another day."""

    TOPIC: ClassVar[str] = "deal.close_date_moved.v1"

    to: LocalDate
    reason: LongText | None = None


class ForecastCategoryChanged(DomainEvent):
    """The rep puts the deal into another forecast category."""

    TOPIC: ClassVar[str] = "deal.forecast_category_changed.v1"

    category: ForecastCategory


class DealWon(DomainEvent):
    """The customer ordered: at this net price, perhaps against this list price, on this day."""

    TOPIC: ClassVar[str] = "deal.deal_won.v1"

    net: Money
    list: Money | None = None
    closed_on: LocalDate


class DealLost(DomainEvent):
    """The customer decided otherwise, or not at all."""

    TOPIC: ClassVar[str] = "deal.deal_lost.v1"

    reason: LongText | None = None
    competitor: ShortText | None = None


class DealDisqualified(DomainEvent):
    """The seller walked away; early, that is a good outcome."""

    TOPIC: ClassVar[str] = "deal.deal_disqualified.v1"

    reason: LongText | None = None


class DealReopened(DomainEvent):
    """A closed deal is being tried again; a new episode begins."""

    TOPIC: ClassVar[str] = "deal.deal_reopened.v1"

    reason: LongText | None = None


class WinReversed(DomainEvent):
    """A win is taken back; the credit of that win is subtracted where it was given."""

    TOPIC: ClassVar[str] = "deal.win_reversed.v1"

    reason: LongText | None = None


class DealMovedToProcess(DomainEvent):
    """The deal is judged by another process version from now on."""

    TOPIC: ClassVar[str] = "deal.deal_moved_to_process.v1"

    process: ProcessRef
    mapping: dict[Identifier, Identifier] | None = None


class DealDeleted(DomainEvent):
    """The source deleted the deal; its history stays, its figures no longer count."""

    TOPIC: ClassVar[str] = "deal.deal_deleted.v1"

    reason: LongText | None = None
