"""Brings a ledger's schema up to this version, one file of SQL after the other, and its roles."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from typing import Final

import psycopg
from psycopg import errors, sql

from api.storage.audit_schema import lacks_audit_views, make_audit_views
from api.storage.connections import Deadlines, conninfo
from api.storage.errors import LogUnavailableError, MigrationError
from api.storage.grants import Separation
from api.storage.rights import audit_schema
from api.storage.roles import Addresses, Login, Role

MIN_SERVER: Final = 150000
"""PostgreSQL 15: what the SQL is written for and tested on."""

_DEADLINES: Final = Deadlines(statement=0, lock=60)
"""Another process may be migrating a large ledger; then we wait for it."""

_ATTEMPTS: Final = 8
"""What is not there yet fails when two make it at once, and succeeds when tried again."""

_RACES: Final = (
    errors.UniqueViolation,
    errors.DuplicateSchema,
    errors.DuplicateTable,
    errors.DuplicateObject,
    errors.InternalError_,  # "tuple concurrently updated": both changed a row of a catalog
)
_LOCK_ROW: Final = ""
_BOOTSTRAP: Final = """
CREATE TABLE IF NOT EXISTS migrations (
    name text COLLATE "C" PRIMARY KEY, sha256 text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
INSERT INTO migrations (name, sha256) VALUES ('', 'the row that a migrating process locks')
    ON CONFLICT DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One step: a file of SQL that is never changed once it was applied anywhere."""

    name: str
    text: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()


def shipped() -> list[Migration]:
    """The migrations of this version, first to last."""
    folder = resources.files("api.storage") / "migrations"
    files = [entry for entry in folder.iterdir() if entry.name.endswith(".sql")]
    return [
        Migration(entry.name, entry.read_text("utf-8"))
        for entry in sorted(files, key=lambda entry: entry.name)
    ]


def migrate(
    dsn: str,
    *,
    schema: str,
    migrations: Sequence[Migration] | None = None,
    logins: Mapping[Role, Login] | None = None,
) -> list[str]:
    """Applies what is missing, each file in a transaction of its own, and gives their names.

    After them come the views for auditors, under the name of their schema, if they are others now.

    With `logins` the roles are made if they are missing, and given what they may do; without,
    everything stays with whoever migrates. Several processes may migrate at once; a killed one
    leaves whole files behind, and roles and rights as they were or as they shall be.

    Raises:
        MigrationError: the server is too old or does not speak UTF-8, an applied file was
            changed since, or the ledger was migrated by a newer version.
        RolesMissingError: roles are missing, and this login may not make them.
        LogUnavailableError: the database cannot be reached.
    """
    steps = shipped() if migrations is None else list(migrations)
    with _connected(conninfo(dsn, schema=schema, deadlines=_DEADLINES)) as connection:
        _check_server(connection)
        separation = Separation(connection, schema, logins) if logins else None
        if separation is not None:
            _tried_again(separation.make_roles)
        _tried_again(lambda: _make_schema(connection, schema))
        applied: list[str] = []
        while (name := _apply_next(connection, steps)) is not None:
            applied.append(name)
        if migrations is None:
            _tried_again(lambda: applied.extend(_make_views(connection, schema)))
        if separation is not None:
            _tried_again(lambda: _settle(connection, separation))
    return applied


def bring_up(addresses: Addresses, *, schema: str) -> None:
    """Makes a ledger ready to be opened: migrates it where nobody else does, else looks.

    Raises:
        MigrationError: the ledger must be migrated first.
    """
    if addresses.migrates_at_start and addresses.migrator is not None:
        migrate(addresses.migrator, schema=schema, logins=addresses.logins)
    elif lacking := missing(addresses.app, schema=schema):
        message = f"the ledger lacks {', '.join(lacking)}: run `dealtrail migrate` first"
        raise MigrationError(message)


def missing(dsn: str, *, schema: str) -> list[str]:
    """The names of what `migrate` would apply or make; changes nothing."""
    with _connected(conninfo(dsn, schema=schema)) as connection:
        known = connection.execute("SELECT to_regclass('migrations') IS NOT NULL").fetchone()
        done = _applied(connection) if known == (True,) else []
        views = [audit_schema(schema)] if lacks_audit_views(connection, schema) else []
    return [step.name for step in _remaining(done, shipped())] + views


@contextmanager
def _connected(target: str) -> Iterator[psycopg.Connection]:
    try:
        connection = psycopg.connect(target, autocommit=True)
    except psycopg.OperationalError as error:
        said = str(error).strip().splitlines()[-1]
        raise LogUnavailableError(f"the database cannot be reached: {said}") from error
    with connection:
        yield connection


def _check_server(connection: psycopg.Connection) -> None:
    version = connection.info.server_version
    if version < MIN_SERVER:
        message = f"PostgreSQL {MIN_SERVER // 10000} or newer is needed, this is {version // 10000}"
        raise MigrationError(message)
    row = connection.execute("SHOW server_encoding").fetchone()
    if row != ("UTF8",):
        message = f"the database must be encoded in UTF8, this one is in {row and row[0]}"
        raise MigrationError(message)


def _tried_again(work: Callable[[], None]) -> None:
    for attempt in range(_ATTEMPTS):
        try:
            work()
        except _RACES:
            if attempt == _ATTEMPTS - 1:
                raise
        else:
            return


def _make_schema(connection: psycopg.Connection, schema: str) -> None:
    # Asked first, because IF NOT EXISTS demands the right to create even when nothing is created.
    found = connection.execute("SELECT FROM pg_namespace WHERE nspname = %s", [schema]).fetchone()
    if found is None:
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
    connection.execute(_BOOTSTRAP)


def _make_views(connection: psycopg.Connection, schema: str) -> list[str]:
    with connection.transaction():
        _lock(connection)
        if not lacks_audit_views(connection, schema):
            return []
        make_audit_views(connection, schema)
    return [audit_schema(schema)]


def _settle(connection: psycopg.Connection, separation: Separation) -> None:
    if not separation.differences():
        return
    with connection.transaction():
        # The whole table, since its owner may change: who holds its row only would wait for those
        # who wait for the row.
        connection.execute("LOCK TABLE migrations IN ACCESS EXCLUSIVE MODE")
        separation.settle()


def _lock(connection: psycopg.Connection) -> None:
    connection.execute("SELECT FROM migrations WHERE name = %s FOR UPDATE", [_LOCK_ROW])


def _apply_next(connection: psycopg.Connection, steps: Sequence[Migration]) -> str | None:
    with connection.transaction():
        _lock(connection)
        remaining = _remaining(_applied(connection), steps)
        if not remaining:
            return None
        step = remaining[0]
        # Sent without parameters, so that one file may hold many statements.
        connection.execute(step.text.encode())
        connection.execute(
            "INSERT INTO migrations (name, sha256) VALUES (%s, %s)", [step.name, step.sha256]
        )
    return step.name


def _applied(connection: psycopg.Connection) -> list[tuple[str, str]]:
    return connection.execute(
        "SELECT name, sha256 FROM migrations WHERE name <> %s ORDER BY name", [_LOCK_ROW]
    ).fetchall()


def _remaining(
    applied: Iterable[tuple[str, str]], steps: Sequence[Migration]
) -> Sequence[Migration]:
    done = 0
    for done, (name, sha256) in enumerate(applied, start=1):
        step = steps[done - 1] if done <= len(steps) else None
        if step is None or step.name != name:
            message = f"the ledger has {name}, which this version does not know: use a newer one"
            raise MigrationError(message)
        if step.sha256 != sha256:
            message = f"{name} was changed after it was applied to this ledger; restore the file"
            raise MigrationError(message)
    return steps[done:]
