"""How append requests travel to the database and how its answers are read."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Any, Final, LiteralString

import orjson

from api.storage.errors import AppendRefusedError
from api.storage.requests import (
    Appended,
    AppendRequest,
    Duplicate,
    NewEvent,
    Verdict,
    VersionConflict,
)

APPEND: Final[LiteralString] = "SELECT * FROM append_events(%s::json, %s, %s)"
CHANNEL: Final = "dealtrail_log"
"""Where a committed append is hinted at; the payload names the ledger's schema and the position."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """A request as the database takes it, with what it must not share with its batch."""

    stream_id: str
    key: tuple[str, str] | None
    size: int
    body: bytes


def pack(request: AppendRequest) -> Parcel:
    """Makes a request ready to send, here and not in the batch, so that only its sender suffers.

    Raises:
        AppendRefusedError: it holds text that JSON cannot carry.
    """
    key = None
    if request.idempotency_key is not None:
        key = (request.caller, request.idempotency_key)
    try:
        body = orjson.dumps(_asked(request))
    except TypeError as error:
        message = f"the request to {request.stream_id} cannot be written as JSON: {error}"
        raise AppendRefusedError(message) from error
    return Parcel(request.stream_id, key, len(request.events), body)


def parameters(
    parcels: Iterable[Parcel], *, sent_at: datetime, resent: bool
) -> tuple[str, object, bool]:
    """What `APPEND` takes."""
    asked = b"[" + b",".join(parcel.body for parcel in parcels) + b"]"
    return asked.decode(), sent_at, resent


def read_verdicts(rows: Sequence[tuple[Any, ...]]) -> list[Verdict]:
    """The answers of `APPEND`, in the order of the requests and not of the rows."""
    return [_verdict(row) for row in sorted(rows, key=itemgetter(0))]


def _verdict(row: tuple[Any, ...]) -> Verdict:
    _, verdict, version, first, last, recorded_at, body_hash, stream_id = row
    if verdict == "conflict":
        return VersionConflict(current_version=version)
    if verdict == "appended":
        return Appended(
            version=version, first_position=first, last_position=last, recorded_at=recorded_at
        )
    return Duplicate(
        body_hash=body_hash,
        stream_id=stream_id,
        version=version,
        first_position=first,
        last_position=last,
        recorded_at=recorded_at,
    )


def _asked(request: AppendRequest) -> dict[str, object]:
    return {
        "stream_id": request.stream_id,
        "expected_version": request.expected_version,
        "caller": request.caller,
        "key": request.idempotency_key,
        "body_hash": request.body_hash,
        "first_event_id": request.events[0].event_id,
        "events": [_event(event) for event in request.events],
    }


def _event(event: NewEvent) -> dict[str, object]:
    source = event.source
    told: dict[str, object] = {
        "event_id": event.event_id,
        "topic": event.data.TOPIC,
        "occurred_at": event.occurred_at,
        "actor": event.actor,
        "on_behalf_of": event.on_behalf_of,
        "channel": event.channel,
        "correlation_id": event.correlation_id,
        "caused_by": event.caused_by,
        # Stored as these bytes, never decoded and written anew on the way.
        "data": orjson.Fragment(event.data.to_json()),
    }
    if source is None:
        return told
    return told | {
        "source_system": source.system,
        "external_id": source.external_id,
        "external_stream": source.stream,
        "file_sha256": source.file_sha256,
        "source_recorded_at": source.recorded_at,
    }
