"""How the context reads as JSON: processes, policies, calendars, teams and rates."""

import json
from datetime import datetime, timedelta
from uuid import UUID

from api.lists_figures import quarter_json
from api.processes import versions_of
from domain.events.context import CalendarAdopted, PlanRateSet, PolicyPublished
from domain.fiscal import FiscalQuarter
from domain.known import Known, Membership
from domain.process import Process
from domain.values import decimal_text


def processes_json(known: Known) -> list[dict[str, object]]:
    """Give each process with the versions of it."""
    versions: dict[str, list[Process]] = {}
    for process in known.catalogue.values():
        versions.setdefault(process.id, []).append(process)
    found: list[dict[str, object]] = []
    for process_id, published in sorted(versions.items()):
        numbers = sorted(process.version for process in published)
        latest = max(published, key=lambda process: process.version)
        found.append(
            {
                "id": process_id,
                "name": latest.name,
                "versions": numbers,
                "latest": numbers[-1],
            }
        )
    return found


def process_json(known: Known, process_id: str, version: int | None) -> dict[str, object]:
    """Give the versions of a process, or the one named.

    Raises:
        UnknownThingError: there is no such process, or no such version of it.
    """
    published = {(p.id, p.version): (event_id, at) for p, event_id, at in known.publications}
    return {
        "id": process_id,
        "versions": [
            version_json(process, published.get((process.id, process.version)))
            for process in versions_of(known, process_id, version)
        ],
    }


def version_json(process: Process, told: tuple[UUID, datetime] | None) -> dict[str, object]:
    """Give a version of a process; `told` is the event that published it, and when."""
    return {
        "version": process.version,
        "name": process.name,
        "stages": [s.model_dump(mode="json", exclude_none=True) for s in process.stages],
        "closing": process.closing.model_dump(mode="json"),
        "published_at": told[1] if told else None,
        "event_id": str(told[0]) if told else None,
    }


def policies_json(known: Known) -> dict[str, object]:
    """Give the policy in force, and those published so far."""
    return {
        "in_force": known.policy.model_dump(mode="json"),
        "published": [
            {
                "version": event.data.version,
                "numbers": event.data.numbers,
                "published_at": event.occurred_at,
                "event_id": str(event.event_id),
            }
            for event in known.events
            if isinstance(event.data, PolicyPublished)
        ],
    }


def calendars_json(known: Known, at: datetime) -> dict[str, object]:
    """Give the calendars adopted so far, and the quarters around an instant."""
    current = known.calendar.quarter_at(at)
    before = after = None
    if current is not None:
        before = known.calendar.quarter_at(current.start_instant - timedelta(microseconds=1))
        after = known.calendar.quarter_at(current.end_instant)
    return {
        "adopted": [
            {
                **json.loads(event.data.to_json()),
                "adopted_at": event.occurred_at,
                "event_id": str(event.event_id),
            }
            for event in known.events
            if isinstance(event.data, CalendarAdopted)
        ],
        "previous": _quarter(before, at),
        "current": _quarter(current, at),
        "following": _quarter(after, at),
    }


def quarter_at_json(known: Known, at: datetime) -> dict[str, object]:
    """Give the quarter that an instant lies in; null where no calendar lists one."""
    return {"at": at, "in_quarter": _quarter(known.calendar.quarter_at(at), at)}


def _quarter(quarter: FiscalQuarter | None, at: datetime) -> dict[str, object] | None:
    return quarter_json(quarter, at) if quarter else None


def teams_json(known: Known, at: datetime) -> dict[str, object]:
    """Give the teams at an instant, and everybody's time in teams so far."""
    now = [m for m in known.memberships if m.joined <= at and (m.left is None or at < m.left)]
    teams = sorted({m.team for m in now})
    return {
        "teams": [
            {"team": team, "members": [_member(m) for m in now if m.team == team]} for team in teams
        ],
        "memberships": [_member(m) for m in known.memberships],
    }


def _member(membership: Membership) -> dict[str, object]:
    return {
        "rep": membership.rep,
        "team": membership.team,
        "role": membership.role,
        "manager": membership.manager,
        "joined": membership.joined,
        "left": membership.left,
    }


def rates_json(known: Known) -> list[dict[str, object]]:
    """Give the plan rates in force, the last told of each year and currency."""
    told = {
        (event.data.fiscal_year, event.data.currency): (event, event.data)
        for event in known.events
        if isinstance(event.data, PlanRateSet)
    }
    return [
        {
            "fiscal_year": data.fiscal_year,
            "currency": data.currency,
            "rate": decimal_text(data.rate),
            "set_at": event.occurred_at,
            "event_id": str(event.event_id),
        }
        for _, (event, data) in sorted(told.items())
    ]
