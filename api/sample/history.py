"""Simulated histories of many quarters, whose causes are known: what happened, and the record."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

from api.sample.behaviour import DILIGENT, PATIENT, STEADY
from api.sample.brief import Brief, brief
from api.sample.cast import Rep, cast_of
from api.sample.chance import Chance
from api.sample.closing import first_business_day, lay_deadline, look, postponed
from api.sample.history_context import CALENDARS, HistoryContext
from api.sample.journal import Journal, Json
from api.sample.market import Market
from api.sample.profiles import Profile
from api.sample.pursuit import Pursuit
from api.sample.record import Record
from api.sample.selling import Prospect, Sale
from api.sample.timeline import Timeline
from api.sample.truth import Truth
from domain.fiscal import FiscalQuarter

LOAD: Final = 20
"""Deals that a rep opens in a quarter."""
MOST_QUARTERS: Final = 80
_HABITS: Final = (DILIGENT, STEADY, PATIENT, STEADY)
_BACKLOG: Final = 0.05
"""Chance that a deal's rep ticks what was done only weeks later."""
_SITES: Final = 0.02
"""Chance that a customer buys for three of its sites, in a deal for each."""
_PARTS: Final = 3
_DIVIDED: Final = (17, 36)
"""The discount, in per cent, that a divided order comes to."""
_ROOM: Final = 40
"""Days that a deal needs before a customer's deadline."""
_DAY: Final = timedelta(days=1)
_WEEK: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Setting:
    """What a history is like; the shares are chances from 0 to 1.

    `unrecorded`: of what customers do, nobody writes it down. `backdated`: of the bookkeeping,
    it is dated days before it is done. `imported`: of the deals, they come from another system.
    `split`: of the deals, the credit is shared. `revised`: of the quotas, they are changed
    within their quarter.
    """

    profile: Profile
    quarters: int = 12
    reps: int = 10
    unrecorded: float = 0.0
    backdated: float = 0.0
    imported: float = 0.0
    split: float = 0.05
    revised: float = 0.1
    calendar: str = "months"


def history(
    setting: Setting, *, now: datetime, seed: int, truth: Callable[[Json], None] | None = None
) -> Iterator[Json]:
    """Give a history up to the beginning of the day of `now`, in the order of its recording.

    The quarters that the setting names are closed, and the one of that day is running. A line
    of an imported deal has no `recorded_at`. `truth` is given what truly happened.

    Raises:
        ValueError: `now` is a local time.
    """
    timeline = Timeline(now, closed=setting.quarters, calendar=CALENDARS[setting.calendar].rule)
    habits = [replace(one, rushes=setting.profile.rushes) for one in _HABITS]
    market = Market(timeline, cast_of(setting.reps, habits))
    journal = Journal(seed=seed)
    context = HistoryContext(market, journal, seed=seed, load=LOAD, revised=setting.revised)
    witness = Truth(truth, until=timeline.horizon) if truth else None
    make = _Maker(setting, market, journal, seed, witness)
    context.begin(CALENDARS[setting.calendar])
    for index in range(-1, setting.quarters + 1):
        context.quotas(index + 1)
        quarter = timeline.quarter(index)
        for rep in market.cast.reps:
            make.deals(rep, quarter, index)
        until = quarter.start_instant
        while until < quarter.end_instant:
            until = min(until + _WEEK, quarter.end_instant, timeline.horizon)
            market.run(until=until)
            yield from journal.upto(until)
            if until == timeline.horizon:
                return


@dataclass(frozen=True, slots=True)
class _Maker:
    """Draws deals and lets them take part in the market."""

    setting: Setting
    market: Market
    journal: Journal
    seed: int
    witness: Truth | None

    def deals(self, rep: Rep, quarter: FiscalQuarter, index: int) -> None:
        """Draw the deals that a rep opens in a quarter, those before the history left out."""
        initials = "".join(name[0] for name in rep.id.split("-")).upper()
        place = self.market.cast.reps.index(rep)
        for number in range(1, LOAD + 1):
            key = f"{initials}{place}-{index + 1}{number:02}"
            chance = Chance(self.seed, key, "plan")
            drawn = quarter.start + chance.between(0, quarter.days - 1) * _DAY
            opened = max(drawn, first_business_day(quarter))
            if opened >= self.market.timeline.first_day:
                self._order(rep, key, opened, chance)

    def _order(self, rep: Rep, key: str, opened: date, chance: Chance) -> None:
        """Draw the deal, or the three deals, by which a customer orders."""
        given = brief(rep, key, seed=self.seed)
        prospect = self._prospect(rep, opened, chance)
        if chance.happens(self.setting.profile.divides):
            usual = Decimal(chance.between(*_DIVIDED)) / _PARTS
            prospect = replace(prospect, divided=True, usual=usual.quantize(Decimal("0.1")))
            for part in _parts(given):
                self._deal(part, replace(prospect))
        elif chance.happens(_SITES):
            for part in _parts(given):
                own = Chance(self.seed, part.key, "plan")
                self._deal(part, self._prospect(rep, opened + own.between(0, 6) * _DAY, own))
        else:
            self._deal(given, prospect)

    def _prospect(self, rep: Rep, opened: date, chance: Chance) -> Prospect:
        profile = self.setting.profile
        decided = opened + chance.between(45, 105) * _DAY
        quarter = self.market.timeline.calendar.quarter_on(decided)
        expected = decided + chance.between(-20, 12) * _DAY
        deadline = None
        if chance.happens(profile.deadlines) and opened <= quarter.end - _ROOM * _DAY:
            deadline = quarter
            decided = quarter.last_business_day - chance.between(0, 3) * _DAY
            expected = quarter.end + chance.between(3, 25) * _DAY
        elif chance.happens(profile.timed):
            decided = quarter.last_business_day
        return Prospect(
            opened=opened,
            decided=decided,
            won=chance.happens(rep.behaviour.wins),
            expected=expected,
            usual=Decimal(chance.between(4, 14) + chance.between(4, 14)) / 2,
            split=chance.happens(self.setting.split),
            deadline=deadline,
            backlog=chance.happens(_BACKLOG),
        )

    def _deal(self, given: Brief, prospect: Prospect) -> None:
        setting, chance = self.setting, Chance(self.seed, given.key, "record", "kind")
        record = Record(
            unrecorded=setting.unrecorded,
            backdated=setting.backdated,
            imported=chance.happens(setting.imported),
            witness=self.witness,
        )
        pursuit = Pursuit(
            given,
            market=self.market,
            journal=self.journal,
            seed=self.seed,
            record=record,
        )
        sale = Sale(pursuit, prospect, setting.profile, look=look, postponed=postponed)
        sale.begin()
        if prospect.deadline:
            lay_deadline(sale, prospect.deadline)
        self.market.add(pursuit)


def _parts(given: Brief) -> list[Brief]:
    """Give the deals of one customer over which an order is spread."""
    price = (given.price / _PARTS).quantize(Decimal(1))
    return [replace(given, key=f"{given.key}-{n}", price=price) for n in range(1, _PARTS + 1)]
