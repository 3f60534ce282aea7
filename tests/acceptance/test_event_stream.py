"""Followers of the log miss nothing, see nothing twice, and hold nothing up."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from api.bootstrap_server import build_app
from api.http import log
from api.http.limits import MAX_STREAMS
from tests.support.browser import serving
from tests.support.client import TOKEN, opened
from tests.support.ledgers import SCHEMA
from tests.support.postgres import PostgresServer
from tests.support.raw_http import (
    PROBLEM,
    Answer,
    ask,
    begins,
    connected,
    get,
    post,
)
from tests.support.roles import under_one_login
from tests.support.served import served

STREAM = b"/v1/events/stream"


@pytest.fixture(scope="module")
def url(postgres_server: PostgresServer) -> Iterator[str]:
    with postgres_server.ledger(SCHEMA) as dsn, served(dsn) as address:
        yield address


def append(url: str, key: str) -> Answer:
    body = json.dumps({"events": [opened(), opened_note(key)]}).encode()
    return ask(url, post(b"/v1/deals", body, key=key.encode()))


def opened_note(text: str) -> dict[str, object]:
    return {"type": "note_added", "data": {"text": text}}


def follow(url: str, *headers: bytes, path: bytes = STREAM, ids: int) -> tuple[str, list[int]]:
    """Read a stream until so many events have come, and leave."""
    with connected(url) as connection:
        connection.sendall(get(path, *headers))
        received = b""
        while received.count(b"\nid: ") < ids or not received.endswith(b"\n\n\r\n"):
            part = connection.recv(65536)
            assert part, "the stream ended"
            received += part
    text = received.decode()
    told = [line for line in text.splitlines() if line.startswith("id: ")]
    return text, [int(line[4:]) for line in told]


def head_of(url: str) -> int:
    return int(ask(url, get(b"/v1/events?limit=1&order=desc")).headers["x-position"])


def test_a_stream_resumes_without_a_gap_or_a_repeat_while_others_append(url: str) -> None:
    start = head_of(url)
    with ThreadPoolExecutor(8) as pool:
        appends = [pool.submit(append, url, f"resumed-{n}") for n in range(40)]
        text, first = follow(url, path=STREAM + b"?after=%d" % start, ids=10)
        _, rest = follow(url, b"Last-Event-ID: %d" % first[-1], ids=80 - len(first))
        assert {one.result().status for one in appends} == {201}

    assert [*first, *rest] == list(range(start + 1, start + 81))
    assert "text/event-stream" in text
    assert "retry: 1000" in text


@pytest.mark.parametrize(
    ("named", "status", "field"),
    [
        (b"Last-Event-ID: 99999", 422, "Last-Event-ID"),
        (b"Last-Event-ID: -1", 422, "Last-Event-ID"),
        (b"Last-Event-ID: 1.0", 422, "Last-Event-ID"),
        (b"Last-Event-ID: x", 422, "Last-Event-ID"),
        (b"Last-Event-ID: " + b"9" * 30, 422, "Last-Event-ID"),
        (b"Last-Event-ID: 0\r\nLast-Event-ID: 1", 400, "last-event-id"),
    ],
)
def test_a_forged_position_is_refused(url: str, named: bytes, status: int, field: str) -> None:
    answer = ask(url, get(STREAM, named))

    assert (answer.status, answer.headers["content-type"]) == (status, PROBLEM)
    assert answer.told["field"] == field


def test_a_position_that_has_not_come_is_refused(url: str) -> None:
    answer = ask(url, get(STREAM + b"?after=99999"))

    assert (answer.status, answer.told["field"]) == (422, "after")


def test_a_quiet_stream_says_that_it_lives(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "HEARTBEAT_SECONDS", 0.1)
    with connected(url) as connection:
        connection.sendall(get(STREAM))
        received = b""
        while b": still here" not in received:
            part = connection.recv(65536)
            assert part, "the stream ended"
            received += part


def test_so_many_follow_at_once_and_places_are_given_back(url: str) -> None:
    open_streams = [connected(url) for _ in range(MAX_STREAMS)]
    followers = [one.__enter__() for one in open_streams]
    try:
        for follower in followers:
            follower.sendall(get(STREAM))
            assert begins(follower, b"HTTP/1.1 200")
        refused = ask(url, get(STREAM))
    finally:
        for one in open_streams:
            one.__exit__(None, None, None)

    assert (refused.status, refused.told["code"]) == (503, "too_many_at_once")
    assert refused.headers["retry-after"] == "1"
    while ask(url, get(STREAM, method=b"HEAD")).status == 503:  # until the server has seen them go
        pass


def test_a_stream_ends_when_the_server_is_told_to_stop(database: str) -> None:
    with (
        under_one_login(database, schema=SCHEMA) as ledger,
        serving(app := build_app(ledger, token=TOKEN)) as url,
        connected(url) as connection,
    ):
        connection.sendall(get(STREAM))
        assert begins(connection, b"HTTP/1.1 200")
        app.state.services.stopping.set()
        with connection.makefile("rb") as lines:
            while (last := lines.readline()) not in (b"0\r\n", b""):
                pass
            assert (last, lines.readline()) == (b"0\r\n", b"\r\n")
