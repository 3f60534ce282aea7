"""Deals are read whole and in parts, for projections that are made anew."""

from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

import psycopg
import pytest

from api.storage import streams
from api.storage.streams import BareEvent, Chunk, chunks
from domain.stamp import RecordedEvent
from projections.facts import Rows
from projections.spans.fold import CORRECTIONS, TOPICS
from tests.support.postgres import PostgresServer
from tests.support.spans import Log, ledger_of, random_log


@contextmanager
def told(server: PostgresServer, *, deals: int = 12) -> Iterator[tuple[Rows, Log]]:
    log = random_log(Random(3), size=150, deals=deals)
    with ledger_of(server, log) as connection:
        yield connection, log


def read(connection: Rows, *, upto: int, part: int = 0, parts: int = 1) -> Chunk:
    whole = Chunk()
    for chunk in chunks(
        connection, topics=TOPICS, whole=CORRECTIONS, upto=upto, part=part, parts=parts
    ):
        assert len(chunk.streams) <= streams.CHUNK_DEALS
        assert not whole.streams.keys() & chunk.streams.keys()
        whole.streams |= chunk.streams
        whole.unreadable |= chunk.unreadable
    return whole


@pytest.mark.parametrize("parts", [1, 2, 3])
def test_the_parts_together_hold_every_deal_once_as_known_at_a_position(
    postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch, parts: int
) -> None:
    monkeypatch.setattr(streams, "CHUNK_DEALS", 3)
    with told(postgres_server) as (connection, log):
        upto = log.head - 10
        found = [read(connection, upto=upto, part=part, parts=parts) for part in range(parts)]

        expected = {
            deal_id: [e for e in events if e.data.TOPIC in TOPICS]
            for deal_id, events in log.streams(upto).items()
        }
        assert sum(len(part.streams) for part in found) == sum(map(bool, expected.values()))
        for part in found:
            for deal_id, events in part.streams.items():
                assert [(e.position, e.occurred_at, e.data) for e in events] == [
                    (e.position, e.occurred_at, e.data) for e in expected[deal_id]
                ]


def test_only_deals_that_were_corrected_come_with_their_envelopes(
    postgres_server: PostgresServer,
) -> None:
    with told(postgres_server) as (connection, log):
        found = read(connection, upto=log.head)

        kinds: set[type] = set()
        for deal_id, events in found.streams.items():
            corrected = any(e.data.TOPIC in CORRECTIONS for e in events)
            kind = RecordedEvent if corrected else BareEvent
            assert {type(event) for event in events} == {kind}
            if corrected:
                own = log.streams(log.head)[deal_id]
                assert events == [e for e in own if e.data.TOPIC in TOPICS]
            kinds.add(kind)
        assert len(kinds) == 2


def test_whoever_makes_something_of_a_chunk_may_take_long(
    postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "CHUNK_DEALS", 1)
    with told(postgres_server) as (connection, log):
        connection.execute("SET idle_in_transaction_session_timeout = '60s'")
        for _ in chunks(connection, topics=TOPICS, whole=CORRECTIONS, upto=log.head):
            limit = connection.execute("SHOW idle_in_transaction_session_timeout").fetchone()
            assert limit == ("0",)
        limit = connection.execute("SHOW idle_in_transaction_session_timeout").fetchone()
        assert limit == ("1min",)


def test_a_deal_ends_before_an_event_that_nobody_can_read(
    postgres_server: PostgresServer,
) -> None:
    with told(postgres_server) as (connection, log):
        bare = read(connection, upto=log.head)
        deal_id, events = next(
            (i, e) for i, e in bare.streams.items() if len(e) > 3 and isinstance(e[0], BareEvent)
        )
        damage(connection, events[2].position)

        found = read(connection, upto=log.head)

        assert found.streams[deal_id] == events[:2]
        assert found.unreadable[deal_id].position == events[2].position
        assert found.unreadable.keys() == {deal_id}


def damage(connection: psycopg.Connection[tuple[object, ...]], position: int) -> None:
    connection.execute("ALTER TABLE events DISABLE TRIGGER events_append_only")
    connection.execute("UPDATE events SET data = '{\"no\": 1}' WHERE position = %s", (position,))
