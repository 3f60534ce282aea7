"""What the rules of a deal need to know of it; what a reader wants to see is a projection's."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Literal, TypeAlias

from domain.events.life import (
    CreditSplitSet,
    DealDeleted,
    DealDisqualified,
    DealLost,
    DealReopened,
    DealWon,
    ForecastCategory,
    ProcessRef,
    WinReversed,
)
from domain.values import Money

Closed: TypeAlias = Literal["won", "lost", "disqualified"]
Turn: TypeAlias = DealWon | DealLost | DealDisqualified | DealReopened | WinReversed | DealDeleted
"""The events that close a deal, open it again, or end it."""


@dataclass(frozen=True, slots=True)
class Named:
    """Things that events call by an id: which were stated, and which of them are settled.

    Two sets, so that it does not matter which of the two an import tells first.
    """

    stated: frozenset[str] = frozenset()
    settled: frozenset[str] = frozenset()

    @property
    def live(self) -> frozenset[str]:
        """Those stated and not settled."""
        return self.stated - self.settled

    def with_stated(self, name: str) -> "Named":
        return replace(self, stated=self.stated | {name})

    def with_settled(self, name: str) -> "Named":
        return replace(self, settled=self.settled | {name})


@dataclass(frozen=True, slots=True)
class Deal:
    """A deal as its rules see it.

    `opened_at` is None where an import told something before it told the opening. `turned_at`
    is when the deal was last closed, reopened, reversed or deleted. A win stands until it is
    reversed, also through a reopening.
    """

    opened_at: datetime | None = None
    turned_at: datetime | None = None
    closed: Closed | None = None
    win_stands: bool = False
    deleted: bool = False
    owner: str | None = None
    process: ProcessRef | None = None
    stage: str | None = None
    amount: Money | None = None
    close_date: date | None = None
    forecast: ForecastCategory | None = None
    split: CreditSplitSet | None = None
    discount: Decimal | None = None
    ticked: frozenset[str] = frozenset()
    evidence: Named = Named()
    commitments: Named = Named()
    promises: Named = Named()
    obstacles: Named = Named()
