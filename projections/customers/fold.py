"""Whether customers came back after the first win, and reached what they bought for."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
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
    """A buying company: how many deals there were with it, and those won, in their order.

    It is called what its latest deal calls it.
    """

    account_id: str
    name: str
    deals: int
    open: int
    wins: tuple[CustomerDeal, ...]

    @property
    def repeat_wins(self) -> tuple[CustomerDeal, ...]:
        """The deals won after the first one."""
        return self.wins[1:]

    @property
    def goals(self) -> list[tuple[CustomerDeal, Goal]]:
        """The goals of the deals that were won."""
        return _goals(self.wins)

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


def in_order(deals: Iterable[CustomerDeal]) -> list[CustomerDeal]:
    """Put deals in the order they were opened."""
    return sorted(deals, key=lambda deal: (deal.opened_at, deal.deal_id))


def customer_of(deals: Iterable[CustomerDeal]) -> Customer:
    """Give the customer that these deals, one or more, were with."""
    every = in_order(deals)
    last = every[-1]
    return Customer(
        account_id=last.account_id,
        name=last.account_name,
        deals=len(every),
        open=sum(deal.closed is None for deal in every),
        wins=tuple(wins_of(every).get(last.account_id, ())),
    )


def wins_of(deals: Iterable[CustomerDeal]) -> dict[str, list[CustomerDeal]]:
    """Give the deals that were won, by account, in the order in which they were."""
    found: dict[str, list[CustomerDeal]] = defaultdict(list)
    won = [(deal.won_at, deal) for deal in deals if deal.won_at is not None]
    for _, deal in sorted(won, key=lambda pair: (pair[0], pair[1].deal_id)):
        found[deal.account_id].append(deal)
    return found


def kept(wins: Mapping[str, Sequence[CustomerDeal]], *, customers: int) -> Kept:
    """Count the customers who won again with us, and the goals that were reached.

    `wins` are those of every customer with one, `customers` how many there are with and without.
    """
    goals = [pair for own in wins.values() for pair in _goals(own)]
    days = [lasted for pair in goals if (lasted := days_to_goal(*pair)) is not None]
    return Kept(
        customers=customers,
        came_back=Rate(sum(len(own) > 1 for own in wins.values()), len(wins)),
        goals_achieved=Rate(len(days), len(goals)),
        median_days=median(days),
    )


def days_to_goal(deal: CustomerDeal, goal: Goal) -> Decimal | None:
    """Give the days from the win to the achievement; None if it did not come after the win."""
    if deal.won_at is None or goal.achieved_at is None or goal.achieved_at < deal.won_at:
        return None
    return Decimal((goal.achieved_at - deal.won_at).days)


def _goals(wins: Iterable[CustomerDeal]) -> list[tuple[CustomerDeal, Goal]]:
    return [(deal, goal) for deal in wins for goal in deal.goals]
