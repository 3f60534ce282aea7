"""Who is in which team during a replay, on either clock."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TypeAlias

from domain.events.base import type_name
from domain.events.context import MemberJoined, MemberLeft
from domain.known import Known
from domain.replay import Event
from projections.quarter.steps import TeamChange

Teams: TypeAlias = dict[str, str | None]


def teams_as_known(
    events: Iterable[Event], after: int, upto: int
) -> tuple[Teams, list[TeamChange]]:
    """Give the teams as known at a position, and how they changed up to another.

    A change is known from the position of the event that told it, whenever it took place.
    """
    told = sorted(_of_people(events), key=lambda event: event.position)
    opening = [event for event in told if event.position <= after]
    found: list[TeamChange] = []
    for index, event in enumerate(told):
        if after < event.position <= upto:
            at = max(event.recorded_at, event.occurred_at)
            before, now = _team_of(told[:index], event, at), _team_of(told[: index + 1], event, at)
            if before != now:
                found.append(_change(event, now, at))
    last = max((max(e.recorded_at, e.occurred_at) for e in opening), default=None)
    return (_teams(opening, last) if last else {}), found


def teams_as_happened(
    events: Iterable[Event], after: datetime, until: datetime
) -> tuple[Teams, list[TeamChange]]:
    """Give the teams at an instant, and how they changed until another, as these events tell it."""
    told = sorted(_of_people(events), key=lambda event: event.order)
    found: list[TeamChange] = []
    for event in told:
        at = event.occurred_at
        if after < at <= until:
            earlier = [one for one in told if one.order < event.order]
            before, now = _team_of(earlier, event, at), _team_of([*earlier, event], event, at)
            if before != now:
                found.append(_change(event, now, at))
    return _teams([event for event in told if event.occurred_at <= after], after), found


def _of_people(events: Iterable[Event]) -> list[Event]:
    return [event for event in events if isinstance(event.data, MemberJoined | MemberLeft)]


def _team_of(events: Sequence[Event], about: Event, at: datetime) -> str | None:
    assert isinstance(about.data, MemberJoined | MemberLeft)  # noqa: S101 - for the type checker
    membership = Known(events).member(about.data.rep, at)
    return membership.team if membership else None


def _change(event: Event, team: str | None, at: datetime) -> TeamChange:
    assert isinstance(event.data, MemberJoined | MemberLeft)  # noqa: S101 - for the type checker
    return TeamChange(
        rep=event.data.rep,
        team=team,
        position=event.position,
        event_id=event.event_id,
        instant=at,
        kind=type_name(type(event.data)),
    )


def _teams(events: Sequence[Event], at: datetime) -> Teams:
    known = Known(events)
    reps = {membership.rep for membership in known.memberships}
    found = {rep: known.member(rep, at) for rep in sorted(reps)}
    return {rep: membership.team if membership else None for rep, membership in found.items()}
