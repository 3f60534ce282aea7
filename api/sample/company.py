"""The sample company: everything that it told its system of record, as lines to import."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Final

from api.sample.brief import Brief, brief
from api.sample.cast import LEAVER, NEWCOMER, REPS, Rep
from api.sample.chance import Chance
from api.sample.context import Context
from api.sample.course import Fate, Plan, begin, hand_over, move_to_second_process
from api.sample.journal import Journal
from api.sample.market import Market
from api.sample.pursuit import Pursuit
from api.sample.quarter_end import customers_year_end
from api.sample.stories import stories
from api.sample.timeline import CLOSED, Timeline, office_moment

DEFAULT_SEED: Final = 53
_DAY: Final = timedelta(days=1)
_MOVED: Final = 0.3
"""Chance that a young deal is moved to the second version of the process."""


def lines(*, now: datetime, seed: int = DEFAULT_SEED) -> Iterator[dict[str, object]]:
    """Give the company's history up to the beginning of the day of `now`, in UTC.

    Three fiscal quarters are closed and the one of that day is running. The same day and seed
    give the same lines.

    Raises:
        ValueError: `now` is a local time.
    """
    timeline = Timeline(now)
    journal = Journal(seed=seed)
    market = Market(timeline)
    context = Context(market, journal, seed=seed)
    context.tell()
    deals = [
        _ordinary(brief, index, market=market, journal=journal, seed=seed, context=context)
        for index in range(CLOSED + 2)
        for rep in REPS
        for brief in _briefs(rep, index, seed=seed)
    ]
    told = stories(market=market, journal=journal, seed=seed)
    for pursuit in (*told, *deals):
        market.add(pursuit)
    market.run(until=timeline.horizon)
    context.forecasts()
    return journal.upto(timeline.horizon)


def _briefs(rep: Rep, index: int, *, seed: int) -> Iterator[Brief]:
    initials = "".join(name[0] for name in rep.id.split("-")).upper()
    for place in range(1, rep.load + 1):
        key = f"{initials}-{index + 1}{place:02}"
        yield brief(rep, key, seed=seed)


def _ordinary(
    given: Brief, index: int, *, market: Market, journal: Journal, seed: int, context: Context
) -> Pursuit:
    chance = Chance(seed, given.key, "plan")
    decided = _decided(given.rep, index, market.timeline, chance)
    opened = max(market.timeline.first_day, decided - chance.between(45, 105) * _DAY)
    if given.rep.id == LEAVER and opened >= context.handover_on:
        given = brief(NEWCOMER, given.key, seed=seed)
    pursuit = Pursuit(given, market=market, journal=journal, seed=seed)
    late = opened > context.second_process_on
    begin(
        pursuit,
        Plan(
            opened=opened,
            decided=decided,
            fate=_fate(given.rep, chance),
            expected=_expected(pursuit, index, decided, chance),
            version=2 if late else 1,
        ),
    )
    if given.rep.behaviour.paced:
        customers_year_end(pursuit, market.timeline.quarter(index))
    if chance.happens(_MOVED) and not late:
        at = office_moment(context.second_process_on + chance.between(1, 4) * _DAY, chance)
        pursuit.plan(at, move_to_second_process)
    if given.rep.id == LEAVER and opened < context.handover_on:
        at = office_moment(context.handover_on + _DAY, chance)
        pursuit.plan(at, hand_over(NEWCOMER.id))
    return pursuit


def _decided(rep: Rep, index: int, timeline: Timeline, chance: Chance) -> date:
    """Draw the day on which the customer decides; some customers decide as their budget ends."""
    quarter = timeline.quarter(index)
    if rep.behaviour.paced:
        return quarter.end - chance.between(1, 6) * _DAY
    if rep.behaviour.rushes and chance.happens(0.6):
        return quarter.start + chance.between(8, 40) * _DAY
    return quarter.start + chance.between(14, quarter.days - 16) * _DAY


def _fate(rep: Rep, chance: Chance) -> Fate:
    if chance.happens(rep.behaviour.wins):
        return "win"
    return chance.one_of(("lose", "lose", "lose", "disqualify", "fade"))


def _expected(pursuit: Pursuit, index: int, decided: date, chance: Chance) -> date:
    if pursuit.habits.paced:
        return pursuit.market.timeline.quarter(index).end + chance.between(3, 25) * _DAY
    return decided + chance.between(-20, 12) * _DAY
