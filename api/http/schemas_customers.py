"""The shapes of customers: what came after the win."""

from datetime import datetime
from uuid import UUID

from api.http.schemas import Answer, Rate, Standing


class Customer(Answer):
    """A buying company; goals are those of the deals won, achieved those reached after the win."""

    account_id: str
    name: str
    deals: int
    open: int
    won: int
    first_won_at: datetime | None
    repeat_wins: list[UUID]
    goals: int
    goals_achieved: int


class CustomerList(Standing):
    """Customers, and what holds of all of them.

    `came_back`: of the customers with a win, those with another one later. `goals_achieved`: of the
    goals of won deals, those reached after the win; `median_days_to_goal` is how long that took.
    """

    customers: int
    came_back: Rate
    goals_achieved: Rate
    median_days_to_goal: float | None
    accounts: list[Customer]
    next: str | None


class CustomerGoal(Answer):
    """What a customer wants, by whose word, and whether they reached it."""

    goal: str
    recorded_at: datetime | None
    recorded_by: UUID | None
    achieved_at: datetime | None
    achieved_by: UUID | None
    days_after_win: int | None


class CustomerDeal(Answer):
    """A deal of a customer."""

    deal_id: UUID
    opened_at: datetime
    closed: str | None
    closed_at: datetime | None
    goals: list[CustomerGoal]


class CustomerAnswer(Standing, Customer):
    """A customer with its deals, in the order they were opened."""

    history: list[CustomerDeal]
