"""Reads whole streams of all deals in one go, for projections that are made anew."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from typing import Final, LiteralString, NamedTuple, TypeAlias
from uuid import UUID

from psycopg import Connection, ServerCursor

from api.storage.errors import UnreadableEventError
from api.storage.rows import SELECT, Event, Row, payload, read_event
from api.storage.upcasts import read_payload
from domain.events.base import DomainEvent
from domain.stamp import Source

CHUNK_DEALS: Final = 1000
"""Deals that are in memory at a time: its use does not grow with the log."""
_FETCHED: Final = 10_000
_ALIKE: Final = 16_384
"""Payloads that are kept because many events say the same: the stage, the category, the day."""
_PREFIX: Final = len("deal:")

# Sorted, because in the order of the index each event is a page of its own to read; the hash comes
# first because numbers sort faster than names.
_BARE: Final[LiteralString] = (
    "SELECT stream_id, position, occurred_at, topic, data::text, source_system, external_stream"
    " FROM events WHERE topic = ANY(%(topics)s) AND position <= %(upto)s"
    " AND (hashtext(stream_id) & 1023) %% %(parts)s = %(part)s"
    " ORDER BY hashtext(stream_id), stream_id, version"
)
_NAMES: Final[LiteralString] = (
    "SELECT DISTINCT stream_id FROM events WHERE topic = ANY(%(whole)s) AND position <= %(upto)s"
    " AND (hashtext(stream_id) & 1023) %% %(parts)s = %(part)s"
)
_WHOLE: Final[LiteralString] = (
    SELECT + " WHERE stream_id = ANY(%(names)s) AND topic = ANY(%(topics)s)"
    " AND position <= %(upto)s ORDER BY stream_id, version"
)


_TOLD_SINCE: Final[LiteralString] = (
    "SELECT DISTINCT stream_id FROM events WHERE topic = ANY(%(topics)s)"
    " AND position > %(after)s AND position <= %(upto)s"
    " AND (occurred_at <= %(by)s OR topic = ANY(%(whole)s))"
)


class BareEvent(NamedTuple):
    """An event without most of its envelope."""

    position: int
    occurred_at: datetime
    data: DomainEvent
    source: Source | None


Stream: TypeAlias = Sequence[BareEvent | Event]
Read: TypeAlias = Callable[[Row], BareEvent | Event]


@dataclass(slots=True)
class Chunk:
    """Some deals, each whole or up to an event that nobody can read."""

    streams: dict[UUID, Stream] = field(default_factory=dict)
    unreadable: dict[UUID, UnreadableEventError] = field(default_factory=dict)


def chunks(
    connection: Connection[Row],
    *,
    topics: Collection[str],
    whole: Collection[str],
    upto: int,
    part: int = 0,
    parts: int = 1,
) -> Iterator[Chunk]:
    """Give one part of the deals as known at a position, some at a time, of some topics only.

    Deals with an event of the topics `whole` come with all that stands around their events. The
    connection is in a transaction until the end.
    """
    values: dict[str, object] = {"topics": list(topics), "whole": list(whole), "upto": upto}
    values |= {"part": part, "parts": parts}
    with connection.transaction():
        # The whole log is sorted before the first row comes, and what is made of a chunk before the
        # next is asked for may take long on a busy machine.
        connection.execute(
            "SET LOCAL work_mem = '64MB'; SET LOCAL statement_timeout = '10min';"
            " SET LOCAL idle_in_transaction_session_timeout = 0"
        )
        names = [row[0] for row in connection.execute(_NAMES, values).fetchall()]
        others = frozenset(names)
        with connection.cursor("streams", binary=True) as cursor:
            cursor.execute(_BARE, values)
            bare = (row for row in _fetched(cursor) if row[0] not in others)
            yield from _chunks(bare, itemgetter(0), _bare)
        for start in range(0, len(names), CHUNK_DEALS):
            found = values | {"names": names[start : start + CHUNK_DEALS]}
            with connection.cursor(binary=True) as cursor:
                yield from _chunks(cursor.execute(_WHOLE, found), itemgetter(1), read_event)


def told_since(
    connection: Connection[Row],
    *,
    topics: Collection[str],
    whole: Collection[str],
    after: int,
    upto: int,
    occurred_by: datetime,
) -> list[UUID]:
    """Give the deals of which something was told between two positions that had occurred by then.

    What they were at that instant may read otherwise at the two positions, and no other deal does.
    Events of the topics `whole` count whenever they occurred: they speak of others.
    """
    values = {"topics": list(topics), "whole": list(whole), "after": after, "upto": upto}
    rows = connection.execute(_TOLD_SINCE, values | {"by": occurred_by}).fetchall()
    return [UUID(row[0][_PREFIX:]) for row in rows]


def _fetched(cursor: ServerCursor[Row]) -> Iterator[Row]:
    while rows := cursor.fetchmany(_FETCHED):
        yield from rows


def _chunks(rows: Iterable[Row], name: Callable[[Row], str], read: Read) -> Iterator[Chunk]:
    chunk = Chunk()
    for stream_id, found in groupby(rows, name):
        if len(chunk.streams) >= CHUNK_DEALS:
            yield chunk
            chunk = Chunk()
        _add(chunk, UUID(stream_id[_PREFIX:]), found, read)
    yield chunk


def _add(chunk: Chunk, deal_id: UUID, rows: Iterable[Row], read: Read) -> None:
    events: list[BareEvent | Event] = []
    chunk.streams[deal_id] = events
    try:
        events.extend(map(read, rows))
    except UnreadableEventError as error:
        chunk.unreadable[deal_id] = error


def _bare(row: Row) -> BareEvent:
    _, position, occurred_at, topic, data, system, stream = row
    source = _source(system, stream) if system else None
    return BareEvent(position, occurred_at, payload(topic, data, position, read=_read), source)


_read = lru_cache(maxsize=_ALIKE)(read_payload)


@lru_cache(maxsize=_ALIKE)
def _source(system: str, stream: str | None) -> Source:
    return Source(system, stream=stream)
