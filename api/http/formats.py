"""Pages of the log in the formats that other programs read."""

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from api.answers import event_json, json_bytes
from domain.events.base import type_name
from domain.replay import Event

COLUMNS: Final = (
    "position",
    "event_id",
    "stream_id",
    "version",
    "type",
    "occurred_at",
    "recorded_at",
    "ingested_at",
    "actor",
    "on_behalf_of",
    "channel",
    "clock",
    "correlation_id",
    "caused_by",
    "data",
)
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula."""


def written(events: Sequence[Event], media_type: str) -> bytes:
    """Write events in one of the `FORMATS`."""
    return _WRITERS[media_type](events)


def _ndjson(events: Sequence[Event]) -> bytes:
    return b"".join(json_bytes(event_json(event)) + b"\n" for event in events)


def _csv(events: Sequence[Event]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for event in events:
        # Through JSON once, so that instants read as everywhere else.
        fields = json.loads(json_bytes(event_json(event)))
        writer.writerow([cell(fields[name]) for name in COLUMNS])
    return text.getvalue().encode()


def cell(value: object) -> str:
    """Give a value as a cell that no spreadsheet takes for a formula."""
    if value is None:
        return ""
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _cloudevents(events: Sequence[Event]) -> bytes:
    return json_bytes([_cloudevent(event) for event in events])


def _cloudevent(event: Event) -> dict[str, object]:
    """Give an event as CloudEvents 1.0 does: its source is the stream, its id the event's."""
    extensions = {
        "recordedtime": event.recorded_at,
        "sequence": f"{event.position:020}",
        "correlationid": event.correlation_id,
        "causationid": str(event.caused_by) if event.caused_by else None,
    }
    return {
        "specversion": "1.0",
        "id": str(event.event_id),
        "source": f"/dealtrail/{event.stream_id}",
        "type": f"dealtrail.{type_name(type(event.data))}",
        "subject": event.stream_id,
        "time": event.occurred_at,
        "datacontenttype": "application/json",
        **{name: value for name, value in extensions.items() if value is not None},
        "data": json.loads(event.data.to_json()),
    }


_WRITERS: Final[Mapping[str, Callable[[Sequence[Event]], bytes]]] = {
    "application/x-ndjson": _ndjson,
    "text/csv": _csv,
    "application/cloudevents-batch+json": _cloudevents,
}
FORMATS: Final[dict[str, Any]] = {name: {"schema": {"type": "string"}} for name in _WRITERS}
"""What a page of the log may be asked for as, besides JSON."""
