"""What is told of a deal in turn: by the form of each event, and by the API instead."""

from typing import Any, Final

from tests.support.client import event

USD: Final = {"amount": "900.00", "currency": "USD"}
Step = tuple[str, dict[str, str], list[dict[str, Any]]]
"""The form, what is filled in, and what the API is told instead; `{id}` is a name made by it."""
COMMITMENT: Final = {"commitment_id": "{id}", "what": "Sends the list", "kind": "data", "level": 2}
STEPS: Final[list[Step]] = [
    ("stage_entered", {"stage": "discovery"}, [event("stage_entered", stage="discovery")]),
    (
        "gate_decided",
        {
            "stage": "discovery",
            "decision": "conditional",
            "unmet": "alternatives_known\r\nvalue_confirmed",
            "overridden": "true",
        },
        [
            event(
                "gate_decided",
                stage="discovery",
                decision="conditional",
                unmet=["alternatives_known", "value_confirmed"],
                overridden=True,
            )
        ],
    ),
    (
        "outcome_evidenced",
        {
            "outcome": "decision_understood",
            "level": "3",
            "author.side": "customer",
            "author.contact": "eva",
            "statement": "Two lines\r\nof what she said",
            "artefact.uri": "https://example.com/mail",
        },
        [
            event(
                "outcome_evidenced",
                outcome="decision_understood",
                level=3,
                author={"side": "customer", "contact": "eva"},
                statement="Two lines\nof what she said",
                artefact={"uri": "https://example.com/mail"},
            )
        ],
    ),
    (
        "outcome_contradicted",
        {"outcome": "decision_understood"},
        [event("outcome_contradicted", outcome="decision_understood")],
    ),
    (
        "step_feedback_given",
        {"activity": "check_fit", "statement": "Worth it"},
        [event("step_feedback_given", activity="check_fit", statement="Worth it")],
    ),
    (
        "customer_commitment_recorded",
        {"what": "Sends the list", "kind": "data", "level": "2", "due": "2025-07-01"},
        [event("customer_commitment_recorded", **COMMITMENT, due="2025-07-01")],
    ),
    (
        "commitment_renegotiated",
        {"commitment_id": "{id}", "due": "2025-07-08"},
        [event("commitment_renegotiated", commitment_id="{id}", due="2025-07-08")],
    ),
    (
        "commitment_kept",
        {"commitment_id": "{id}"},
        [event("commitment_kept", commitment_id="{id}")],
    ),
    (
        "customer_commitment_recorded",
        {"what": "Sends the list", "kind": "data", "level": "2"},
        [event("customer_commitment_recorded", **COMMITMENT)],
    ),
    (
        "commitment_broken",
        {"commitment_id": "{id}", "reason": "They forgot"},
        [event("commitment_broken", commitment_id="{id}", reason="They forgot")],
    ),
    (
        "customer_commitment_recorded",
        {"what": "Sends the list", "kind": "data", "level": "2"},
        [event("customer_commitment_recorded", **COMMITMENT)],
    ),
    (
        "commitment_withdrawn",
        {"commitment_id": "{id}"},
        [event("commitment_withdrawn", commitment_id="{id}")],
    ),
    (
        "seller_promise_made",
        {"what": "A plan", "due": "2025-07-02"},
        [event("seller_promise_made", promise_id="{id}", what="A plan", due="2025-07-02")],
    ),
    (
        "seller_promise_kept",
        {"promise_id": "{id}"},
        [event("seller_promise_kept", promise_id="{id}")],
    ),
    (
        "seller_promise_made",
        {"what": "A price"},
        [event("seller_promise_made", promise_id="{id}", what="A price")],
    ),
    (
        "seller_promise_broken",
        {"promise_id": "{id}"},
        [event("seller_promise_broken", promise_id="{id}")],
    ),
    (
        "obstacle_recorded",
        {"obstacle": "No budget", "level": "3"},
        [event("obstacle_recorded", obstacle_id="{id}", obstacle="No budget", level=3)],
    ),
    (
        "obstacle_removed",
        {"obstacle_id": "{id}"},
        [event("obstacle_removed", obstacle_id="{id}")],
    ),
    (
        "customer_request_received",
        {"topic": "discount", "level": "3"},
        [event("customer_request_received", topic="discount", level=3)],
    ),
    (
        "customer_goal_recorded",
        {"goal": "Less waste", "measure": "tonnes", "level": "3"},
        [event("customer_goal_recorded", goal="Less waste", measure="tonnes", level=3)],
    ),
    (
        "consequence_recorded",
        {"consequence": "It costs", "amount.amount": "900.00", "by": "2025-09-01", "level": "2"},
        [
            event(
                "consequence_recorded", consequence="It costs", amount=USD, by="2025-09-01", level=2
            )
        ],
    ),
    (
        "contact_identified",
        {"contact": "eva", "role": "CFO"},
        [event("contact_identified", contact="eva", role="CFO")],
    ),
    (
        "decision_criterion_recorded",
        {"criterion": "Speed"},
        [event("decision_criterion_recorded", criterion="Speed")],
    ),
    (
        "alternative_recorded",
        {"alternative": "Nothing"},
        [event("alternative_recorded", alternative="Nothing")],
    ),
    (
        "fit_assessed",
        {"verdict": "in", "criteria": "size: fits\r\nplace: near"},
        [event("fit_assessed", verdict="in", criteria={"size": "fits", "place": "near"})],
    ),
    (
        "customer_feedback_recorded",
        {"felt_pressured": "false"},
        [event("customer_feedback_recorded", felt_pressured=False)],
    ),
    (
        "customer_goal_achieved",
        {"goal": "Less waste", "level": "4"},
        [event("customer_goal_achieved", goal="Less waste", level=4)],
    ),
    ("note_added", {"text": "A note"}, [event("note_added", text="A note")]),
    ("review_held", {"focus": "customer"}, [event("review_held", focus="customer")]),
    (
        "coaching_given",
        {"rep": "ann", "statement": "Ask more"},
        [event("coaching_given", rep="ann", statement="Ask more")],
    ),
    (
        "discount_offered",
        {"percent": "12.5", "requested_by": "customer", "list.amount": "900.00"},
        [event("discount_offered", percent="12.5", requested_by="customer", list=USD)],
    ),
    ("discount_withdrawn", {"reason": "No"}, [event("discount_withdrawn", reason="No")]),
    (
        "concession_offered",
        {"kind": "terms", "detail": "60 days"},
        [event("concession_offered", kind="terms", detail="60 days")],
    ),
    ("amount_changed", {"amount.amount": "900.00"}, [event("amount_changed", amount=USD)]),
    (
        "close_date_moved",
        {"to": "2025-07-31", "reason": "Their summer"},
        [event("close_date_moved", to="2025-07-31", reason="Their summer")],
    ),
    (
        "forecast_category_changed",
        {"category": "best_case"},
        [event("forecast_category_changed", category="best_case")],
    ),
    (
        "credit_split_set",
        {"shares": "ann: 0.5\r\nben: 0.5"},
        [event("credit_split_set", shares={"ann": "0.5", "ben": "0.5"})],
    ),
    ("owner_changed", {"owner": "ben"}, [event("owner_changed", owner="ben")]),
    (
        "deal_moved_to_process",
        {"process": "other 1", "mapping": "discovery: first"},
        [
            event(
                "deal_moved_to_process",
                process={"id": "other", "version": 1},
                mapping={"discovery": "first"},
            )
        ],
    ),
    (
        "deal_won",
        {"net.amount": "900.00", "closed_on": "2025-06-30"},
        [event("deal_won", net=USD, closed_on="2025-06-30")],
    ),
    ("win_reversed", {"reason": "It was not"}, [event("win_reversed", reason="It was not")]),
    ("deal_lost", {"competitor": "Acme"}, [event("deal_lost", competitor="Acme")]),
    ("deal_reopened", {}, [event("deal_reopened")]),
    ("deal_disqualified", {"reason": "No fit"}, [event("deal_disqualified", reason="No fit")]),
]
TOLD_APART: Final = {"activity_ticked", "activity_unticked", "evidence_withdrawn"}
"""Told in a test of their own."""
CURRENCIES: Final = {f"{name}.currency": "USD" for name in ("amount", "net", "list")}
"""What a form says beforehand, also where no amount is told."""
OTHER: Final = {
    "version": 1,
    "name": "Other",
    "stages": [{"id": one, "name": one, "goal": "Know more"} for one in ("first", "won")],
    "closing": {"won": "won", "lost": "lost"},
}
NEW_ID: Final = ("commitment_id", "promise_id", "obstacle_id")


def filled_in(value: Any, name: str) -> Any:
    """Put the name that the form made where a step leaves it open."""
    match value:
        case str():
            return value.replace("{id}", name)
        case dict():
            return {key: filled_in(inner, name) for key, inner in value.items()}
        case list():
            return [filled_in(inner, name) for inner in value]
        case _:
            return value


def states(told: dict[str, Any]) -> bool:
    """Say whether an event gives something new its name."""
    names = ("customer_commitment_recorded", "seller_promise_made", "obstacle_recorded")
    return told["type"] in names
