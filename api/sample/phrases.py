"""What people write and say around a deal, by occasion."""

from typing import Final

SHOWN: Final = {
    "problem-confirmed": (
        "Mail from {user}: 'This is what costs us every Monday', with photos of the board.",
        "{user} described the problem in a call and confirmed our summary by mail.",
        "{user} sent last month's figures unasked and marked the bad weeks.",
    ),
    "reason-to-change": (
        "{sponsor} wrote that it must be running before the next audit.",
        "{sponsor}: 'If nothing has changed by then we lose the contract.' Confirmed by mail.",
        "The board's minutes, forwarded by {sponsor}, name it as one of three priorities.",
    ),
    "decision-roles-known": (
        "{sponsor} listed by mail who decides: {buyer} on money, {gatekeeper} on IT.",
        "Organisation chart from {sponsor}, with the three people who sign marked.",
        "{user} confirmed in writing: {sponsor} proposes, {buyer} releases the money.",
    ),
    "decision-criteria-known": (
        "{sponsor} sent the five criteria that they will score offers by.",
        "Criteria agreed in the meeting and confirmed by {buyer} the next day.",
        "Scoring sheet received from {buyer}: fit 40, effort 30, price 30.",
    ),
    "goals-agreed": (
        "{sponsor} returned the goal sheet with two corrections and a signature.",
        "Workshop minutes written by {user}; goals and measures are theirs.",
        "{sponsor} put the goals on their own project page and sent the link.",
    ),
    "alternatives-known": (
        "{sponsor} told us openly what else is on the table, and sent the comparison.",
        "{user} wrote that doing nothing is the favourite of two colleagues.",
        "Mail from {buyer}: one other offer is in, with a smaller scope.",
    ),
    "fit-confirmed": (
        "After the session {user} wrote: 'That is how we work. Two points are open.'",
        "Three users filled in the test sheet, all but one point passed.",
        "{user} ran the session with own data and sent the result to {sponsor}.",
    ),
    "reference-heard": (
        "{sponsor} after the call: 'They had the same problem with the shift leaders.'",
        "Visit report by {user}, shared with us: what to copy and what to avoid.",
        "{sponsor} asked for the rollout plan that the reference had used.",
    ),
    "business-case-agreed": (
        "{buyer} accepted the figures with a lower saving in the first year.",
        "Finance's own sheet, sent by {buyer}: pays back in 14 months.",
        "{buyer} confirmed by mail that the case goes to the investment round.",
    ),
    "security-passed": (
        "Release by {gatekeeper}, with one condition on log retention.",
        "Completed questionnaire signed by {gatekeeper}.",
        "{gatekeeper} closed the review ticket and sent the approval.",
    ),
    "proposal-acknowledged": (
        "{buyer} answered the proposal point by point, three questions remain.",
        "{sponsor} returned the proposal with comments from legal.",
        "{buyer} confirmed scope and price range, wants other payment terms.",
    ),
    "plan-agreed": (
        "{sponsor} named the project lead and blocked the kick-off week.",
        "Plan returned by {user} with holidays and shutdown entered.",
        "{sponsor} invited both teams to the kick-off.",
    ),
    "terms-agreed": (
        "Procurement sent the contract with all changes accepted.",
        "{buyer} confirmed the terms, document attached.",
        "Marked-up contract from legal, no open points.",
    ),
}
"""What a customer gives as evidence of each outcome."""

NOTED: Final = (
    "Call went well, they get it.",
    "As far as I can tell this is clear.",
    "{user} nodded to this in the meeting.",
    "Discussed briefly at the end of the call.",
    "I believe {sponsor} agrees; will ask for it in writing.",
    "Covered on slide 6, no objections.",
)
"""A rep's own word, level 1 or 2."""

CONTRADICTED: Final = {
    "security-passed": "{gatekeeper} takes the release back until the log retention is settled.",
    "business-case-agreed": "{buyer} writes that finance has not accepted these figures after all.",
    "decision-roles-known": "A second decision maker turned up whom nobody had mentioned.",
    "fit-confirmed": "The night shift tried it and does not agree with the day shift.",
    "reason-to-change": "{sponsor} says the deadline has been moved by half a year.",
}
"""What later speaks against an outcome that had been shown."""
REQUESTS: Final = {
    "discount": (
        "{buyer} asked for a better price for a three-year term.",
        "{buyer} needs to show purchasing a reduction against list.",
        "{sponsor} has {m} percent less budget than the proposal and asked what is possible.",
    ),
    "competitor": (
        "{buyer} sent a competing offer and asked whether we can come closer.",
        "{sponsor} was told by group purchasing to compare with the incumbent's price.",
    ),
    "date": (
        "{sponsor} wants to sign before their budget year ends.",
        "{buyer} asked to bring the order forward, the money lapses at the end of the month.",
        "{sponsor} asked to move the start ahead of the shutdown.",
    ),
    "later": (
        "{sponsor} asked for more time, the investment round has moved.",
        "{buyer} has to wait for the group's approval.",
        "{user} is short of people until the stocktaking is over.",
    ),
    "terms": (
        "{buyer} asked for payment in two parts.",
        "Legal asked to change the liability clause.",
        "{gatekeeper} asked for data to stay in the region.",
    ),
    "other": (
        "{user} asked for a second session with the night shift.",
        "{sponsor} asked for a reference of their size.",
    ),
}
COMMITMENTS: Final = {
    "action": (
        "{user} sends the article list and last month's orders",
        "{user} collects the downtime figures of the last quarter",
        "{sponsor} talks to the site in question and reports back",
    ),
    "people": (
        "{sponsor} releases two key users for the session",
        "{user} brings shift leader and planner to the workshop",
    ),
    "data": (
        "{gatekeeper} provides a test extract of the ERP",
        "{user} gives access to the anonymised records",
    ),
    "budget": (
        "{buyer} puts the project into the investment round",
        "{sponsor} has the money confirmed by the managing director",
    ),
    "procurement": (
        "{buyer} opens the supplier record and sends the contract to legal",
        "{buyer} books the purchasing committee",
    ),
    "decision_date": (
        "{sponsor} decides with the board on the agreed day",
        "{buyer} gives the answer of the committee",
    ),
    "for_discount": (
        "{buyer} signs a three-year term in return for the reduction",
        "{sponsor} acts as a reference in return for the better price",
    ),
    "signature": ("{sponsor} signs the contract", "{buyer} returns the signed contract"),
    "order": ("{buyer} sends the purchase order",),
    "other": ("{user} thinks it over and comes back to us",),
}
KIND_LEVELS: Final = {
    "other": 0,
    "action": 1,
    "decision_date": 2,
    "for_discount": 2,
    "people": 3,
    "data": 3,
    "budget": 4,
    "procurement": 4,
    "signature": 5,
    "order": 5,
}
BROKEN: Final = (
    "No answer to two reminders.",
    "The meeting was cancelled and not booked again.",
    "{user} says it has no priority this month.",
)
PROMISES: Final = (
    "Send the security white paper and the data flow",
    "Arrange a call with a customer of the same size",
    "Answer the eleven questions of legal",
    "Deliver a revised effort estimate",
    "Set up the test system with their data",
)
NOTES: Final = (
    "{user} mentioned a change in the management of the second site.",
    "Lunch with {sponsor}; the topic is on the agenda of the spring meeting.",
    "Call with {user}: two questions on the interface, answered by mail.",
    "Summary of the visit sent to {user} and {sponsor}.",
    "{gatekeeper} prefers written answers, no calls.",
    "They compare us with doing nothing more than with anybody else.",
    "{buyer} is back from leave on Monday.",
    "Asked {user} who else will use it; waiting for names.",
)
REVIEWS: Final = {
    "customer": (
        "What do they want to achieve, and what if they do not? Answered with their figures.",
        "Went through their obstacles; IT release is the one that decides the date.",
        "The customer's plan is the plan. Next step is theirs, agreed for the week after.",
    ),
    "seller": (
        "When does it close and what do we need to get it in?",
        "Asked for commit. Amount and date checked against the gap.",
        "What can we offer to get the order in this quarter?",
    ),
}
COACHING: Final = (
    "Before the next call, write down what the customer loses by waiting, in its own figures.",
    "Ask {sponsor} who else has to agree, and have it confirmed in writing.",
    "Do not send the proposal before finance has seen the case.",
    "A tick is not the answer. What did they say their criteria are?",
)
LOST: Final = (
    ("Stayed with the spreadsheet; nobody owned the change.", None),
    ("Chose the module of the ERP supplier.", "ERP supplier"),
    ("Investment round cut the project.", None),
    ("A regional supplier with a smaller scope and price.", "Regional supplier"),
    ("The sponsor left and the topic with her.", None),
)
DISQUALIFIED: Final = (
    "No problem that we solve well: twelve people and one machine.",
    "Nobody there has to change anything this year.",
    "They need a laboratory system, which we do not build.",
    "Only wanted a price to compare; no access to the people who decide.",
)
NO_GO: Final = (
    "No reason to change, and no date. We would only be a price on a list.",
    "The problem is real, but not one that we solve well.",
)
MOVES: Final = {
    "in": ("Pushing to get it done this quarter.", "Need it in the quarter.", "End-of-quarter."),
    "out": ("No decision yet.", "Slipped, waiting for their board.", "Sponsor not available."),
    "plan": ("Adjusted to their project plan.", "After talking to the sponsor."),
}
FEEDBACK: Final = {
    True: (
        "'We felt pushed to sign before our own tests were done.'",
        "'The daily calls in the last week were not helpful.'",
        "'The price was good, the haste was not.'",
    ),
    False: (
        "'You waited until we were ready. That was noticed.'",
        "'Clear questions, and no talk about your quarter.'",
    ),
}
ACHIEVED: Final = (
    "Figures of {user} after ten weeks, shared in the quarterly meeting.",
    "{sponsor} reported the result to the board and copied us.",
)
STEP_FEEDBACK: Final = (
    ("reference-visit", "Customers ask for this too early; better after the demonstration."),
    ("meet-decision-makers", "As it stands a handshake is enough. Say what we need to learn."),
    ("security-review", "Takes four weeks at hospitals; start it in discovery."),
    ("map-alternatives", "The most useful half hour of the whole process."),
)
DISCOUNT_REASONS: Final = (
    "Three-year term",
    "Two sites in one order",
    "Reference customer",
    "Matches their budget line",
)
CONCESSIONS: Final = (
    ("payment_terms", "Payment in two parts, 60 days"),
    ("services", "Two training days included"),
    ("trial", "Exit right in the first 90 days"),
    ("support", "Extended support hours in the first year"),
)
RUSH: Final = {
    "reason": (
        "End-of-quarter incentive.",
        "Special price if they can order this month.",
        "Extra reduction to close the gap, approved by phone.",
    ),
    "condition": ("Order by {day}", "Signature by {day}, list price afterwards"),
    "note": (
        "Called {sponsor} again about the order. Will try {buyer} tomorrow.",
        "Told {buyer} that the price holds until the end of the month only.",
        "Left two messages. The offer runs out on {day}.",
    ),
    "override": ("Needed in the quarter, outcomes to follow.",),
}
