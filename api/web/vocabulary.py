"""The words and shapes in which the pages show statuses, verdicts, facts and kinds of event."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Sign:
    """How something is shown: a shape, how it is filled, and words, as none stands alone."""

    glyph: str
    fill: str
    words: str


STATUSES: Final[dict[str, Sign]] = {
    "evidenced": Sign("circle", "filled", "Outcome evidenced"),
    "evidenced_late": Sign("circle", "filled", "Outcome evidenced, but late"),
    "asserted_only": Sign("circle", "hollow", "Checkbox-only: no more than the seller's word"),
    "bare_tick": Sign("circle", "hollow", "Checkbox-only: outcome never evidenced"),
    "pending": Sign("circle", "dashed", "Ticked, evidence still due"),
    "not_ticked": Sign("dash", "filled", "Not ticked"),
    "not_expressible": Sign("circle", "dashed", "The source cannot express outcomes"),
}
EVIDENCED: Final = ("evidenced", "evidenced_late")
CHECKBOX_ONLY: Final = ("asserted_only", "bare_tick")

EVIDENCE_LEVELS: Final = {
    1: "a note of ours",
    2: "a document of ours",
    3: "the customer's word",
    4: "a document of the customer's",
    5: "a binding document",
}
"""What shows an outcome at each level (docs/metrics.md)."""

VERDICTS: Final = {
    "pressure_shaped": "Pressure-shaped",
    "pressure_consistent": "Under pressure, but a customer action preceded it",
    "not_pressure_shaped": "Not pressure-shaped",
    "not_evaluable": "Not evaluable: quota or comparable events unknown",
}
VERDICTS_SHORT: Final = {
    "pressure_shaped": "Pressure-shaped",
    "pressure_consistent": "Consistent",
    "not_pressure_shaped": "Not shaped",
    "not_evaluable": "Not evaluable",
}
"""The same where there is little room, with the long ones beside them."""
HOLDS: Final[dict[bool | None, str]] = {True: "Holds", False: "Does not hold", None: "Unknown"}
FACTS: Final = {
    "window": "In the last days of the quarter",
    "behind": "Behind the pace to quota",
    "no_customer_action": "No customer action recorded that explains it",
    "abnormal": "Unlike comparable deals",
}
CAUSES: Final = {
    "seller_only": "no customer action was recorded that explains it",
    "customer_linked": "linked to a customer action",
    "customer_preceded": "a customer action preceded it",
}
MODIFIERS: Final = {
    "explained_late": "the customer action was recorded late",
    "customer_asserted": "only the seller's word for it",
}
DRIVERS: Final = {"customer": "Customer", "seller": "Seller", "other": "Record"}

KINDS: Final = {
    "circle": "Activity",
    "diamond": "Commitment",
    "check": "Evidence",
    "bubble": "Customer said",
    "triangle": "Discount",
    "arrow": "Close date",
    "flag": "Stage",
    "chevrons": "Stage skipped",
    "star": "Won",
    "cross": "Lost or disqualified",
    "dot": "Other",
}
GLYPHS: Final = {
    "activity_ticked": "circle",
    "activity_unticked": "circle",
    "outcome_evidenced": "check",
    "customer_commitment_recorded": "diamond",
    "commitment_kept": "diamond",
    "commitment_broken": "diamond",
    "commitment_withdrawn": "diamond",
    "commitment_renegotiated": "diamond",
    "customer_goal_recorded": "bubble",
    "customer_goal_achieved": "bubble",
    "customer_request_received": "bubble",
    "customer_feedback_recorded": "bubble",
    "consequence_recorded": "bubble",
    "obstacle_recorded": "bubble",
    "decision_criterion_recorded": "bubble",
    "discount_offered": "triangle",
    "discount_withdrawn": "triangle",
    "close_date_moved": "arrow",
    "stage_entered": "flag",
    "deal_won": "star",
    "deal_lost": "cross",
    "deal_disqualified": "cross",
}
SHAPED: Final = {
    "arrow": "pull-in",
    "triangle": "discount",
    "chevrons": "stage skip",
    "flag": "stage move",
}
"""What pressure can shape, one of each kind, by its glyph."""
HOLLOW_TYPES: Final = frozenset(
    {"activity_unticked", "commitment_broken", "commitment_withdrawn", "discount_withdrawn"}
)
"""What takes something back is drawn as the empty shape of what it takes back."""


def glyph_of(event_type: str) -> str:
    return GLYPHS.get(event_type, "dot")


SCOPES: Final = {
    "rep": "the rep",
    "segment": "the customer segment",
    "organisation": "the organisation",
}
"""Whose events an event is compared with."""

ROLES: Final = {
    "rep": "Rep",
    "manager": "Manager",
    "process_owner": "Process owner",
    "auditor": "Auditor",
    "admin": "Administrator",
}
"""What the roles are called (`api/identity/permissions.py`)."""
