"""How a rep works a deal: habits as shares, drawn anew for each deal from its own stream."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Behaviour:
    """Habits of a seller; every share is the chance that it happens at one occasion.

    `shown`: an activity's outcome is shown by the customer in time. `noted`: if not, the rep
    at least writes it down. `ticked`: an activity is ticked at all. `before`: the evidence
    comes before the tick. `bulk`: the ticks of a stage are made in one run when leaving it.
    `asked`: a discount in the middle of a quarter follows a customer's request. `depths`:
    its percentages. `rushes`: an open deal is pushed when the rep is behind at the end of
    a quarter. `paced`: the customers decide by their own budget, which ends with the quarter.
    `led`: a stage is entered after the customer committed to something.
    `wins`: chance that a deal which is worked to its end is won.
    """

    name: str
    shown: float
    noted: float
    ticked: float
    before: float
    bulk: float
    asked: float
    depths: tuple[int, int]
    rushes: float
    paced: bool
    led: float
    wins: float


DILIGENT: Final = Behaviour(
    "diligent",
    shown=0.85,
    noted=0.6,
    ticked=0.95,
    before=0.5,
    bulk=0.02,
    asked=0.8,
    depths=(4, 10),
    rushes=0.0,
    paced=False,
    led=0.75,
    wins=0.62,
)
PATIENT: Final = Behaviour(
    "patient",
    shown=0.8,
    noted=0.6,
    ticked=0.92,
    before=0.4,
    bulk=0.02,
    asked=0.85,
    depths=(4, 11),
    rushes=0.0,
    paced=False,
    led=0.7,
    wins=0.55,
)
STEADY: Final = Behaviour(
    "steady",
    shown=0.65,
    noted=0.5,
    ticked=0.9,
    before=0.35,
    bulk=0.1,
    asked=0.65,
    depths=(5, 12),
    rushes=0.0,
    paced=False,
    led=0.5,
    wins=0.55,
)
CUSTOMER_PACED: Final = Behaviour(
    "customer paced",
    shown=0.75,
    noted=0.5,
    ticked=0.92,
    before=0.45,
    bulk=0.04,
    asked=0.85,
    depths=(5, 12),
    rushes=0.0,
    paced=True,
    led=0.75,
    wins=0.6,
)
BOX_TICKER: Final = Behaviour(
    "box ticker",
    shown=0.25,
    noted=0.45,
    ticked=0.99,
    before=0.1,
    bulk=0.6,
    asked=0.5,
    depths=(5, 12),
    rushes=0.15,
    paced=False,
    led=0.2,
    wins=0.45,
)
CLOSER: Final = Behaviour(
    "closer under pressure",
    shown=0.5,
    noted=0.5,
    ticked=0.85,
    before=0.25,
    bulk=0.15,
    asked=0.55,
    depths=(5, 12),
    rushes=0.9,
    paced=False,
    led=0.4,
    wins=0.5,
)
