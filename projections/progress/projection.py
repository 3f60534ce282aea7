"""Keeps the facts of every deal's progress; what time alone changes is computed when asked."""

from typing import Final

from projections.fact_projection import FactProjection, Facts
from projections.facts import FactTable
from projections.progress.advances import ADVANCE_TOPICS, ADVANCES_ONWARD, Advance, derive_advances
from projections.progress.claims import CLAIM_TOPICS, CLAIMS_ONWARD, Claim, derive_claims
from projections.progress.openings import OPENING_TOPICS, Opening, derive_openings
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
CLAIMS: Final = FactTable("claims", Claim)
OPENINGS: Final = FactTable("openings", Opening)


def progress_projection() -> FactProjection:
    """The ticks, claims and advances of every deal, its plan and opening, at every position."""
    return FactProjection(
        "progress",
        Facts(PLANS, derive_plans, PLAN_TOPICS, framed=True),
        Facts(TICKS, derive_ticks, TICK_TOPICS, framed=True),
        Facts(ADVANCES, derive_advances, ADVANCE_TOPICS, framed=True, onward=ADVANCES_ONWARD),
        Facts(CLAIMS, derive_claims, CLAIM_TOPICS, framed=True, onward=CLAIMS_ONWARD),
        Facts(OPENINGS, derive_openings, OPENING_TOPICS, framed=False),
    )
