"""A server that is told to stop: what is in flight is answered, streams end, and it is soon gone.

Holds `docs/guarantees.md`, G22.
"""

import json
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event as Flag

import psycopg
import pytest

from tests.support.crash.clients import Line, appending, following
from tests.support.crash.kills import survive
from tests.support.crash.requests import Book
from tests.support.crash.server import PATIENCE, Server

STOP_SECONDS = 12.0
ROOM = 2.0
OPENED = {
    "type": "deal_opened",
    "data": {"name": "Renewal", "account": {"id": "acme", "name": "Acme"}, "owner": "ann"},
}


@pytest.fixture
def server(database: str, tmp_path: Path) -> Iterator[Server]:
    with Server(tmp_path / "home", database_url=as_url(database)).running() as server:
        yield server


def as_url(dsn: str) -> str:
    parts = psycopg.conninfo.conninfo_to_dict(dsn)
    return f"postgresql:///{parts['dbname']}?host={parts['host']}&user={parts['user']}"


def open_deal(server: Server) -> tuple[int, bytes, dict[str, str]] | None:
    line = Line(server)
    body = json.dumps({"events": [OPENED]}).encode()
    try:
        return line.ask(
            "POST", "/v1/deals", body, Idempotency_Key="k", Content_Type="application/json"
        )
    finally:
        line.hang_up()


@pytest.mark.slow
def test_what_is_in_flight_is_answered_before_the_end(server: Server, database: str) -> None:
    with ThreadPoolExecutor(1) as pool, psycopg.connect(database) as other:
        other.execute("SELECT FROM dealtrail.log_head FOR UPDATE")
        asked = pool.submit(open_deal, server)
        Flag().wait(0.7)
        os.kill(server.process.pid, signal.SIGTERM)
        Flag().wait(0.7)
        assert not asked.done()
        other.rollback()
        answer = asked.result(PATIENCE)

    assert answer is not None
    assert answer[0] == 201
    assert server.process.wait(PATIENCE) == 0
    with psycopg.connect(database) as other:
        row = other.execute("SELECT count(*) FROM dealtrail.events").fetchone()
    assert row == (1,)


@pytest.mark.slow
def test_a_stop_under_load_with_streams_open_is_short_and_clean(server: Server) -> None:
    book = Book()
    with (
        appending(server, book, clients=4, seed=3),
        following(server, book),
        following(server, book) as follower,
    ):
        while follower.seen < 20:
            Flag().wait(0.02)
        stopped = survive(server, "terminate")

    assert book.wrong == []
    # What the server says when something outlasts its patience and has to be cut.
    assert "Cancel" not in server.log.read_text()
    assert stopped.exit_code == 0
    assert stopped.exit_seconds is not None
    assert stopped.exit_seconds < STOP_SECONDS * ROOM
