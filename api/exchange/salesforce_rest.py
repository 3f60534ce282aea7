"""Results of Salesforce queries over REST, read as the rows that an export file has."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from api.exchange.json_stream import ELEMENT, JsonStream
from api.exchange.lines import ExportRefusedError, Findings, JsonObject
from api.exchange.texts import CsvRow

_RECORDS: Final = (("records", ELEMENT), (ELEMENT, "records", ELEMENT))
_ABOUT: Final = ("totalSize", "done")
_OWN: Final = "attributes"
"""What every record has that says its type and address, and is no field."""


@dataclass(slots=True)
class QueryResult:
    """The pages of one query that lie in one file; a row is a record, numbered from 1."""

    path: Path
    encoding: str | None = None
    _done: bool = field(default=True, init=False)
    _total: int = field(default=0, init=False)

    def columns(self) -> list[str] | None:
        """The fields of the first record; None if there is no record to show them."""
        return next((list(values) for _, values in self._records()), None)

    def rows(self, findings: Findings) -> Iterator[CsvRow]:
        """Every record; what is nested in one is told to the findings.

        Raises:
            ExportRefusedError: no query result, cut short, or without its last page.
        """
        row = 0
        for row, values in self._records():
            findings.rows_read += 1
            yield CsvRow(
                self.path.name, row, {name: _text(value) for name, value in values.items()}
            )
            for name, value in values.items():
                if isinstance(value, dict | list) and name != _OWN:
                    findings.lacks(f"{name}: what a query nests in a record; query it by itself")
        if not self._done or row < self._total:
            raise ExportRefusedError(
                f"cut short: {row} records of {self._total or 'a query that is not done'}; "
                "put the following pages into the same file",
                file=self.path.name,
                row=row + 1,
            )

    def _records(self) -> Iterator[tuple[int, JsonObject]]:
        found = JsonStream(
            self.path,
            places=_RECORDS,
            beside=[(*record[:-2], name) for record in _RECORDS for name in _ABOUT],
            expected="the result of a query, an object with `records`",
            encoding=self.encoding,
        )
        self._done, self._total = True, 0
        for one in found:
            if one.beside:
                self._say(one.keys[-1], one.value)
            elif isinstance(one.value, dict):
                yield one.row, one.value
            else:
                raise ExportRefusedError(
                    "expected a record, an object", file=self.path.name, row=one.row
                )

    def _say(self, name: str, value: object) -> None:
        if name == "done":
            self._done = value is True
        elif isinstance(value, str) and value.isdecimal():
            self._total = max(self._total, int(value))


def _text(value: object) -> str:
    """A value as an export file would hold it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else ""
