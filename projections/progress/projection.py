"""Keeps the facts of every deal's progress; what time alone changes is computed when asked."""

from typing import Final

from projections.fact_projection import FactProjection, Facts
from projections.facts import FactTable
from projections.progress.advances import ADVANCE_TOPICS, ADVANCES_ONWARD, Advance, derive_advances
from projections.progress.ticks import (
    PLAN_TOPICS,
    TICK_TOPICS,
    Plan,
    Tick,
    derive_plans,
    derive_ticks,
)

PLANS: Final = FactTable("plans", Plan)
TICKS: Final = FactTable("ticks", Tick)
ADVANCES: Final = FactTable("advances", Advance)


def progress_projection() -> FactProjection:
    """The ticks and advances of every deal, and what its process plans, at every position."""
    return FactProjection(
        "progress",
        Facts(PLANS, derive_plans, PLAN_TOPICS, framed=True),
        Facts(TICKS, derive_ticks, TICK_TOPICS, framed=True),
        Facts(ADVANCES, derive_advances, ADVANCE_TOPICS, framed=True, onward=ADVANCES_ONWARD),
    )
