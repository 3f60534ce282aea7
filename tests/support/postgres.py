"""Real PostgreSQL servers for tests: one per set of programs and test run, a database per test."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Final, TypeAlias

import psycopg
from psycopg import sql

from api.storage.embedded import EmbeddedServer
from api.storage.embedded_programs import bin_dirs
from tests.support.roles import migrated

HOME_VARIABLE: Final = "DEALTRAIL_TEST_HOME"
"""Tells the parallel workers of one test run where its servers are, so that they share them."""

Fill: TypeAlias = Callable[[str], None]
"""Fills the ledger at an address."""

DISK: Final = Path("/tmp")
MEMORY: Final = Path("/dev/shm")
ROOM: Final = 4 << 30
"""Bytes that the databases of a whole run fit into several times."""

_NUMBERS = count(1)


def programs() -> dict[str, Path]:
    """What contract tests run on: the programs that are shipped, and Debian's if installed."""
    shipped, *system = bin_dirs()
    debian = (folder for folder in system if folder.is_relative_to("/usr/lib/postgresql"))
    return {"shipped": shipped} | {f"debian{folder.parent.name}": folder for folder in debian}


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A running server, and databases on it."""

    name: str
    home: Path
    server: EmbeddedServer
    _superuser: psycopg.Connection
    """Kept: two new ones cost a third of the database that is made and dropped over them."""
    _templates: set[str] = field(default_factory=set)

    @contextmanager
    def database(self, *, template: str = "template0") -> Iterator[str]:
        """The address of a new database that is dropped afterwards."""
        name = _fresh_name("test")
        self._create(name, template)
        try:
            yield self.server.dsn(name)
        finally:
            self._execute("DROP DATABASE {} WITH (FORCE)", name)

    @contextmanager
    def ledger(self, schema: str, *, filled_by: Fill | None = None) -> Iterator[str]:
        """The address of a new database with a ledger, empty or filled; dropped afterwards.

        It is a copy of one that was migrated and filled once per run: `filled_by` is given the
        address of an empty ledger, and is a function of a module, by whose name it is known.
        """
        template = self._template(schema, "template0", partial(migrated, schema=schema))
        if filled_by is not None:
            name = f"{filled_by.__module__}.{filled_by.__qualname__}"
            assert "<" not in name, f"{name} may be the name of several functions"
            template = self._template(f"{schema} {name}", template, filled_by)
        with self.database(template=template) as dsn:
            yield dsn

    def _template(self, what: str, origin: str, prepare: Fill) -> str:
        """The name of the database that holds this, made by the first worker that asks."""
        template = f"template_{sha256(what.encode()).hexdigest()[:16]}"
        if template not in self._templates:
            with _alone(self.home / template):
                if not self._exists(template):
                    # Named in the end, so that one whose filling failed is nobody's template.
                    name = _fresh_name("filled")
                    self._create(name, origin)
                    prepare(self.server.dsn(name))
                    self._execute("ALTER DATABASE {} RENAME TO {}", name, template)
            self._templates.add(template)
        return template

    def _exists(self, name: str) -> bool:
        found = self._superuser.execute("SELECT FROM pg_database WHERE datname = %s", [name])
        return found.rowcount == 1

    def _create(self, name: str, template: str) -> None:
        # Copying files is many times faster than logging blocks on a server without fsync.
        self._execute("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY", name, template)

    def _execute(self, statement: str, *names: str) -> None:
        self._superuser.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Work that one worker does while others who want the same wait."""
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _fresh_name(kind: str) -> str:
    return f"{kind}_{os.getpid()}_{next(_NUMBERS)}"


@contextmanager
def running(name: str) -> Iterator[PostgresServer]:
    home = Path(os.environ[HOME_VARIABLE]) / name
    with (
        EmbeddedServer(home, bin_dir=programs()[name], durable=False) as server,
        psycopg.connect(server.dsn("postgres"), autocommit=True) as superuser,
    ):
        yield PostgresServer(name, home, server, superuser)


def _fastest() -> Path:
    """Where servers that need not survive the machine lie best: in memory if there is room, as on
    CI's disks the copy of an empty ledger takes up to ten times as long. What dies is a process,
    and that loses no more of a file in memory than of one on a disk."""
    roomy = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= ROOM
    return MEMORY if roomy else DISK


@contextmanager
def home_of_run() -> Iterator[Path]:
    """A folder that an unprivileged account may pass through, as pytest's own is not."""
    folder = Path(tempfile.mkdtemp(prefix="dealtrail-test-", dir=_fastest()))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)
