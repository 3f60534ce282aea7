"""The answers about customers, in the shape of the API."""

from projections.customers.fold import Customer, CustomerDeal, Kept, days_to_goal
from projections.customers.goals import Goal
from projections.rates import number, rate_json

Json = dict[str, object]


def kept_json(found: Kept) -> Json:
    """Give what holds of all customers together."""
    days = found.median_days
    return {
        "customers": found.customers,
        "came_back": rate_json(found.came_back),
        "goals_achieved": rate_json(found.goals_achieved),
        "median_days_to_goal": None if days is None else number(float(days)),
    }


def customer_json(one: Customer) -> Json:
    """Give a customer in a list."""
    wins = one.wins
    return {
        "account_id": one.account_id,
        "name": one.name,
        "deals": one.deals,
        "open": one.open,
        "won": len(wins),
        "first_won_at": wins[0].won_at if wins else None,
        "repeat_wins": [str(deal.deal_id) for deal in one.repeat_wins],
        "goals": len(one.goals),
        "goals_achieved": len(one.reached),
    }


def deal_json(deal: CustomerDeal) -> Json:
    """Give a deal of a customer with what is wanted, each with the events that say so."""
    return {
        "deal_id": str(deal.deal_id),
        "opened_at": deal.opened_at,
        "closed": deal.closed,
        "closed_at": deal.closed_at,
        "goals": [_goal(deal, goal) for goal in deal.goals],
    }


def _goal(deal: CustomerDeal, goal: Goal) -> Json:
    days = days_to_goal(deal, goal)
    return {
        "goal": goal.goal,
        "recorded_at": goal.recorded_at,
        "recorded_by": None if goal.recorded_by is None else str(goal.recorded_by),
        "achieved_at": goal.achieved_at,
        "achieved_by": None if goal.achieved_by is None else str(goal.achieved_by),
        "days_after_win": None if days is None else int(days),
    }
