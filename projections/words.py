"""Each event in plain words: a title and, where there is more to say, a detail."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from domain.events import customer as c
from domain.events import honesty as h
from domain.events import life as x
from domain.events import money as m
from domain.events import people as p
from domain.events import progress as g
from domain.events.base import DomainEvent
from domain.events.progress import Author
from domain.values import decimal_text
from projections.names import NO_NAMES, Names
from projections.wording import Break, Contact, Person, Piece, Portion, Wording

EVIDENCE_LEVELS: Final = {
    1: "the seller's note",
    2: "a document of the seller's",
    3: "the customer's word",
    4: "a document of the customer's",
    5: "a binding document",
}
"""What each evidence level means (METRICS section 5)."""
COMMITMENT_LEVELS: Final = {
    0: "a continuation",
    1: "a verbal, dated action",
    2: "in writing from the customer",
    3: "the customer spends people or data",
    4: "budget, procurement or the economic buyer",
    5: "binding",
}
"""What each commitment level means (METRICS section 5)."""

FIT: Final = {"in": "it fits", "out": "it does not fit", "unclear": "unclear"}
"""What each verdict on the fit of a deal means."""


def title(event: DomainEvent, names: Names = NO_NAMES) -> str:
    """Say in one line what happened; `names` are what its ids are called.

    Figures and colleagues in it are pieces of a `Wording`, where there are any.
    """
    named = _NAMED.get(type(event))
    return named(event, names) if named else _TITLES[type(event)](event)


def detail(event: DomainEvent, names: Names = NO_NAMES) -> str | None:
    """Give as a `Wording` what the teller added: reason, statement, conditions; None if nothing."""
    parts: list[Piece] = [
        _DETAILS[name](value) for name, value in event if name in _DETAILS and value
    ]
    if unmet := getattr(event, "unmet", None):
        parts.append(f"Unmet: {', '.join(names.outcomes.get(one, one) for one in unmet)}")
    return Wording.joined(Break(), parts) if parts else None


def _opened(e: Any) -> str:
    date = (", expected to close on ", e.close_date) if e.close_date else ()
    opened = (f"Deal opened for {e.account.name}: ", e.amount or "no amount")
    return Wording(*opened, *date, ", owned by ", Person(e.owner))


def _due(words: str, e: Any) -> str:
    return Wording(words, ", due ", e.due) if e.due else words


def _commitment(e: Any) -> str:
    return _due(f"Customer commitment ({COMMITMENT_LEVELS[e.level]}): {e.what}", e)


def _gate(e: Any, names: Names) -> str:
    decision = {"go": "go", "no_go": "no-go", "conditional": "go under conditions"}[e.decision]
    overridden = " (overridden)" if e.overridden else ""
    return f"Gate of {names.stages.get(e.stage, e.stage)}: {decision}{overridden}"


def _consequence(e: Any) -> str:
    words = f"Consequence of not changing: {e.consequence}"
    return Wording(words, " (", e.amount, ")") if e.amount else words


def _evidenced(e: Any, names: Names) -> str:
    outcome = names.outcomes.get(e.outcome, e.outcome)
    return f"Outcome evidenced by {EVIDENCE_LEVELS[e.level]}: {outcome}"


def _moved(e: Any, names: Names) -> str:
    process = names.processes.get(e.process.id, e.process.id)
    return f"Moved to process {process}, version {e.process.version}"


def _split(e: Any) -> str:
    shares = [Wording(Person(rep), " ", Portion(share)) for rep, share in sorted(e.shares.items())]
    return Wording("Credit split set: ", Wording.joined(", ", shares))


def _identified(e: Any) -> str:
    return Wording("Contact identified: ", Contact(e.contact), f", {e.role}")


def _request(e: Any) -> str:
    return "Customer request" + ("" if e.topic == "other" else f" about {e.topic}")


def _feedback(e: Any) -> str:
    return "Customer felt pressured" if e.felt_pressured else "Customer did not feel pressured"


_TITLES: Final[Mapping[type[DomainEvent], Callable[[Any], str]]] = {
    x.DealOpened: _opened,
    x.OwnerChanged: lambda e: Wording("Owner changed to ", Person(e.owner)),
    x.CreditSplitSet: _split,
    x.AmountChanged: lambda e: Wording("Amount changed to ", e.amount),
    x.CloseDateMoved: lambda e: Wording("Close date moved to ", e.to),
    x.ForecastCategoryChanged: lambda e: f"Forecast set to {e.category.replace('_', ' ')}",
    x.DealWon: lambda e: Wording("Won at ", e.net, ", closed on ", e.closed_on),
    x.DealLost: lambda e: f"Lost{f' to {e.competitor}' if e.competitor else ''}",
    x.DealDisqualified: lambda _: "Disqualified",
    x.DealReopened: lambda _: "Reopened",
    x.WinReversed: lambda _: "Win reversed",
    x.DealDeleted: lambda _: "Deleted in the source",
    g.EvidenceWithdrawn: lambda _: "Evidence withdrawn",
    c.CustomerGoalRecorded: lambda e: f"Customer goal: {e.goal}",
    c.ConsequenceRecorded: _consequence,
    c.ObstacleRecorded: lambda e: f"Obstacle: {e.obstacle}",
    c.ContactIdentified: _identified,
    c.DecisionCriterionRecorded: lambda e: f"Decision criterion: {e.criterion}",
    c.AlternativeRecorded: lambda e: f"Alternative considered: {e.alternative}",
    c.FitAssessed: lambda e: f"Fit assessed: {FIT[e.verdict]}",
    c.CustomerRequestReceived: _request,
    c.CustomerCommitmentRecorded: _commitment,
    c.SellerPromiseMade: lambda e: _due(f"Seller promised: {e.what}", e),
    c.CustomerFeedbackRecorded: _feedback,
    c.CustomerGoalAchieved: lambda e: f"Customer goal achieved: {e.goal}",
    m.DiscountOffered: lambda e: f"Discount of {decimal_text(e.percent)}% offered",
    m.DiscountWithdrawn: lambda _: "Discount withdrawn",
    m.ConcessionOffered: lambda e: f"Concession offered: {e.kind}",
    p.ReviewHeld: lambda e: f"Review held{f' about the {e.focus}' if e.focus else ''}",
    p.CoachingGiven: lambda e: Wording(Person(e.rep), " was coached"),
    p.NoteAdded: lambda _: "Note",
    h.EventAmended: lambda _: "Correction: an earlier event was amended",
    h.EventRetracted: lambda _: "Correction: an earlier event was retracted",
    h.HistoryGap: lambda e: f"Gap in the source's history: {', '.join(e.fields)}",
}


def _with(words: str, ids: str, kind: str) -> Callable[[Any, Names], str]:
    """Give a title that ends with what the id in the field `ids` is called."""

    def named(event: Any, names: Names) -> str:
        name = getattr(event, ids)
        return f"{words} {getattr(names, kind).get(name, name)}"

    return named


def _renegotiated(e: Any, names: Names) -> str:
    what = names.commitments.get(e.commitment_id, e.commitment_id)
    return Wording("Commitment is now due ", e.due, f": {what}")


_NAMED: Final[Mapping[type[DomainEvent], Callable[[Any, Names], str]]] = {
    x.DealMovedToProcess: _moved,
    g.StageEntered: _with("Entered stage", "stage", "stages"),
    g.GateDecided: _gate,
    g.ActivityTicked: _with("Ticked:", "activity", "activities"),
    g.ActivityUnticked: _with("Unticked:", "activity", "activities"),
    g.OutcomeEvidenced: _evidenced,
    g.OutcomeContradicted: _with("Outcome contradicted:", "outcome", "outcomes"),
    g.StepFeedbackGiven: _with("Feedback on the step:", "activity", "activities"),
    c.ObstacleRemoved: _with("Obstacle removed:", "obstacle_id", "obstacles"),
    c.CommitmentKept: _with("Customer kept its commitment:", "commitment_id", "commitments"),
    c.CommitmentBroken: _with("Customer broke its commitment:", "commitment_id", "commitments"),
    c.CommitmentWithdrawn: _with(
        "Customer withdrew its commitment:", "commitment_id", "commitments"
    ),
    c.CommitmentRenegotiated: _renegotiated,
    c.SellerPromiseKept: _with("Seller kept its promise:", "promise_id", "promises"),
    c.SellerPromiseBroken: _with("Seller broke its promise:", "promise_id", "promises"),
}
"""Titles that name something by its id."""


def _author(value: Author) -> str:
    if value.contact is None:
        return f"From the {value.side}"
    who = Person(value.contact) if value.side == "seller" else Contact(value.contact)
    return Wording(f"From the {value.side} (", who, ")")


_DETAILS: Final[Mapping[str, Callable[[Any], str]]] = {
    "reason": lambda value: f"Reason: {value}",
    "statement": str,
    "text": str,
    "notes": str,
    "measure": lambda value: f"Measured by: {value}",
    "condition": lambda value: f"Condition: {value}",
    "expires_on": lambda value: Wording("Expires on ", value),
    "requested_by": lambda value: f"Requested by the {value}",
    "detail": str,
    "author": _author,
    "artefact": lambda value: f"See {value.uri}",
    "list": lambda value: Wording("List price ", value),
    "who": lambda value: f"Felt by {value}",
    "by": lambda value: Wording("By ", Contact(value) if isinstance(value, str) else value),
    "start": lambda value: Wording("From ", value.date()),
    "end": lambda value: Wording("To ", value.date()),
}
