"""Puts a generated history into a ledger, past the append: as fast as the server takes rows."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any, Final, TypeAlias

import psycopg
from psycopg import sql

from api.bench.history import COLUMNS, History
from api.storage.connections import Deadlines, conninfo
from api.storage.errors import LedgerNotEmptyError
from api.storage.migrate import migrate

Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]
Progress: TypeAlias = Callable[[int], None]
"""Told how many more rows are written."""

UNLIMITED: Final = Deadlines(statement=0, lock=5, idle_in_transaction=0)
_ROWS_A_WRITE: Final = 500
_CONSTRAINTS: Final = """
    SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
     WHERE conrelid = 'events'::regclass AND contype IN ('p', 'u') ORDER BY contype, conname
"""
_INDEXES: Final = """
    SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) FROM pg_index i
     WHERE i.indrelid = 'events'::regclass
       AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid)
"""
_HEAD: Final = """
    UPDATE log_head h SET position = e.position, recorded_at = e.recorded_at
      FROM (SELECT position, recorded_at FROM events ORDER BY position DESC LIMIT 1) e
"""


def make_ledger(
    dsn: str, *, schema: str, history: History, progress: Progress | None = None
) -> None:
    """Make a ledger that holds a history, indexed and analysed like one that has grown.

    Raises:
        LedgerNotEmptyError: there is something in it already.
    """
    migrate(dsn, schema=schema)
    with connected(dsn, schema=schema) as connection:
        with connection.transaction(), _without_indexes(connection):
            _refuse_unless_empty(connection)
            _copy(connection, history.lines(), progress or (lambda _: None))
        connection.execute(_HEAD)
        connection.execute("VACUUM (ANALYZE) events")


@contextmanager
def connected(dsn: str, *, schema: str) -> Iterator[Connection]:
    """Give a connection into a schema that may take its time, in autocommit."""
    target = conninfo(dsn, schema=schema, deadlines=UNLIMITED)
    with psycopg.connect(target, autocommit=True) as connection:
        yield connection


def _refuse_unless_empty(connection: Connection) -> None:
    if connection.execute("SELECT FROM events LIMIT 1").fetchone() is not None:
        message = "a generated history goes into an empty ledger only"
        raise LedgerNotEmptyError(message)


def _copy(connection: Connection, lines: Iterable[str], progress: Progress) -> None:
    columns = sql.SQL(", ").join(map(sql.Identifier, COLUMNS))
    statement = sql.SQL("COPY events ({}) FROM STDIN").format(columns)
    rows = iter(lines)
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        while some := list(islice(rows, _ROWS_A_WRITE)):
            copy.write("".join(some))
            progress(len(some))


@contextmanager
def _without_indexes(connection: Connection) -> Iterator[None]:
    """Drop the indexes of the log and build them again at the end, which is far faster."""
    constraints = connection.execute(_CONSTRAINTS).fetchall()
    indexes = connection.execute(_INDEXES).fetchall()
    for name, _ in constraints:
        _run(connection, "ALTER TABLE events DROP CONSTRAINT {}", sql.Identifier(name))
    for name, _ in indexes:
        _run(connection, "DROP INDEX {}", sql.SQL(name))
    yield
    for name, definition in constraints:
        _run(
            connection,
            "ALTER TABLE events ADD CONSTRAINT {} {}",
            sql.Identifier(name),
            sql.SQL(definition),
        )
    for _, definition in indexes:
        _run(connection, "{}", sql.SQL(definition))


def _run(connection: Connection, statement: str, *parts: sql.Composable) -> None:
    connection.execute(sql.SQL(statement).format(*parts))
