"""The ordinary course of a deal, from the first call to the order, the loss or the walk away."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial
from itertools import pairwise
from typing import Final, Literal, TypeAlias

from api.sample import phrases, quarter_end
from api.sample.activities import lead, learn, tick_run, work
from api.sample.endings import lose, won_by_order
from api.sample.process import ACTIVITIES, DISCOVER, PROCESS, PROPOSAL, QUALIFY, SOLUTION, WORKING
from api.sample.pursuit import DAY, Act, Pursuit
from api.sample.timeline import WINDOW, office_moment

Fate: TypeAlias = Literal["win", "lose", "disqualify", "fade"]

_SHARES: Final = (0.0, 0.14, 0.36, 0.58, 0.8, 1.0)
"""When each stage is entered, as a share of the time from opening to closing."""
_OPENING: Final = 7
"""Days at a quarter's start in which nobody discounts."""
_SHORTEST: Final = 12


@dataclass(frozen=True, slots=True)
class Plan:
    """When a deal is opened and decided, how it ends, and what the rep expects at first."""

    opened: date
    decided: date
    fate: Fate
    expected: date
    version: int


def begin(pursuit: Pursuit, plan: Plan) -> None:
    """Lay out the steps of a deal in its ordinary course."""
    chance = pursuit.chance
    days = max(_SHORTEST, (plan.decided - plan.opened).days)
    marks = [plan.opened + timedelta(days=round(days * share)) for share in _SHARES]
    opened_at = office_moment(marks[0], chance)
    pursuit.plan(opened_at, lambda first: _open(first, plan))
    for stage, (start, end) in zip(WORKING, pairwise(marks), strict=True):
        _lay_stage(pursuit, stage, start=start, end=end, plan=plan)
    _lay_price(pursuit, marks[3], marks[5])
    _lay_people(pursuit, marks)
    ending: Act = {"win": won_by_order, "lose": lose, "disqualify": _walk_away}.get(
        plan.fate, _fade
    )
    at = marks[1] if plan.fate == "disqualify" else marks[5]
    pursuit.plan(office_moment(at, chance), ending, course=True)
    quarter_end.watch(pursuit, since=marks[2], until=marks[5])


def _open(pursuit: Pursuit, plan: Plan) -> None:
    pursuit.open(version=plan.version, close_date=plan.expected)
    pursuit.enter(QUALIFY)
    learn(pursuit, QUALIFY)


def _lay_stage(pursuit: Pursuit, stage: str, *, start: date, end: date, plan: Plan) -> None:
    chance = pursuit.chance
    if stage != QUALIFY:
        if plan.fate == "disqualify":
            return
        at = office_moment(start, chance)
        patient = not pursuit.habits.rushes and pursuit.market.timeline.in_window(at)
        if chance.happens(pursuit.habits.led) or patient:
            before = office_moment(start - chance.between(1, 3) * DAY, chance)
            previous = WORKING[WORKING.index(stage) - 1]
            pursuit.plan(
                min(before, at - timedelta(minutes=30)),
                partial(_lead, stage=previous, in_writing=patient),
                course=True,
            )
        pursuit.plan(at, lambda ready: _advance(ready, stage, plan.decided), course=True)
    span = max(1, (end - start).days)
    activities = ACTIVITIES[stage]
    for place, activity in enumerate(activities):
        day = start + timedelta(days=round(span * (place + 0.4) / len(activities)))
        at = office_moment(day, chance) + timedelta(hours=1)
        pursuit.plan(at, partial(_work_in, stage=stage, activity=activity), course=True)


def _lead(pursuit: Pursuit, *, stage: str, in_writing: bool) -> None:
    if pursuit.memory.open:
        lead(pursuit, stage, in_writing=in_writing)


def _work_in(pursuit: Pursuit, *, stage: str, activity: str) -> None:
    if pursuit.memory.stage == stage:
        work(pursuit, activity)


def _advance(pursuit: Pursuit, stage: str, decided: date) -> None:
    """Leave the stage before, with its gate, and enter this one."""
    memory, chance = pursuit.memory, pursuit.chance
    if not memory.open or memory.stage is None:
        return
    if chance.happens(pursuit.habits.bulk):
        tick_run(pursuit, memory.stage)
    if memory.stage in {QUALIFY, SOLUTION} and chance.happens(0.7):
        _gate(pursuit, memory.stage)
    pursuit.enter(stage)
    learn(pursuit, stage)
    if stage in {DISCOVER, PROPOSAL} and chance.happens(0.65):
        _replan(pursuit, decided)


def _gate(pursuit: Pursuit, stage: str) -> None:
    shown = pursuit.memory.shown
    complete = bool(shown & {"reason-to-change", "fit-confirmed"})
    pursuit.tell(
        "gate_decided",
        actor=pursuit.manager,
        stage=stage,
        decision="go" if complete else "conditional",
        reason=None if complete else "Go on, but get it in the customer's words first.",
    )


def _replan(pursuit: Pursuit, decided: date) -> None:
    """Bring the expected close date nearer to what the customer plans."""
    chance, memory = pursuit.chance, pursuit.memory
    if memory.close_date is None:
        return
    if decided > memory.close_date:
        cause = None
        if chance.happens(pursuit.habits.led):
            cause = pursuit.request("later", level=chance.between(2, 4))
        reason = chance.one_of(phrases.MOVES["out"])
        pursuit.move(decided + chance.between(-2, 6) * DAY, reason, caused_by=cause)
    elif not pursuit.habits.paced and not pursuit.market.timeline.in_window(pursuit.at):
        pursuit.move(decided, chance.one_of(phrases.MOVES["plan"]))


def _lay_price(pursuit: Pursuit, start: date, end: date) -> None:
    """Plan the offers of the ordinary course, outside the first and last days of a quarter."""
    chance = pursuit.chance
    day = start + timedelta(days=round((end - start).days * 0.6))
    for _ in range(2 if chance.happens(0.3) else 1):
        at = _calm(pursuit, day)
        pursuit.plan(at, _offer, course=True)
        day += chance.between(4, 8) * DAY


def _calm(pursuit: Pursuit, day: date) -> datetime:
    """Move a day out of the closing and opening days of its quarter."""
    quarter = pursuit.market.timeline.calendar.quarter_on(day)
    first, last = quarter.start + _OPENING * DAY, quarter.end - (WINDOW + 1) * DAY
    if day > last:
        day = last - pursuit.chance.between(0, 6) * DAY
    if day < first:
        day = first + pursuit.chance.between(0, 6) * DAY
    return office_moment(day, pursuit.chance)


def _offer(pursuit: Pursuit) -> None:
    memory, chance = pursuit.memory, pursuit.chance
    if not memory.open or memory.stage in {None, QUALIFY}:
        return
    low, high = pursuit.habits.depths
    percent = chance.between(low, high) if not memory.depth else int(memory.depth) + 2
    cause, by = None, "rep"
    if chance.happens(pursuit.habits.asked):
        topic = "competitor" if chance.happens(0.25) else "discount"
        request = pursuit.request(topic, level=chance.one_of((1, 2, 3, 3, 4)))
        cause, by = (request if chance.happens(0.5) else None), "customer"
        pursuit.at += timedelta(minutes=chance.between(40, 200))
    reason = chance.one_of(phrases.DISCOUNT_REASONS) if chance.happens(0.7) else None
    pursuit.offer(percent, caused_by=cause, requested_by=by, reason=reason)
    if chance.happens(0.05):
        pursuit.plan_in(chance.between(2, 6), _take_back, course=True)


def _take_back(pursuit: Pursuit) -> None:
    if pursuit.memory.open and pursuit.memory.depth:
        pursuit.memory.depth = Decimal(0)
        reason = "The condition was not met, list price again."
        pursuit.tell("discount_withdrawn", reason=reason)


def _lay_people(pursuit: Pursuit, marks: list[date]) -> None:
    chance = pursuit.chance
    for start, end, likely, act in (
        (marks[1], marks[3], 0.35, _review),
        (marks[3], marks[5], 0.45, _review),
        (marks[1], marks[4], 0.15, _coach),
        (marks[2], marks[5], 0.6, _note),
        (marks[2], marks[4], 0.07, _split),
        (marks[2], marks[4], 0.06, _step_feedback),
        (marks[1], marks[2], 0.08, _return),
    ):
        if chance.happens(likely):
            day = start + timedelta(days=chance.between(1, max(1, (end - start).days - 1)))
            pursuit.plan(office_moment(day, chance), _while_open(act), course=True)


def _while_open(act: Act) -> Act:
    return lambda pursuit: act(pursuit) if pursuit.memory.open else None


def _review(pursuit: Pursuit) -> None:
    position = pursuit.position
    pressed = position is not None and position.behind and pursuit.habits.rushes
    focus = "seller" if pressed or pursuit.chance.happens(0.25) else "customer"
    notes = pursuit.chance.one_of(phrases.REVIEWS[focus])
    pursuit.tell("review_held", actor=pursuit.manager, focus=focus, notes=notes)


def _coach(pursuit: Pursuit) -> None:
    statement = pursuit.say(pursuit.chance.one_of(phrases.COACHING))
    rep = pursuit.memory.owner
    pursuit.tell("coaching_given", actor=pursuit.manager, rep=rep, statement=statement)


def _note(pursuit: Pursuit) -> None:
    text = pursuit.say(pursuit.chance.one_of(phrases.NOTES))
    pursuit.tell("note_added", text=text, lag=pursuit.lag())


def _split(pursuit: Pursuit) -> None:
    quarter_end.share_credit(pursuit)


def _step_feedback(pursuit: Pursuit) -> None:
    activity, statement = pursuit.chance.one_of(phrases.STEP_FEEDBACK)
    pursuit.tell("step_feedback_given", activity=activity, statement=statement)


def _return(pursuit: Pursuit) -> None:
    """Go back to qualification: something that was taken for granted does not hold."""
    if pursuit.memory.stage == DISCOVER:
        pursuit.enter(QUALIFY)
        ticked = sorted(pursuit.memory.ticked & set(ACTIVITIES[QUALIFY]))
        if ticked:
            pursuit.memory.ticked.discard(ticked[0])
            reason = "The person we spoke to does not own the problem."
            pursuit.tell("activity_unticked", activity=ticked[0], reason=reason)


def _walk_away(pursuit: Pursuit) -> None:
    """Decide early that this is not a deal for us."""
    if not pursuit.memory.open:
        return
    chance = pursuit.chance
    pursuit.tell("fit_assessed", verdict="out")
    pursuit.tell(
        "gate_decided",
        actor=pursuit.manager,
        stage=QUALIFY,
        decision="no_go",
        reason=chance.one_of(phrases.NO_GO),
        unmet=["reason-to-change"],
    )
    pursuit.disqualify(chance.one_of(phrases.DISQUALIFIED))


def _fade(pursuit: Pursuit) -> None:
    """Let the date slip once more; nobody at the customer decides."""
    if pursuit.memory.open:
        days = pursuit.chance.between(30, 60)
        pursuit.move(pursuit.today + days * DAY, pursuit.chance.one_of(phrases.MOVES["out"]))
        pursuit.plan_in(days, lose, course=True)


def move_to_second_process(pursuit: Pursuit) -> None:
    """Judge a deal that is still at its beginning by the second version of the process."""
    memory = pursuit.memory
    if memory.open and memory.stage in {QUALIFY, DISCOVER} and memory.version == 1:
        memory.version = 2
        pursuit.tell("deal_moved_to_process", process={"id": PROCESS, "version": 2})


def hand_over(to: str) -> Act:
    """Give a deal that is still open to a colleague."""

    def change(pursuit: Pursuit) -> None:
        if pursuit.memory.open:
            manager = pursuit.manager
            pursuit.memory.owner = to
            pursuit.tell("owner_changed", actor=manager, owner=to)
            pursuit.memory.shares = {to: Decimal(1)}
            pursuit.tell("credit_split_set", actor=manager, shares={to: "1"})

    return change
