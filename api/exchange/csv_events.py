"""Tables that hold a row for each event of a deal, told as the profile says of their names."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from api.exchange.context import KnownContext, fiscal_zone
from api.exchange.csv_table import SYSTEM
from api.exchange.csv_values import declared_rows, stated_moment
from api.exchange.lines import ExportRefusedError, Findings, JsonObject, Line
from api.exchange.log_telling import LogSpool, LogTelling
from api.exchange.profile import ColumnRole, Profile
from api.exchange.records import BadRecordError, one_line, stamp
from api.exchange.spool import Spool
from api.exchange.texts import CsvRow, CsvTable, ensure_column

_HAPPENED: Final[ColumnRole] = "happened_on"
_DIGEST: Final = 16
"""Digits that tell the rows of one deal and moment apart, where no column names them."""


@dataclass(slots=True)
class CsvEventsReader:
    """Reads rows as events of deals that the ledger has, or that one of the rows opens.

    An event is called by the column that `event_name` names, or like its file.
    """

    files: Sequence[Path]
    profile: Profile
    known: KnownContext

    @property
    def system(self) -> str:
        return self.profile.source or SYSTEM

    @property
    def _zone(self) -> str:
        """The zone of days, which have no time: that of fiscal quarters, as all days have it."""
        return fiscal_zone(self.profile, self.known)

    def lines(self, findings: Findings) -> Iterator[Line]:
        with Spool() as rows:
            spool = LogSpool(self.profile, rows, findings)
            for path in self.files:
                table = CsvTable(
                    path, encoding=self.profile.encoding, delimiter=self.profile.delimiter
                )
                self._ensure_columns(table.columns(), path)
                for row in declared_rows(table.rows(findings), self.profile):
                    try:
                        self._take(row, path, spool)
                    except ValueError as error:
                        findings.reject(row.file, row.row, str(error))
            yield from LogTelling(
                self.profile,
                self.known,
                self.system,
                findings,
                self.files[0].name,
                opens=False,
            ).lines(spool)

    def _ensure_columns(self, header: list[str], path: Path) -> None:
        named = {f"columns.{role}": self.profile.columns_of(role) for role in self.profile.columns}
        for key in ("event_name", "case"):
            column = getattr(self.profile, key)
            named[key] = [] if column is None else [column]
        for key, columns in named.items():
            for column in columns:
                ensure_column(column, header, key=key, file=path.name)

    def _take(self, row: CsvRow, path: Path, spool: LogSpool) -> None:
        name = row.get(self.profile.event_name) if self.profile.event_name else path.stem
        if not name:
            raise BadRecordError(f"{self.profile.event_name}: empty")
        # Asked first: a row that says nothing needs neither a deal nor a time.
        if not spool.takes(name):
            return
        case = one_line(row.get(self._declared("case", self.profile.case, path)))
        if not case:
            raise BadRecordError(f"{self.profile.case}: empty")
        column = self._declared(
            f"columns.{_HAPPENED}", next(iter(self.profile.columns_of(_HAPPENED)), None), path
        )
        happened = stated_moment(row, column, self.profile)
        if happened is None:
            raise BadRecordError(f"{column}: empty")
        at = happened.start(self._zone)
        record: JsonObject = {
            "case": case,
            "name": name,
            "key": self._value(row, "id") or f"{case}:{name}:{stamp(at)}:{_digest(row)}",
            "by": self._value(row, "owner"),
            "recorded": self._recorded(row),
            "attributes": dict(row.values),
            "file": row.file,
            "row": row.row,
        }
        spool.keep(record, at=at)

    def _recorded(self, row: CsvRow) -> str:
        columns = self.profile.columns_of("recorded_on")
        recorded = stated_moment(row, columns[0], self.profile) if columns else None
        return stamp(recorded.start(self._zone)) if recorded else ""

    def _value(self, row: CsvRow, role: ColumnRole) -> str:
        columns = self.profile.columns_of(role)
        return one_line(row.get(columns[0])) if columns else self.profile.defaults.get(role, "")

    def _declared(self, key: str, column: str | None, path: Path) -> str:
        if column is None:
            raise ExportRefusedError(f"the profile declares no `{key}`", file=path.name)
        return column


def _digest(row: CsvRow) -> str:
    said = "\0".join(f"{column}\0{value}" for column, value in sorted(row.values.items()))
    return hashlib.sha256(said.encode()).hexdigest()[:_DIGEST]
