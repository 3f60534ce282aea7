"""What stands around the deals: calendar, people, process versions, plan rates and quotas."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

from api.sample.cast import (
    AUDITOR,
    CURRENCY,
    LEAVER,
    MANAGERS,
    NEWCOMER,
    OPERATIONS,
    PROCESS_OWNER,
    RATES,
    REPS,
    START_MONTH,
    ZONE,
    Rep,
)
from api.sample.chance import Chance
from api.sample.journal import Journal, Json
from api.sample.market import Market
from api.sample.process import PROCESS, published
from api.sample.year import CLOSED, office_moment

DAY: Final = timedelta(days=1)
SECOND_PROCESS_DAY: Final = 30
"""Day of the second closed quarter on which the second version of the process is published."""
HANDOVER_DAY: Final = 24
"""Day of the third closed quarter on which a rep has left and another one takes over."""
_THOUSAND: Final = 1000
_TEAM_SHARE: Final = Decimal("0.95")
"""What a manager carries of the sum of the reps' quotas."""
_RAISED: Final = ("victor-hale", 2, Decimal("1.15"))
_RAISED_DAY: Final = 40


class Context:
    """Tells the context, and tells the market of the quotas."""

    def __init__(self, market: Market, journal: Journal, *, seed: int) -> None:
        self._market = market
        self._year = market.year
        self._journal = journal
        self._chance = Chance(seed, "context")

    def tell(self) -> None:
        start = self._year.first_day - 14 * DAY
        self._calendar(start)
        self._people(start)
        self._rates(start)
        self._process(1, start)
        self._process(2, self.second_process_on)
        for index in range(CLOSED + 1):
            self._quotas(index)
        self._raise()
        self._changes()

    @property
    def second_process_on(self) -> date:
        return self._year.quarter(1).start + SECOND_PROCESS_DAY * DAY

    @property
    def handover_on(self) -> date:
        return self._year.quarter(2).start + HANDOVER_DAY * DAY

    def forecasts(self) -> None:
        """Tell what reps and managers called, knowing what was booked at that moment."""
        for index in range(CLOSED + 1):
            for day in (18, 60):
                for rep in REPS:
                    self._call(rep, index, day)

    def _say(self, stream: str, type_name: str, day: date, actor: str, data: Json) -> datetime:
        at = office_moment(day, self._chance)
        recorded_at = at + timedelta(seconds=self._chance.between(3, 90))
        self._journal.tell(
            stream=stream,
            type_name=type_name,
            occurred_at=at,
            recorded_at=recorded_at,
            actor=actor,
            data=data,
        )
        return at

    def _calendar(self, day: date) -> None:
        data: Json = {
            "zone": ZONE,
            "kind": "months",
            "parameters": {"start_month": START_MONTH},
            "effective_from": (day - 365 * DAY).isoformat(),
        }
        self._say("calendar", "calendar_adopted", day - DAY, PROCESS_OWNER, data)

    def _people(self, day: date) -> None:
        for person, role in ((PROCESS_OWNER, "process_owner"), (AUDITOR, "auditor")):
            self._join(day, {"rep": person, "team": OPERATIONS, "role": role})
        for team, manager in MANAGERS.items():
            self._join(day, {"rep": manager, "team": team, "role": "manager"})
        for rep in REPS:
            self._join(day, _membership(rep))

    def _join(self, day: date, data: Json) -> None:
        self._say("organisation", "member_joined", day, PROCESS_OWNER, data)

    def _rates(self, day: date) -> None:
        years = {self._year.quarter(index).fiscal_year for index in range(-1, CLOSED + 2)}
        for year in sorted(years):
            for currency, rate in RATES.items():
                if currency != CURRENCY:
                    data: Json = {"fiscal_year": year, "currency": currency, "rate": str(rate)}
                    self._say("rates", "plan_rate_set", day, PROCESS_OWNER, data)

    def _process(self, version: int, day: date) -> None:
        self._say(f"process:{PROCESS}", "process_published", day, PROCESS_OWNER, published(version))

    def _quotas(self, index: int) -> None:
        quarter = self._year.quarter(index)
        day = quarter.start - 9 * DAY
        sums = dict.fromkeys(MANAGERS, Decimal(0))
        for rep in REPS:
            if rep.id == LEAVER and index == CLOSED:
                rep = NEWCOMER  # noqa: PLW2901 - the newcomer carries on in the leaver's place
            amount = Decimal(rep.quotas[index]) * _THOUSAND
            sums[rep.team] += amount
            self._assign(rep, index, day, amount)
        for team, total in sums.items():
            data: Json = {
                "team": team,
                "quarter": quarter.name,
                "amount": _money(total * _TEAM_SHARE),
            }
            self._say(f"quota:{team}:{quarter.name}", "quota_assigned", day, PROCESS_OWNER, data)

    def _assign(self, rep: Rep, index: int, day: date, amount: Decimal) -> None:
        name = self._year.quarter(index).name
        data: Json = {"rep": rep.id, "quarter": name, "amount": _money(amount)}
        since = self._say(f"quota:{rep.id}:{name}", "quota_assigned", day, MANAGERS[rep.team], data)
        self._market.set_quota(rep.id, name, amount, since=since)

    def _raise(self) -> None:
        """Revise one quota in the middle of its quarter, after a territory was added."""
        rep, index, factor = _RAISED
        quarter = self._year.quarter(index)
        quotas = next(one.quotas for one in REPS if one.id == rep)
        amount = Decimal(quotas[index]) * _THOUSAND * factor
        day = quarter.start + _RAISED_DAY * DAY
        data: Json = {"amount": _money(amount)}
        since = self._say(
            f"quota:{rep}:{quarter.name}", "quota_revised", day, MANAGERS["south"], data
        )
        self._market.set_quota(rep, quarter.name, amount, since=since)

    def _changes(self) -> None:
        """One rep leaves, another one comes: quota and deals go over."""
        day, name = self.handover_on, self._year.quarter(2).name
        self._join(day - 4 * DAY, _membership(NEWCOMER))
        amount = Decimal(NEWCOMER.quotas[2]) * _THOUSAND
        self._assign(NEWCOMER, 2, day - 3 * DAY, amount)
        self._say("organisation", "member_left", day, PROCESS_OWNER, {"rep": LEAVER})
        reason = "Left the company; the newcomer carries a quota of his own."
        self._say(
            f"quota:{LEAVER}:{name}", "quota_withdrawn", day, MANAGERS["north"], {"reason": reason}
        )

    def _call(self, rep: Rep, index: int, day: int) -> None:
        quarter = self._year.quarter(index)
        on = quarter.start + day * DAY
        if rep.id == LEAVER and on >= self.handover_on:
            rep = NEWCOMER
        position = self._market.position(rep.id, office_moment(on, Chance("noon")))
        if position is None or on < self._year.first_day:
            return
        missing = max(Decimal(0), position.quota - position.attained)
        commit = position.attained + missing * self._chance.between(30, 95) / 100
        best = commit + missing * self._chance.between(20, 60) / 100
        data: Json = {
            "rep": rep.id,
            "quarter": quarter.name,
            "commit": _money(commit.quantize(Decimal(1000))),
            "best_case": _money(best.quantize(Decimal(1000))),
        }
        self._say(f"forecast:{rep.id}:{quarter.name}", "forecast_called", on, rep.id, data)


def _membership(rep: Rep) -> Json:
    return {"rep": rep.id, "team": rep.team, "manager": MANAGERS[rep.team], "role": "rep"}


def _money(amount: Decimal) -> Json:
    return {"amount": f"{amount:.2f}", "currency": CURRENCY}
