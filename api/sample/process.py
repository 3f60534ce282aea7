"""The sample company's sales process, in the two versions that it published."""

from typing import Final, TypeAlias

Json: TypeAlias = dict[str, object]

PROCESS: Final = "standard"
QUALIFY: Final = "qualify"
DISCOVER: Final = "discover"
SOLUTION: Final = "solution"
PROPOSAL: Final = "proposal"
COMMIT: Final = "commit"
WON: Final = "closed-won"
LOST: Final = "closed-lost"
WORKING: Final = (QUALIFY, DISCOVER, SOLUTION, PROPOSAL, COMMIT)


def _activity(activity_id: str, name: str, purpose: str, *outcomes: tuple[str, str, int]) -> Json:
    return {
        "id": activity_id,
        "name": name,
        "purpose": purpose,
        "outcomes": [
            {"id": outcome, "name": title, "required_level": level}
            for outcome, title, level in outcomes
        ],
    }


def _stage(stage_id: str, name: str, goal: str, exit_rule: str, *activities: Json) -> Json:
    return {
        "id": stage_id,
        "name": name,
        "goal": goal,
        "exit": exit_rule,
        "activities": list(activities),
    }


_ROLES: Final = ("decision-roles-known", "Everyone who decides is known, with their role", 3)
_CRITERIA: Final = ("decision-criteria-known", "What they will decide by is known", 3)
_MEET_V1: Final = _activity(
    "meet-decision-makers",
    "Meet with decision makers",
    "Get in front of the people who sign.",
    _ROLES,
)
_MEET_V2: Final = _activity(
    "meet-decision-makers",
    "Meet with decision makers to understand who is involved, their roles and their criteria",
    "A handshake does not tell us how they will decide; their own words do.",
    _ROLES,
    _CRITERIA,
)
_QUALIFY: Final = _stage(
    QUALIFY,
    "Qualification",
    "Know whether this is a qualified opportunity: a problem that we solve well, and a reason "
    "to solve it now. If not, stop here.",
    "Go or no-go decided with the manager",
    _activity(
        "check-fit",
        "Walk through the problem with the person who has it",
        "Find out whether the problem is one that we solve.",
        ("problem-confirmed", "The customer describes the problem in its own words", 3),
    ),
    _activity(
        "ask-why-now",
        "Ask what makes it urgent",
        "Without a reason to change there will be no order.",
        ("reason-to-change", "The customer names why it has to change, and by when", 3),
    ),
)
_SOLUTION: Final = _stage(
    SOLUTION,
    "Solution",
    "The customer has seen, on its own data, that the solution reaches its goal.",
    "The people who will use it say that it fits",
    _activity(
        "demonstrate-on-their-data",
        "Demonstrate on the customer's own data",
        "Let the users judge the fit.",
        ("fit-confirmed", "The users say that it does what they need", 3),
    ),
    _activity(
        "reference-visit",
        "Bring the customer together with a reference",
        "Let the customer hear from somebody who has done it.",
        ("reference-heard", "The customer tells what it took from the reference", 3),
    ),
)
_PROPOSAL: Final = _stage(
    PROPOSAL,
    "Proposal",
    "The customer can defend the investment in its own house.",
    "Business case and security cleared by the customer",
    _activity(
        "business-case",
        "Work out the business case together",
        "The sponsor has to win the money with it.",
        ("business-case-agreed", "The customer's finance accepts the figures", 3),
    ),
    _activity(
        "security-review",
        "Go through the security review",
        "No surprise at signature.",
        ("security-passed", "The customer's IT has released us", 4),
    ),
    _activity(
        "send-proposal",
        "Send and discuss the proposal",
        "Hear what stands between the proposal and a yes.",
        ("proposal-acknowledged", "The customer answers the proposal point by point", 3),
    ),
)
_COMMIT: Final = _stage(
    COMMIT,
    "Commitment",
    "The customer acts: people, dates and terms are settled.",
    "Terms agreed in writing",
    _activity(
        "agree-plan",
        "Agree a plan to the first result",
        "A customer that plans its start has decided.",
        ("plan-agreed", "The customer has named people and dates for the start", 3),
    ),
    _activity(
        "agree-terms",
        "Settle the contract terms",
        "Legal and procurement take their time.",
        ("terms-agreed", "Procurement has accepted the terms", 4),
    ),
)
_CLOSING: Final[list[Json]] = [
    {"id": WON, "name": "Closed won", "goal": "The customer has ordered.", "activities": []},
    {"id": LOST, "name": "Closed lost", "goal": "The customer has decided otherwise.",
     "activities": []},
]  # fmt: skip


def _discover(meet: Json) -> Json:
    return _stage(
        DISCOVER,
        "Discovery",
        "Understand what the customer is trying to achieve, what else it considers, and how it "
        "will decide.",
        "Goals, alternatives and the way to a decision are written down and confirmed",
        meet,
        _activity(
            "goal-workshop",
            "Hold a goal workshop",
            "Agree what will be better for the customer, and how it will see that.",
            ("goals-agreed", "The customer confirms its goals with a measure", 3),
        ),
        _activity(
            "map-alternatives",
            "Go through the alternatives with the sponsor",
            "Doing nothing is always one of them.",
            ("alternatives-known", "The customer says what else it considers", 3),
        ),
    )


def published(version: int) -> Json:
    """Give the payload of a version; the second says what meeting decision makers is for."""
    meet, name = (_MEET_V1, "Standard sale") if version == 1 else (_MEET_V2, "Standard sale, 2")
    return {
        "version": version,
        "name": name,
        "stages": [_QUALIFY, _discover(meet), _SOLUTION, _PROPOSAL, _COMMIT, *_CLOSING],
        "closing": {"won": WON, "lost": LOST},
    }


ACTIVITIES: Final[dict[str, tuple[str, ...]]] = {
    QUALIFY: ("check-fit", "ask-why-now"),
    DISCOVER: ("meet-decision-makers", "goal-workshop", "map-alternatives"),
    SOLUTION: ("demonstrate-on-their-data", "reference-visit"),
    PROPOSAL: ("business-case", "security-review", "send-proposal"),
    COMMIT: ("agree-plan", "agree-terms"),
}
"""The activities of each stage, the same in both versions."""
_OUTCOMES: Final = {
    "check-fit": ("problem-confirmed",),
    "ask-why-now": ("reason-to-change",),
    "meet-decision-makers": ("decision-roles-known", "decision-criteria-known"),
    "goal-workshop": ("goals-agreed",),
    "map-alternatives": ("alternatives-known",),
    "demonstrate-on-their-data": ("fit-confirmed",),
    "reference-visit": ("reference-heard",),
    "business-case": ("business-case-agreed",),
    "security-review": ("security-passed",),
    "send-proposal": ("proposal-acknowledged",),
    "agree-plan": ("plan-agreed",),
    "agree-terms": ("terms-agreed",),
}
STRICT: Final = frozenset({"security-passed", "terms-agreed"})
"""Outcomes that need a document of the customer, level 4."""


def outcomes_of(activity: str, version: int) -> tuple[str, ...]:
    outcomes = _OUTCOMES[activity]
    return outcomes[:1] if version == 1 else outcomes
