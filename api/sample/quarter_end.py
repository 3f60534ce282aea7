"""What happens to an open deal when the quarter ends: some reps push, some customers decide."""

from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import Final

from api.sample import phrases
from api.sample.activities import tick_run
from api.sample.endings import after_close, lose, push_out, won_by_order
from api.sample.process import COMMIT, DISCOVER, PROPOSAL, SOLUTION, WORKING
from api.sample.pursuit import DAY, Pursuit
from api.sample.timeline import CLOSED, office_moment
from domain.fiscal import FiscalQuarter

_REACH: Final = 80
"""Days beyond the quarter's end from which a deal is still pulled in."""
_RUSHED_DEPTHS: Final = (18, 30)
_ASKED_DEPTHS: Final = (14, 18)


def watch(pursuit: Pursuit, *, since: date, until: date) -> None:
    """Look at the deal shortly before each quarter's end that it lives to see."""
    for index in range(CLOSED + 1):
        quarter = pursuit.market.timeline.quarter(index)
        days = pursuit.chance.between(5, 11)
        day = quarter.end - days * DAY
        if since <= day <= until:
            at = office_moment(day, pursuit.chance)
            pursuit.plan(at, partial(_consider, quarter=quarter), course=True)


def _consider(pursuit: Pursuit, *, quarter: FiscalQuarter) -> None:
    """Decide by habit and by quota whether the end of the quarter changes anything."""
    memory, position = pursuit.memory, pursuit.position
    near = memory.close_date and memory.close_date <= quarter.end + _REACH * DAY
    late_enough = memory.stage in {SOLUTION, PROPOSAL, COMMIT, DISCOVER}
    if not memory.open or not near or not late_enough or position is None:
        return
    if position.behind and pursuit.chance.happens(pursuit.habits.rushes):
        _rush(pursuit, quarter)
    elif position.behind and pursuit.chance.happens(0.3):
        _stay_calm(pursuit)


def _stay_calm(pursuit: Pursuit) -> None:
    text = pursuit.say("{sponsor} decides in its own time; date stays as the customer plans it.")
    pursuit.tell("note_added", text=text)


def _rush(pursuit: Pursuit, quarter: FiscalQuarter) -> None:
    """Pull the deal into the quarter, with a price that nobody has asked for."""
    chance, memory = pursuit.chance, pursuit.memory
    memory.rushed = True
    pursuit.drop_course()
    if chance.happens(0.5):
        notes = chance.one_of(phrases.REVIEWS["seller"])
        pursuit.tell("review_held", actor=pursuit.manager, focus="seller", notes=notes)
    if chance.happens(0.8):
        pursuit.move(quarter.end, chance.one_of(phrases.MOVES["in"]))
        pursuit.forecast("commit")
    pursuit.plan_in(chance.between(0, 2), lambda later: _rushed_offer(later, quarter), course=True)
    if chance.happens(0.8):
        pursuit.plan_in(chance.between(2, 4), _jump, course=True)
    days = max(2, (quarter.end - pursuit.today).days - chance.between(0, 1))
    ending = _rushed_win if chance.happens(0.55) else _slip
    pursuit.plan_in(days, ending, course=True)


def _rushed_offer(pursuit: Pursuit, quarter: FiscalQuarter) -> None:
    chance = pursuit.chance
    percent = chance.between(*_RUSHED_DEPTHS)
    by = "manager" if chance.happens(0.35) else "rep"
    if not pursuit.memory.open:
        return
    pursuit.offer(
        percent,
        requested_by=by,
        reason=pursuit.say(chance.one_of(phrases.RUSH["reason"])),
        condition=pursuit.say(chance.one_of(phrases.RUSH["condition"]), quarter.end),
        expires_on=quarter.end.isoformat(),
    )
    if chance.happens(0.6):
        text = pursuit.say(chance.one_of(phrases.RUSH["note"]), quarter.end)
        pursuit.tell("note_added", text=text)


def _jump(pursuit: Pursuit) -> None:
    """Tick what is left and move the card on, past stages that nobody worked in."""
    memory = pursuit.memory
    if not memory.open or memory.stage is None or memory.stage == COMMIT:
        return
    skipping = memory.stage in {DISCOVER, SOLUTION}
    target = COMMIT if skipping else WORKING[WORKING.index(memory.stage) + 1]
    here = WORKING.index(memory.stage)
    tick_run(pursuit, *WORKING[here : WORKING.index(target) + 1])
    if memory.stage == PROPOSAL or pursuit.chance.happens(0.4):
        pursuit.tell(
            "gate_decided",
            actor=pursuit.manager,
            stage=memory.stage,
            decision="go",
            overridden=True,
            reason=phrases.RUSH["override"][0],
        )
    pursuit.enter(target)


def _rushed_win(pursuit: Pursuit) -> None:
    if not pursuit.memory.open:
        return
    pursuit.win()
    after_close(pursuit)


def _slip(pursuit: Pursuit) -> None:
    """The customer does not sign; the date moves out and the price stays where it is."""
    if not pursuit.memory.open:
        return
    chance = pursuit.chance
    if chance.happens(0.25):
        lose(pursuit)
        return
    push_out(pursuit, chance.between(25, 60))
    pursuit.forecast("best_case")
    ending = won_by_order if chance.happens(0.45) else lose
    pursuit.plan_in(chance.between(20, 50), ending, course=True)


def customers_year_end(pursuit: Pursuit, quarter: FiscalQuarter) -> None:
    """Let a customer bring the order forward because its own budget lapses with the quarter."""
    chance = pursuit.chance
    asked = quarter.end - chance.between(8, 12) * DAY
    pursuit.plan(
        office_moment(asked, chance), lambda now: _bring_forward(now, quarter), course=True
    )
    if chance.happens(0.6):
        day = asked + chance.between(1, 4) * DAY
        pursuit.plan(office_moment(day, chance), _answer_request, course=True)


def _bring_forward(pursuit: Pursuit, quarter: FiscalQuarter) -> None:
    if not pursuit.memory.open:
        return
    chance = pursuit.chance
    cause = pursuit.request("date", level=chance.between(2, 4))
    pursuit.at += timedelta(hours=chance.between(1, 3))
    to = quarter.end - chance.between(0, 3) * DAY
    pursuit.move(to, "At the customer's request.", caused_by=cause)
    pursuit.commitment("decision_date", due=to)


def _answer_request(pursuit: Pursuit) -> None:
    if not pursuit.memory.open:
        return
    chance = pursuit.chance
    cause = pursuit.request("discount", level=chance.between(2, 4))
    pursuit.at += timedelta(hours=chance.between(1, 3))
    linked = cause if chance.happens(0.6) else None
    percent = max(chance.between(*_ASKED_DEPTHS), int(pursuit.memory.depth) + 3)
    pursuit.offer(percent, caused_by=linked, requested_by="customer", reason="Three-year term")


def share_credit(pursuit: Pursuit) -> None:
    """Split the credit with a colleague of the team, if there is one, who helps with the deal."""
    memory = pursuit.memory
    mates = pursuit.market.cast.mates_of(memory.owner)
    if not mates:
        return
    mate = pursuit.chance.one_of(mates)
    share = Decimal(pursuit.chance.one_of(("0.20", "0.25", "0.30", "0.40")))
    memory.shares = {memory.owner: 1 - share, mate: share}
    shares = {rep: str(part) for rep, part in memory.shares.items()}
    pursuit.tell("credit_split_set", actor=pursuit.manager, shares=shares)
