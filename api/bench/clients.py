"""Clients that append one event after the other: to our log, to the stock library's, to a table."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from time import perf_counter
from typing import Any, Final, TypeAlias
from uuid import uuid4

import psycopg
from psycopg import sql

from api import clock
from api.bench.grounds import Grounds
from api.bench.ledger import connected
from api.bench.stock import stock_application, told
from api.storage.committer import Committer
from api.storage.connections import conninfo
from api.storage.requests import Appended, AppendRequest, NewEvent, new_event_id
from domain.events.people import NoteAdded

Round: TypeAlias = Callable[[], list[float]]
"""All clients append what they have for a round; gives how long each request took, in seconds."""

NOTE: Final = NoteAdded(text="Called back about the papers that were sent by mail")
INSERT: Final = """
    INSERT INTO raw_events (stream_id, version, event_id, topic, occurred_at, recorded_at,
        ingested_at, actor, channel, caller, idempotency_key, clock, data)
    VALUES (%s, 1, %s, %s, %s, now(), now(), 'bench', 'api', 'bench', %s, 'server', %s)
"""
_SLOW_COMMIT: Final = """
    CREATE FUNCTION slow_commit() RETURNS trigger LANGUAGE plpgsql
        AS $$ BEGIN PERFORM pg_sleep(0.002); RETURN NULL; END $$;
    CREATE TRIGGER slow_commit AFTER INSERT ON {} FOR EACH STATEMENT EXECUTE FUNCTION slow_commit()
"""


@contextmanager
def our_clients(
    grounds: Grounds, *, clients: int, requests: int, slow: bool = False
) -> Iterator[Round]:
    """Give clients of one committer, each with deals of its own, a key and a version to check."""
    schema = grounds.empty_ledger()
    if slow:
        slow_down(grounds.dsn, schema=schema, table="events")
    committer = Committer(grounds.dsn, schema=schema)
    with asyncio.Runner() as runner:
        runner.run(_start(committer))
        try:
            yield lambda: runner.run(_append_all(committer, clients, requests // clients))
        finally:
            runner.run(committer.aclose())


@contextmanager
def stock_clients(grounds: Grounds, *, clients: int, requests: int, slow: bool) -> Iterator[Round]:
    """Give clients of the stock library, each a thread, as its own recorder saves."""
    schema = grounds.empty_schema()
    with stock_application(grounds.dsn, schema=schema, clients=clients) as application:
        if slow:
            slow_down(grounds.dsn, schema=schema, table="application_events")

        def save(_: int) -> None:
            application.save(told(uuid4()))

        with _threads(clients, requests, save) as together:
            yield together


@contextmanager
def raw_clients(grounds: Grounds, *, clients: int, requests: int) -> Iterator[Round]:
    """Give clients that insert a row in a transaction each, each on a connection of its own."""
    schema = raw_table(grounds)
    target = conninfo(grounds.dsn, schema=schema)
    with ExitStack() as stack:
        connections = [
            stack.enter_context(psycopg.connect(target, autocommit=True)) for _ in range(clients)
        ]

        def insert(client: int) -> None:
            connections[client].execute(
                INSERT, row_of(f"deal:{uuid4()}", NOTE.to_json()), prepare=True
            )

        yield stack.enter_context(_threads(clients, requests, insert))


def raw_table(grounds: Grounds) -> str:
    """Make the table `raw_events`: the log's columns and indexes, positions from a sequence."""
    schema = grounds.empty_ledger()
    with connected(grounds.dsn, schema=schema) as connection:
        connection.execute("CREATE TABLE raw_events (LIKE events INCLUDING ALL)")
        connection.execute("ALTER TABLE raw_events ALTER position ADD GENERATED ALWAYS AS IDENTITY")
    return schema


def slow_down(dsn: str, *, schema: str, table: str) -> None:
    """Let every insert take two milliseconds longer, as on a disk that is slow to confirm."""
    with connected(dsn, schema=schema) as connection:
        connection.execute(sql.SQL(_SLOW_COMMIT).format(sql.Identifier(table)))


def request_of(stream_id: str, events: Sequence[NewEvent]) -> AppendRequest:
    """Give a request for a new stream as the API makes it."""
    return AppendRequest(
        stream_id=stream_id,
        events=tuple(events),
        expected_version=0,
        caller="bench",
        idempotency_key=stream_id,
        body_hash="0" * 64,
    )


def new_note() -> NewEvent:
    return NewEvent(event_id=new_event_id(), data=NOTE, occurred_at=clock.now(), actor="bench")


async def _start(committer: Committer) -> None:
    committer.start(asyncio.get_running_loop())


async def _append_all(committer: Committer, clients: int, each: int) -> list[float]:
    async def client() -> list[float]:
        took = []
        for _ in range(each):
            start = perf_counter()
            verdict = await committer.append(request_of(f"deal:{uuid4()}", [new_note()]))
            took.append(perf_counter() - start)
            _ensure_appended(verdict)
        return took

    rounds = await asyncio.gather(*(client() for _ in range(clients)))
    return [seconds for took in rounds for seconds in took]


def _ensure_appended(verdict: object) -> None:
    if not isinstance(verdict, Appended):
        message = f"the log refused what it had to take: {verdict}"
        raise TypeError(message)


@contextmanager
def _threads(clients: int, requests: int, once: Callable[[int], None]) -> Iterator[Round]:
    """Give a round in which every client, a thread of its own, does its share one by one."""
    each = requests // clients

    def client(number: int) -> list[float]:
        took = []
        for _ in range(each):
            start = perf_counter()
            once(number)
            took.append(perf_counter() - start)
        return took

    with ThreadPoolExecutor(clients) as pool:
        yield lambda: [s for some in pool.map(client, range(clients)) for s in some]


def row_of(stream_id: str, data: bytes) -> tuple[Any, ...]:
    """Give what `INSERT` takes: an event as the first of a stream."""
    return stream_id, new_event_id(), NOTE.TOPIC, clock.now(), str(uuid4()), data.decode()
