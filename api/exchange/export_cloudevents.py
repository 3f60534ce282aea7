"""The log as a batch of CloudEvents 1.0."""

from collections.abc import Iterator
from typing import Final
from urllib.parse import quote

import orjson

from api.answers import how, json_bytes
from api.exchange.told import Batches, Told

SOURCE: Final = "/dealtrail/"
"""What the source of an event that a ledger exported begins with; its stream follows."""
TYPE: Final = "dealtrail."


def cloudevents(batches: Batches) -> Iterator[bytes]:
    """Write an array of events."""
    before = b"["
    for batch in batches:
        if batch:
            yield before + b",\n".join(json_bytes(_cloudevent(told)) for told in batch)
            before = b",\n"
    yield b"]\n" if before == b",\n" else b"[]\n"


def _cloudevent(told: Told) -> dict[str, object]:
    """Give an event: its source is the stream, its id the event's; names of ours are extensions."""
    event, corrector = told.event, told.corrector
    extensions = {
        "recordedtime": event.recorded_at,
        "toldtime": told.told_at,
        "sequence": f"{event.position:020}",
        "streamname": told.name,
        "externalid": told.external_id,
        "actor": event.actor,
        "onbehalfof": event.on_behalf_of,
        "correlationid": event.correlation_id,
        "causationid": str(event.caused_by) if event.caused_by else None,
        "channel": event.channel,
        "sourcesystem": told.system,
        "filesha256": told.file_sha256,
        "correctedby": str(corrector.event_id) if corrector else None,
        "correctedhow": how(corrector) if corrector else None,
    }
    return {
        "specversion": "1.0",
        "id": str(event.event_id),
        "source": SOURCE + quote(event.stream_id, safe="/:"),
        "type": TYPE + told.type,
        "subject": event.stream_id,
        "time": event.occurred_at,
        "datacontenttype": "application/json",
        **{name: value for name, value in extensions.items() if value is not None},
        "data": orjson.Fragment(event.data.to_json()),
    }
