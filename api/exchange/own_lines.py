"""One event as a line of Dealtrail's own, whichever file carries it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from pydantic import TypeAdapter, ValidationError

from api.exchange.lines import Findings, JsonObject, Line
from api.exchange.records import BadRecordError, place_of, text_of
from api.exchange.spool import Spool
from api.storage.staged_lines import Kept
from api.unique_names import unique_names
from domain.events.catalogue import STREAM_KINDS
from domain.values import ShortText, utc_instant

SYSTEM: Final = "dealtrail"
"""The source of lines where neither they nor the profile name another."""
MAX_NAME: Final = 500
"""Characters of a stream's name, an external id or an actor."""

_MAX_DIGITS: Final = 18
"""Digits of a position that a log can have."""
_REQUIRED: Final = ("stream", "external_id", "type", "actor", "data")
_OPTIONAL: Final = ("occurred_at", "recorded_at", "on_behalf_of", "caused_by")
_LEDGER: Final = ("position", "event_id", "stream_id", "source")
"""What an export tells of the ledger that it is from."""
_KEYS: Final = frozenset({*_REQUIRED, *_OPTIONAL, *_LEDGER})
_SOURCE_KEYS: Final = frozenset({"system", "file_sha256"})
_SINGLE: Final = frozenset({"calendar", "policy", "organisation", "rates"})
"""Kinds of which a ledger has one stream, called like the kind."""
_OF_QUARTER: Final = {"quota": "quota_assigned", "forecast": "forecast_called"}
"""Kinds whose stream names a person or team and a quarter, and the type that says both."""
_NAME: Final[TypeAdapter[str]] = TypeAdapter(ShortText)


def is_name(text: str) -> bool:
    """Whether a text may name a stream, a person or an event: one line that is not too long."""
    if text.isascii() and text.isprintable():
        # Nearly all names are such, and asking the model costs ten times as much.
        return len(text) <= MAX_NAME and not text.isspace() and text != ""
    try:
        _NAME.validate_python(text)
    except ValidationError:
        return False
    return True


@dataclass(slots=True)
class SortedLines:
    """The lines of exports whose formats have another order, put back into the one of the log."""

    spool: Spool
    found: bool = False

    def add(self, text: str, *, file: str, row: int, findings: Findings) -> None:
        """Keep a line; one that cannot be read is a reject."""
        self.found = True
        try:
            position = content_of(text).get("position")
        except BadRecordError as error:
            findings.reject(file, row, str(error))
            return
        key = position if isinstance(position, int) else 0
        # As text: what is kept on disk has no numbers of any size.
        self.spool.add([key, file, row], {"text": text, "file": file, "row": row})

    def lines(self, findings: Findings) -> Iterator[Line]:
        for _, record in self.spool:
            file, row = place_of(record)
            try:
                yield line_of(content_of(text_of(record, "text")), file=file, row=row)
            except BadRecordError as error:
                findings.reject(file, row, str(error))


def content_of(text: str) -> JsonObject:
    """Read a text as a JSON object.

    Raises:
        BadRecordError: it is none, or none that can be read in one way only.
    """
    try:
        content = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise BadRecordError(f"not JSON: {error.msg} at column {error.colno}") from error
    except RecursionError as error:
        raise BadRecordError("nested too deeply") from error
    except BadRecordError:
        raise
    except ValueError as error:
        raise BadRecordError("a number of too many digits") from error
    if not isinstance(content, dict):
        raise BadRecordError("expected a JSON object")
    return content


def _unique(pairs: list[tuple[str, object]]) -> JsonObject:
    return unique_names(pairs, lambda name: BadRecordError(f"{name}: given twice"))


def _no_constant(name: str) -> object:
    raise BadRecordError(f"{name} is not JSON")


_DECODER: Final = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant)


def line_of(content: JsonObject, *, file: str, row: int) -> Line:
    """Read the content of a line.

    Raises:
        BadRecordError: it is no event; the message names the key at fault.
    """
    for key in content:
        if key not in _KEYS:
            raise BadRecordError(f"{key}: not a key of a line")
    for key in _REQUIRED:
        if key not in content:
            raise BadRecordError(f"{key}: missing")
    type_name = _text(content, "type")
    if type_name not in STREAM_KINDS:
        raise BadRecordError(f"type: no event type is called {type_name!r}")
    data = content["data"]
    if not isinstance(data, dict):
        raise BadRecordError("data: expected an object")
    stream = _text(content, "stream")
    _check_stream(stream, type_name=type_name, data=data)
    occurred_at = _instant(content, "occurred_at")
    if occurred_at is None:
        raise BadRecordError("occurred_at: missing")
    return Line(
        stream=stream,
        external_id=_text(content, "external_id"),
        type=type_name,
        occurred_at=occurred_at,
        recorded_at=_instant(content, "recorded_at"),
        actor=_text(content, "actor"),
        on_behalf_of=_optional_text(content, "on_behalf_of"),
        caused_by=_optional_text(content, "caused_by"),
        data=data,
        file=file,
        row=row,
        kept=_kept(content, stream),
    )


def _kept(content: JsonObject, stream: str) -> Kept | None:
    """What the event keeps of the ledger that exported it; None if a line was written by others."""
    if content.get("event_id") is None:
        for key in ("stream_id", "source"):
            if content.get(key) is not None:
                raise BadRecordError(f"{key}: stands only beside an event_id")
        return None
    source = content.get("source") or {}
    if not isinstance(source, dict) or not source.keys() <= _SOURCE_KEYS:
        raise BadRecordError("source: expected an object with system and file_sha256")
    return Kept(
        event_id=_uuid(content, "event_id", _text(content, "event_id")),
        stream_id=_stream_id(content, stream),
        system=_optional_text(source, "system") or SYSTEM,
        file_sha256=_optional_text(source, "file_sha256"),
        position=_position(content),
    )


def _position(content: JsonObject) -> int | None:
    """The place in the log that it is from, as a number or as a text; None if none can be that."""
    stated = str(content.get("position"))
    digits = stated.lstrip("0")
    return int(digits or 0) if stated.isdecimal() and len(digits) <= _MAX_DIGITS else None


def _stream_id(content: JsonObject, stream: str) -> str:
    stream_id = _optional_text(content, "stream_id") or ""
    kind, _, rest = stream_id.partition(":")
    if not stream.startswith("deal:"):
        if stream_id != stream:
            raise BadRecordError(f"stream_id: expected {stream!r}, not {stream_id!r}")
        return stream_id
    if kind != "deal":
        raise BadRecordError(f'stream_id: expected "deal:<uuid>", not {stream_id!r}')
    return f"deal:{_uuid(content, 'stream_id', rest)}"


def _uuid(content: JsonObject, key: str, text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise BadRecordError(f"{key}: expected a UUID, not {content[key]!r}") from error


def _text(content: JsonObject, key: str) -> str:
    value = content[key]
    if not isinstance(value, str) or not value.strip():
        raise BadRecordError(f"{key}: expected a text")
    if not is_name(value):
        raise BadRecordError(f"{key}: expected one line of at most {MAX_NAME} characters")
    return value


def _optional_text(content: JsonObject, key: str) -> str | None:
    return None if content.get(key) is None else _text(content, key)


def _instant(content: JsonObject, key: str) -> datetime | None:
    value = content.get(key)
    if value is None:
        return None
    try:
        return utc_instant(value)
    except ValueError as error:
        raise BadRecordError(f"{key}: {error}") from error


def _check_stream(stream: str, *, type_name: str, data: JsonObject) -> None:
    kind, _, rest = stream.partition(":")
    expected = STREAM_KINDS[type_name]
    if kind != expected:
        raise BadRecordError(
            f"stream: {type_name} belongs to a stream {_example(expected)}, not {stream!r}"
        )
    if (kind in _SINGLE) == bool(rest) or (kind in _SINGLE and stream != kind):
        raise BadRecordError(f"stream: expected {_example(kind)}, not {stream!r}")
    if kind in _OF_QUARTER:
        _check_quarter(stream, rest, type_name=type_name, data=data)


def _check_quarter(stream: str, rest: str, *, type_name: str, data: JsonObject) -> None:
    who, _, quarter = rest.rpartition(":")
    if not who or not quarter:
        raise BadRecordError(f"stream: expected {_example('quota')}, not {stream!r}")
    if type_name not in _OF_QUARTER.values():
        return
    if data.get("quarter") != quarter:
        raise BadRecordError(f"data.quarter: the stream {stream!r} is of {quarter}")
    if who not in (data.get("rep"), data.get("team")):
        raise BadRecordError(f"data.rep: the stream {stream!r} is of {who!r}")


def _example(kind: str) -> str:
    if kind in _SINGLE:
        return f'"{kind}"'
    return f'"{kind}:<who>:<FY2026Q3>"' if kind in _OF_QUARTER else f'"{kind}:<id>"'
