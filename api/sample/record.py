"""How the record of a deal differs from what happened, and who keeps what truly happened."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final, Literal, Protocol, TypeAlias

from projections.pressure.patterns import PatternName

Driver: TypeAlias = Literal["quota", "customer", "routine"]


@dataclass(frozen=True, slots=True)
class Motive:
    """Why something is done: for the quota, for the customer, or in the ordinary course.

    `hurried` says that somebody's deadline at the quarter's end set the time. `cut` is what the
    quota alone takes off the price, in percentage points of the list price. `pattern` names what
    the act truly is, where it is one of the patterns that the product looks for.
    """

    driver: Driver = "routine"
    hurried: bool = False
    cut: Decimal = Decimal(0)
    pattern: PatternName | None = None


ROUTINE: Final = Motive()
QUOTA: Final = Motive("quota", hurried=True)
HELD: Final = Motive("quota", hurried=True, pattern="hold_back")
TICKED_IN_BULK: Final = Motive("quota", hurried=True, pattern="tick_burst")
CALLED_EMPTY: Final = Motive("quota", hurried=True, pattern="commit_without_commitment")
BOOKED_EARLY: Final = Motive("quota", hurried=True, pattern="win_reversed")
PARKED: Final = Motive("quota", hurried=True, pattern="lost_and_reopened")
CHASED: Final = Motive("quota")
ASKED: Final = Motive("customer")
CUSTOMERS_DEADLINE: Final = Motive("customer", hurried=True)


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that happened; without an external id nobody recorded it."""

    deal: str
    type_name: str
    rep: str
    occurred_at: datetime
    recorded_at: datetime
    motive: Motive
    external_id: str | None
    lost: Decimal | None
    """Of a win, the money that pressure took off the price, in the currency of the deal."""
    currency: str
    off_fit: bool
    """Whether the deal is none that the seller solves well."""


class Witness(Protocol):
    """Keeps what truly happened."""

    def saw(self, happening: Happening) -> None:
        """Take note of what happened, recorded or not."""
        ...


@dataclass(frozen=True, slots=True)
class Record:
    """How a deal is recorded.

    `unrecorded` is the share of what customers do that nobody writes down. `backdated` is the
    share of bookkeeping that is dated days before it is done. `imported` deals come from
    another system, which keeps no recording times.
    """

    unrecorded: float = 0.0
    backdated: float = 0.0
    imported: bool = False
    witness: Witness | None = None


FAITHFUL: Final = Record()
BOOKKEEPING: Final = frozenset({"activity_ticked", "close_date_moved", "stage_entered"})
"""What a rep may date as it pleases."""
