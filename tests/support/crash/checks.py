"""Holds the log against what clients were told: nothing lost, doubled, altered or reordered."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Event as Flag
from typing import Final

import psycopg

from api.all_projections import projections
from api.clock import Deadline
from api.rebuild import rebuild
from api.storage.embedded import EmbeddedServer
from api.storage.log_reader import LogReader
from tests.support.crash.clients import Client, Follower
from tests.support.crash.requests import Asked, Book, expected_data
from tests.support.crash.server import PATIENCE, SCHEMA, Server

_ROWS: Final = """
    SELECT position, stream_id, version, event_id::text, recorded_at, idempotency_key, data::text
      FROM dealtrail.events ORDER BY position
"""


@dataclass(frozen=True, slots=True)
class Row:
    """An event as the table has it."""

    position: int
    stream_id: str
    version: int
    event_id: str
    recorded_at: datetime
    key: str
    data: str


def violations(server: Server, book: Book, follower: Follower) -> list[str]:
    """Everything that is not as promised; the server runs, and nobody appends any more."""
    with EmbeddedServer(server.home) as database:
        rows = _rows(database.dsn())
        found = [*book.wrong, *_log_faults(rows, _head(database.dsn()))]
        found += _lost_or_altered(rows, book)
        found += _reordered(book.asked)
        found += _replayed_otherwise(server, book)
        found += _missed(follower, len(rows))
        found += _projection_faults(server, database.dsn())
        if _rows(database.dsn()) != rows:
            found.append("asking again changed the log")
    return found


def _rows(dsn: str) -> list[Row]:
    with psycopg.connect(dsn) as connection:
        return [Row(*row) for row in connection.execute(_ROWS).fetchall()]


def _head(dsn: str) -> int:
    with psycopg.connect(dsn) as connection:
        row = connection.execute("SELECT position FROM dealtrail.log_head").fetchone()
    return row[0] if row else -1


def _log_faults(rows: Sequence[Row], head: int) -> Iterator[str]:
    versions: Counter[str] = Counter()
    told = datetime.min.replace(tzinfo=UTC)
    for position, row in enumerate(rows, start=1):
        versions[row.stream_id] += 1
        if row.position != position:
            yield f"position {row.position} where {position} was due"
            return
        if row.version != versions[row.stream_id]:
            yield f"position {position}: version {row.version}, not {versions[row.stream_id]}"
        if row.recorded_at < told:
            yield f"position {position}: recorded_at went back to {row.recorded_at}"
        told = max(told, row.recorded_at)
    if head != len(rows):
        yield f"the head is {head}, and the log has {len(rows)} events"


def _lost_or_altered(rows: Sequence[Row], book: Book) -> Iterator[str]:
    by_key: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_key[row.key].append(row)
    yield from _of_the_rival(by_key, book)
    for one in book.asked:
        stored = by_key.pop(one.key, [])
        if not one.status:
            yield f"{one.key}: never answered"
        elif not one.acknowledged and stored:
            yield f"{one.key}: refused with {one.status}, and recorded at {stored[0].position}"
        elif one.acknowledged:
            yield from _unlike(one, stored)
    for key, stored in by_key.items():
        yield f"{key!r}: recorded at {stored[0].position}, and nobody asked for it"


def _of_the_rival(by_key: dict[str, list[Row]], book: Book) -> Iterator[str]:
    for key, position in book.rivals.items():
        positions = [row.position for row in by_key.pop(key, [])]
        if len(positions) > 1 or (position is not None and positions != [position]):
            yield f"{key}: told {position}, recorded at {positions}"


def _unlike(asked: Asked, stored: Sequence[Row]) -> Iterator[str]:
    answer = json.loads(asked.answer)
    if len(stored) != len(asked.events):
        yield f"{asked.key}: {len(asked.events)} events acknowledged, {len(stored)} recorded"
        return
    for sent, told, row in zip(asked.events, answer["events"], stored, strict=True):
        is_told = (
            told["position"],
            f"deal:{answer['deal_id']}",
            told["version"],
            told["event_id"],
            datetime.fromisoformat(told["recorded_at"]),
        )
        recorded = (row.position, row.stream_id, row.version, row.event_id, row.recorded_at)
        if is_told != recorded:
            yield f"{asked.key}: told {is_told}, recorded {recorded}"
        if row.data != expected_data(sent):
            yield f"{asked.key}: sent {expected_data(sent)!r}, recorded {row.data!r}"


def _reordered(asked: Sequence[Asked]) -> Iterator[str]:
    """Who was told before another asked comes first in the log."""
    placed = sorted((one for one in asked if one.acknowledged), key=lambda one: one.positions()[0])
    latest = 0
    for one in placed:
        if one.answered < latest:
            yield f"{one.key}: was answered before a request that precedes it was sent"
        latest = max(latest, one.first_sent)


def _replayed_otherwise(server: Server, book: Book) -> list[str]:
    """Send everything again: the same answers, to the byte; what differs complains by itself."""
    before = len(book.wrong)
    client = Client(server, book, seed=0)
    pause = Flag()
    requests: defaultdict[bytes | str, list[Asked]] = defaultdict(list)
    for one in book.asked:
        if one.line:
            requests[one.body].append(one)
        elif one.acknowledged:
            requests[one.key].append(one)
    for asked in requests.values():
        deadline = Deadline.after(PATIENCE)
        while not client.send(asked) and not deadline.passed():
            pause.wait(0.05)
    client.line.hang_up()
    return book.wrong[before:]


def _missed(follower: Follower, head: int) -> Iterator[str]:
    deadline, pause = Deadline.after(PATIENCE), Flag()
    while follower.seen < head and not deadline.passed():
        pause.wait(0.05)
    if follower.seen != head:
        yield f"the follower has seen {follower.seen} of {head} events"


def _projection_faults(server: Server, dsn: str) -> Iterator[str]:
    deadline, pause = Deadline.after(PATIENCE), Flag()
    while (lag := server.lag()) and not deadline.passed():
        pause.wait(0.05)
    if lag:
        yield f"the views are {lag} positions behind"
    with LogReader(dsn, schema=SCHEMA).closing() as store:
        for projection in projections():
            rebuilt = rebuild(store, projection.name, projections, processes=1, swap=False)
            if not rebuilt.equal:
                yield f"{projection.name} differs from what a rebuild makes of the log"
