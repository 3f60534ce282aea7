"""The numbers that verdicts are made with, as one versioned value (METRICS section 1)."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from domain.errors import PolicyRefusedError

Fraction = Annotated[Decimal, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1, le=100_000)]
Percent = Annotated[Decimal, Field(gt=0, le=100)]
Days = Annotated[int, Field(ge=0, le=366)]


class Policy(BaseModel):
    """What counts as late, deep, behind or near; a verdict names the version it was made with."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int = 0
    window_days: Days = Field(
        14, description="The last days of a quarter: fewer days left than this."
    )
    opening_days: Days = Field(5, description="The first days of a quarter, left out of baselines.")
    theta: Fraction = Field(Decimal("0.25"), description="Pressure from which a rep is behind.")
    lookback_days: Days = Field(
        7, description="How long before a seller event a customer event explains it."
    )
    late_explanation_hours: Count = Field(
        48,
        description="A customer event recorded this much after the seller event explains it late.",
    )
    alpha: Fraction = Field(
        Decimal("0.10"), description="A depth is abnormal if as rare as this in the baseline."
    )
    minimum_excess: Annotated[Decimal, Field(ge=0, le=100)] = Field(
        Decimal(2),
        description="Percentage points above the baseline median, or of a step, that matter.",
    )
    n_rep: Count = Field(
        9, description="Baseline offers that a rep needs to be compared with themselves."
    )
    n_segment: Count = Field(20, description="Baseline offers that a segment needs.")
    n_organisation: Count = Field(20, description="Baseline offers that the organisation needs.")
    grace_days: Days = Field(
        14, description="How long after a tick its outcome may still be evidenced."
    )
    discovery_days: Days = Field(
        30, description="How long after it was learned a fact may still change offer, plan or fit."
    )
    burst_ticks: Count = Field(5, description="Ticks in a run that make a burst.")
    burst_gap_seconds: Count = Field(120, description="The longest gap inside a burst.")
    bulk_share: Fraction = Field(
        Decimal("0.5"),
        description="Ticks of a burst not yet evidenced, from which it is a bulk tick.",
    )
    catch_up_share: Fraction = Field(
        Decimal("0.2"), description="Ticks of a burst not yet evidenced that a backlog may have."
    )
    review_hours: Count = Field(
        48, description="A burst this long before a review or quarter end is before a review."
    )
    approval_thresholds: tuple[Percent, ...] = Field(
        (),
        description="Discounts in per cent, each the deepest that one rank needs no approval for.",
    )
    hugging_points: Annotated[Decimal, Field(ge=0, le=100)] = Field(
        Decimal(1), description="Percentage points under a threshold that are just under it."
    )
    splitting_deals: Count = Field(
        3, description="Deals of one customer over which a discount counts as split."
    )
    splitting_days: Days = Field(30, description="The days within which those deals get it.")
    reversal_days: Days = Field(
        30, description="A win taken back this soon was perhaps none when it was booked."
    )
    reopening_days: Days = Field(
        10, description="A deal lost at a quarter's end and reopened this soon after was parked."
    )
    shrink_k: Count = Field(
        20, description="Deals at which a rep's own pace weighs as much as the team's."
    )
    commitment_grace_days: Days = Field(
        3, description="How long past its due day an open commitment is not yet broken."
    )
    expiry_days: Days = Field(
        1, description="An offer that expires this near to a quarter end is timed to it."
    )
    late_hours: Count = Field(
        48, description="An event recorded this much after it occurred is late."
    )
    dwell_percentile: Fraction = Field(
        Decimal("0.10"), description="A stay in a stage shorter than this share of stays is a rush."
    )
    n_dwell: Count = Field(
        20, description="Stays that a stage needs before a stay can be called short."
    )
    coverage_gate: Fraction | None = Field(
        None, description="Recording coverage below which no event is called pressure-shaped."
    )


DEFAULT_POLICY: Final = Policy()
"""In force until an organisation publishes its own; version 0."""


def policy_from(version: int, numbers: Mapping[str, object]) -> Policy:
    """Build a policy from a published payload; numbers left out keep their defaults.

    Raises:
        PolicyRefusedError: a number is unknown or out of bounds; the message names it.
    """
    if "version" in numbers:
        message = "`version` is not one of the numbers"
        raise PolicyRefusedError(message, field="numbers.version")
    try:
        return Policy.model_validate({"version": version, **numbers})
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        message = f"numbers.{name}: {first['msg']}"
        raise PolicyRefusedError(message, field=f"numbers.{name}") from error
