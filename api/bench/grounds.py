"""Where cases are measured: a database of their own, and the ledgers that they work on."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from secrets import token_hex
from typing import Final, TypeAlias

import psycopg
from psycopg import sql

from api.bench.history import History
from api.bench.ledger import make_ledger
from api.storage.embedded import EmbeddedServer
from api.storage.migrate import migrate

Tell: TypeAlias = Callable[[str, int, int], None]
"""Told what is being done, how far it has got, and how much there is of it."""

_MINE: Final = "SELECT nspname FROM pg_namespace WHERE starts_with(nspname, %s) ORDER BY nspname"
_PASSING_BY: Final = 0o711
"""The account of the embedded server must get through the folder, and need not look into it."""


def silent(_what: str, _done: int, _total: int) -> None:
    """Tell nobody."""


class Grounds:
    """One database, and the ledgers of a run in it; `close` drops them."""

    def __init__(self, dsn: str, *, events: int, seed: int) -> None:
        self.dsn = dsn
        self.events = events
        self.progress: Tell = silent
        self.told: set[str] = set()
        self._seed = seed
        self._name = f"bench_{token_hex(4)}"
        self._made = 0
        self._shared: dict[int, str] = {}

    def shared_ledger(self, events: int | None = None) -> str:
        """Give the schema of a ledger that cases only read, made at the first time.

        A shorter one is the beginning of the longest: the same company, earlier.
        """
        count = self.events if events is None else min(events, self.events)
        if count not in self._shared:
            self._shared[count] = self.own_ledger(count)
        return self._shared[count]

    def own_ledger(self, events: int, *, crowd: int = 1) -> str:
        """Give the schema of a ledger that the case may write to.

        With a crowd so many times as many deals begin in a day, and are open at its end.
        """
        schema = self._fresh_schema()
        history = History(min(events, self.events), seed=self._seed, pace=self.events * crowd)
        label, written = f"ledger of {history.events} events", 0

        def advance(rows: int) -> None:
            nonlocal written
            written += rows
            self.progress(label, written, history.events)

        make_ledger(self.dsn, schema=schema, history=history, progress=advance)
        return schema

    def empty_ledger(self) -> str:
        """Give the schema of a ledger in which nothing is recorded yet."""
        schema = self._fresh_schema()
        migrate(self.dsn, schema=schema)
        return schema

    def empty_schema(self) -> str:
        """Give a schema without anything, for what is no ledger of ours."""
        schema = self._fresh_schema()
        self._execute("CREATE SCHEMA {}", schema)
        return schema

    def server_version(self) -> str:
        with psycopg.connect(self.dsn) as connection:
            return connection.info.parameter_status("server_version") or "unknown"

    def close(self) -> None:
        """Drop the schemas of this run, and what the product made beside them."""
        with psycopg.connect(self.dsn) as connection:
            mine = connection.execute(_MINE, (self._name,)).fetchall()
        for (schema,) in mine:
            self._execute("DROP SCHEMA {} CASCADE", schema)

    def _fresh_schema(self) -> str:
        self._made += 1
        return f"{self._name}_{self._made}"

    def _execute(self, statement: str, schema: str) -> None:
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(sql.Identifier(schema)))


@contextmanager
def grounds(
    database_url: str | None,
    *,
    events: int,
    seed: int,
    bin_dir: Path | None = None,
) -> Iterator[Grounds]:
    """Give the grounds in a database, or in an embedded one that is made for this and removed."""
    if database_url is not None:
        with closing(Grounds(database_url, events=events, seed=seed)) as made:
            yield made
        return
    home = Path(tempfile.mkdtemp(prefix="dealtrail-bench-"))
    home.chmod(_PASSING_BY)
    try:
        with EmbeddedServer(home, bin_dir=bin_dir) as server:
            yield Grounds(server.dsn(), events=events, seed=seed)
    finally:
        shutil.rmtree(home)
