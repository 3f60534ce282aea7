"""Keeps the seller events and stays of every deal, from which all verdicts follow."""

from projections.fact_projection import FactProjection, Facts
from projections.pressure.context import ACTS, STAYS
from projections.pressure.derive import (
    ACT_TOPICS,
    ACTS_ONWARD,
    STAY_TOPICS,
    derive_acts,
    derive_stays,
)


def pressure_projection() -> FactProjection:
    """The acts and stays of every deal at every position."""
    return FactProjection(
        "pressure",
        Facts(ACTS, derive_acts, ACT_TOPICS, framed=True, onward=ACTS_ONWARD),
        Facts(STAYS, derive_stays, STAY_TOPICS, framed=True),
    )
