"""Single scenes of the scripted deals, in the words of the people who were there."""

from datetime import timedelta
from decimal import Decimal
from typing import Final

from api.sample.activities import tick_run
from api.sample.endings import push_out
from api.sample.journal import Json
from api.sample.process import COMMIT, PROPOSAL
from api.sample.pursuit import MINUTE, Pursuit

_MONTHS_PRICE: Final = 25
"""Percent that is given away for an order in this month."""
_MISTYPED: Final = "58"
_MEANT: Final = "8.5"


def step_questioned(pursuit: Pursuit) -> None:
    statement = (
        "I shook everybody's hand, so the step is done. It told me nothing about who decides "
        "or by which criteria. The step should say what we want to learn."
    )
    pursuit.tell("step_feedback_given", activity="meet-decision-makers", statement=statement)


def called_commit(pursuit: Pursuit) -> None:
    pursuit.forecast("commit")


def somebody_else_decides(pursuit: Pursuit) -> None:
    statement = pursuit.say(
        "{buyer} called: she decides, she has not seen a business case, and she was not in the "
        "meeting at the trade fair."
    )
    pursuit.tell("outcome_contradicted", outcome="decision-roles-known", statement=statement)
    question = "Who decides, what is their role, what are their criteria? Nobody knew."
    pursuit.tell("review_held", actor=pursuit.manager, focus="customer", notes=question)


def order_wanted(pursuit: Pursuit) -> None:
    notes = "I need this one in the quarter. What can we give them?"
    pursuit.tell("review_held", actor=pursuit.manager, focus="seller", notes=notes)


def discount_for_the_month(pursuit: Pursuit) -> None:
    """Pull the date in and buy it with a price that nobody has asked for."""
    quarter = pursuit.market.timeline.calendar.quarter_of(pursuit.at)
    pursuit.memory.rushed = True
    pursuit.move(quarter.end, "I need the order this month.")
    pursuit.forecast("commit")
    pursuit.offer(
        _MONTHS_PRICE,
        requested_by="rep",
        reason="I need your order this month, so I'll give you a discount.",
        condition=pursuit.say("Order by {day}, list price afterwards", quarter.end),
        expires_on=quarter.end.isoformat(),
    )


def ticked_in_a_run(pursuit: Pursuit) -> None:
    """Tick what is left in three minutes, without an outcome to show for it."""
    tick_run(pursuit, PROPOSAL, COMMIT)


def won_in_haste(pursuit: Pursuit) -> None:
    pursuit.win()
    pursuit.plan_in(6, _felt_pushed)


def _felt_pushed(pursuit: Pursuit) -> None:
    statement = "'We signed because of the price. Our own tests are not done yet.'"
    pursuit.tell("customer_feedback_recorded", felt_pressured=True, statement=statement)


def reversed_by_customer(pursuit: Pursuit) -> None:
    pursuit.reverse("The customer used its right to withdraw within 14 days.")


def reopened(pursuit: Pursuit) -> None:
    pursuit.reopen("The customer never said no.")


def won_recorded_late(pursuit: Pursuit) -> None:
    """The order is said to have come on the last day; the system hears of it in the next."""
    pursuit.win(lag=timedelta(hours=65))


def mistyped(pursuit: Pursuit) -> None:
    """Type a percentage wrongly and a note on the wrong deal, and put both right."""
    price = pursuit.money(pursuit.brief.price)
    wrong: Json = {"percent": _MISTYPED, "list": price, "requested_by": "rep"}
    offered = pursuit.state("discount_offered", wrong)
    misplaced = pursuit.tell("note_added", text="Waiting for the drawings of the second press.")
    pursuit.at += 40 * MINUTE
    reason = "Typed 58 for 8.5."
    pursuit.tell("event_amended", event_id=offered, data=wrong | {"percent": _MEANT}, reason=reason)
    pursuit.tell("event_retracted", event_id=misplaced, reason="Belongs to another deal.")
    pursuit.memory.depth = Decimal(_MEANT)


def deleted(pursuit: Pursuit) -> None:
    pursuit.memory.open = False
    pursuit.drop_course()
    pursuit.tell("deal_deleted", reason="Entered twice; the other entry is kept.")


def pushed_by_a_month(pursuit: Pursuit) -> None:
    push_out(pursuit, 28)
