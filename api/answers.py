"""How events and states read as JSON, the same wherever they are answered."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

import orjson

from domain.events.base import type_name
from domain.events.honesty import EventAmended
from domain.replay import Event
from domain.stamp import Source
from domain.values import decimal_text
from projections.history.fold import Correction, Entry
from projections.spans.fold import DealState

_OPTIONS: Final = orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS


def json_bytes(answer: object) -> bytes:
    """Write an answer: instants as RFC 3339 in UTC, keys in the order given."""
    return orjson.dumps(answer, option=_OPTIONS)


def event_json(event: Event) -> dict[str, object]:
    """Give an event with its envelope (DESIGN section 3)."""
    return {
        "event_id": str(event.event_id),
        "stream_id": event.stream_id,
        "version": event.version,
        "position": event.position,
        "topic": event.data.TOPIC,
        "type": type_name(type(event.data)),
        "occurred_at": event.occurred_at,
        "recorded_at": event.recorded_at,
        "ingested_at": event.ingested_at,
        "actor": event.actor,
        "on_behalf_of": event.on_behalf_of,
        "channel": event.channel,
        "idempotency_key": event.idempotency_key,
        "correlation_id": event.correlation_id,
        "caused_by": str(event.caused_by) if event.caused_by else None,
        "clock": event.clock,
        "source": source_json(event.source),
        "data": json.loads(event.data.to_json()),
    }


def logged_json(event: Event, correctors: Mapping[UUID, Event]) -> dict[str, object]:
    """Give an event as it was told, and the correction in force by which it reads otherwise."""
    found = correctors.get(event.event_id)
    by: dict[str, object] | None = None
    if found is not None:
        by = {
            "event_id": str(found.event_id),
            "how": how(found),
            "position": found.position,
            "data": data_in_force(found),
        }
    return {**event_json(event), "corrected_by": by}


def how(correction: Event) -> str:
    """Say what a correction does to an event: `amended` or `retracted`."""
    return type_name(type(correction.data)).removeprefix("event_")


def data_in_force(correction: Event) -> dict[str, object] | None:
    """Give the payload that a correction puts in the place of an event's; None of a retraction."""
    return {**correction.data.data} if isinstance(correction.data, EventAmended) else None


def source_json(source: Source | None) -> dict[str, object] | None:
    """Say where an imported event comes from."""
    if source is None:
        return None
    return {
        "system": source.system,
        "external_id": source.external_id,
        "stream": source.stream,
        "file_sha256": source.file_sha256,
        "recorded_at": source.recorded_at,
    }


def state_json(state: DealState) -> dict[str, object]:
    """Give the state of a deal."""
    amount = None
    if state.amount is not None:
        amount = {"amount": decimal_text(state.amount), "currency": state.currency}
    process = None
    if state.process_id is not None:
        process = {"id": state.process_id, "version": state.process_version}
    return {
        "name": state.name,
        "account": {"id": state.account_id, "name": state.account_name, "segment": state.segment},
        "owner": state.owner,
        "stage": state.stage,
        "process": process,
        "closed": state.closed,
        "amount": amount,
        "close_date": state.close_date,
        "forecast_category": state.forecast_category,
        "discount": None if state.discount is None else decimal_text(state.discount),
        "opened_at": state.opened_at,
        "closed_at": state.closed_at,
        "deleted": state.deleted,
        "source_system": state.source_system,
        "external_id": state.external_id,
    }


def entry_json(entry: Entry, verdict: object) -> dict[str, object]:
    """Give one event of a timeline, with its verdict if it has one."""
    return {
        "event_id": str(entry.event_id),
        "position": entry.position,
        "version": entry.version,
        "type": entry.type,
        "title": entry.title,
        "detail": entry.detail,
        "data": orjson.loads(entry.data),
        "occurred_at": entry.occurred_at,
        "recorded_at": entry.recorded_at,
        "ingested_at": entry.ingested_at,
        "rep": entry.rep,
        "actor": entry.actor,
        "on_behalf_of": entry.on_behalf_of,
        "channel": entry.channel,
        "clock": entry.clock,
        "caused_by": str(entry.caused_by) if entry.caused_by else None,
        "stage": entry.stage,
        "driver": entry.driver,
        "explained_by": str(entry.explained_by) if entry.explained_by else None,
        "lag_hours": entry.lag_hours,
        "late_recorded": entry.late,
        "backdated_across_boundary": entry.backdated,
        "amended": correction_json(entry.amended),
        "retracted": correction_json(entry.retracted),
        "pressure": verdict,
    }


def late_because(entry: Entry, at: datetime) -> list[str]:
    """Say why an event that an answer of an instant rests on was not simply told in its time.

    `recorded_after`: only told after the instant. `late_recorded`, `backdated_across_boundary`:
    METRICS section 1. `amended`, `retracted`: a later event says otherwise.
    """
    reasons = {
        "recorded_after": entry.told_at is not None and entry.told_at > at,
        "late_recorded": bool(entry.late),
        "backdated_across_boundary": bool(entry.backdated),
        "amended": entry.amended is not None,
        "retracted": entry.retracted is not None,
    }
    return [name for name, holds in reasons.items() if holds]


def late_json(entry: Entry, at: datetime) -> dict[str, object]:
    """Name an event that was told late, or told otherwise before."""
    correction = entry.retracted or entry.amended
    return {
        "event_id": str(entry.event_id),
        "type": entry.type,
        "position": entry.position,
        "occurred_at": entry.occurred_at,
        "recorded_at": entry.recorded_at,
        "because": late_because(entry, at),
        "corrected_by": str(correction.event_id) if correction else None,
        "correction": None
        if correction is None
        else {
            "rep": correction.rep,
            "recorded_at": correction.recorded_at,
            "reason": correction.reason,
        },
    }


def correction_json(correction: Correction | None) -> dict[str, object] | None:
    """Say what a later event did to an earlier one."""
    if correction is None:
        return None
    return {
        "event_id": str(correction.event_id),
        "rep": correction.rep,
        "recorded_at": correction.recorded_at,
        "reason": correction.reason,
        "data": json.loads(correction.data) if correction.data else None,
    }
