"""What the end of a quarter makes of a deal: pushed, held, hurried by its customer, or worked."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import Final

from api.sample import phrases
from api.sample.activities import show, tick_run
from api.sample.endings import after_close, push_out
from api.sample.process import ACTIVITIES, COMMIT, DISCOVER, PROPOSAL, SOLUTION, WORKING
from api.sample.pursuit import DAY
from api.sample.record import (
    ASKED,
    BOOKED_EARLY,
    CALLED_EMPTY,
    CUSTOMERS_DEADLINE,
    HELD,
    PARKED,
    QUOTA,
    ROUTINE,
    TICKED_IN_BULK,
)
from api.sample.selling import Sale
from domain.fiscal import FiscalQuarter, days_left

_REACH: Final = 50
"""Days beyond the quarter's end from which a deal is still pushed through."""
_NEAR: Final = 30
"""Days beyond it from which more work brings a decision forward."""
_SATURDAY: Final = 5
APPROVAL: Final = Decimal(15)
"""The deepest discount, in per cent, that a rep may give alone: a little above the ordinary."""
_JUST_UNDER: Final = (Decimal(0), Decimal("0.1"), Decimal("0.5"))
_LAST_DAYS: Final = 5
_PUT_OFF: Final = 0.06
"""Chance that a customer that is ready in the last days orders on its next budget instead."""


def look(sale: Sale, quarter: FiscalQuarter) -> None:
    """Decide some days before a quarter's end what its rep makes of the deal."""
    pursuit = sale.pursuit
    position = pursuit.position
    in_course = pursuit.memory.stage in {DISCOVER, SOLUTION, PROPOSAL, COMMIT}
    if sale.prospect.deadline or not in_course or position is None or not position.behind:
        return
    beyond = (sale.prospect.decided - quarter.end).days
    if beyond <= _REACH and sale.chance.happens(pursuit.habits.rushes):
        _rush(sale, quarter)
    elif beyond <= _NEAR and sale.chance.happens(sale.profile.harder):
        _work_harder(sale, quarter)


def _rush(sale: Sale, quarter: FiscalQuarter) -> None:
    """Push the deal through by the quarter's last day, whatever the customer plans."""
    pursuit, chance, memory = sale.pursuit, sale.chance, sale.pursuit.memory
    pursuit.drop_course()
    memory.rushed = True
    pulled = sale.prospect.decided > quarter.last_business_day
    if chance.happens(0.3):
        notes = chance.one_of(phrases.REVIEWS["seller"])
        pursuit.tell("review_held", actor=pursuit.manager, focus="seller", notes=notes)
    if memory.close_date and memory.close_date > quarter.end:
        with pursuit.because(QUOTA):
            pursuit.move(quarter.last_business_day, chance.one_of(phrases.MOVES["in"]))
    promised = any(until >= pursuit.today for until in memory.words.values())
    with pursuit.because(QUOTA if promised else CALLED_EMPTY):
        pursuit.forecast("commit")
    if chance.happens(0.85):
        sale.after(chance.between(0, 2), partial(_rushed_offer, sale, quarter))
    if memory.stage != COMMIT:
        sale.after(chance.between(2, 4), partial(_jump, sale))
    sale.on(quarter.last_business_day, partial(_last_day, sale, pulled=pulled))


def _rushed_offer(sale: Sale, quarter: FiscalQuarter) -> None:
    """Offer more than the ordinary price, so that the customer orders now."""
    pursuit, chance = sale.pursuit, sale.chance
    before = pursuit.memory.depth or sale.prospect.usual
    cut, motive = Decimal(chance.between(3, 8) + chance.between(3, 8)), QUOTA
    if before + 1 < APPROVAL < before + cut and chance.happens(sale.profile.hugs):
        cut = APPROVAL - chance.one_of(_JUST_UNDER) - before
        motive = replace(motive, pattern="approval_hugging")
    pursuit.memory.pressed += cut
    with pursuit.because(replace(motive, cut=cut)):
        pursuit.offer(
            before + cut,
            requested_by="manager" if chance.happens(0.35) else "rep",
            reason=pursuit.say(chance.one_of(phrases.RUSH["reason"])),
            condition=pursuit.say(chance.one_of(phrases.RUSH["condition"]), quarter.end),
            expires_on=quarter.end.isoformat() if chance.happens(0.6) else None,
        )


def _jump(sale: Sale) -> None:
    """Tick what is left and move the card to the last stage."""
    pursuit = sale.pursuit
    here = WORKING.index(pursuit.memory.stage or COMMIT)
    with pursuit.because(TICKED_IN_BULK):
        tick_run(pursuit, *WORKING[here:])
    with pursuit.because(QUOTA):
        pursuit.enter(COMMIT)


def _last_day(sale: Sale, *, pulled: bool) -> None:
    """Ask for the order on the last day; not every customer gives it."""
    pursuit, chance = sale.pursuit, sale.chance
    signs = (0.75 if pulled else 0.95) if sale.prospect.won else 0.2
    if chance.happens(signs):
        if not held_back(sale):
            with pursuit.because(QUOTA if pulled else ROUTINE):
                pursuit.win()
            after_close(pursuit)
    elif chance.happens(sale.profile.early):
        with pursuit.because(BOOKED_EARLY):
            pursuit.win()
        back = partial(pursuit.reverse, "The customer never signed.")
        sale.resume(chance.between(3, 25), back, won=chance.happens(0.2))
    elif chance.happens(0.3):
        sale.lose()
    elif chance.happens(sale.profile.parks):
        with pursuit.because(PARKED):
            pursuit.lose("No decision this quarter.", None)
        back = partial(pursuit.reopen, "The customer never said no.")
        sale.resume(chance.between(3, 9), back, won=sale.prospect.won)
    else:
        days = chance.between(25, 60)
        push_out(pursuit, days)
        pursuit.forecast("best_case")
        sale.prospect.decided = pursuit.today + days * DAY
        sale.on(sale.prospect.decided, sale.decide)
        sale.watch(pursuit.today + DAY)


def postponed(sale: Sale) -> bool:
    """Say whether a closing that is due is put off, by its rep or by the customer."""
    return held_back(sale) or _put_off(sale)


def held_back(sale: Sale) -> bool:
    """Keep a closing of the last day for the next quarter, if this one's quota is made."""
    pursuit = sale.pursuit
    calendar, position = pursuit.market.timeline.calendar, pursuit.position
    quarter = calendar.quarter_of(pursuit.at)
    made = position is not None and position.attained >= position.quota > 0
    on_last_day = pursuit.today == quarter.last_business_day
    if not (made and on_last_day and sale.chance.happens(sale.profile.held)):
        return False
    day = first_business_day(calendar.after(quarter))
    with pursuit.because(HELD):
        pursuit.move(day, None)
    sale.on(day, sale.sign)
    return True


def _put_off(sale: Sale) -> bool:
    """Let a customer order in the first days of the next quarter, since it then has the money."""
    pursuit, chance = sale.pursuit, sale.chance
    calendar = pursuit.market.timeline.calendar
    quarter = calendar.quarter_of(pursuit.at)
    last_days = days_left(quarter, pursuit.at) < _LAST_DAYS
    if sale.prospect.deadline or not last_days or not chance.happens(_PUT_OFF):
        return False
    day = first_business_day(calendar.after(quarter)) + chance.between(0, 2) * DAY
    cause = pursuit.request("later", level=chance.between(2, 4))
    pursuit.at += timedelta(hours=chance.between(1, 3))
    with pursuit.because(ASKED):
        pursuit.move(day, "At the customer's request.", caused_by=cause)
    sale.on(day, sale.sign)
    return True


def first_business_day(quarter: FiscalQuarter) -> date:
    day = quarter.start
    while day.weekday() >= _SATURDAY:
        day += DAY
    return day


def lay_deadline(sale: Sale, quarter: FiscalQuarter) -> None:
    """Let the customer bring its order forward, because it has to have it by the quarter's end."""
    asked = quarter.end - sale.chance.between(8, 12) * DAY
    sale.on(asked, partial(_bring_forward, sale))
    if sale.chance.happens(0.6):
        sale.on(asked + sale.chance.between(1, 4) * DAY, partial(_answer, sale))


def _bring_forward(sale: Sale) -> None:
    pursuit, chance = sale.pursuit, sale.chance
    cause = pursuit.request("date", level=chance.between(2, 4))
    pursuit.at += timedelta(hours=chance.between(1, 3))
    with pursuit.because(CUSTOMERS_DEADLINE):
        linked = cause if chance.happens(0.6) else None
        pursuit.move(sale.prospect.decided, "At the customer's request.", caused_by=linked)
    pursuit.commitment("decision_date", due=sale.prospect.decided)


def _answer(sale: Sale) -> None:
    """Give the customer the price that it asks for."""
    pursuit, chance = sale.pursuit, sale.chance
    cause = pursuit.request("discount", level=chance.between(2, 4))
    pursuit.at += timedelta(hours=chance.between(1, 3))
    depth = (pursuit.memory.depth or sale.prospect.usual) + chance.between(2, 8)
    with pursuit.because(CUSTOMERS_DEADLINE):
        linked = cause if chance.happens(0.6) else None
        reason = "Three-year term"
        pursuit.offer(depth, caused_by=linked, requested_by="customer", reason=reason)


def _work_harder(sale: Sale, quarter: FiscalQuarter) -> None:
    """Do at once what is left to do, with the customer, at the ordinary price."""
    pursuit, chance = sale.pursuit, sale.chance
    pursuit.drop_course()
    end = quarter.last_business_day - chance.between(0, 2) * DAY
    stages = WORKING[WORKING.index(pursuit.memory.stage or COMMIT) :]
    days = max(1, (end - pursuit.today).days)
    for place, stage in enumerate(stages):
        share = place / len(stages)
        sale.on(pursuit.today + timedelta(days=round(days * share)), partial(_finish, sale, stage))
    sale.prospect.decided = end
    sale.on(end, sale.decide)


def _finish(sale: Sale, stage: str) -> None:
    pursuit = sale.pursuit
    pursuit.enter(stage)
    for activity in ACTIVITIES[stage]:
        show(pursuit, activity, for_good=True)
        pursuit.at += timedelta(minutes=sale.chance.between(20, 60))
        pursuit.tick(activity)
    if stage == PROPOSAL and not pursuit.memory.depth:
        sale.offer(sale.prospect.usual)
