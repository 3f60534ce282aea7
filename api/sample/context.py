"""Tells what surrounds the company's deals, and what changes in its year; and the forecasts."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from api.sample.cast import (
    LEAVER,
    MANAGERS,
    NEWCOMER,
    PROCESS_OWNER,
    REPS,
    START_MONTH,
    ZONE,
    Rep,
)
from api.sample.chance import Chance
from api.sample.journal import Journal, Json
from api.sample.market import Market
from api.sample.office import DAY, Office, money
from api.sample.timeline import CLOSED, office_moment

SECOND_PROCESS_DAY: Final = 30
"""Day of the second closed quarter on which the second version of the process is published."""
HANDOVER_DAY: Final = 24
"""Day of the third closed quarter on which a rep has left and another one takes over."""
_THOUSAND: Final = 1000
_RAISED: Final = ("victor-hale", 2, Decimal("1.15"))
_RAISED_DAY: Final = 40


class Context:
    """Tells the context, and tells the market of the quotas."""

    def __init__(self, market: Market, journal: Journal, *, seed: int) -> None:
        self._market = market
        self._timeline = market.timeline
        self._chance = Chance(seed, "context")
        self._office = Office(market, journal, self._chance)

    def tell(self) -> None:
        start = self._timeline.first_day - timedelta(days=14)
        years = {self._timeline.quarter(index).fiscal_year for index in range(-1, CLOSED + 2)}
        parameters: Json = {"start_month": START_MONTH}
        self._office.adopt_calendar(
            start, {"zone": ZONE, "kind": "months", "parameters": parameters}
        )
        self._office.people(start)
        self._office.rates(start, years)
        self._office.publish(1, start)
        self._office.publish(2, self.second_process_on)
        for index in range(CLOSED + 1):
            self._quotas(index)
        self._raise()
        self._changes()

    @property
    def second_process_on(self) -> date:
        return self._timeline.quarter(1).start + SECOND_PROCESS_DAY * DAY

    @property
    def handover_on(self) -> date:
        return self._timeline.quarter(2).start + HANDOVER_DAY * DAY

    def forecasts(self) -> None:
        """Tell what reps and managers called, knowing what was booked at that moment."""
        for index in range(CLOSED + 1):
            for day in (18, 60):
                for rep in REPS:
                    self._call(rep, index, day)

    def _quotas(self, index: int) -> None:
        quarter = self._timeline.quarter(index)
        day = quarter.start - 9 * DAY
        sums = dict.fromkeys(MANAGERS, Decimal(0))
        for rep in REPS:
            if rep.id == LEAVER and index == CLOSED:
                rep = NEWCOMER  # noqa: PLW2901 - the newcomer carries on in the leaver's place
            amount = Decimal(rep.quotas[index]) * _THOUSAND
            sums[rep.team] += amount
            self._office.assign(rep, quarter, day, amount)
        self._office.assign_teams(quarter, day, sums)

    def _raise(self) -> None:
        """Revise one quota in the middle of its quarter, after a territory was added."""
        name, index, factor = _RAISED
        quarter, rep = self._timeline.quarter(index), self._market.cast.rep_named(name)
        amount = Decimal(rep.quotas[index]) * _THOUSAND * factor
        self._office.revise(rep, quarter, quarter.start + _RAISED_DAY * DAY, amount)

    def _changes(self) -> None:
        """One rep leaves, another one comes: quota and deals go over."""
        day, quarter = self.handover_on, self._timeline.quarter(2)
        self._office.join(NEWCOMER, day - 4 * DAY)
        amount = Decimal(NEWCOMER.quotas[2]) * _THOUSAND
        self._office.assign(NEWCOMER, quarter, day - 3 * DAY, amount)
        self._office.say("organisation", "member_left", day, PROCESS_OWNER, {"rep": LEAVER})
        reason = "Left the company; the newcomer carries a quota of his own."
        stream, manager = f"quota:{LEAVER}:{quarter.name}", self._market.cast.manager_of(LEAVER)
        self._office.say(stream, "quota_withdrawn", day, manager, {"reason": reason})

    def _call(self, rep: Rep, index: int, day: int) -> None:
        quarter = self._timeline.quarter(index)
        on = quarter.start + day * DAY
        if rep.id == LEAVER and on >= self.handover_on:
            rep = NEWCOMER
        position = self._market.position(rep.id, office_moment(on, Chance("noon")))
        if position is None or on < self._timeline.first_day:
            return
        missing = max(Decimal(0), position.quota - position.attained)
        commit = position.attained + missing * self._chance.between(30, 95) / 100
        best = commit + missing * self._chance.between(20, 60) / 100
        data: Json = {
            "rep": rep.id,
            "quarter": quarter.name,
            "commit": money(commit.quantize(Decimal(1000))),
            "best_case": money(best.quantize(Decimal(1000))),
        }
        stream = f"forecast:{rep.id}:{quarter.name}"
        self._office.say(stream, "forecast_called", on, rep.id, data)
