"""Looks at a server under load: memory of each of its parts, lag, sizes of its tables."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql

from tests.support.crash.server import Server

PARTS: Final = ("server", "worker", "database")
_SCHEMA: Final = "dealtrail"
# The rows of auditors follow the projections at a pace of their own.
_LAG: Final = re.compile(
    r'^dealtrail_projection_lag_seconds\{projection="(?!audit").*\} (\S+)$', re.MULTILINE
)
_OWN: Final = re.compile(r"^RssAnon:\s+(\d+) kB$", re.MULTILINE)
_SIZES: Final = """
    SELECT c.relname, c.oid::bigint, pg_total_relation_size(c.oid),
           s.n_live_tup, s.n_dead_tup
      FROM pg_class c JOIN pg_stat_all_tables s ON s.relid = c.oid
     WHERE c.relnamespace = %s::regnamespace AND c.relkind = 'r' ORDER BY 1
"""


@dataclass(frozen=True, slots=True)
class Sample:
    """One look: `own` is the memory in MB that a part's processes hold for themselves.

    What PostgreSQL's processes share is as large as it was set and is left out.
    """

    minute: float
    own: dict[str, float]
    lag_seconds: float


@dataclass(frozen=True, slots=True)
class Table:
    """A table with its indexes: bytes as it stands, and as it would be if it were written anew."""

    name: str
    size: int
    packed: int
    live: int
    dead: int


def look(server: Server, *, minute: float) -> Sample:
    """Give memory and lag as they are."""
    pids: dict[str, list[int]] = {
        "server": [server.process.pid],
        "worker": [pid] if (pid := server.worker()) else [],
        "database": [first, *server.backends()] if (first := server.postmaster()) else [],
    }
    own = {part: sum(map(_own_memory, pids[part])) for part in PARTS}
    text = server.get("/metrics")[1].decode()
    return Sample(minute, own, max(map(float, _LAG.findall(text)), default=0.0))


def _own_memory(pid: int) -> float:
    try:
        found = _OWN.search(Path(f"/proc/{pid}/status").read_text())
    except OSError:  # it ended meanwhile
        return 0.0
    return int(found[1]) / 1024 if found else 0.0


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Give by how much the second grows for each one of the first, by least squares."""
    if len({x for x, _ in points}) < 2:  # one point has no slope
        return 0.0
    middle = sum(x for x, _ in points) / len(points)
    height = sum(y for _, y in points) / len(points)
    spread = sum((x - middle) ** 2 for x, _ in points)
    return sum((x - middle) * (y - height) for x, y in points) / spread


def tables(dsn: str) -> list[Table]:
    """Give every table of the ledger, each written anew beside it to see what it should take."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        found = connection.execute(_SIZES, (_SCHEMA,)).fetchall()
        return [
            Table(name, size, _packed(connection, name), live, dead)
            for name, _, size, live, dead in found
        ]


def _packed(connection: psycopg.Connection[tuple[object, ...]], name: str) -> int:
    table = sql.Identifier(_SCHEMA, name)
    with connection.transaction(force_rollback=True):
        connection.execute(
            sql.SQL(
                "CREATE TEMPORARY TABLE anew (LIKE {} INCLUDING INDEXES INCLUDING STORAGE)"
            ).format(table)
        )
        connection.execute(sql.SQL("INSERT INTO anew SELECT * FROM {}").format(table))
        row = connection.execute("SELECT pg_total_relation_size('anew')").fetchone()
    return int(str(row[0])) if row else 0


def second_half(samples: Sequence[Sample]) -> Sequence[Sample]:
    """Give what was seen after the warm-up."""
    return samples[len(samples) // 2 :]


def memory_of(samples: Iterable[Sample], part: str) -> list[tuple[float, float]]:
    """Give minutes and megabytes of one part."""
    return [(one.minute, one.own[part]) for one in samples]
