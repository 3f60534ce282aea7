"""Makes a projection anew beside the live one, compares the two, and swaps them without a stop."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import (
    FIRST_EXCEPTION,
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
    wait,
)
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Final, LiteralString, TypeAlias, cast
from uuid import UUID

import psycopg
from psycopg import IsolationLevel, sql

from api.collecting import collect_seldom
from api.context import ContextReader
from api.deal_reader import Deals
from api.parking import Parking
from api.rebuild_tables import Tables, digest
from api.storage.errors import StorageError
from api.storage.log_reader import LogReader
from api.storage.rows import Unreadable
from api.storage.streams import chunks
from api.worker import PATIENCE, Worker, locked_position
from domain.replay import Event
from projections.batch import DEAL_PREFIX, Batch, Projection
from projections.fact_projection import CORRECTIONS
from projections.facts import Rows

PROCESSES: Final = 2
"""As many as the smallest machine that this is meant for has cores."""
SWAP_SECONDS: Final = 3
"""How long a swap may hold up readers before it gives way and tries again."""
SWAP_TRIES: Final = 20
_LOOK_SECONDS: Final = 0.5

Projections: TypeAlias = Callable[[], Sequence[Projection]]
"""Builds the projections; a function of a module, so that another process can call it."""
Told: TypeAlias = Callable[[str, int, int], None]
"""Told the phase, how much of it is done, and how much there is."""


class RebuildRefusedError(StorageError):
    """There is no such projection, or it is being rebuilt already."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild gave; `equal` is None where the live rows stood at another position."""

    name: str
    position: int
    deals: int
    live: str | None
    rebuilt: str
    swapped: bool

    @property
    def equal(self) -> bool | None:
        """Whether the live rows were the same."""
        return None if self.live is None else self.live == self.rebuilt


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a rebuild works; everything that another process needs to join it."""

    dsn: str
    schema: str
    name: str
    upto: int
    projections: Projections

    @property
    def projection(self) -> Projection:
        found = next((p for p in self.projections() if p.name == self.name), None)
        if found is None:
            names = ", ".join(p.name for p in self.projections())
            message = f"there is no projection {self.name!r}; there are {names}"
            raise RebuildRefusedError(message)
        return found

    @property
    def tables(self) -> Tables:
        return Tables(self.schema, self.projection.tables)

    def store(self) -> LogReader:
        """Read and write beside: the tables of the rebuild come before the live ones."""
        return LogReader(self.dsn, schema=self.schema, before=self.tables.next)


def rebuild(
    store: LogReader,
    name: str,
    projections: Projections,
    *,
    processes: int = PROCESSES,
    swap: bool = True,
    told: Told | None = None,
) -> Rebuilt:
    """Make a projection from the whole log, and put it in the place of the live one.

    The live one goes on answering and following the log; what it was stays in the schema
    `<ledger>_previous` until it is dropped. Without `swap` the two are compared and nothing else.

    Raises:
        RebuildRefusedError: there is no such projection, or another rebuild of it is going on.
        LogUnavailableError: the database went away; nothing was swapped.
    """
    place = _Place(store.dsn, store.schema, name, _start(store, name), projections)
    rebuilt = _rebuilt(store, place, processes, told or (lambda *_: None), swap=swap)
    if swap:
        # Once no transaction is left that may not see the rows, so that no question looks that up.
        _settle(place, place.tables.schema, "VACUUM")
    return rebuilt


def _rebuilt(store: LogReader, place: _Place, processes: int, told: Told, *, swap: bool) -> Rebuilt:
    name = place.name
    tables = place.tables
    with _alone(store, name), store.connection() as connection:
        tables.make_next(connection, name)
        deals = _load(place, connection, processes, told)
        _fill(place, connection, processes, told)
        # All keys first: by some of them rows are brought into order.
        steps = [tables.key_statements(connection), tables.index_statements(connection)]
        _index(place, steps, told)
        _settle(place, tables.next, "ANALYZE")
        with place.store().closing() as beside:
            worker = Worker(beside, ContextReader(beside), [place.projection])
            _set_position(beside, place)
            told("comparing", 0, 1)
            live, rebuilt = _compared(store, worker, place)
            if swap:
                _swapped(store, worker, place, told)
            position = worker.position()
        tables.drop_next(connection, name)
        connection.execute("DELETE FROM rebuild_progress WHERE name = %s", (name,))
    return Rebuilt(name, position, deals, live, rebuilt, swap)


def drop_previous(store: LogReader, name: str, projections: Projections) -> None:
    """Give up the rows that the last swap of a projection took out."""
    place = _Place(store.dsn, store.schema, name, 0, projections)
    with store.connection() as connection:
        place.tables.drop_previous(connection)


@contextmanager
def _alone(store: LogReader, name: str) -> Iterator[None]:
    """Hold the row that says a projection is being rebuilt."""
    with store.connection() as connection:
        connection.execute("INSERT INTO rebuilds VALUES (%s) ON CONFLICT DO NOTHING", (name,))
        with connection.transaction():
            connection.execute(PATIENCE)
            try:
                connection.execute(
                    "SELECT FROM rebuilds WHERE name = %s FOR UPDATE NOWAIT", (name,)
                )
            except psycopg.errors.LockNotAvailable:
                message = f"{name} is being rebuilt already"
                raise RebuildRefusedError(message) from None
            yield


def _start(store: LogReader, name: str) -> int:
    """Give the position to load up to: the live rows', so that both can be compared there."""
    with store.connection() as connection:
        row = connection.execute(
            "SELECT position FROM projections WHERE name = %s", (name,)
        ).fetchone()
    return int(row[0]) if row and row[0] else store.head().position


def _load(place: _Place, connection: Rows, processes: int, told: Told) -> int:
    """Load whole deals in several processes at once; give how many there were."""
    connection.execute("DELETE FROM rebuild_progress WHERE name = %s", (place.name,))
    with _executor(processes) as pool:
        parts = [pool.submit(load_part, place, part, processes) for part in range(processes)]
        _follow(place, connection, "loading", parts, told)
        return sum(part.result() for part in parts)


def _executor(processes: int) -> Executor:
    """Give one that runs parts in processes of their own; a single part needs none."""
    if processes == 1:
        return ThreadPoolExecutor(1)
    return ProcessPoolExecutor(
        processes, mp_context=get_context("spawn"), initializer=collect_seldom
    )


def _fill(place: _Place, connection: Rows, processes: int, told: Told) -> None:
    with ThreadPoolExecutor(processes) as pool:  # the work is the database's
        parts = [pool.submit(fill_part, place, part, processes) for part in range(processes)]
        _follow(place, connection, "filling", parts, told)


def _index(place: _Place, steps: Sequence[Sequence[sql.Composed]], told: Told) -> None:
    """Make the keys and indexes, those of a step at once and one step after the other."""

    def execute(statement: sql.Composed) -> None:
        with (
            place.store().closing() as store,
            store.connection() as connection,
            connection.transaction(),
        ):
            # A key and an index of one large table wait for each other, and nobody waits for them.
            connection.execute(f"{PATIENCE}; SET LOCAL lock_timeout = 0")
            connection.execute("SET LOCAL maintenance_work_mem = '512MB'")
            connection.execute(statement)

    done, total = 0, sum(map(len, steps))
    told("indexing", done, total)
    with ThreadPoolExecutor(PROCESSES) as pool:
        for statements in steps:
            for _ in pool.map(execute, statements):
                done += 1
                told("indexing", done, total)


def _settle(place: _Place, schema: str, statement: LiteralString) -> None:
    with place.store().closing() as store, store.connection() as connection:
        connection.execute("SET statement_timeout = 0")
        for table in place.tables.names:
            name = sql.Identifier(schema, table)
            connection.execute(sql.SQL(statement + " {}").format(name))


def _follow(
    place: _Place, connection: Rows, phase: str, parts: Iterable[Future[int]], told: Told
) -> None:
    """Pass on how far the parts are until all have ended; raise what made one fail."""
    running = set(parts)
    while running:
        ended, running = wait(running, timeout=_LOOK_SECONDS, return_when=FIRST_EXCEPTION)
        for part in ended:
            part.result()
        done, total = connection.execute(
            "SELECT coalesce(sum(done), 0)::bigint, coalesce(sum(total), 0)::bigint"
            " FROM rebuild_progress WHERE name = %s AND phase = %s",
            (place.name, phase),
        ).fetchone() or (0, 0)
        told(phase, done, total)


def load_part(place: _Place, part: int, parts: int) -> int:
    """Load one part of the deals, in a process of its own; give how many it loaded."""
    projection = place.projection
    with place.store().closing() as store:
        total = _count_deals(store, place.upto)
        # About as many as the other parts have; the last word says how many they were.
        report = _Report(store, place.name, part, "loading", total=total // parts)
        context, parent, done = ContextReader(store), os.getppid(), 0
        with store.connection() as reading, store.connection() as writing, writing.transaction():
            writing.execute(PATIENCE)
            parking = Parking(writing, projection)
            for deals in _deals(store, reading, place, part=part, parts=parts):
                if os.getppid() != parent:
                    raise RebuildRefusedError("the process that rebuilds was ended")
                parking.load(Batch(0, place.upto, deals.streams, context), deals.unreadable)
                done += len(deals.streams)
                report.tell(done)
            report.tell(done, total=done)
    return done


def _deals(
    store: LogReader, connection: Rows, place: _Place, *, part: int, parts: int
) -> Iterator[Deals]:
    """Give one part of all deals, some at a time: bare where that suffices, else whole."""
    projection = place.projection
    # What nobody can read holds its deal back, whatever it is about.
    topics = [*projection.topics, *(topic for topic, _ in store.unknown_topics())]
    whole = CORRECTIONS if projection.reads_bare_events else topics
    for chunk in chunks(
        connection, topics=topics, whole=whole, upto=place.upto, part=part, parts=parts
    ):
        # A projection that reads bare events looks at no more of them than these have.
        streams = cast("dict[UUID, Sequence[Event]]", chunk.streams)
        yield Deals(
            streams,
            {
                deal_id: Unreadable(f"{DEAL_PREFIX}{deal_id}", error.position, str(error))
                for deal_id, error in chunk.unreadable.items()
            },
        )


def _count_deals(store: LogReader, upto: int) -> int:
    rows = store.rows(
        "SELECT count(*) FROM events WHERE topic = 'deal.deal_opened.v1' AND position <= %(upto)s",
        {"upto": upto},
    )
    return int(rows[0][0])


def fill_part(place: _Place, part: int, parts: int) -> int:
    """Derive one part of what derives from the loaded rows."""
    with place.store().closing() as store:
        report = _Report(store, place.name, part, "filling", total=1)
        whole = Batch(0, place.upto, {}, ContextReader(store))
        with store.connection() as connection, connection.transaction():
            connection.execute(PATIENCE)
            place.projection.fill(connection, whole, part=part, parts=parts)
        report.tell(1)
    return 1


class _Report:
    """Tells how far a part is, on a connection of its own, so that others see it at once."""

    def __init__(self, store: LogReader, name: str, part: int, phase: str, *, total: int) -> None:
        self._store = store
        self._key = (name, part)
        with store.connection() as connection:
            connection.execute(
                "INSERT INTO rebuild_progress VALUES (%s, %s, %s, now(), now(), 0, %s)"
                " ON CONFLICT (name, part) DO UPDATE SET phase = EXCLUDED.phase,"
                " started_at = now(), told_at = now(), done = 0, total = EXCLUDED.total",
                (name, part, phase, total),
            )

    def tell(self, done: int, *, total: int | None = None) -> None:
        with self._store.connection() as connection:
            connection.execute(
                "UPDATE rebuild_progress SET done = least(%(done)s, coalesce(%(total)s, total)),"
                " total = coalesce(%(total)s, total), told_at = now()"
                " WHERE name = %(name)s AND part = %(part)s",
                {"done": done, "total": total, "name": self._key[0], "part": self._key[1]},
            )


def _set_position(beside: LogReader, place: _Place) -> None:
    with beside.connection() as connection:
        connection.execute(
            "INSERT INTO projections (name, position) VALUES (%s, %s)", (place.name, place.upto)
        )


def _compared(store: LogReader, worker: Worker, place: _Place) -> tuple[str | None, str]:
    """Give the digests of the live rows and of those beside, at one position.

    The live projection is held only until the one beside has come to its position and a snapshot
    is taken; the digests are made on that.
    """
    with store.connection() as seeing, _snapshot(seeing):
        with store.connection() as live, live.transaction():
            live.execute(PATIENCE)
            position = locked_position(live, place.name)
            comparable = position >= place.upto
            if comparable:
                worker.catch_up(upto=position)
            seeing.execute("SELECT")  # the snapshot is taken by the first statement
        tables = place.tables
        rebuilt = digest(seeing, tables.next, tables.names)
        return digest(seeing, tables.schema, tables.names) if comparable else None, rebuilt


@contextmanager
def _snapshot(connection: Rows) -> Iterator[None]:
    connection.isolation_level = IsolationLevel.REPEATABLE_READ
    try:
        with connection.transaction():
            connection.execute(PATIENCE)
            yield
    finally:
        connection.isolation_level = None


def _swapped(store: LogReader, worker: Worker, place: _Place, told: Told) -> int:
    """Put the rows beside in the place of the live ones, at the live position; give it."""
    tries = SWAP_TRIES
    while True:
        told("swapping", 0, 1)
        tries -= 1
        try:
            with store.connection() as live, live.transaction():
                live.execute(PATIENCE)
                position = max(locked_position(live, place.name), place.upto)
                worker.catch_up(upto=position)
                live.execute(sql.SQL("SET LOCAL lock_timeout = {}").format(f"{SWAP_SECONDS}s"))
                place.tables.swap(live, place.name, position)
        except psycopg.errors.LockNotAvailable:
            if not tries:
                raise
        else:
            told("swapping", 1, 1)
            return position
