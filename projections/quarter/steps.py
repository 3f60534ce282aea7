"""What a quarter's replay is made from: deals and teams changing, one step after the other.

The caller makes the steps, on either clock: as known, a step is a position at which the state of
a deal changed; with hindsight it is an event of the deal's view as known now. Everything here takes
them in the order they are given, which is that of the positions, or of (occurred, recorded,
position). What stood when the replay begins is told by steps too: of each deal the last one before.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol, TypeAlias
from uuid import UUID

from domain.known import Known
from domain.values import minor_units


class Standing(Protocol):
    """What a replay needs to know of the state of a deal."""

    @property
    def owner(self) -> str: ...
    @property
    def stage(self) -> str | None: ...
    @property
    def closed(self) -> str | None:
        """Give won, lost or disqualified; None while the deal is open."""
        ...

    @property
    def amount(self) -> Decimal | None: ...
    @property
    def currency(self) -> str | None: ...
    @property
    def close_date(self) -> date | None: ...
    @property
    def forecast_category(self) -> str | None: ...
    @property
    def deleted(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Step:
    """One change of one deal; the state is None where the deal is not there.

    `instant` is that of the clock: when it was recorded, or when it occurred. `kind` is the
    type of the event, if the caller knows it.
    """

    deal_id: UUID
    position: int
    event_id: UUID | None
    instant: datetime
    before: Standing | None
    after: Standing | None
    kind: str | None = None


@dataclass(frozen=True, slots=True)
class TeamChange:
    """A rep is in this team from now on; in none if it is None."""

    rep: str
    team: str | None
    position: int
    event_id: UUID | None
    instant: datetime
    kind: str | None = None


Change: TypeAlias = Step | TeamChange


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose deals count: one rep's, those of a team's members at the time, or everybody's."""

    rep: str | None = None
    team: str | None = None

    def __post_init__(self) -> None:
        if self.rep is not None and self.team is not None:
            message = "a scope is a rep, a team or the organisation, not a rep and a team"
            raise ValueError(message)

    def holds(self, rep: str, known: Known, at: datetime) -> bool:
        """Say whether somebody counts, by the team that they were in at an instant."""
        if self.team is None:
            return self.rep in (None, rep)
        own = known.member(rep, at)
        return own is not None and own.team == self.team


ORGANISATION = Scope()

Worth: TypeAlias = tuple[int, str]
"""An amount in whole minor units, and its currency."""


def worth_of(standing: Standing) -> Worth | None:
    """Give what a deal is worth, rounded once to its currency's minor unit; None if unknown."""
    amount, currency = standing.amount, standing.currency
    if amount is None or currency is None:
        return None
    return minor_units(amount, currency), currency


def live(standing: Standing | None) -> Standing | None:
    """Give the state if the deal is open and not deleted, so that a pipeline may hold it."""
    if standing is None or standing.closed is not None or standing.deleted:
        return None
    return standing
