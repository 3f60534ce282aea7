"""Tables that a ledger exported: CSV and Parquet, one event a row."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from api.exchange.export_tables import COLUMNS
from api.exchange.lines import ExportRefusedError, Findings, JsonObject, Line
from api.exchange.own_lines import SYSTEM, content_of, line_of
from api.exchange.records import BadRecordError
from api.exchange.texts import CsvTable

_READ_AT_ONCE: Final = 1_000
_AS_THEY_ARE: Final = (
    *("position", "stream", "stream_id", "external_id", "event_id", "type", "occurred_at"),
    *("actor", "on_behalf_of", "caused_by"),
)

_READ: Final = (*_AS_THEY_ARE, "data", "told_at", "source_system", "file_sha256")
"""The columns that a line is made of; exports of earlier versions lack some of the others."""


def is_own_csv(path: Path) -> bool:
    """Whether a table has the columns of an export.

    Raises:
        ExportRefusedError: it is no table.
    """
    # Names of ours read alike in any encoding that a table may be written in, and this one
    # reads all bytes: whether the rest is text is for the declared encoding to say.
    return set(_READ) <= set(CsvTable(path, encoding="latin-1").columns()) <= set(COLUMNS)


@dataclass(slots=True)
class OwnCsvReader:
    """Reads the rows of exported tables back as the lines that they were."""

    files: Sequence[Path]
    system: str = SYSTEM

    def lines(self, findings: Findings) -> Iterator[Line]:
        for path in self.files:
            for row in CsvTable(path).rows(findings):
                values = {name: _plain(cell) for name, cell in row.values.items() if cell}
                yield from _line(values, file=path.name, row=row.row, findings=findings)


@dataclass(slots=True)
class OwnParquetReader:
    """Reads the rows of exported Parquet files back as the lines that they were."""

    files: Sequence[Path]
    system: str = SYSTEM

    def lines(self, findings: Findings) -> Iterator[Line]:
        for path in self.files:
            for number, values in enumerate(_parquet_rows(path), start=1):
                findings.rows_read += 1
                yield from _line(values, file=path.name, row=number, findings=findings)


def _plain(cell: str) -> str:
    """Give a cell without the mark that it is no formula."""
    return cell.removeprefix("'")


def _parquet_rows(path: Path) -> Iterator[Mapping[str, object]]:
    # Here because only this and its writer need it, and it takes a fifth of a second.
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    try:
        with pq.ParquetFile(path) as file:
            for name in _READ:
                if name not in file.schema_arrow.names:
                    raise ExportRefusedError(f"another table: no column {name!r}", file=path.name)
            for batch in file.iter_batches(_READ_AT_ONCE, columns=list(_READ)):
                yield from batch.to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise ExportRefusedError(f"no Parquet, or cut short: {error}", file=path.name) from error


def _line(
    values: Mapping[str, object], *, file: str, row: int, findings: Findings
) -> Iterator[Line]:
    try:
        yield line_of(_content(values), file=file, row=row)
    except BadRecordError as error:
        findings.reject(file, row, str(error))


def _content(values: Mapping[str, object]) -> JsonObject:
    content: JsonObject = {name: values.get(name) for name in _AS_THEY_ARE}
    content["recorded_at"] = values.get("told_at")
    content["data"] = content_of(str(values.get("data")))
    if values.get("source_system") is not None:
        sha256 = values.get("file_sha256")
        content["source"] = {"system": values["source_system"], "file_sha256": sha256}
    return content
