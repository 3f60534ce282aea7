"""Dealtrail's own lines: one event a line, as `dealtrail export --format ndjson` writes them."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from api.exchange.lines import ExportRefusedError, Findings, JsonObject, Line
from api.exchange.texts import text_lines
from api.unique_names import unique_names
from domain.events.catalogue import STREAM_KINDS
from domain.values import utc_instant

MAX_LINE: Final = 1 << 20
"""Characters of one line; an event is a few hundred."""
MAX_NAME: Final = 500
"""Characters of a stream's name, an external id or an actor."""
SYSTEM: Final = "dealtrail"
"""The source of lines where the profile names no other."""

_REQUIRED: Final = ("stream", "external_id", "type", "actor", "data")
_KEYS: Final = frozenset({*_REQUIRED, "occurred_at", "recorded_at", "on_behalf_of", "caused_by"})
_TELLING: Final = frozenset({"stream", "type", "data"})
"""One of these in the first line shows that the file is of ours, if faulty."""
_SINGLE: Final = frozenset({"calendar", "policy", "organisation", "rates"})
"""Kinds of which a ledger has one stream, called like the kind."""
_OF_QUARTER: Final = {"quota": "quota_assigned", "forecast": "forecast_called"}
"""Kinds whose stream names a person or team and a quarter, and the type that says both."""


class _RefusedLineError(ValueError):
    """The line is no event; the message says why."""


@dataclass(slots=True)
class NdjsonReader:
    """Reads files of lines; a bad line is a reject, a file of another kind is refused."""

    files: Sequence[Path]
    system: str = SYSTEM
    _found: datetime | None = field(default=None, init=False)

    def lines(self, findings: Findings) -> Iterator[Line]:
        for path in self.files:
            yield from self._lines_of(path, findings)

    def _lines_of(self, path: Path, findings: Findings) -> Iterator[Line]:
        for content, row in _objects(path, findings):
            untimed = content.get("occurred_at") is None and _is_context(content)
            at_start = {"occurred_at": self._earliest(), "recorded_at": None} if untimed else {}
            try:
                yield _line(content | at_start, file=path.name, row=row)
            except _RefusedLineError as error:
                findings.reject(path.name, row, str(error))

    def _earliest(self) -> datetime | None:
        """The first instant that any line states: context without a time has always held."""
        if self._found is None:
            for path in self.files:
                for content, _ in _objects(path, Findings()):
                    stated = _stated(content)
                    self._found = min(self._found or stated, stated) if stated else self._found
        return self._found


def _objects(path: Path, findings: Findings) -> Iterator[tuple[JsonObject, int]]:
    """Every line that holds a JSON object.

    Raises:
        ExportRefusedError: the first line is none of ours, or the last one is cut short.
    """
    recognised = False
    for row, text in text_lines(path, limit=MAX_LINE):
        if not text.strip():
            continue
        findings.rows_read += 1
        try:
            content = _decoded(text)
        except json.JSONDecodeError as error:
            _ensure_not_structural(text, path.name, row, recognised=recognised)
            findings.reject(path.name, row, f"not JSON: {error.msg} at column {error.colno}")
            continue
        except _RefusedLineError as error:
            _ensure_recognised(path.name, row, recognised=recognised)
            findings.reject(path.name, row, str(error))
            continue
        recognised = recognised or bool(_TELLING & content.keys())
        _ensure_recognised(path.name, row, recognised=recognised)
        yield content, row


def _is_context(content: JsonObject) -> bool:
    return STREAM_KINDS.get(str(content.get("type")), "deal") != "deal"


def _stated(content: JsonObject) -> datetime | None:
    for key in ("occurred_at", "recorded_at"):
        try:
            return utc_instant(content.get(key))
        except ValueError:
            continue
    return None


def _ensure_not_structural(text: str, file: str, row: int, *, recognised: bool) -> None:
    _ensure_recognised(file, row, recognised=recognised)
    if not text.endswith("\n"):
        raise ExportRefusedError("cut short: the last line is not complete", file=file, row=row)


def _ensure_recognised(file: str, row: int, *, recognised: bool) -> None:
    if not recognised:
        raise ExportRefusedError(
            "another format: expected one JSON object a line, with the keys stream, type, data",
            file=file,
            row=row,
        )


def _decoded(text: str) -> JsonObject:
    try:
        content = _DECODER.decode(text)
    except RecursionError as error:
        raise _RefusedLineError("nested too deeply") from error
    if not isinstance(content, dict):
        raise _RefusedLineError("expected a JSON object")
    return content


def _unique(pairs: list[tuple[str, object]]) -> JsonObject:
    return unique_names(pairs, lambda name: _RefusedLineError(f"{name}: given twice"))


def _no_constant(name: str) -> object:
    raise _RefusedLineError(f"{name} is not JSON")


_DECODER: Final = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant)


def _line(content: JsonObject, *, file: str, row: int) -> Line:
    for key in content:
        if key not in _KEYS:
            raise _RefusedLineError(f"{key}: not a key of a line")
    for key in _REQUIRED:
        if key not in content:
            raise _RefusedLineError(f"{key}: missing")
    type_name = _text(content, "type")
    if type_name not in STREAM_KINDS:
        raise _RefusedLineError(f"type: no event type is called {type_name!r}")
    data = content["data"]
    if not isinstance(data, dict):
        raise _RefusedLineError("data: expected an object")
    stream = _text(content, "stream")
    _check_stream(stream, type_name=type_name, data=data)
    occurred_at = _instant(content, "occurred_at")
    if occurred_at is None:
        raise _RefusedLineError("occurred_at: missing")
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
    )


def _text(content: JsonObject, key: str) -> str:
    value = content[key]
    if not isinstance(value, str) or not value.strip():
        raise _RefusedLineError(f"{key}: expected a text")
    if len(value) > MAX_NAME or not value.isprintable():
        raise _RefusedLineError(f"{key}: expected one line of at most {MAX_NAME} characters")
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
        raise _RefusedLineError(f"{key}: {error}") from error


def _check_stream(stream: str, *, type_name: str, data: JsonObject) -> None:
    kind, _, rest = stream.partition(":")
    expected = STREAM_KINDS[type_name]
    if kind != expected:
        raise _RefusedLineError(
            f"stream: {type_name} belongs to a stream {_example(expected)}, not {stream!r}"
        )
    if (kind in _SINGLE) == bool(rest) or (kind in _SINGLE and stream != kind):
        raise _RefusedLineError(f"stream: expected {_example(kind)}, not {stream!r}")
    if kind in _OF_QUARTER:
        _check_quarter(stream, rest, type_name=type_name, data=data)


def _check_quarter(stream: str, rest: str, *, type_name: str, data: JsonObject) -> None:
    who, _, quarter = rest.rpartition(":")
    if not who or not quarter:
        raise _RefusedLineError(f"stream: expected {_example('quota')}, not {stream!r}")
    if type_name not in _OF_QUARTER.values():
        return
    if data.get("quarter") != quarter:
        raise _RefusedLineError(f"data.quarter: the stream {stream!r} is of {quarter}")
    if who not in (data.get("rep"), data.get("team")):
        raise _RefusedLineError(f"data.rep: the stream {stream!r} is of {who!r}")


def _example(kind: str) -> str:
    if kind in _SINGLE:
        return f'"{kind}"'
    return f'"{kind}:<who>:<FY2026Q3>"' if kind in _OF_QUARTER else f'"{kind}:<id>"'
