"""Who is in the sample company: its teams, people, quotas and how each rep works."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

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

    `load` is how many deals the rep has to close in a quarter; `until` and `since` count
    quarters, for a rep who leaves and one who comes.
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
    Rep("amara-osei", "north", DILIGENT, (150, 160, 160, 170), 5, ("food", "health")),
    Rep("tomas-lindqvist", "north", BOX_TICKER, (170, 190, 200, 210), 5, ("parts", "process")),
    Rep("priya-raman", "north", CLOSER, (330, 350, 360, 360), 5, ("food", "parts")),
    Rep("jonas-weber", "north", STEADY, (150, 160, 160, 170), 4, ("process", "parts")),
    Rep("mei-tanaka", "west", CUSTOMER_PACED, (200, 210, 220, 230), 5, ("health",)),
    Rep("luis-herrera", "west", CUSTOMER_PACED, (200, 210, 210, 220), 4, ("health", "food")),
    Rep("grace-adeyemi", "west", CUSTOMER_PACED, (190, 200, 210, 220), 4, ("health", "process")),
    Rep("victor-hale", "south", CLOSER, (320, 340, 350, 360), 5, ("parts", "process")),
    Rep("ruth-mensah", "south", PATIENT, (340, 350, 360, 370), 5, ("food", "process")),
    Rep("nadia-petrov", "south", STEADY, (160, 170, 180, 190), 4, ("parts", "food"), "EUR"),
)
NEWCOMER: Final = Rep("owen-clarke", "north", DILIGENT, (0, 0, 120, 150), 0, ("process", "parts"))
"""Comes in the third quarter and takes over what a colleague left behind."""
LEAVER: Final = "jonas-weber"


def rep_named(name: str) -> Rep:
    return next(rep for rep in (*REPS, NEWCOMER) if rep.id == name)
