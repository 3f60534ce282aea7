"""Keeps what both sides of all deals said they will do, and the signs that flags are read from."""

from typing import Final

from projections.commitments.facts import (
    COMMITMENT_TOPICS,
    SIGN_TOPICS,
    Given,
    Sign,
    derive_given,
    derive_signs,
)
from projections.fact_projection import FactProjection, Facts
from projections.facts import FactTable

COMMITMENTS: Final = FactTable("commitments", Given)
SIGNS: Final = FactTable("signs", Sign)


def commitments_projection() -> FactProjection:
    """The commitments and promises, pushes and contacts of every deal, at every position."""
    return FactProjection(
        "commitments",
        Facts(COMMITMENTS, derive_given, COMMITMENT_TOPICS, framed=True),
        Facts(SIGNS, derive_signs, SIGN_TOPICS, framed=False),
    )
