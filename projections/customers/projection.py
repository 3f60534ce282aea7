"""Keeps the goals of every deal's customer as they were known."""

from typing import Final

from projections.customers.goals import GOAL_TOPICS, Goal, derive_goals
from projections.fact_projection import FactProjection, Facts
from projections.facts import FactTable

GOALS: Final = FactTable("goals", Goal)


def customers_projection() -> FactProjection:
    """What the customer of every deal wants and has reached, at every position."""
    return FactProjection("customers", Facts(GOALS, derive_goals, GOAL_TOPICS, framed=False))
