"""The built-in sales process: a start for those who have not published their own yet."""

from typing import Final

from domain.process import Activity, Closing, Outcome, Process, Stage


def _outcome(name: str, shown: str, *, level: int | None = None) -> Outcome:
    return Outcome(id=name, name=shown, required_level=level)


_QUALIFICATION: Final = Stage(
    id="qualification",
    name="Qualification",
    goal=(
        "Find out whether this is a qualified opportunity: a customer with a problem that we "
        "solve well, and with a reason to solve it."
    ),
    exit="Go or no-go is decided, with its reason. Walking away here is a good outcome.",
    activities=[
        Activity(
            id="talk_about_not_changing",
            name="Talk about what happens if nothing changes",
            purpose=(
                "To learn what it costs the customer to stay as it is. Without such a cost there "
                "is no reason to act, and nothing to sell."
            ),
            outcomes=[
                _outcome(
                    "consequence_of_not_changing",
                    "The customer has said what happens to it if nothing changes",
                )
            ],
        ),
        Activity(
            id="check_fit",
            name="Check the fit",
            purpose=(
                "To know whether the customer's problem is one that we solve well, before time of "
                "theirs and ours goes into it."
            ),
            outcomes=[
                _outcome(
                    "problem_is_ours_to_solve",
                    "The problem, in the customer's own words, is one that we have solved before",
                )
            ],
        ),
    ],
)

_DISCOVERY: Final = Stage(
    id="discovery",
    name="Discovery",
    goal=(
        "Understand what the customer wants to achieve, which alternatives it considers, and how "
        "it will decide."
    ),
    exit="The customer has confirmed our understanding of all three.",
    activities=[
        Activity(
            id="ask_about_goals",
            name="Ask what the customer wants to achieve",
            purpose="To work towards the customer's result; our own follows from it.",
            outcomes=[
                _outcome(
                    "customer_goal_understood",
                    "The customer has named its goal and how it will measure it",
                )
            ],
        ),
        Activity(
            id="ask_about_alternatives",
            name="Ask what else the customer could do",
            purpose=(
                "To know what we are compared with: another supplier, its own people, or doing "
                "nothing."
            ),
            outcomes=[
                _outcome(
                    "alternatives_known", "The customer has said which alternatives it considers"
                )
            ],
        ),
        Activity(
            id="meet_decision_makers",
            name="Meet with decision makers",
            purpose=(
                "To understand who takes part in the decision, which part each of them has, and by "
                "which criteria they will choose. Having met them is not yet knowing it."
            ),
            outcomes=[
                _outcome(
                    "decision_understood",
                    "Who decides, in which role and by which criteria, in the customer's words",
                )
            ],
        ),
    ],
)

_SOLUTION: Final = Stage(
    id="solution",
    name="Solution",
    goal="Show the customer how it reaches its goal with us, and what stands in the way.",
    exit="The customer sees its goal reached, and somebody removes every known obstacle.",
    activities=[
        Activity(
            id="show_solution",
            name="Show the solution on the customer's own case",
            purpose="To let the customer judge whether this gets it where it wants to be.",
            outcomes=[
                _outcome(
                    "solution_confirmed",
                    "The customer has confirmed that the solution meets its criteria",
                )
            ],
        ),
        Activity(
            id="find_obstacles",
            name="Look for obstacles together",
            purpose="To hear now what would stop the customer later.",
            outcomes=[
                _outcome(
                    "obstacles_named",
                    "The customer has named what stands in its way and who can remove it",
                )
            ],
        ),
    ],
)

_PROPOSAL: Final = Stage(
    id="proposal",
    name="Proposal",
    goal="Put to the customer what it needs to decide, on the day that it has planned to.",
    exit="The customer has the proposal and has said how and when it goes on from here.",
    activities=[
        Activity(
            id="agree_on_value",
            name="Work out the value with the customer",
            purpose="To set the price against what the change is worth, in the customer's figures.",
            outcomes=[
                _outcome("value_confirmed", "The customer has confirmed what the change is worth")
            ],
        ),
        Activity(
            id="agree_on_next_steps",
            name="Agree on the customer's steps to a decision",
            purpose="To follow the customer's timetable instead of our quarter.",
            outcomes=[
                _outcome(
                    "customer_timetable",
                    "The customer has committed to its own steps, each with a day and a name",
                )
            ],
        ),
    ],
)

_COMMITMENT: Final = Stage(
    id="commitment",
    name="Commitment",
    goal="The customer has decided to change and acts on it.",
    exit="The customer has committed itself, and nothing that it needs from us is open.",
    activities=[
        Activity(
            id="clear_the_way",
            name="Clear budget, contract and security questions",
            purpose="To leave nothing in the customer's own house that can stop what it wants.",
            outcomes=[
                _outcome(
                    "approvals_given",
                    "The customer's budget, legal and purchasing people have agreed in writing",
                    level=4,
                )
            ],
        ),
        Activity(
            id="plan_the_start",
            name="Plan the start with those who will use it",
            purpose="To make sure that the order is the beginning of the customer's result.",
            outcomes=[
                _outcome(
                    "start_committed", "The customer has named its people and the day of the start"
                )
            ],
        ),
    ],
)

DEFAULT_PROCESS: Final = Process(
    id="default",
    version=1,
    name="Customer decision",
    stages=(
        _QUALIFICATION,
        _DISCOVERY,
        _SOLUTION,
        _PROPOSAL,
        _COMMITMENT,
        Stage(id="won", name="Won", goal="The customer has ordered."),
        Stage(id="lost", name="Lost", goal="The customer has decided otherwise, or not at all."),
    ),
    closing=Closing(won="won", lost="lost"),
)
"""Judges the deals opened before an organisation publishes a process.

It has a version, so that a deal can be pinned to it; whoever publishes a process of the same id
goes on from there.
"""
