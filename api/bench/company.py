"""The company that a history is about: its people, teams and quotas, as the log is told of them."""

from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cached_property
from random import Random
from typing import Final

from api.bench.facts import PROCESS, money, written
from api.bench.working_time import CALENDAR, DAY, START, quarter_names, quarter_start
from domain.events.base import DomainEvent
from domain.events.context import (
    CalendarAdopted,
    MemberJoined,
    MemberLeft,
    ProcessPublished,
    QuotaAssigned,
    QuotaRevised,
)
from domain.quota import quota_stream

REPS: Final = 60
TEAMS: Final = 8
DEALS_A_REP: Final = 25
"""A history of fewer deals than this for each of the reps is of a smaller company."""
PLANNED_QUARTERS: Final = 20
"""Quarters with quotas: more than a history is spread over, since its end is a matter of chance."""

_REVISED: Final = 0.25
_QUOTA_DAYS: Final = 3
"""Quotas are assigned so many working days into the quarter, as they are where people work."""


@dataclass(frozen=True, slots=True)
class Told:
    """Something that the log is told: when, in which stream, by whom, and what."""

    second: int
    stream: str
    actor: str
    what: str


@dataclass(slots=True)
class Rep:
    """A rep and the working seconds at which they joined and will leave."""

    id: str
    team: str
    joined: int
    leaves: int


@dataclass(frozen=True)
class Company:
    """Everything around the deals, drawn once from a seed."""

    seed: int
    deals: int
    quarters: list[str] = field(default_factory=lambda: quarter_names(PLANNED_QUARTERS))

    @cached_property
    def starts(self) -> list[int]:
        return [quarter_start(name) for name in self.quarters]

    @cached_property
    def teams(self) -> list[str]:
        return [f"team-{number}" for number in range(1, min(TEAMS, self.size // 4) + 1)]

    @cached_property
    def told(self) -> list[Told]:
        """What the log is told of the company, in order."""
        return sorted(self._drawn[1], key=lambda told: told.second)

    def active(self, second: int) -> list[Rep]:
        """Give the reps of the quarter that a working second lies in."""
        return self._drawn[0][max(0, bisect_right(self.starts, second) - 1)]

    @property
    def size(self) -> int:
        return min(REPS, max(4, self.deals // DEALS_A_REP))

    @cached_property
    def _drawn(self) -> tuple[list[list[Rep]], list[Told]]:
        return _Years(self).lived()


class _Years:
    """Lives through the quarters: people come, go and change teams, quotas are set and revised."""

    def __init__(self, company: Company) -> None:
        self._company = company
        self._random = Random(f"{company.seed}/company").random  # noqa: S311 - a simulation, not a secret
        self._told: list[Told] = []
        self._hired = 0
        self._end = company.starts[-1] * 2

    def lived(self) -> tuple[list[list[Rep]], list[Told]]:
        company = self._company
        self._found()
        reps = [
            self._hire(company.teams[number % len(company.teams)], second=20 + number)
            for number in range(company.size)
        ]
        active: list[list[Rep]] = []
        for quarter, start in zip(company.quarters, company.starts, strict=True):
            if active:
                reps = self._turn_over(reps, start)
            active.append(reps)
            self._set_quotas(reps, quarter, start)
        return active, self._told

    def _found(self) -> None:
        adopted = CalendarAdopted(
            zone=CALENDAR.zone,
            kind="months",
            parameters={"start_month": CALENDAR.start_month},
            effective_from=START,
        )
        published = ProcessPublished(
            version=PROCESS.version,
            name=PROCESS.name,
            stages=list(PROCESS.stages),
            closing=PROCESS.closing,
        )
        self._tell(0, "calendar", adopted)
        self._tell(1, f"process:{PROCESS.id}", published)
        for number, team in enumerate(self._company.teams):
            joined = MemberJoined(rep=f"manager-of-{team}", team=team, role="manager")
            self._tell(2 + number, "organisation", joined)

    def _hire(self, team: str, *, second: int) -> Rep:
        self._hired += 1
        rep = Rep(f"rep-{self._hired}", team, second, self._end)
        self._join(rep, second)
        return rep

    def _join(self, rep: Rep, second: int) -> None:
        joined = MemberJoined(
            rep=rep.id, team=rep.team, manager=f"manager-of-{rep.team}", role="rep"
        )
        self._tell(second, "organisation", joined)

    def _turn_over(self, reps: list[Rep], start: int) -> list[Rep]:
        """Let one in thirty leave and be replaced, and one in twenty change the team."""
        staying = list(reps)
        for number in range(max(1, len(reps) // 30)):
            gone = staying.pop(self._pick(len(staying)))
            gone.leaves = start
            self._tell(start + number, "organisation", MemberLeft(rep=gone.id))
            staying.append(self._hire(gone.team, second=start + 100 + number))
        teams = self._company.teams
        for number in range(len(reps) // 20 if len(teams) > 1 else 0):
            moved = staying[self._pick(len(staying) - 1)]
            if moved.joined < start:
                self._tell(start + 200 + 2 * number, "organisation", MemberLeft(rep=moved.id))
                moved.team = teams[(teams.index(moved.team) + 1) % len(teams)]
                self._join(moved, start + 201 + 2 * number)
        return staying

    def _set_quotas(self, reps: list[Rep], quarter: str, start: int) -> None:
        """Assign everybody's quota, and revise some in the middle of the quarter."""
        second = start + _QUOTA_DAYS * DAY
        totals = dict.fromkeys(self._company.teams, 0)
        for number, rep in enumerate(reps):
            amount = 400_000 + 50_000 * self._pick(9)
            totals[rep.team] += amount
            self._assign(second + number, quarter, amount, rep=rep.id)
            if self._random() < _REVISED:
                self._revise(second + 20 * DAY + number, rep.id, quarter, amount * 9 // 10)
        for number, (team, total) in enumerate(totals.items()):
            self._assign(second + 1000 + number, quarter, total, team=team)

    def _assign(
        self,
        second: int,
        quarter: str,
        amount: int,
        *,
        rep: str | None = None,
        team: str | None = None,
    ) -> None:
        assigned = QuotaAssigned(rep=rep, team=team, quarter=quarter, amount=money(amount))
        self._tell(second, quota_stream(who=rep or team or "", quarter=quarter), assigned)

    def _revise(self, second: int, rep: str, quarter: str, amount: int) -> None:
        revised = QuotaRevised(amount=money(amount))
        self._tell(second, quota_stream(who=rep, quarter=quarter), revised)

    def _tell(self, second: int, stream: str, event: DomainEvent) -> None:
        self._told.append(Told(second, stream, "operations", written(event)))

    def _pick(self, count: int) -> int:
        return int(self._random() * count)
