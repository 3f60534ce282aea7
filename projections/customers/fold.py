"""Whether customers came back after the first win, and reached what they bought for."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from domain.comparisons import Rate
from domain.statistics import median
from projections.customers.goals import Goal


@dataclass(frozen=True, slots=True)
class CustomerDeal:
    """A deal of a customer: how and when it was closed, and what is wanted with it."""

    deal_id: UUID
    account_id: str
    account_name: str
    opened_at: datetime
    closed: str | None
    closed_at: datetime | None
    goals: tuple[Goal, ...] = ()

    @property
    def won_at(self) -> datetime | None:
        """When it was won; None where it was not."""
        return self.closed_at if self.closed == "won" else None


@dataclass(frozen=True, slots=True)
class Customer:
    """A buying company with its deals, in the order they were opened."""

    account_id: str
    name: str
    deals: tuple[CustomerDeal, ...]

    @property
    def wins(self) -> list[CustomerDeal]:
        """The deals that were won, in the order in which they were."""
        won = [(deal.won_at, deal) for deal in self.deals if deal.won_at is not None]
        return [deal for _, deal in sorted(won, key=lambda pair: (pair[0], pair[1].deal_id))]

    @property
    def repeat_wins(self) -> list[CustomerDeal]:
        """The deals won after the first one."""
        return self.wins[1:]

    @property
    def goals(self) -> list[tuple[CustomerDeal, Goal]]:
        """The goals of the deals that were won."""
        return [(deal, goal) for deal in self.wins for goal in deal.goals]

    @property
    def reached(self) -> list[tuple[CustomerDeal, Goal]]:
        """Those of them that were achieved once the deal was won."""
        return [pair for pair in self.goals if days_to_goal(*pair) is not None]


@dataclass(frozen=True, slots=True)
class Kept:
    """All customers together: who came back, and which goals of won deals were achieved.

    `median_days` is from the win to the achievement, None without one.
    """

    customers: int
    came_back: Rate
    goals_achieved: Rate
    median_days: Decimal | None


def customers_of(deals: Iterable[CustomerDeal]) -> list[Customer]:
    """Put deals together by account, in the order of the accounts' ids.

    A customer is called what its latest deal calls it.
    """
    found: dict[str, list[CustomerDeal]] = defaultdict(list)
    for deal in sorted(deals, key=lambda deal: (deal.opened_at, deal.deal_id)):
        found[deal.account_id].append(deal)
    return [Customer(key, own[-1].account_name, tuple(own)) for key, own in sorted(found.items())]


def kept(customers: Sequence[Customer]) -> Kept:
    """Count the customers with a win who won again with us, and the goals that were reached."""
    bought = [one for one in customers if one.wins]
    days = [
        lasted
        for one in customers
        for deal, goal in one.reached
        if (lasted := days_to_goal(deal, goal)) is not None
    ]
    return Kept(
        customers=len(customers),
        came_back=Rate(sum(bool(one.repeat_wins) for one in bought), len(bought)),
        goals_achieved=Rate(len(days), sum(len(one.goals) for one in customers)),
        median_days=median(days),
    )


def days_to_goal(deal: CustomerDeal, goal: Goal) -> Decimal | None:
    """Give the days from the win to the achievement; None if it did not come after the win."""
    if deal.won_at is None or goal.achieved_at is None or goal.achieved_at < deal.won_at:
        return None
    return Decimal((goal.achieved_at - deal.won_at).days)
