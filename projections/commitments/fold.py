"""What both sides said they will do, and what each side did: the commitments of one deal."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from domain.acts import is_customer_act, seller_acts
from domain.calendars import CalendarHistory
from domain.causes import CUSTOMER_MOVE
from domain.commitments import STATUSES, Commitment, Side, Status, commitments_of, live_level
from domain.events.customer import (
    ConsequenceRecorded,
    ContactIdentified,
    CustomerGoalAchieved,
    CustomerGoalRecorded,
)
from domain.events.life import DealWon
from domain.policy import Policy
from domain.replay import Event
from projections.commitments.change import Rung, rungs_of
from projections.commitments.quarters import QuarterActs, acts_by_quarter, effort_since

ECONOMIC_BUYER: Final = "economic_buyer"
"""The role of who can spend the money, however its words are put together."""


@dataclass(frozen=True, slots=True)
class Vector:
    """The strength of what the customer committed to, as several numbers and no single score.

    METRICS section 5. `level` is the highest live one, 0 without any. `roles` are the distinct
    roles behind live commitments of level 2 or more; `roles_unknown` counts those of them of
    whose role nothing is recorded.
    """

    level: int
    live: int
    counts: Mapping[Status, int]
    kept_late: int
    roles: tuple[str, ...]
    roles_unknown: int

    @property
    def economic_buyer(self) -> bool:
        """Whether the economic buyer is among those who committed."""
        return ECONOMIC_BUYER in self.roles


@dataclass(frozen=True, slots=True)
class Commitments:
    """The commitments of a deal as folded; what time alone changes is computed at an instant.

    `efforts` are the acts of the seller, and `one_sided` those of them since the last act of the
    customer, or since the opening; `initiated` are the acts of the customer that no act of the
    seller caused. `won` is the first win.
    """

    both: tuple[Commitment, ...]
    contacts: Mapping[str, str]
    customer_acts: tuple[Event, ...]
    efforts: tuple[Event, ...]
    one_sided: tuple[Event, ...]
    initiated: tuple[Event, ...]
    quarters: tuple[QuarterActs, ...]
    goals: tuple[Event, ...]
    consequences: tuple[Event, ...]
    achieved: tuple[Event, ...]
    won: Event | None

    @property
    def last_customer_act(self) -> Event | None:
        """What the customer did last."""
        return self.customer_acts[-1] if self.customer_acts else None

    def of(self, side: Side) -> tuple[Commitment, ...]:
        """Give the commitments of the customer, or the promises of the seller."""
        return tuple(one for one in self.both if one.side == side)

    def vector(self, side: Side, at: datetime) -> Vector:
        """Give the vector of one side at an instant; promises have neither level nor roles."""
        own = self.of(side)
        counts: dict[Status, int] = dict.fromkeys(STATUSES, 0)
        for one in own:
            counts[one.status(at)] += 1
        named = [self._role(one) for one in own if one.live(at) and _meant(one)]
        return Vector(
            level=live_level(own, at),
            live=sum(one.live(at) for one in own),
            counts=counts,
            kept_late=sum(one.kept_late for one in own),
            roles=tuple(sorted({role for role in named if role is not None})),
            roles_unknown=named.count(None),
        )

    def rungs(self, at: datetime) -> list[Rung]:
        """Give the rungs of the change-commitment ladder, the lowest first."""
        return rungs_of(self.goals, self.consequences, self.of("customer"), at)

    def _role(self, commitment: Commitment) -> str | None:
        """Give the stated role, else that of the contact who committed."""
        stated = commitment.role or self.contacts.get(commitment.by or "")
        return role_of(stated) if stated else None


def fold(events: Sequence[Event], calendar: CalendarHistory, policy: Policy) -> Commitments:
    """Fold a deal's view (domain.replay.view) into what was committed, promised and done."""
    acts = [event for event in events if is_customer_act(event)]
    efforts = seller_acts(events)
    ours = {event.event_id for event in efforts}
    initiated = tuple(act for act in acts if act.caused_by not in ours)
    return Commitments(
        both=tuple(commitments_of(events, calendar, policy)),
        contacts=_contacts(events),
        customer_acts=tuple(acts),
        efforts=tuple(efforts),
        one_sided=effort_since(acts[-1] if acts else None, efforts),
        initiated=initiated,
        quarters=tuple(acts_by_quarter(acts, efforts, initiated, calendar)),
        goals=_of(events, CustomerGoalRecorded),
        consequences=_of(events, ConsequenceRecorded),
        achieved=_of(events, CustomerGoalAchieved),
        won=next(iter(_of(events, DealWon)), None),
    )


def role_of(text: str) -> str:
    """Give a role in one spelling: `Economic Buyer` and `economic-buyer` are one."""
    words = "".join(sign if sign.isalnum() else " " for sign in text.casefold()).split()
    return "_".join(words)


def _meant(commitment: Commitment) -> bool:
    return commitment.level is not None and commitment.level >= CUSTOMER_MOVE


def _contacts(events: Iterable[Event]) -> dict[str, str]:
    identified = (e.data for e in events if isinstance(e.data, ContactIdentified))
    return {data.contact: data.role for data in identified}


def _of(events: Iterable[Event], kind: type) -> tuple[Event, ...]:
    return tuple(event for event in events if isinstance(event.data, kind))
