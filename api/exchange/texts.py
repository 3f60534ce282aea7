"""Files as text: decoded as declared, and refused where they are not what they should be."""

import codecs
import csv
import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TextIO

from api.exchange.lines import ExportRefusedError, Findings
from api.exchange.metering import open_bytes

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""A byte order mark declares the encoding, so reading by it is no guess."""
_FOREIGN: Final = (
    (b"PK\x03\x04", "a zip archive; unpack it first"),
    (b"\x1f\x8b", "a gzip file; unpack it first"),
    (b"%PDF", "a PDF"),
    (b"SQLite format 3", "an SQLite database"),
    (b"PAR1", "a Parquet file"),
)
MAX_FIELD: Final = 1 << 20
"""Characters of one CSV field; a longer one is a quote that was never closed."""


@dataclass(frozen=True, slots=True)
class CsvRow:
    """One record of a CSV file; `row` is its number as a spreadsheet shows it, the header 1."""

    file: str
    row: int
    values: dict[str, str]

    def get(self, column: str) -> str:
        """The value without blanks around it; empty where the column is missing."""
        return self.values.get(column, "").strip()


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def open_text(path: Path, encoding: str | None) -> TextIO:
    """The file as text with its line ends kept; ExportRefusedError if it is no text at all."""
    try:
        with path.open("rb") as file:
            head = file.read(16)
    except OSError as error:
        raise ExportRefusedError(f"cannot be read: {error.strerror}", file=path.name) from error
    for magic, what in _FOREIGN:
        if head.startswith(magic):
            raise ExportRefusedError(f"this is {what}", file=path.name)
    encoding = _marked(head) or encoding or "utf-8"
    return io.TextIOWrapper(open_bytes(path), encoding=encoding, newline="")


def _marked(head: bytes) -> str | None:
    return next((name for mark, name in _MARKS if head.startswith(mark)), None)


def known_encoding(name: str) -> str:
    """The name as Python knows it; ValueError for an encoding that there is not, or not of text."""
    try:
        io.TextIOWrapper(io.BytesIO(), encoding=name)
        return codecs.lookup(name).name
    except LookupError as error:
        raise ValueError(f"no encoding of text is called {name!r}") from error


def undecodable(path: Path, error: UnicodeError) -> ExportRefusedError:
    """The refusal of a file that is no text in its encoding, with its first bad line."""
    encoding = error.encoding if isinstance(error, UnicodeDecodeError) else "the declared encoding"
    return ExportRefusedError(
        f"not text in {encoding}; set `encoding` in the profile to the one it was written in",
        file=path.name,
        row=_undecodable_line(path, encoding),
    )


def _undecodable_line(path: Path, encoding: str) -> int | None:
    """The first line that is not text; None in an encoding whose lines bytes do not show."""
    if encoding.startswith(("utf-16", "utf-32")):
        return None
    with path.open("rb") as file:
        for number, content in enumerate(file, start=1):
            try:
                content.decode(encoding)
            except (UnicodeError, LookupError):
                return number
    return None


def text_lines(path: Path, *, limit: int) -> Iterator[tuple[int, str]]:
    """The numbered lines of a UTF-8 file, their ends kept.

    Raises:
        ExportRefusedError: not UTF-8, or a line longer than the limit.
    """
    row = 0
    with open_text(path, "utf-8") as file:
        try:
            while text := file.readline(limit + 1):
                row += 1
                if len(text) > limit:
                    raise ExportRefusedError(
                        f"a line of more than {limit} characters", file=path.name, row=row
                    )
                yield row, text
        except UnicodeError as error:
            raise undecodable(path, error) from error


class CsvTable:
    """A CSV file with a header: streamed, and refused whole where its structure is wrong."""

    def __init__(self, path: Path, *, encoding: str | None = None, delimiter: str = ",") -> None:
        self._path = path
        self._encoding = encoding
        self._delimiter = delimiter

    def rows(self, findings: Findings) -> Iterator[CsvRow]:
        """Every record, blank ones left out; one with too few or many columns is a reject.

        Lines of a single value at the end, as reports have them below their rows, are noted.

        Raises:
            ExportRefusedError: no header, undecodable, a quote never closed, or cut short.
        """
        records = self._records()
        header = self._header(next(records, None))
        name = self._path.name
        short: list[tuple[int, list[str]]] = []
        for row, values in records:
            if len(values) != len(header):
                # Only the end tells a file that was cut short, or has a foot, from bad rows.
                short.append((row, values))
                continue
            _reject_short(short, name, header, findings)
            short.clear()
            findings.rows_read += 1
            yield CsvRow(name, row, dict(zip(header, values, strict=True)))
        _end_short(short, name, header, findings)

    def columns(self) -> list[str]:
        return self._header(next(self._records(), None))

    def _header(self, first: tuple[int, list[str]] | None) -> list[str]:
        header = [] if first is None else [name.strip() for name in first[1]]
        if not any(header):
            raise ExportRefusedError("empty: expected a header row", file=self._path.name, row=1)
        if header[0][:1] in ("<", "{", "["):
            raise ExportRefusedError(
                "this is XML or JSON, where a CSV file with a header was expected",
                file=self._path.name,
                row=1,
            )
        for name in header:
            # Spreadsheets leave columns without a name, which nothing can ask for.
            if name and header.count(name) > 1:
                raise ExportRefusedError(
                    f"the column {name!r} stands twice in the header", file=self._path.name, row=1
                )
        return header

    def _records(self) -> Iterator[tuple[int, list[str]]]:
        csv.field_size_limit(MAX_FIELD)
        row = 0
        with open_text(self._path, self._encoding) as file:
            records = csv.reader(file, delimiter=self._delimiter, strict=True)
            try:
                for values in records:
                    row += 1
                    yield row, values
            except UnicodeError as error:
                raise undecodable(self._path, error) from error
            except csv.Error as error:
                raise ExportRefusedError(
                    f"not CSV, or cut short: {error}", file=self._path.name, row=row + 1
                ) from error


def _reject_short(
    short: list[tuple[int, list[str]]], name: str, header: list[str], findings: Findings
) -> None:
    for row, values in short:
        if values:
            findings.rows_read += 1
            findings.reject(name, row, _columns(values, header))


def _end_short(
    short: list[tuple[int, list[str]]], name: str, header: list[str], findings: Findings
) -> None:
    """What the last rows are that have not the columns of the header: a foot, or a cut."""
    told = [(row, values) for row, values in short if values]
    single = len(header) > 1 and all(len(values) == 1 for _, values in told)
    after_a_blank = bool(told) and short[0] != told[0]
    if single and (len(told) > 1 or after_a_blank):
        findings.note(f"{name}: {len(told)} lines below the last row hold no data")
    elif told:
        _reject_short(told[:-1], name, header, findings)
        row, values = told[-1]
        raise ExportRefusedError(f"cut short: {_columns(values, header)}", file=name, row=row)


def _columns(values: list[str], header: list[str]) -> str:
    return f"{len(values)} columns where the header has {len(header)}"


def ensure_column(column: str, header: list[str], *, key: str, file: str) -> None:
    """Refuse a table that lacks a column which its profile names under a key."""
    if column not in header:
        raise ExportRefusedError(
            f"no column {column!r}, which the profile names as `{key}`", file=file, row=1
        )
