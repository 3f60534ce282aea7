"""How a rep goes through a stage: activities ticked, outcomes shown or only claimed."""

from datetime import timedelta
from functools import partial
from typing import Final

from api.sample import phrases
from api.sample.process import (
    ACTIVITIES,
    COMMIT,
    DISCOVER,
    PROPOSAL,
    QUALIFY,
    SOLUTION,
    STRICT,
    outcomes_of,
)
from api.sample.pursuit import DAY, Pursuit

_SPOKEN: Final = frozenset({"other", "action"})
"""Kinds of commitment that are only said, not written by the customer."""
_RUN: Final = (20, 50)
"""Seconds between two ticks that are made in one go."""
_WEAK: Final = 0.15
"""Chance that somebody at the customer later contradicts an outcome that can be doubted."""
_OVERDUE: Final = 0.06
"""Chance that the evidence comes too late to count as in time."""


def work(pursuit: Pursuit, activity: str) -> None:
    """Do an activity in the way of its rep: for its outcome, or for the tick."""
    memory = pursuit.memory
    if not memory.open or activity in memory.ticked:
        return
    habits, chance = pursuit.habits, pursuit.chance
    shown = chance.happens(habits.shown)
    first = shown and chance.happens(habits.before)
    if first:
        show(pursuit, activity)
    if not chance.happens(habits.bulk) and chance.happens(habits.ticked):
        if first:
            pursuit.plan_in(
                chance.between(0, 2), lambda later: _tick_if_open(later, activity), course=True
            )
        else:
            pursuit.tick(activity)
    if shown and not first:
        days = chance.between(18, 30) if chance.happens(_OVERDUE) else chance.between(1, 8)
        pursuit.plan_in(days, lambda later: show(later, activity))
    elif not shown and chance.happens(habits.noted):
        note(pursuit, activity)


def _tick_if_open(pursuit: Pursuit, activity: str) -> None:
    if pursuit.memory.open:
        pursuit.tick(activity)


def show(pursuit: Pursuit, activity: str, *, for_good: bool = False) -> None:
    """Let the customer show every outcome of the activity that it has not shown yet.

    Unless it is for good, something may later speak against it.
    """
    chance = pursuit.chance
    for outcome in outcomes_of(activity, pursuit.memory.version):
        if outcome in pursuit.memory.shown:
            continue
        statement = chance.one_of(phrases.SHOWN[outcome])
        of_record = for_good or outcome in STRICT or chance.happens(0.2)
        lag = None if of_record else pursuit.lag()
        told = pursuit.evidence(
            outcome,
            level=_level(pursuit, outcome, of_record=of_record),
            by=pursuit.speaker(statement),
            statement=statement,
            lag=lag,
        )
        if told and lag is None and not for_good:
            _doubt(pursuit, outcome, told)


def _level(pursuit: Pursuit, outcome: str, *, of_record: bool) -> int:
    """Give the level of a customer's evidence; agreed terms may come as a signed contract."""
    if outcome == "terms-agreed" and pursuit.chance.happens(0.3):
        return 5
    return 4 if of_record else 3


def _doubt(pursuit: Pursuit, outcome: str, told: str) -> None:
    """Plan that an outcome turns out not to hold, or that its evidence was of another deal."""
    chance = pursuit.chance
    if outcome in phrases.CONTRADICTED and chance.happens(_WEAK):
        pursuit.plan_in(chance.between(4, 20), lambda later: _contradict(later, outcome))
    elif chance.happens(_WEAK / 4):
        pursuit.plan_in(chance.between(2, 9), lambda later: _withdraw(later, told))


def _contradict(pursuit: Pursuit, outcome: str) -> None:
    if pursuit.memory.open:
        statement = pursuit.say(phrases.CONTRADICTED[outcome])
        pursuit.tell("outcome_contradicted", outcome=outcome, statement=statement)


def _withdraw(pursuit: Pursuit, event_id: str) -> None:
    if pursuit.memory.open:
        reason = "Filed under the wrong deal."
        pursuit.tell("evidence_withdrawn", event_id=event_id, reason=reason)


def note(pursuit: Pursuit, activity: str) -> None:
    """Write down in the rep's own words that it went well."""
    for outcome in outcomes_of(activity, pursuit.memory.version):
        statement = pursuit.chance.one_of(phrases.NOTED)
        level = 2 if pursuit.chance.happens(0.3) else 1
        pursuit.evidence(outcome, level=level, by=None, statement=statement)


def tick_run(pursuit: Pursuit, *stages: str) -> None:
    """Tick what is left of the stages in one go, as one does before moving the card."""
    for stage in stages:
        for activity in ACTIVITIES[stage]:
            seconds = pursuit.chance.between(*_RUN)
            pursuit.tick(activity, pause=timedelta(seconds=seconds))


def learn(pursuit: Pursuit, stage: str) -> None:
    """Record what the customer says in this stage beyond the process."""
    match stage:
        case "qualify":
            _first_talk(pursuit)
        case "discover":
            _discovery(pursuit)
        case "solution":
            _solution(pursuit)
        case "proposal":
            _proposal(pursuit)
        case _:
            _settle_obstacles(pursuit)


def _first_talk(pursuit: Pursuit) -> None:
    customer, chance = pursuit.customer, pursuit.chance
    pursuit.tell("contact_identified", contact=customer.user.id, role=customer.user.role)
    if chance.happens(0.5):
        pursuit.tell("fit_assessed", verdict="in" if chance.happens(0.8) else "unclear")
    if chance.happens(0.5):
        pursuit.tell("note_added", text=pursuit.say(chance.one_of(phrases.NOTES)))


def _discovery(pursuit: Pursuit) -> None:
    customer, chance, product = pursuit.customer, pursuit.chance, pursuit.brief.product
    for contact in (customer.sponsor, customer.buyer):
        if chance.happens(0.8):
            pursuit.tell("contact_identified", contact=contact.id, role=contact.role)
    goal, measure = chance.one_of(product.goals)
    level = chance.one_of((1, 2, 3, 3, 4)) if chance.happens(pursuit.habits.shown) else 1
    pursuit.tell(
        "customer_goal_recorded",
        goal=pursuit.say(goal),
        measure=pursuit.say(measure),
        level=level,
        lag=pursuit.lag(),
    )
    if chance.happens(0.3 + pursuit.habits.shown / 2):
        _consequence(pursuit)
    if chance.happens(0.6):
        criterion = pursuit.say(chance.one_of(product.criteria))
        pursuit.tell("decision_criterion_recorded", criterion=criterion, level=level)
    if chance.happens(0.6):
        alternative = pursuit.say(chance.one_of(product.alternatives))
        pursuit.tell("alternative_recorded", alternative=alternative, level=chance.between(1, 3))
    if chance.happens(0.6):
        obstacle = pursuit.say(chance.one_of(product.obstacles))
        named = pursuit.number("o")
        pursuit.memory.obstacles.append(named)
        pursuit.tell("obstacle_recorded", obstacle_id=named, obstacle=obstacle, level=2)


def _consequence(pursuit: Pursuit) -> None:
    chance = pursuit.chance
    text, who = chance.one_of(pursuit.brief.product.consequences)
    amount = pursuit.money(pursuit.brief.price * chance.between(2, 6))
    pursuit.tell(
        "consequence_recorded",
        consequence=pursuit.say(text),
        who=who,
        amount=amount if chance.happens(0.6) else None,
        by=(pursuit.today + chance.between(60, 200) * DAY).isoformat(),
        level=chance.between(2, 4),
    )


def _solution(pursuit: Pursuit) -> None:
    chance, customer = pursuit.chance, pursuit.customer
    pursuit.forecast("best_case")
    if chance.happens(0.6):
        pursuit.tell(
            "contact_identified", contact=customer.gatekeeper.id, role=customer.gatekeeper.role
        )
    if chance.happens(0.5):
        pursuit.request("other", level=chance.between(1, 3), lag=pursuit.lag())
    if chance.happens(0.5):
        promise(pursuit)


def promise(pursuit: Pursuit) -> None:
    """Let the seller promise something, and keep it more often than not."""
    chance, named = pursuit.chance, pursuit.number("p")
    days = chance.between(3, 10)
    due = (pursuit.today + days * DAY).isoformat()
    what = chance.one_of(phrases.PROMISES)
    pursuit.tell("seller_promise_made", promise_id=named, what=what, due=due)
    kept = chance.happens(0.55 + pursuit.habits.shown / 3)
    ending = "seller_promise_kept" if kept else "seller_promise_broken"
    pursuit.plan_in(
        max(1, days + chance.between(-2, 1) if kept else days + chance.between(1, 5)),
        partial(_say_of_promise, ending=ending, named=named),
    )


def _say_of_promise(pursuit: Pursuit, *, ending: str, named: str) -> None:
    pursuit.tell(ending, promise_id=named)


def _proposal(pursuit: Pursuit) -> None:
    chance = pursuit.chance
    if chance.happens(0.35):
        pursuit.request("terms", level=chance.between(2, 4), lag=pursuit.lag())
    if chance.happens(0.25):
        kind, detail = chance.one_of(phrases.CONCESSIONS)
        pursuit.tell("concession_offered", kind=kind, detail=detail)
    if chance.happens(0.5):
        pursuit.tell("note_added", text=pursuit.say(chance.one_of(phrases.NOTES)))


def _settle_obstacles(pursuit: Pursuit) -> None:
    while pursuit.memory.obstacles:
        pursuit.tell("obstacle_removed", obstacle_id=pursuit.memory.obstacles.pop())


LEADING: Final = {
    QUALIFY: ("other", "action", "people"),
    DISCOVER: ("people", "data", "action"),
    SOLUTION: ("data", "people", "budget"),
    PROPOSAL: ("budget", "procurement", "decision_date"),
    COMMIT: ("procurement", "decision_date"),
}
"""What a customer typically commits to at the end of each stage."""


def lead(pursuit: Pursuit, stage: str, *, in_writing: bool = False) -> None:
    """Let the customer commit to its own next step, and settle that when it falls due."""
    chance = pursuit.chance
    kinds = [kind for kind in LEADING[stage] if not in_writing or kind not in _SPOKEN]
    kind = chance.one_of(kinds)
    days = chance.between(4, 14)
    named = pursuit.commitment(kind, due=pursuit.today + days * DAY)
    if named:
        pursuit.plan_in(days, lambda later: _settle(later, named))


def _settle(pursuit: Pursuit, named: str) -> None:
    chance = pursuit.chance
    if chance.happens(0.15):
        days = chance.between(5, 14)
        due = (pursuit.today + days * DAY).isoformat()
        pursuit.tell("commitment_renegotiated", commitment_id=named, due=due)
        pursuit.plan_in(days, lambda later: _settle(later, named))
    elif chance.happens(0.35 + pursuit.habits.led / 2):
        pursuit.tell("commitment_kept", commitment_id=named)
    elif chance.happens(0.6):
        reason = pursuit.say(chance.one_of(phrases.BROKEN))
        pursuit.tell("commitment_broken", commitment_id=named, reason=reason)
    elif chance.happens(0.3):
        pursuit.tell("commitment_withdrawn", commitment_id=named)
