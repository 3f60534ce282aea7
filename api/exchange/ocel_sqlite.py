"""OCEL 2.0 in an SQLite database, which is read and never written."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby, islice
from pathlib import Path
from typing import Final

from api.exchange.lines import ExportRefusedError, Findings
from api.exchange.ocel_items import (
    MAX_PARTS,
    OcelEvent,
    OcelItem,
    OcelObject,
    Place,
    instant,
    since,
)
from api.exchange.records import BadRecordError, NumberText

MAGIC: Final = b"SQLite format 3\x00"
MAX_VALUE: Final = 16 << 20
"""Bytes of one value, and of what a database can make of its values."""
_TABLES: Final = (
    "event",
    "object",
    "event_object",
    "object_object",
    "event_map_type",
    "object_map_type",
)
_OWN: Final = frozenset({"ocel_id", "ocel_time", "ocel_changed_field"})


def sqlite_items(path: Path, *, zone: str, findings: Findings) -> Iterator[OcelItem]:
    """The items of a database; one that cannot be read is a reject.

    Raises:
        ExportRefusedError: not a sound database, or without the tables of the format.
    """
    try:
        address = f"{path.resolve().as_uri()}?mode=ro&immutable=1"
        with closing(sqlite3.connect(address, uri=True)) as database:
            database.row_factory = sqlite3.Row
            database.execute("PRAGMA trusted_schema = OFF")
            database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_VALUE)
            tables = _sound_tables(database, path)
            yield from _Database(database, path.name, zone, findings, tables).items()
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        # The latter of names, and of messages that quote some, that are no text.
        raise ExportRefusedError(f"cut short, or not sound: {error}", file=path.name) from error


def _sound_tables(database: sqlite3.Connection, path: Path) -> frozenset[str]:
    """The names of the tables, in lower case; views are none, as one can have rows without end."""
    (found,) = database.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        raise ExportRefusedError(f"cut short, or not sound: {found}", file=path.name)
    names = {
        row["name"] for row in database.execute("SELECT name FROM sqlite_master WHERE type='table'")
    }
    for name in _TABLES:
        if name not in names:
            raise ExportRefusedError(
                f"another format: OCEL 2.0 has a table {name!r}", file=path.name
            )
    return frozenset(name.lower() for name in names)


@dataclass(frozen=True, slots=True)
class _Database:
    """One database; the row of an item is its number in the table of all of its kind."""

    database: sqlite3.Connection
    file: str
    zone: str
    findings: Findings
    tables: frozenset[str]

    def items(self) -> Iterator[OcelItem]:
        for row in self.database.execute("SELECT rowid, ocel_id, ocel_type FROM object"):
            self.findings.rows_read += 1
            yield OcelObject(Place(self.file, row[0]), _text(row[1]), _text(row[2]))
        for kind, table in self._tables("object"):
            yield from self._values(kind, table)
        query = "SELECT rowid, ocel_source_id, ocel_target_id FROM object_object"
        for row in self.database.execute(query):
            related = OcelObject(Place(self.file, row[0]), _text(row[1]), "")
            related.related = [_text(row[2])]
            yield related
        for kind, table in self._tables("event"):
            yield from self._events(kind, table)
        self._reject_unmapped()

    def _tables(self, of: str) -> list[tuple[str, str]]:
        """The types of objects or events, and the table of each."""
        query = {
            "object": "SELECT ocel_type, ocel_type_map FROM object_map_type",
            "event": "SELECT ocel_type, ocel_type_map FROM event_map_type",
        }[of]
        return [(_text(kind), f"{of}_{_text(name)}") for kind, name in self.database.execute(query)]

    def _reject_unmapped(self) -> None:
        """Account for the events of which no table says when they happened."""
        query = (
            "SELECT e.rowid, e.ocel_type FROM event e WHERE NOT EXISTS "
            "(SELECT 1 FROM event_map_type m WHERE m.ocel_type = e.ocel_type) ORDER BY e.rowid"
        )
        for number, kind in self.database.execute(query):
            self.findings.rows_read += 1
            reason = f"ocel_type: {_text(kind)!r} is not in event_map_type"
            self.findings.reject(self.file, number, reason)

    def _values(self, kind: str, table: str) -> Iterator[OcelObject]:
        for row in self._select("SELECT t.* FROM {table} t", table):
            values = dict(zip(row.keys(), row, strict=True))
            if "ocel_id" not in values:
                reason = f"another format: the table {table!r} has no column 'ocel_id'"
                raise ExportRefusedError(reason, file=self.file)
            item = OcelObject(Place(self.file, 0), _text(values["ocel_id"]), kind)
            changed = _text(values.get("ocel_changed_field"))
            try:
                time = since(_text(values.get("ocel_time")) if changed else "", self.zone)
            except BadRecordError as error:
                self.findings.reject(self.file, 0, f"{table}: {error}")
                continue
            for name, value in values.items():
                if name == changed or (not changed and name not in _OWN and value is not None):
                    item.value(name, _value(value), time)
            yield item

    def _events(self, kind: str, table: str) -> Iterator[OcelEvent]:
        query = (
            "SELECT e.rowid AS ocel_row, e.ocel_id AS ocel_event, r.ocel_object_id, "
            "r.ocel_qualifier, t.* FROM event e LEFT JOIN {table} t ON t.ocel_id = e.ocel_id "
            "LEFT JOIN event_object r ON r.ocel_event_id = e.ocel_id "
            "WHERE e.ocel_type = ? ORDER BY e.rowid"
        )
        rows = self._select(query, table, kind)
        for number, group in groupby(rows, key=lambda row: row["ocel_row"]):
            self.findings.rows_read += 1
            parts = list(islice(group, MAX_PARTS + 1))
            if len(parts) > MAX_PARTS:
                reason = f"an event of more than {MAX_PARTS} relations"
                raise ExportRefusedError(reason, file=self.file, row=number)
            try:
                yield self._event(kind, parts)
            except BadRecordError as error:
                self.findings.reject(self.file, number, str(error))

    def _event(self, kind: str, rows: list[sqlite3.Row]) -> OcelEvent:
        first = rows[0]
        values = dict(zip(first.keys(), first, strict=True))
        at = instant("ocel_time", _text(values.get("ocel_time")), self.zone)
        return OcelEvent(
            Place(self.file, first["ocel_row"]),
            _text(first["ocel_event"]),
            kind,
            at,
            _attributes(values),
            [
                (_text(row["ocel_object_id"]), _text(row["ocel_qualifier"]))
                for row in rows
                if row["ocel_object_id"] is not None
            ],
        )

    def _select(self, query: str, table: str, *values: str) -> sqlite3.Cursor:
        if table.lower() not in self.tables:
            raise ExportRefusedError(f"no such table: {table}", file=self.file)
        quoted = '"' + table.replace('"', '""') + '"'
        return self.database.execute(query.format(table=quoted), values)


def _attributes(values: Mapping[str, object]) -> dict[str, str]:
    others = {*_OWN, "ocel_row", "ocel_event", "ocel_object_id", "ocel_qualifier"}
    return {
        name: _value(value)
        for name, value in values.items()
        if name not in others and value is not None
    }


def _value(value: object) -> str:
    return NumberText(value) if isinstance(value, int | float) else _text(value)


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else "" if value is None else str(value)
