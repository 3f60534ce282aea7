"""Reads the log: streams, ranges of positions, instants and what was answered before."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from threading import BoundedSemaphore, local
from typing import Any, Final, LiteralString, Self, TypeAlias
from uuid import UUID

import psycopg
from psycopg import Connection, IsolationLevel
from psycopg_pool import ConnectionPool, PoolClosed, PoolTimeout

from api.clock import Deadline
from api.storage.connections import conninfo
from api.storage.errors import LogUnavailableError
from api.storage.reading_connection import ReadingConnection, check
from api.storage.requests import Duplicate, Head
from api.storage.rows import (
    SELECT,
    Event,
    Row,
    Unreadable,
    read_event,
    read_events,
    read_what_can_be,
)
from api.storage.upcasts import is_known
from api.storage.wire import CHANNEL

Parameters: TypeAlias = Mapping[str, object]
END: Final = 2**63 - 1
"""A position that no log reaches: no cut."""

POOL_SECONDS: Final = 3.0
_RECONNECT_SECONDS: Final = 2.0
"""How long the pool itself tries to connect; later it pauses longer between its tries than anybody
waits, and who asks next makes it try at once."""
_POOL_SIZE: Final = 8
_POLL_SECONDS: Final = 0.25
"""How late a follower may notice what no hint told of."""
_STOP_SECONDS: Final = 0.05
"""How late a follower may notice that it is to stop."""

STREAM: Final[LiteralString] = (
    SELECT + " WHERE stream_id = %(stream_id)s AND version > %(after)s AND position <= %(upto)s"
    " ORDER BY version"
)
REQUEST: Final[LiteralString] = (
    "SELECT body_hash, stream_id, version, first_position, last_position, recorded_at"
    " FROM requests WHERE caller = %(caller)s AND key = %(key)s"
)
_STREAMS: Final[LiteralString] = (
    SELECT + " WHERE stream_id = ANY(%(ids)s) AND position <= %(upto)s ORDER BY stream_id, version"
)
_TOPICS_OF_STREAMS: Final[LiteralString] = (
    SELECT + " WHERE stream_id = ANY(%(ids)s) AND topic = ANY(%(topics)s)"
    " ORDER BY stream_id, version"
)
_RANGE_OF_STREAMS: Final[LiteralString] = (
    SELECT + " WHERE stream_id >= %(first)s AND stream_id < %(end)s AND position <= %(upto)s"
    " ORDER BY stream_id, version"
)
_LOG: Final[LiteralString] = (
    SELECT + " WHERE position > %(after)s AND position <= %(upto)s"
    " ORDER BY position LIMIT %(batch)s"
)
_LOG_OF_TOPICS: Final[LiteralString] = (
    SELECT + " WHERE position > %(after)s AND position <= %(upto)s AND topic = ANY(%(topics)s)"
    " ORDER BY position LIMIT %(batch)s"
)

# One look into the index for each topic, however many events there are.
_TOPICS: Final[LiteralString] = (
    "WITH RECURSIVE found AS ("
    " (SELECT topic, position FROM events ORDER BY topic, position LIMIT 1)"
    " UNION ALL SELECT n.topic, n.position FROM found f, LATERAL ("
    "  SELECT e.topic, e.position FROM events e WHERE e.topic > f.topic"
    "   ORDER BY e.topic, e.position LIMIT 1) n"
    ") SELECT topic, position FROM found ORDER BY position"
)


class _Held(local):
    """The connection that a thread asks over, None where it takes one for each question."""

    connection: ReadingConnection | None = None


class LogReader:
    """The reading half of a ledger's storage."""

    def __init__(
        self, dsn: str, *, schema: str, before: str | None = None, pool_size: int = _POOL_SIZE
    ) -> None:
        """Take the address of a ledger; tables in the schema `before` come before its own."""
        self.dsn = dsn
        self.schema = schema
        self.pool: ConnectionPool[ReadingConnection] = ConnectionPool(
            conninfo(dsn, schema=schema, before=before),
            connection_class=ReadingConnection,
            kwargs={"autocommit": True},
            min_size=1,
            max_size=pool_size,
            timeout=POOL_SECONDS,
            reconnect_timeout=_RECONNECT_SECONDS,
            # A server that was restarted leaves dead connections in the pool.
            check=check,
            open=False,
            name=f"{schema}-reader",
        )
        self._held = _Held()
        self._holders = BoundedSemaphore(max(1, pool_size // 2))

    @contextmanager
    def closing(self) -> Iterator[Self]:
        """The reader for one `with` block, which gives up its connections at the end."""
        try:
            yield self
        finally:
            self.pool.close()

    @contextmanager
    def connection(self, *, timeout: float | None = None) -> Iterator[ReadingConnection]:
        """A connection in autocommit, for one `with` block; `timeout` seconds are waited for one.

        Raises:
            LogUnavailableError: there is none in time, or it is lost or too slow on the way.
        """
        held = self._held.connection
        try:
            if held is not None:
                yield held
                return
            self.pool.open()
            with self.pool.connection(timeout) as connection:
                yield connection
        except (PoolTimeout, PoolClosed, psycopg.OperationalError) as error:
            message = f"the log cannot be read: {str(error).strip()}"
            raise LogUnavailableError(message) from error

    @contextmanager
    def one_connection(self) -> Iterator[None]:
        """In this block all that this thread asks, it asks over one connection.

        It is looked for, and looked at, once; nobody else has it meanwhile. So only half of the
        connections are held at once, and who comes later takes one for each question, as else.

        Raises:
            LogUnavailableError: as of a connection.
        """
        if self._held.connection is not None or not self._holders.acquire(blocking=False):
            yield
            return
        try:
            with self.connection() as self._held.connection:
                yield
        finally:
            self._held.connection = None
            self._holders.release()

    @contextmanager
    def snapshot(self) -> Iterator[ReadingConnection]:
        """A connection whose questions all see the same, for one `with` block.

        Raises:
            LogUnavailableError: as of a connection.
        """
        with self.connection() as connection:
            connection.isolation_level = IsolationLevel.REPEATABLE_READ
            try:
                with connection.transaction():
                    yield connection
            finally:
                connection.isolation_level = None

    def stream(self, stream_id: str, *, after: int = 0, upto: int | None = None) -> list[Event]:
        """A stream in the order of its versions, as known at position `upto`; empty if unknown.

        Of it what comes after a version.
        """
        cut = {"stream_id": stream_id, "after": after, "upto": _cut(upto)}
        return self._events(STREAM, cut)

    def streams(self, ids: Iterable[str], *, upto: int | None = None) -> dict[str, list[Event]]:
        """Several streams in one question; an unknown one is empty."""
        asked = list(ids)
        found = _by_stream(self._events(_STREAMS, {"ids": asked, "upto": _cut(upto)}))
        return {stream_id: found.get(stream_id, []) for stream_id in asked}

    def of_topics(self, ids: Sequence[str], topics: Sequence[str]) -> list[Event]:
        """The events of some topics in several streams, one stream after the other."""
        return self._events(_TOPICS_OF_STREAMS, {"ids": list(ids), "topics": list(topics)})

    def by_prefix(self, prefix: str, *, upto: int | None = None) -> dict[str, list[Event]]:
        """All streams whose id begins with `prefix`, such as `quota:`, in the order of ids."""
        end = prefix[:-1] + chr(ord(prefix[-1]) + 1)
        cut = {"first": prefix, "end": end, "upto": _cut(upto)}
        return _by_stream(self._events(_RANGE_OF_STREAMS, cut))

    def log(
        self,
        *,
        after: int = 0,
        upto: int | None = None,
        topics: Sequence[str] | None = None,
        batch: int = 5000,
    ) -> Iterator[list[Event]]:
        """The log in the order of positions, `batch` events at a time, to the head at the start.

        Each batch is a question of its own: memory stays flat, and no transaction is held open
        while the reader thinks.
        """
        last = self.head().position if upto is None else upto
        statement = _LOG if topics is None else _LOG_OF_TOPICS
        cut: dict[str, object] = {"upto": last, "batch": batch, "topics": list(topics or ())}
        while after < last and (events := self._events(statement, cut | {"after": after})):
            yield events
            after = events[-1].position

    def readable_topics(
        self, topics: Sequence[str], *, after: int, upto: int
    ) -> tuple[list[Event], list[Unreadable]]:
        """All events of topics that are few, such as quotas, and those that nobody can read."""
        cut = {"after": after, "upto": upto, "batch": upto, "topics": list(topics)}
        return read_what_can_be(self.rows(_LOG_OF_TOPICS, cut))

    def unknown_topics(self) -> list[tuple[str, int]]:
        """The topics in the log that this version does not know, each with its first position."""
        rows = self.rows(_TOPICS, {})
        return [(topic, first) for topic, first in rows if not is_known(topic)]

    def events_at(self, first: int, last: int) -> list[Event]:
        """The events of a range of positions, both ends included."""
        return self._events(_LOG, {"after": first - 1, "upto": last, "batch": last - first + 1})

    def readable(self, *, first: int, last: int) -> tuple[list[Event], list[Unreadable]]:
        """The events of a range of positions, ends included, and those that nobody can read."""
        cut = {"after": first - 1, "upto": last, "batch": last - first + 1}
        return read_what_can_be(self.rows(_LOG, cut))

    def readable_streams(
        self, ids: Sequence[str], *, upto: int
    ) -> tuple[list[Event], list[Unreadable]]:
        """The events of whole streams, one after the other, and those that nobody can read."""
        return read_what_can_be(self.rows(_STREAMS, {"ids": list(ids), "upto": upto}))

    def event(self, event_id: UUID) -> Event | None:
        row = self._row(SELECT + " WHERE event_id = %(event_id)s", {"event_id": event_id})
        return None if row is None else read_event(row)

    def by_external_ids(self, system: str, ids: Iterable[str]) -> dict[str, Event]:
        """The imported events of a source by their external ids; unknown ids are left out."""
        events = self._events(
            SELECT + " WHERE source_system = %(system)s AND external_id = ANY(%(ids)s)",
            {"system": system, "ids": list(ids)},
        )
        return {e.source.external_id: e for e in events if e.source and e.source.external_id}

    def stream_ids_of(self, external_stream: str, *, system: str | None = None) -> list[str]:
        """The streams of a deal's id in a source, or in any source."""
        rows = self.rows(
            "SELECT DISTINCT stream_id FROM events WHERE external_stream = %(external)s"
            " AND (%(system)s::text IS NULL OR source_system = %(system)s) ORDER BY stream_id",
            {"external": external_stream, "system": system},
        )
        return [row[0] for row in rows]

    def head(self) -> Head:
        with self.connection() as connection:
            return _head(connection)

    def position_at(self, instant: datetime) -> int:
        """The last position that was recorded by then, 0 if there was none."""
        row = self._row(
            "SELECT position FROM events WHERE recorded_at <= %(instant)s"
            " ORDER BY recorded_at DESC, position DESC LIMIT 1",
            {"instant": instant},
        )
        return 0 if row is None else row[0]

    def recorded_at_of(self, position: int) -> datetime | None:
        """When a position was recorded; None before the first and beyond the head."""
        row = self._row(
            "SELECT recorded_at FROM events WHERE position = %(position)s", {"position": position}
        )
        return None if row is None else row[0]

    def find_request(self, caller: str, key: str) -> Duplicate | None:
        """What was answered to a caller's idempotency key, if it was used."""
        row = self._row(REQUEST, {"caller": caller, "key": key})
        return None if row is None else read_request(row)

    def wait_for(
        self, position: int, *, timeout: float, stopped: Callable[[], bool] = lambda: False
    ) -> Head:
        """Waits until the log reaches `position`, or for `timeout` seconds; gives the head then.

        A hint of the committer ends the wait at once, a poll without one. So does `stopped`,
        once it holds.
        """
        deadline = Deadline.after(timeout)
        with self.connection() as connection:
            head = _head(connection)
            if head.position >= position:
                return head
            connection.execute("LISTEN " + CHANNEL)
            try:
                while (head := _head(connection)).position < position:
                    if deadline.passed() or stopped():
                        break
                    _wait_for_hint(connection, min(_POLL_SECONDS, deadline.seconds_left()), stopped)
            finally:
                connection.execute("UNLISTEN *")
            return head

    def _events(self, statement: LiteralString, parameters: Parameters) -> list[Event]:
        return read_events(self.rows(statement, parameters))

    def rows(self, statement: LiteralString, parameters: Parameters) -> list[Row]:
        # Binary, because reading instants and ids from text costs more than the whole query.
        with self.connection() as connection, connection.cursor(binary=True) as cursor:
            return cursor.execute(statement, parameters).fetchall()

    def _row(self, statement: LiteralString, parameters: Parameters) -> Row | None:
        rows = self.rows(statement, parameters)
        return rows[0] if rows else None


def read_request(row: Row) -> Duplicate:
    """The answer in a row that was selected by `REQUEST`."""
    body_hash, stream_id, version, first, last, recorded_at = row
    return Duplicate(
        body_hash=body_hash,
        stream_id=stream_id,
        version=version,
        first_position=first,
        last_position=last,
        recorded_at=recorded_at,
    )


def _head(connection: Connection[Any]) -> Head:
    row = connection.execute(
        "SELECT position, nullif(recorded_at, '-infinity') FROM log_head"
    ).fetchone()
    if row is None:
        raise LogUnavailableError("the ledger has no head: it was not migrated")
    return Head(position=row[0], recorded_at=row[1])


def _wait_for_hint(
    connection: Connection[Any], seconds: float, stopped: Callable[[], bool]
) -> None:
    deadline = Deadline.after(seconds)
    while not (deadline.passed() or stopped()):
        pause = min(_STOP_SECONDS, deadline.seconds_left())
        if list(connection.notifies(timeout=pause, stop_after=1)):
            return


def _by_stream(events: Iterable[Event]) -> dict[str, list[Event]]:
    streams: dict[str, list[Event]] = {}
    for event in events:
        streams.setdefault(event.stream_id, []).append(event)
    return streams


def _cut(upto: int | None) -> int:
    return END if upto is None else upto
