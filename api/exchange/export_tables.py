"""The log as a table, one event a row: CSV for spreadsheets, Parquet for what analyses."""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from api.answers import data_in_force, how, json_bytes
from api.exchange.told import FORMULA, Batches, Told, instant_text
from domain.replay import Event

if TYPE_CHECKING:
    import pyarrow as pa

ROW_GROUP: Final = 10_000
"""Rows of a Parquet file that are held together, and can be skipped together by who reads it."""
_MAX_HELD: Final = 16 << 20
"""Characters of payloads held together, however large each is."""
_INSTANTS: Final = frozenset({"occurred_at", "recorded_at", "ingested_at", "told_at"})
_NUMBERS: Final = frozenset({"position", "version", "corrected_position"})
COLUMNS: Final = (
    *("position", "event_id", "stream_id", "version", "type"),
    *("occurred_at", "recorded_at", "ingested_at", "actor", "on_behalf_of", "channel", "clock"),
    *("correlation_id", "caused_by", "data"),
    *("stream", "external_id", "told_at", "source_system", "file_sha256"),
    *("corrected_by", "corrected_how", "corrected_position", "corrected_data"),
)


def row_of(told: Told) -> dict[str, object]:
    """Give an event as a row, by the columns."""
    event, corrector = told.event, told.corrector
    return {
        "position": event.position,
        "event_id": str(event.event_id),
        "stream_id": event.stream_id,
        "version": event.version,
        "type": told.type,
        "occurred_at": event.occurred_at,
        "recorded_at": event.recorded_at,
        "ingested_at": event.ingested_at,
        "actor": event.actor,
        "on_behalf_of": event.on_behalf_of,
        "channel": event.channel,
        "clock": event.clock,
        "correlation_id": event.correlation_id,
        "caused_by": str(event.caused_by) if event.caused_by else None,
        "data": event.data.to_json().decode(),
        "stream": told.name,
        "external_id": told.external_id,
        "told_at": told.told_at,
        "source_system": told.system,
        "file_sha256": told.file_sha256,
        "corrected_by": str(corrector.event_id) if corrector else None,
        "corrected_how": how(corrector) if corrector else None,
        "corrected_position": corrector.position if corrector else None,
        "corrected_data": _corrected_data(corrector) if corrector else None,
    }


def _corrected_data(corrector: Event) -> str | None:
    data = data_in_force(corrector)
    return None if data is None else json_bytes(data).decode()


def csv_rows(batches: Batches) -> Iterator[bytes]:
    """Write CSV with a header; no cell is a formula, and one that looks like it begins with `'`."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for batch in batches:
        writer.writerows([cell(value) for value in row_of(told).values()] for told in batch)
        yield text.getvalue().encode()
        text.seek(0)
        text.truncate()
    yield text.getvalue().encode()


def cell(value: object) -> str:
    """Give a value as a cell that no spreadsheet takes for a formula."""
    if value is None:
        return ""
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    if isinstance(value, datetime):
        return instant_text(value)
    text = str(value)
    return f"'{text}" if text.startswith(FORMULA) else text


def parquet(batches: Batches) -> Iterator[bytes]:
    """Write Parquet, row group by row group."""
    # Here because only this and its reader need it, and it takes a fifth of a second.
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    schema = pa.schema([(name, _arrow_type(pa, name)) for name in COLUMNS])
    written = _Written()
    with pq.ParquetWriter(pa.PythonFile(written, mode="w"), schema, compression="zstd") as writer:
        for rows in _in_groups(batches):
            writer.write_table(pa.Table.from_pylist(rows, schema=schema))
            yield written.taken()
    yield written.taken()


def _arrow_type(pa: Any, name: str) -> "pa.DataType":
    if name in _INSTANTS:
        return pa.timestamp("us", tz="UTC")
    return pa.int64() if name in _NUMBERS else pa.string()


def _in_groups(batches: Batches) -> Iterator[Sequence[Mapping[str, object]]]:
    held: list[Mapping[str, object]] = []
    size = 0
    for batch in batches:
        held += (rows := [row_of(told) for told in batch])
        size += sum(len(str(row["data"])) for row in rows)
        if len(held) >= ROW_GROUP or size >= _MAX_HELD:
            yield held
            held, size = [], 0
    if held:
        yield held


class _Written(io.RawIOBase):
    """A file that is read while it is written, and holds no more than what was not taken yet."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[bytes] = []
        self._at = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def write(self, part: Any) -> int:
        copied = bytes(part)
        self._parts.append(copied)
        self._at += len(copied)
        return len(copied)

    def taken(self) -> bytes:
        """Give what was written since the last time."""
        parts, self._parts = self._parts, []
        return b"".join(parts)
