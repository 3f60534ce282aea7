"""Dealtrail's own lines: one event a line, as `dealtrail export --format ndjson` writes them."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from api.exchange.lines import ExportRefusedError, Findings, JsonObject, Line
from api.exchange.own_lines import SYSTEM, content_of, line_of
from api.exchange.records import BadRecordError
from api.exchange.texts import text_lines
from domain.events.catalogue import STREAM_KINDS
from domain.values import utc_instant

MAX_LINE: Final = 1 << 20
"""Characters of one line; an event is a few hundred."""
_TELLING: Final = frozenset({"stream", "type", "data"})
"""One of these in the first line shows that the file is of ours, if faulty."""


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
            if content.get("occurred_at") is None and _is_context(content):
                content |= {"occurred_at": self._earliest(), "recorded_at": None}
            try:
                yield line_of(content, file=path.name, row=row)
            except BadRecordError as error:
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
            content = content_of(text)
        except BadRecordError as error:
            if isinstance(error.__cause__, json.JSONDecodeError):
                _ensure_not_structural(text, path.name, row, recognised=recognised)
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
