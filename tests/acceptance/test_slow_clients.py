"""Who is slow, or goes away, holds up nobody: every wait for a client has an end."""

import asyncio
import json
import socket
import threading
from collections.abc import Iterator

import pytest
from fastapi import FastAPI

from api.http.limits import Limits
from api.http.wire import Wire
from tests.support.browser import serving
from tests.support.client import TOKEN, opened
from tests.support.ledgers import SCHEMA
from tests.support.postgres import PostgresServer
from tests.support.raw_http import (
    HOST,
    JSON,
    SIGNED_IN,
    ask,
    connected,
    get,
    is_closed,
    read_answer,
)
from tests.support.served import served

QUICK = Limits(
    head_seconds=0.3,
    body_grace_seconds=0.3,
    stall_seconds=0.5,
    linger_seconds=0.3,
    drain_seconds=1.2,
    half_closed_seconds=0.3,
)
UNFINISHED = b"\r\n".join(
    [b"POST /v1/deals HTTP/1.1", HOST, SIGNED_IN, JSON, b"Idempotency-Key: slow", b""]
)


@pytest.fixture(scope="module")
def url(postgres_server: PostgresServer) -> Iterator[str]:
    with postgres_server.ledger(SCHEMA) as dsn, served(dsn, limits=QUICK) as address:
        yield address


def test_an_answer_does_not_wait_until_its_head_is_confirmed() -> None:
    sends_at_once: list[int] = []

    class Noting(Wire):
        """Notes whether its socket sends what it has."""

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            own = transport.get_extra_info("socket")
            sends_at_once.append(own.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))

    with serving(FastAPI(), wire=Noting) as address, connected(address) as connection:
        connection.sendall(get(b"/none"))
        assert read_answer(connection).status == 404

    assert sends_at_once == [1]


def test_a_head_that_does_not_end_is_not_waited_for(url: str) -> None:
    with connected(url) as connection:
        connection.sendall(UNFINISHED)
        answer = read_answer(connection)

        assert (answer.status, answer.told["code"]) == (408, "too_slow")
        assert is_closed(connection)


def test_a_connection_that_says_nothing_is_closed(url: str) -> None:
    with connected(url) as connection:
        assert is_closed(connection)


def test_a_second_head_that_does_not_end_is_not_waited_for(url: str) -> None:
    with connected(url) as connection:
        connection.sendall(get(b"/healthz") + UNFINISHED)
        assert read_answer(connection).status == 200
        connection.sendall(b"X-Slow: a\r\n")
        assert is_closed(connection)


def test_a_body_that_does_not_come_is_not_waited_for(url: str) -> None:
    with connected(url) as connection:
        connection.sendall(UNFINISHED + b"Content-Length: 100\r\n\r\n{")
        answer = read_answer(connection, method="POST")

        assert (answer.status, answer.told["code"]) == (408, "too_slow")
        assert is_closed(connection)


def test_a_body_that_drips_is_not_waited_for(url: str) -> None:
    stop = threading.Event()
    with connected(url) as connection:
        connection.sendall(UNFINISHED + b"Content-Length: 1000000\r\n\r\n")

        def drip() -> None:
            while not stop.wait(0.05):
                try:
                    connection.sendall(b" ")
                except OSError:
                    return

        dripping = threading.Thread(target=drip)
        dripping.start()
        try:
            assert read_answer(connection, method="POST").status == 408
        finally:
            stop.set()
            dripping.join()


def test_a_body_that_breaks_off_is_dropped(url: str) -> None:
    with connected(url) as connection:
        connection.sendall(UNFINISHED + b"Content-Length: 100\r\n\r\n" + b"{" * 50)
    with connected(url) as connection:
        connection.sendall(UNFINISHED + b"Content-Length: 100\r\n\r\n" + b"{" * 50)
        connection.shutdown(1)
        assert is_closed(connection)

    assert ask(url, get(b"/v1/events")).told["events"] == []


def test_what_is_refused_is_not_read_for_ever(url: str) -> None:
    with connected(url) as connection:
        connection.sendall(UNFINISHED + b"Content-Length: 99999999\r\n\r\n")
        assert read_answer(connection, method="POST").status == 413
        assert is_closed(connection)


def test_who_still_sends_what_was_refused_is_heard_out_for_a_while(url: str) -> None:
    parts = [b"x" * 1024] * 16
    length = sum(map(len, parts)) + (2 << 20)
    with connected(url) as connection:
        connection.sendall(UNFINISHED + b"Content-Length: %d\r\n\r\n" % length)
        assert read_answer(connection, method="POST").status == 413
        assert sent(connection, parts) == len(parts)  # for longer than silence is borne
        assert sent(connection, [b"x"] * 1000) < 1000


def sent(connection: socket.socket, parts: list[bytes]) -> int:
    """Send parts at a walking pace; give how many went before the other side closed."""
    pace = threading.Event()
    for number, part in enumerate(parts):
        try:
            connection.sendall(part)
        except OSError:
            return number
        pace.wait(0.03)
    return len(parts)


def test_an_answer_that_nobody_takes_is_given_up(database: str) -> None:
    with served(database, limits=QUICK) as url:
        _record(url, events=800)
        with connected(url) as connection:
            # Without reading: more than what fits into the buffers of both sides.
            connection.sendall(get(b"/v1/events?limit=1000") * 40)
            answered = _count_bytes(connection, after=2.0)
        whole = len(ask(url, get(b"/v1/events?limit=1000")).body)

        assert answered < whole * 40
        assert ask(url, get(b"/healthz")).status == 200


def _record(url: str, *, events: int) -> None:
    note = {"type": "note_added", "data": {"text": "x" * 2000}}
    for start in range(0, events, 400):
        body = json.dumps({"events": [opened(), *[note] * 400]}).encode()
        length = b"Content-Length: %d" % len(body)
        key = b"Idempotency-Key: filled %d" % start
        lines = [b"POST /v1/deals HTTP/1.1", HOST, SIGNED_IN, JSON, key, length, b"", body]
        assert ask(url, b"\r\n".join(lines)).status == 201


def _count_bytes(connection: socket.socket, *, after: float) -> int:
    """Read what came through once the server has given up."""
    threading.Event().wait(after)
    size = 0
    try:
        while part := connection.recv(1 << 20):
            size += len(part)
    except ConnectionError:
        pass
    return size


def test_the_token_is_in_no_refusal(url: str) -> None:
    answer = ask(
        url, b"GET / HTTP/1.1\r\nHost: localhost\r\nbroken " + TOKEN.encode() + b"\r\n\r\n"
    )

    assert answer.status == 400
    assert TOKEN.encode() not in answer.body
