"""Who belongs to which team, under whom: joining and leaving."""

from collections.abc import Sequence

from domain.errors import AlreadySoError, OrganisationRefusedError
from domain.events.catalogue import OrganisationEvent
from domain.events.context import MemberJoined, MemberLeft
from domain.known import Known
from domain.replay import Event
from domain.stamp import Stamp


def ensure_membership(events: Sequence[Event], intent: OrganisationEvent, stamp: Stamp) -> None:
    """Refuse to join a second team, to leave none, and to be one's own manager."""
    known = Known(events)
    match intent:
        case MemberJoined():
            _ensure_in_no_team(known, intent, stamp)
            _ensure_no_circle(known, intent, stamp)
        case MemberLeft(rep=rep):
            if known.member(rep, stamp.occurred_at) is None:
                message = f"{rep!r} was in no team on {stamp.occurred_at.isoformat()}"
                raise OrganisationRefusedError(message, field="data.rep")


def _ensure_in_no_team(known: Known, intent: MemberJoined, stamp: Stamp) -> None:
    current = known.member(intent.rep, stamp.occurred_at)
    if current is None:
        return
    if (current.team, current.manager, current.role) == (intent.team, intent.manager, intent.role):
        message = f"{intent.rep!r} is in the team {intent.team!r} already"
        raise AlreadySoError(message, field="data.rep")
    message = f"{intent.rep!r} is in the team {current.team!r}; record member_left first"
    raise OrganisationRefusedError(message, field="data.rep")


def _ensure_no_circle(known: Known, intent: MemberJoined, stamp: Stamp) -> None:
    above, seen = intent.manager, {intent.rep}
    while above is not None:
        if above in seen:
            message = f"{intent.rep!r} would be managed by somebody whom they manage themselves"
            raise OrganisationRefusedError(message, field="data.manager")
        seen.add(above)
        membership = known.member(above, stamp.occurred_at)
        above = membership.manager if membership else None
