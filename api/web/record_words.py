"""What the forms of events are called, and what they ask for, in words."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from api.web.vocabulary import EVIDENCE_LEVELS
from projections.words import COMMITMENT_LEVELS


@dataclass(frozen=True, slots=True)
class Words:
    """The name of a form, and what its button says."""

    title: str
    send: str = "Record"


GROUPS: Final[Mapping[str, Mapping[str, Words]]] = {
    "Progress": {
        "activity_ticked": Words("Tick an activity", "Tick it"),
        "outcome_evidenced": Words("Record evidence", "Record the evidence"),
        "stage_entered": Words("Move to a stage", "Move it"),
        "gate_decided": Words("Decide a gate", "Record the decision"),
        "activity_unticked": Words("Untick an activity", "Untick it"),
        "outcome_contradicted": Words("Contradict an outcome"),
        "evidence_withdrawn": Words("Withdraw evidence", "Withdraw it"),
        "step_feedback_given": Words("Feedback on a step"),
    },
    "The customer": {
        "customer_commitment_recorded": Words("Customer commitment"),
        "commitment_kept": Words("Commitment kept"),
        "commitment_renegotiated": Words("Commitment moved", "Move it"),
        "commitment_broken": Words("Commitment broken"),
        "commitment_withdrawn": Words("Commitment withdrawn"),
        "customer_request_received": Words("Customer request"),
        "customer_goal_recorded": Words("Customer goal"),
        "consequence_recorded": Words("Consequence of not changing"),
        "obstacle_recorded": Words("Obstacle"),
        "obstacle_removed": Words("Obstacle removed"),
        "contact_identified": Words("Contact"),
        "decision_criterion_recorded": Words("Decision criterion"),
        "alternative_recorded": Words("Alternative"),
        "fit_assessed": Words("Fit"),
        "customer_feedback_recorded": Words("Customer feedback"),
        "customer_goal_achieved": Words("Goal achieved"),
    },
    "Us": {
        "seller_promise_made": Words("Promise of ours"),
        "seller_promise_kept": Words("Promise kept"),
        "seller_promise_broken": Words("Promise broken"),
        "note_added": Words("Note", "Keep the note"),
        "review_held": Words("Review held"),
        "coaching_given": Words("Coaching"),
    },
    "Price and date": {
        "discount_offered": Words("Offer a discount"),
        "discount_withdrawn": Words("Withdraw the discount", "Withdraw it"),
        "concession_offered": Words("Offer a concession"),
        "amount_changed": Words("Change the amount", "Change it"),
        "close_date_moved": Words("Move the close date", "Move it"),
        "forecast_category_changed": Words("Change the forecast category", "Change it"),
    },
    "The deal": {
        "deal_won": Words("Win the deal", "It is won"),
        "deal_lost": Words("Lose the deal", "It is lost"),
        "deal_disqualified": Words("Disqualify the deal", "Disqualify it"),
        "deal_reopened": Words("Reopen the deal", "Reopen it"),
        "win_reversed": Words("Reverse the win", "Reverse it"),
        "owner_changed": Words("Change the owner", "Change it"),
        "credit_split_set": Words("Split the credit"),
        "deal_moved_to_process": Words("Move to another process", "Move it"),
    },
}
"""The forms of a deal's events by the heading they stand under, in the order of the menu."""
OFTEN: Final = (
    "activity_ticked",
    "outcome_evidenced",
    "customer_commitment_recorded",
    "stage_entered",
    "close_date_moved",
    "discount_offered",
    "note_added",
)
"""What the page of a deal offers at first sight."""
CORRECTIONS: Final[Mapping[str, Words]] = {
    "event_amended": Words("Amend an event", "Amend it"),
    "event_retracted": Words("Retract an event", "Retract it"),
    "undo": Words("Undo an event", "Undo it"),
}
CORRECTED: Final = {"event_amended": "Amend", "event_retracted": "Retract", "undo": "Undo"}
"""The ways to correct an event, as its row names them."""
OPENING: Final = Words("Open a deal", "Open it")
FORMS: Final = {name: words for group in GROUPS.values() for name, words in group.items()}

NOTES: Final[Mapping[str, str]] = {
    "activity_ticked": "A tick is a claim. What shows that it was worth doing is told beside it, "
    "now or later.",
    "event_amended": "What you send takes the place of the whole event. Both stay visible.",
    "event_retracted": "It never should have been told. It stays visible and counts no more; "
    "what was told since stays as it is.",
    "undo": "Figures read as if it had not been told. It stays visible; what a later event rests "
    "on is undone after that one.",
    "deal_moved_to_process": "A stage that the other process lacks needs a line such as "
    "old-stage: new-stage.",
    "credit_split_set": "One person a line, by name or id, as in Amara Osei: 0.6. The shares sum "
    "to 1.",
}
LABELS: Final[Mapping[str, str]] = {
    "account.id": "Id of the account",
    "account.name": "Account",
    "account.segment": "Segment",
    "activity": "Activity",
    "amount.amount": "Amount",
    "artefact.sha256": "SHA-256 of the document",
    "artefact.uri": "Where the document is",
    "author.contact": "Who said it",
    "author.side": "Whose word it is",
    "by": "By whom",
    "category": "Category",
    "caused_by": "Brought about by",
    "close_date": "Close date",
    "closed_on": "Closed on",
    "commitment_id": "Commitment",
    "consequence_recorded.by": "By when",
    "criteria": "Criteria, one a line",
    "currency": "Currency",
    "due": "Due",
    "event_amended.reason": "Why it is amended",
    "event_retracted.reason": "Why it is retracted",
    "event_id": "Evidence",
    "expires_on": "Expires on",
    "fields": "Fields, one a line",
    "level": "Shown by",
    "customer_commitment_recorded.level": "How firm it is",
    "list.amount": "List price",
    "mapping": "Ids that change, one a line",
    "net.amount": "Net price",
    "obstacle_id": "Obstacle",
    "occurred_at": "When it happened, in UTC",
    "overlays": "Overlays, one a line",
    "percent": "Discount in per cent",
    "process": "Process",
    "promise_id": "Promise",
    "reason": "Reason",
    "requested_by": "Asked for by",
    "review_held.focus": "What the talk was of",
    "role": "Their part in it",
    "shares": "Shares, one a line",
    "to": "New close date",
    "unmet": "Still unmet",
    "what": "What",
    "deal_opened.name": "Name of the deal",
}
"""By the path of a field, after the type of its event where it means something else there."""
HELP: Final[Mapping[str, str]] = {
    "account.id": "Deals with one id are of one customer. Empty means that of this name.",
    "account.name": "Which company buys: one that you know, or a new one.",
    "artefact.sha256": "64 characters, 0 to 9 and a to f.",
    "artefact.uri": "An address or a path, without spaces.",
    "author.side": "Levels 3 to 5 are the customer's.",
    "currency": "Three letters such as USD.",
    "occurred_at": "Empty means now.",
    "caused_by": "An action of the customer explains what the seller did after it.",
    "customer_commitment_recorded.by": "The person who said it, by id or name.",
    "percent": "A number such as 12.5.",
    "deal_opened.name": "What is being sold.",
}
EMPTY: Final[Mapping[str, str]] = {
    "deal_opened.process": "The one in force",
    "stage_entered.stage": "None yet",
}
"""What it means to choose nothing, where more is to be said than that nothing was said."""
CHOICES: Final[Mapping[str, str]] = {
    "best_case": "Best case",
    "for_discount": "Something in return for a discount",
    "no_go": "No-go",
    "verdict.in": "It fits",
    "verdict.out": "It does not fit",
    "felt_pressured.true": "Yes, pressured",
    "felt_pressured.false": "No",
    "true": "Yes",
    "false": "No",
}
LEVELS: Final = {str(number): f"{number}, {words}" for number, words in EVIDENCE_LEVELS.items()}
FIRMNESS: Final = {str(number): f"{number}, {words}" for number, words in COMMITMENT_LEVELS.items()}
"""Evidence and commitments by their level (docs/metrics.md)."""
