"""Tells what surrounds the deals: calendar, people, plan rates, process versions and quotas."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

from api.sample.cast import (
    AUDITOR,
    CURRENCY,
    OPERATIONS,
    PROCESS_OWNER,
    RATES,
    Rep,
)
from api.sample.chance import Chance
from api.sample.journal import Journal, Json
from api.sample.market import Market
from api.sample.process import PROCESS, published
from api.sample.timeline import office_moment
from domain.fiscal import FiscalQuarter

DAY: Final = timedelta(days=1)
TEAM_SHARE: Final = Decimal("0.95")
"""What a manager carries of the sum of the reps' quotas."""


class Office:
    """Writes context into the journal, and tells the market of the quotas."""

    def __init__(self, market: Market, journal: Journal, chance: Chance) -> None:
        self._market = market
        self._journal = journal
        self._chance = chance

    def say(self, stream: str, type_name: str, day: date, actor: str, data: Json) -> datetime:
        """Tell an event of the context in office hours of a day; gives the moment it happened."""
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

    def adopt_calendar(self, day: date, data: Json) -> None:
        """Adopt the fiscal calendar the day before, in force for the year before that as well."""
        since: Json = {"effective_from": (day - 365 * DAY).isoformat()}
        self.say("calendar", "calendar_adopted", day - DAY, PROCESS_OWNER, data | since)

    def people(self, day: date) -> None:
        """Let everybody join who is there from the beginning."""
        for person, role in ((PROCESS_OWNER, "process_owner"), (AUDITOR, "auditor")):
            self._join(day, {"rep": person, "team": OPERATIONS, "role": role})
        for team, manager in self._market.cast.managers.items():
            self._join(day, {"rep": manager, "team": team, "role": "manager"})
        for rep in self._market.cast.reps:
            self.join(rep, day)

    def join(self, rep: Rep, day: date) -> None:
        manager = self._market.cast.managers[rep.team]
        self._join(day, {"rep": rep.id, "team": rep.team, "manager": manager, "role": "rep"})

    def _join(self, day: date, data: Json) -> None:
        self.say("organisation", "member_joined", day, PROCESS_OWNER, data)

    def rates(self, day: date, years: Iterable[int]) -> None:
        for year in sorted(years):
            for currency, rate in RATES.items():
                if currency != CURRENCY:
                    data: Json = {"fiscal_year": year, "currency": currency, "rate": str(rate)}
                    self.say("rates", "plan_rate_set", day, PROCESS_OWNER, data)

    def publish(self, version: int, day: date) -> None:
        """Publish a version of the process."""
        self.say(f"process:{PROCESS}", "process_published", day, PROCESS_OWNER, published(version))

    def policy(self, day: date, numbers: Json) -> None:
        """Publish the numbers of a policy that differ from the usual ones."""
        data: Json = {"version": 1, "numbers": numbers}
        self.say("policy", "policy_published", day, PROCESS_OWNER, data)

    def assign(self, rep: Rep, quarter: FiscalQuarter, day: date, amount: Decimal) -> None:
        """Give a rep the quota of a quarter."""
        name, manager = quarter.name, self._market.cast.managers[rep.team]
        data: Json = {"rep": rep.id, "quarter": name, "amount": money(amount)}
        since = self.say(f"quota:{rep.id}:{name}", "quota_assigned", day, manager, data)
        self._market.set_quota(rep.id, name, amount, since=since)

    def assign_teams(self, quarter: FiscalQuarter, day: date, sums: Mapping[str, Decimal]) -> None:
        """Give each team most of what its reps carry together."""
        for team, total in sums.items():
            data: Json = {
                "team": team,
                "quarter": quarter.name,
                "amount": money(total * TEAM_SHARE),
            }
            stream = f"quota:{team}:{quarter.name}"
            self.say(stream, "quota_assigned", day, PROCESS_OWNER, data)

    def revise(self, rep: Rep, quarter: FiscalQuarter, day: date, amount: Decimal) -> None:
        """Change a rep's quota within its quarter."""
        stream, manager = f"quota:{rep.id}:{quarter.name}", self._market.cast.managers[rep.team]
        since = self.say(stream, "quota_revised", day, manager, {"amount": money(amount)})
        self._market.set_quota(rep.id, quarter.name, amount, since=since)


def money(amount: Decimal) -> Json:
    return {"amount": f"{amount:.2f}", "currency": CURRENCY}
