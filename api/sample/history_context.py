"""Tells what surrounds a simulated history: its calendar and people, quotas and their changes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Final

from api.sample.cast import RATES, START_MONTH, ZONE, Rep
from api.sample.chance import Chance
from api.sample.closing import APPROVAL
from api.sample.journal import Journal, Json
from api.sample.market import Market
from api.sample.office import DAY, Office
from api.sample.timeline import CALENDAR
from domain.fiscal import FiscalCalendar, FiscalQuarter, WeeksCalendar

USUAL_PRICE: Final = Decimal(53_000)
"""What a won deal brings on average at the ordinary discount."""
_BEFORE: Final = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Fiscal:
    """A fiscal calendar and how its adoption is told."""

    rule: FiscalCalendar
    told: Json


_WEEKS: Final = WeeksCalendar(zone=ZONE, weekday="SAT", month=1, rule="last", pattern="4-4-5")
CALENDARS: Final[Mapping[str, Fiscal]] = {
    "months": Fiscal(
        CALENDAR, {"zone": ZONE, "kind": "months", "parameters": {"start_month": START_MONTH}}
    ),
    "4-4-5": Fiscal(
        _WEEKS,
        {
            "zone": ZONE,
            "kind": "weeks",
            "parameters": {
                "weekday": _WEEKS.weekday,
                "month": _WEEKS.month,
                "rule": _WEEKS.rule,
                "pattern": _WEEKS.pattern,
            },
        },
    ),
}


class HistoryContext:
    """Tells the context quarter by quarter; `load` is how many deals a rep opens in one."""

    def __init__(
        self, market: Market, journal: Journal, *, seed: int, load: int, revised: float
    ) -> None:
        self._market = market
        self._chance = Chance(seed, "history context")
        self._office = Office(market, journal, self._chance)
        self._load = load
        self._revised = revised

    def begin(self, fiscal: Fiscal) -> None:
        """Tell what holds from the beginning."""
        timeline = self._market.timeline
        start = timeline.first_day - _BEFORE
        indices = range(-1, timeline.closed + 2)
        self._office.adopt_calendar(start, fiscal.told)
        self._office.people(start)
        self._office.rates(start, {timeline.quarter(index).fiscal_year for index in indices})
        self._office.publish(2, start)
        self._office.policy(start, {"approval_thresholds": [str(APPROVAL)]})

    def quotas(self, index: int) -> None:
        """Tell the quotas of a quarter, and how some of them are changed within it."""
        quarter, cast = self._market.timeline.quarter(index), self._market.cast
        day = quarter.start - 9 * DAY
        sums = dict.fromkeys(cast.managers, Decimal(0))
        for rep in cast.reps:
            amount = self._quota(rep)
            sums[rep.team] += amount
            self._office.assign(rep, quarter, day, amount)
            if self._chance.happens(self._revised):
                self._revise(rep, quarter, amount)
        self._office.assign_teams(quarter, day, sums)

    def _quota(self, rep: Rep) -> Decimal:
        """Draw a quota from a little under to well above what the rep usually books."""
        usual = USUAL_PRICE * RATES[rep.currency] * self._load * Decimal(str(rep.behaviour.wins))
        return (usual * self._chance.between(90, 130) / 100).quantize(Decimal(1000))

    def _revise(self, rep: Rep, quarter: FiscalQuarter, amount: Decimal) -> None:
        revised = (amount * self._chance.between(85, 120) / 100).quantize(Decimal(1000))
        day = quarter.start + self._chance.between(25, 60) * DAY
        self._office.revise(rep, quarter, day, revised)
