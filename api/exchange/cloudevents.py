"""CloudEvents 1.0 in JSON: a batch, or one event a line, each told as the profile says."""

from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from api.exchange.context import KnownContext
from api.exchange.export_cloudevents import SOURCE, TYPE
from api.exchange.instants import parse_instant
from api.exchange.json_stream import ELEMENT, JsonRecord, JsonStream, decoded, with_numbers
from api.exchange.lines import Findings, JsonObject, Line
from api.exchange.log_telling import LogSpool, LogTelling, mappings_of
from api.exchange.own_lines import line_of
from api.exchange.profile import Profile
from api.exchange.records import BadRecordError, one_line, stamp
from api.exchange.spool import Spool

SYSTEM: Final = "cloudevents"
"""The source of ids where the profile names no other."""

_PLACES: Final = ((), (ELEMENT,))
_REQUIRED: Final = ("id", "source", "specversion", "type")
_VERSION: Final = "1.0"


@dataclass(slots=True)
class CloudEventsReader:
    """Reads events by the source and id that name each, in the order of their sequence."""

    files: Sequence[Path]
    profile: Profile
    known: KnownContext

    @property
    def system(self) -> str:
        return self.profile.source or SYSTEM

    def lines(self, findings: Findings) -> Iterator[Line]:
        with Spool() as rows:
            spool = LogSpool(self.profile, rows, findings)
            own = False
            for path in self.files:
                for line in self._read(path, spool, findings):
                    own = True
                    yield line
            if own and spool.earliest is None:
                return
            yield from LogTelling(
                self.profile, self.known, self.system, findings, self.files[0].name
            ).lines(spool)

    def _read(self, path: Path, spool: LogSpool, findings: Findings) -> Iterator[Line]:
        """Give what a ledger exported, and keep the rest until all of it is known."""
        found = JsonStream(
            path,
            places=_PLACES,
            expected="CloudEvents, as an array or one a line",
            encoding=self.profile.encoding,
        )
        for one in found:
            findings.rows_read += 1
            try:
                record = one.record(path.name)
                if _is_own(record.content):
                    yield line_of(_own_content(record.content), file=path.name, row=one.row)
                else:
                    self._take(record, spool)
            except ValueError as error:
                findings.reject(path.name, one.row, str(error))

    def _take(self, found: JsonRecord, spool: LogSpool) -> None:
        event = found.content
        for name in _REQUIRED:
            _text(event, name)
        if event["specversion"] != _VERSION:
            raise BadRecordError(f"specversion: expected {_VERSION}, not {event['specversion']!r}")
        data = _data(event)
        attributes = dict(data) if isinstance(data, dict) else {}
        zone = self.profile.zone or "UTC"
        at = _instant(event, "time", zone=zone)
        told = event.get("recordedtime")
        recorded = _instant(event, "recordedtime", zone=zone) if told else None
        name = str(attributes.get(self.profile.event_name or "") or _text(event, "type"))
        record: JsonObject = found.place | {
            "case": self._case(event, attributes),
            "name": name,
            "key": one_line(f"{_text(event, 'source')} {_text(event, 'id')}"),
            "by": one_line(str(attributes.get("actor") or "")),
            "recorded": stamp(recorded) if recorded else "",
            "attributes": attributes,
        }
        if data is not None and not isinstance(data, dict):
            self._ensure_not_needed(name)
            spool.findings.note("the data of an event that is no object was not read")
        spool.event(record, at=at, sequence=str(event.get("sequence") or ""))

    def _ensure_not_needed(self, name: str) -> None:
        """Refuse an event without attributes of which the profile takes one."""
        for mapping in mappings_of(self.profile, name):
            for source in mapping.fields.values():
                if isinstance(source, str):
                    raise BadRecordError(f"data: expected an object with {source!r}")

    def _case(self, event: JsonObject, attributes: Mapping[str, object]) -> str:
        """The deal: what the declared attribute names, or the last part of the subject."""
        if self.profile.case is not None:
            return one_line(_text(attributes, self.profile.case))
        return one_line(_text(event, "subject").rpartition("/")[2])


def _data(event: JsonObject) -> object:
    """What the event says of itself, whatever that is; None where it says nothing.

    Raises:
        BadRecordError: it is said to be in base64 and is not.
    """
    encoded = event.get("data_base64")
    if encoded is None:
        return event.get("data")
    try:
        content = b64decode(str(encoded), validate=True)
    except ValueError as error:
        raise BadRecordError("data_base64: expected base64") from error
    try:
        return decoded(content.decode())
    except (ValueError, RecursionError):
        return content


def _is_own(event: JsonObject) -> bool:
    return str(event.get("source")).startswith(SOURCE) and "streamname" in event


def _own_content(event: JsonObject) -> JsonObject:
    """Give an event that a ledger exported as the line that it was."""
    content: JsonObject = {
        "stream": event["streamname"],
        "stream_id": event.get("subject"),
        "external_id": event.get("externalid"),
        "event_id": event.get("id"),
        "position": event.get("sequence"),
        "type": str(event.get("type")).removeprefix(TYPE),
        "occurred_at": event.get("time"),
        "recorded_at": event.get("toldtime"),
        "actor": event.get("actor"),
        "on_behalf_of": event.get("onbehalfof"),
        "caused_by": event.get("causationid"),
        "data": with_numbers(event.get("data")),
    }
    if event.get("sourcesystem") is None:
        return content
    source = {"system": event["sourcesystem"], "file_sha256": event.get("filesha256")}
    return content | {"source": source}


def _text(content: Mapping[str, object], key: str) -> str:
    value = content.get(key)
    if not isinstance(value, str) or not value.strip():
        raise BadRecordError(f"{key}: missing")
    return value.strip()


def _instant(event: JsonObject, key: str, *, zone: str) -> datetime:
    try:
        return parse_instant(_text(event, key), zone)
    except BadRecordError:
        raise
    except ValueError as error:
        raise BadRecordError(f"{key}: {error}") from error
