"""How deals end, and what is heard from the customer afterwards."""

from datetime import timedelta

from api.sample import phrases
from api.sample.pursuit import DAY, Pursuit


def won_by_order(pursuit: Pursuit) -> None:
    """The customer orders, most often announced by its own written commitment."""
    if not pursuit.memory.open:
        return
    chance = pursuit.chance
    pursuit.forecast("commit")
    patient = not pursuit.habits.rushes and pursuit.market.timeline.in_window(pursuit.at)
    if chance.happens(0.4 + pursuit.habits.led / 2) or patient:
        kind = "signature" if chance.happens(0.5) else "order"
        named = pursuit.commitment(kind, due=pursuit.today)
        pursuit.at += timedelta(minutes=chance.between(30, 120))
        pursuit.win()
        pursuit.tell("commitment_kept", commitment_id=named)
    else:
        pursuit.win()
    after_close(pursuit)


def lose(pursuit: Pursuit) -> None:
    """The customer decides otherwise, or not at all."""
    if pursuit.memory.open:
        pursuit.lose(*pursuit.chance.one_of(phrases.LOST))
        after_close(pursuit)


def after_close(pursuit: Pursuit) -> None:
    """Plan what the customer says about the sale, and what became of its goal."""
    chance, rushed = pursuit.chance, pursuit.memory.rushed
    if chance.happens(0.6 if rushed else 0.25):
        pressured = rushed and chance.happens(0.8)
        pursuit.plan_in(chance.between(2, 12), lambda later: _feedback(later, pressured=pressured))
    if pursuit.memory.net and not rushed and chance.happens(0.4):
        pursuit.plan_in(chance.between(55, 100), _achieved)


def _feedback(pursuit: Pursuit, *, pressured: bool) -> None:
    statement = pursuit.chance.one_of(phrases.FEEDBACK[pressured])
    pursuit.tell("customer_feedback_recorded", felt_pressured=pressured, statement=statement)


def _achieved(pursuit: Pursuit) -> None:
    goal, _ = pursuit.chance.one_of(pursuit.brief.product.goals)
    pursuit.tell(
        "customer_goal_achieved",
        goal=pursuit.say(goal),
        level=pursuit.chance.between(3, 4),
        statement=pursuit.say(pursuit.chance.one_of(phrases.ACHIEVED)),
    )


def push_out(pursuit: Pursuit, days: int) -> None:
    """Move the expected close date behind today."""
    reason = pursuit.chance.one_of(phrases.MOVES["out"])
    pursuit.move(pursuit.today + days * DAY, reason)
