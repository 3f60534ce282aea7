"""Who is in the sample company: its teams, people, quotas and how each rep works."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from api.sample.accounts import FIRST_NAMES, LAST_NAMES
from api.sample.behaviour import (
    BOX_TICKER,
    CLOSER,
    CUSTOMER_PACED,
    DILIGENT,
    PATIENT,
    STEADY,
    Behaviour,
)

ZONE: Final = "America/New_York"
START_MONTH: Final = 2
"""The fiscal year begins in February, so fiscal and calendar quarters differ."""
CURRENCY: Final = "USD"
RATES: Final[Mapping[str, Decimal]] = {"USD": Decimal(1), "EUR": Decimal("1.10")}
"""Plan rates: what one unit counts for in the currency of the quotas."""

PROCESS_OWNER: Final = "elena-rossi"
AUDITOR: Final = "martin-kjaer"
OPERATIONS: Final = "operations"
"""The team of those who carry no quota."""


@dataclass(frozen=True, slots=True)
class Rep:
    """A seller: team, habits, quota of each of the four quarters in thousands, and a market.

    `load` is how many deals the rep has to bring to a decision in a quarter.
    """

    id: str
    team: str
    behaviour: Behaviour
    quotas: tuple[int, int, int, int]
    load: int
    segments: Sequence[str]
    currency: str = CURRENCY


MANAGERS: Final[Mapping[str, str]] = {
    "north": "helen-marchetti",
    "west": "daniel-okafor",
    "south": "sofia-brandt",
}
REPS: Final[Sequence[Rep]] = (
    Rep("amara-osei", "north", DILIGENT, (140, 170, 190, 190), 5, ("food", "health")),
    Rep("tomas-lindqvist", "north", BOX_TICKER, (150, 160, 170, 180), 5, ("parts", "process")),
    Rep("priya-raman", "north", CLOSER, (340, 300, 320, 330), 5, ("food", "parts")),
    Rep("jonas-weber", "north", STEADY, (120, 120, 120, 120), 4, ("process", "parts")),
    Rep("mei-tanaka", "west", CUSTOMER_PACED, (220, 200, 200, 210), 5, ("health",)),
    Rep("luis-herrera", "west", CUSTOMER_PACED, (150, 180, 200, 210), 4, ("health", "food")),
    Rep("grace-adeyemi", "west", CUSTOMER_PACED, (150, 200, 180, 190), 4, ("health", "process")),
    Rep("victor-hale", "south", CLOSER, (300, 340, 330, 340), 5, ("parts", "process")),
    Rep("ruth-mensah", "south", PATIENT, (280, 290, 300, 310), 5, ("food", "process")),
    Rep("nadia-petrov", "south", STEADY, (180, 170, 180, 180), 4, ("parts", "food"), "EUR"),
)
NEWCOMER: Final = Rep("owen-clarke", "north", DILIGENT, (0, 0, 110, 130), 0, ("process", "parts"))
"""Comes in the third quarter and takes over what a colleague left behind."""
LEAVER: Final = "jonas-weber"


@dataclass(frozen=True, slots=True)
class Cast:
    """Who sells: the reps from the beginning, those who come later, and the teams' managers."""

    reps: Sequence[Rep]
    newcomers: Sequence[Rep]
    managers: Mapping[str, str]
    leaver: str | None = None

    def rep_named(self, name: str) -> Rep:
        return next(rep for rep in (*self.reps, *self.newcomers) if rep.id == name)

    def manager_of(self, name: str) -> str:
        return self.managers[self.rep_named(name).team]

    def mates_of(self, name: str) -> list[str]:
        """Give the colleagues in somebody's team who stay."""
        team = self.rep_named(name).team
        return [r.id for r in self.reps if r.team == team and r.id not in {name, self.leaver}]


COMPANY: Final = Cast(REPS, (NEWCOMER,), MANAGERS, LEAVER)


def cast_of(count: int, habits: Sequence[Behaviour]) -> Cast:
    """Give a cast of so many reps with these habits in turn, the company's own reps first."""
    names = [*(rep.id for rep in REPS), *_more_names()]
    reps = [
        replace(
            REPS[place % len(REPS)],
            id=name,
            team=tuple(MANAGERS)[place % len(MANAGERS)],
            behaviour=habits[place % len(habits)],
        )
        for place, name in enumerate(names[:count])
    ]
    return Cast(reps, (), MANAGERS)


def _more_names() -> list[str]:
    """Give invented names, each of a first and a last name that customers have as well."""
    names = [f"{first}-{last}".lower() for last in LAST_NAMES for first in FIRST_NAMES]
    # In steps that never come to the same name twice, so that neighbours differ in both.
    return [names[place * _STRIDE % len(names)] for place in range(len(names))]


_STRIDE: Final = 23
MOST_REPS: Final = len(REPS) + len(FIRST_NAMES) * len(LAST_NAMES)
