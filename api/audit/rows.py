"""The rows that auditors read of one deal by SQL, each from the fold that answers the API."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, TypeAlias
from uuid import UUID

import orjson
from psycopg.types.json import Jsonb

from domain.calendars import CalendarHistory
from domain.commitments import commitments_of
from domain.events.honesty import EventAmended, EventRetracted
from domain.fiscal import OutsideCalendarError
from domain.path import Processes, moves
from domain.replay import Event, corrections
from projections.pressure.answer import act_json, finding_json, ruling_json
from projections.pressure.context import KnownContext
from projections.pressure.fold import Judged
from projections.pressure.fold import fold as judge
from projections.progress.answer import outcomes_json
from projections.progress.fold import fold as follow
from projections.quarter.movement import moves_of
from projections.quarter.visits import visits_of

Row: TypeAlias = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Told:
    """A deal as known at one position: its raw stream and its view, and what it is held against."""

    deal_id: UUID
    stream: Sequence[Event]
    events: Sequence[Event]
    processes: Processes
    context: KnownContext


def _visits(told: Told) -> Iterator[Row]:
    for visit in visits_of(told.events, told.processes):
        yield {
            "event_id": visit.event_id,
            "process": visit.process,
            "stage": visit.stage,
            "episode": visit.episode,
            "number": visit.number,
            "entered_at": visit.entered_at,
            "left_at": visit.left_at,
            "ended_by": visit.ended_by,
            "ended_how": visit.ended_how,
        }


def _progress(told: Told) -> Iterator[Row]:
    for one in follow(told.events, told.processes, told.context.policy).activities:
        claim = one.claim
        yield {
            "stage": one.stage,
            "activity": one.activity,
            "weight": one.weight,
            "expressible": one.expressible,
            "tick_event_id": claim.tick_id if claim else None,
            "ticked_at": claim.ticked_at if claim else None,
            "settles_at": claim.settles_at if claim else None,
            "reached_at": one.reached_at(),
            "asserted_at": one.asserted_at(),
            "outcomes": _jsonb(outcomes_json(one)),
        }


def _advances(told: Told) -> Iterator[Row]:
    path = {move.event.event_id: move for move in moves(told.events, told.processes)}
    for one in follow(told.events, told.processes, told.context.policy).advances:
        move = path[one.event_id]
        yield {
            "event_id": one.event_id,
            "occurred_at": one.occurred_at,
            "from_stage": move.source,
            "to_stage": move.target,
            "steps": one.steps,
            "required": one.required,
            "evidenced": one.evidenced,
            "customer_led": one.customer_led,
        }


def _commitments(told: Told) -> Iterator[Row]:
    for one in commitments_of(told.events, told.context.calendar, told.context.policy):
        yield {
            "side": one.side,
            "commitment_id": one.id,
            "event_id": one.event_id,
            "kind": one.kind,
            "what": one.what,
            "level": one.level,
            "by": one.by,
            "role": one.role,
            "made_at": one.made_at,
            "due": one.due,
            "overdue_at": one.overdue_at,
            "renegotiated": one.renegotiated,
            "settled": one.settled,
            "settled_at": one.settled_at,
            "kept_late": one.kept_late,
            "event_ids": list(one.event_ids),
        }


def _moves(told: Told) -> Iterator[Row]:
    calendar = told.context.calendar
    for one in moves_of(told.deal_id, told.stream, calendar=calendar):
        yield {
            "event_id": one.event_id,
            "moved_at": one.at,
            "rep": one.by,
            "from_date": one.before,
            "to_date": one.after,
            "from_quarter": _quarter_on(calendar, one.before),
            "to_quarter": _quarter_on(calendar, one.after),
            "days": one.days,
            "quarters": one.quarters,
            "direction": one.direction,
            "cause": one.cause,
        }


def _quarter_on(calendar: CalendarHistory, day: date | None) -> str | None:
    try:
        return None if day is None else calendar.quarter_on(day).name
    except OutsideCalendarError:
        return None


def _verdicts(told: Told) -> Iterator[Row]:
    for one in judge(told.deal_id, told.events, told.processes, told.context):
        yield _verdict(one, policy_version=told.context.policy.version)


def _verdict(judged: Judged, *, policy_version: int) -> Row:
    answer: dict[str, Any] = {**act_json(judged), **ruling_json(judged)}
    money = {name: answer.pop(name) for name in ("quota", "attained")}
    del answer["elapsed"]
    currencies = [one["currency"] for one in money.values() if one]
    return {
        **answer,
        "event_position": judged.event.position,
        **{name: one["amount"] if one else None for name, one in money.items()},
        "currency": currencies[0] if currencies else None,
        "in_window": judged.window,
        "behind": judged.behind,
        "abnormal": judged.abnormal,
        "findings": _jsonb([finding_json(finding) for finding in judged.findings]),
        "quota_events": list(judged.quota_events),
        "win_events": list(judged.win_events),
        "policy_version": policy_version,
        "previous_percent": judged.previous,
    }


def _corrections(told: Told) -> Iterator[Row]:
    retracted, amended = corrections(told.stream)
    own = {event.event_id for event in told.stream}
    for event in told.stream:
        match event.data:
            case EventAmended(event_id=target):
                # An event that is retracted reads as none, whatever was amended of it.
                stands = amended.get(target) is event.data and target not in retracted
                how = "amended"
            case EventRetracted(event_id=target):
                stands, how = True, "retracted"
            case _:
                continue
        yield {
            "event_id": event.event_id,
            "corrected_event_id": target,
            "how": how,
            # An import may bring a correction of another deal's event: no figure of that uses it.
            "in_force": stands and target in own and event.event_id not in retracted,
        }


def _jsonb(value: object) -> Jsonb:
    return Jsonb(value, dumps=lambda told: orjson.dumps(told).decode())


TABLES: Final[Mapping[str, Callable[[Told], Iterator[Row]]]] = {
    "audit_visits": _visits,
    "audit_progress": _progress,
    "audit_advances": _advances,
    "audit_commitments": _commitments,
    "audit_moves": _moves,
    "audit_verdicts": _verdicts,
    "audit_corrections": _corrections,
}
"""What is kept of each deal, by the table that it is kept in."""
