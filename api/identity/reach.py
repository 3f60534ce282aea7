"""Whose deals, figures and pressure somebody may see, by the teams as they are now."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, TypeAlias

from api.errors import NotPermittedError, UnknownDealError
from api.identity.permissions import OPERATOR, Identity
from domain.events.base import DomainEvent
from domain.events.context import ForecastCalled
from domain.events.honesty import EventAmended, EventRetracted
from domain.events.life import CloseDateMoved, DealOpened, OwnerChanged
from domain.events.money import DiscountOffered
from domain.events.progress import StageEntered
from domain.known import Known
from domain.replay import Event, view
from projections.wording import Person, Wording

People: TypeAlias = frozenset[str] | None
"""Some people by id; None is everybody."""
_NOBODY: Final[frozenset[str]] = frozenset()
_OWNERSHIP: Final[frozenset[type[DomainEvent]]] = frozenset(
    {DealOpened, OwnerChanged, EventAmended, EventRetracted}
)
"""What says who owns a deal, and what corrects that."""
OWNERSHIP_TOPICS: Final = tuple(sorted(kind.TOPIC for kind in _OWNERSHIP))
_ACTS: Final = StageEntered | DiscountOffered | CloseDateMoved
ACT_TOPICS: Final = (StageEntered.TOPIC, DiscountOffered.TOPIC, CloseDateMoved.TOPIC)
"""What verdicts are about (`projections/pressure/acts.py`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What an identity may see: whose deals, whose figures, whose pressure, which teams' figures.

    Whether it may ask at all is told by the table of permissions.
    """

    identity: Identity
    deals_of: People = None
    figures_of: People = None
    pressure_of: People = None
    teams: People = None

    @property
    def whole(self) -> bool:
        """Whether every deal and every figure is in it."""
        return self.deals_of is self.figures_of is self.pressure_of is self.teams is None

    def unnamed(self) -> "Reach":
        """Give the same reach without who it is, so that all who may see just the same share it."""
        return replace(self, identity=replace(self.identity, actor="", credential=""))

    def has_deal_of(self, owner: str | None) -> bool:
        """Say whether a deal that somebody owns now may be seen; one without owner is not there."""
        return owner is not None and _holds(self.deals_of, owner)

    def has_figures_of(self, rep: str | None, team: str | None) -> bool:
        """Say whether the figures of a rep or of a team may be seen."""
        return _holds(self.figures_of, rep) if rep else _holds(self.teams, team)

    def has_pressure_of(self, people: Iterable[str]) -> bool:
        """Say whether pressure on all of these people may be seen."""
        return self.pressure_of is None or self.pressure_of.issuperset(people)


WHOLE: Final = Reach(identity=OPERATOR)


def _holds(people: People, one: str | None) -> bool:
    return people is None or one in people


def reach_of(identity: Identity, known: Known, at: datetime) -> Reach:
    """Give what somebody may see, with the organisation as it is known and true at an instant.

    Raises:
        NotPermittedError: the organisation has them in another role by now, or they have left it.
    """
    if identity.operator:
        return WHOLE
    _ensure_role(identity, known, at)
    actor, own = identity.actor, frozenset({identity.actor})
    match identity.role:
        case "auditor":
            return Reach(identity=identity)
        case "admin":
            return Reach(identity=identity, pressure_of=own)
        case "process_owner":
            return Reach(identity=identity, figures_of=own, pressure_of=own, teams=_NOBODY)
        case "rep":
            team = known.teammates(actor, at) or _NOBODY
            own = own if team else _NOBODY
            return Reach(
                identity=identity, deals_of=team, figures_of=own, pressure_of=own, teams=_NOBODY
            )
        case "manager":
            return _reach_of_manager(identity, known, at)


def _reach_of_manager(identity: Identity, known: Known, at: datetime) -> Reach:
    present = [one for one in known.memberships if one.holds(at)]
    below, newest = {identity.actor}, {identity.actor}
    while newest:
        newest = {one.rep for one in present if one.manager in newest} - below
        below |= newest
    teams = frozenset(one.team for one in present if one.rep in below)
    if not teams:
        below = set()
    people = frozenset(below)
    return Reach(
        identity=identity,
        deals_of=people | {one.rep for one in present if one.team in teams},
        figures_of=people,
        pressure_of=people,
        teams=teams,
    )


def _ensure_role(identity: Identity, known: Known, at: datetime) -> None:
    role = known.role(identity.actor, at)
    if role is None and any(one.rep == identity.actor for one in known.memberships):
        raise NotPermittedError(Wording(Person(identity.actor), " has left the organisation"))
    if role not in (None, identity.role):
        by_now = f" is {role} by now, and this credential says {identity.role}"
        raise NotPermittedError(Wording(Person(identity.actor), by_now))


def owners_of(events: Iterable[Event]) -> tuple[str, ...]:
    """Give who owned a deal, as all of its events have it now; the last owns it."""
    said = view([event for event in events if type(event.data) in _OWNERSHIP])
    return tuple(e.data.owner for e in said if isinstance(e.data, DealOpened | OwnerChanged))


def owner_of(events: Sequence[Event]) -> str | None:
    """Give who owns a deal now; None where no event says so."""
    owners = owners_of(events)
    return owners[-1] if owners else None


def pressured_in(events: Sequence[Event], known: Known) -> frozenset[str]:
    """Give whose quota pressure a deal tells of: who owned it, and who of those with quotas acted.

    Corrected acts count as well, because timelines still show them.
    """
    with_quota = {rep for rep, _, _ in known.quotas if rep is not None}
    acted = {event.rep for event in events if isinstance(event.data, _ACTS)}
    return frozenset(owners_of(events)) | (acted & with_quota)


def ensure_may_append(
    reach: Reach, deal: str, events: Sequence[Event], intents: Sequence[tuple[DomainEvent, str]]
) -> None:
    """Refuse to write what somebody may not see, and to give a deal to whom they may not see.

    `intents` are the events with the field that names each.

    Raises:
        UnknownDealError: the deal is not theirs to know of; said as of one that is not there.
        NotPermittedError: it would belong to somebody whose deals they may not see.
    """
    if events and not reach.has_deal_of(owner_of(events)):
        raise UnknownDealError(f"there is no deal {deal}")
    for data, field in intents:
        owner = _owner_named_by(data)
        if owner is not None and not reach.has_deal_of(owner):
            message = f"{field}.data.owner: you may not give a deal to {owner!r}"
            raise NotPermittedError(message, field=f"{field}.data.owner")


def _owner_named_by(data: DomainEvent) -> str | None:
    match data:
        case DealOpened(owner=owner) | OwnerChanged(owner=owner):
            return owner
        case EventAmended(data=amended) if isinstance(amended, Mapping):
            named = amended.get("owner")
            return named if isinstance(named, str) else None
        case _:
            return None


def ensure_may_call(reach: Reach, intents: Sequence[DomainEvent]) -> None:
    """Refuse to call a forecast for somebody else's deals.

    Raises:
        NotPermittedError: the figures of that rep or team are not theirs.
    """
    for data in intents:
        if isinstance(data, ForecastCalled) and not reach.has_figures_of(data.rep, data.team):
            raise NotPermittedError(f"you may not call a forecast for {data.rep or data.team!r}")


def sees_context(reach: Reach, stream_id: str) -> bool:
    """Say whether an event of a stream that is no deal may be seen: figures are somebody's."""
    kind, _, rest = stream_id.partition(":")
    if kind not in {"quota", "forecast"}:
        return True
    who = rest.rpartition(":")[0]
    return _holds(reach.figures_of, who) or _holds(reach.teams, who)
