"""Many who follow the log cost the database no more than one, and each is told what is theirs."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from io import BufferedReader
from typing import Any

import psycopg
import pytest

from api.bootstrap import Ledger
from api.bootstrap_server import build_app
from api.http import log
from tests.support.browser import serving
from tests.support.client import TOKEN, event, opened
from tests.support.ledgers import SCHEMA
from tests.support.organisation import SINCE
from tests.support.raw_http import HOST, ask, connected, head, post
from tests.support.roles import under_one_login

STILL_HERE = b": still here"
FEW, MANY = 2, 60


@pytest.fixture
def ledger(database: str) -> Iterator[Ledger]:
    with under_one_login(database, schema=SCHEMA) as opened_ledger:
        yield opened_ledger


@pytest.fixture
def url(ledger: Ledger) -> Iterator[str]:
    with serving(build_app(ledger, token=TOKEN)) as address:
        yield address


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements of this process, as they are executed."""
    statements: list[str] = []

    def counted(execute: Callable[..., Any]) -> Callable[..., Any]:
        def call(cursor: Any, query: Any, *arguments: Any, **named: Any) -> Any:
            statements.append(str(query))
            return execute(cursor, query, *arguments, **named)

        return call

    for kind in (psycopg.Cursor, psycopg.AsyncCursor):
        monkeypatch.setattr(kind, "execute", counted(kind.execute))
    return statements


def key_of(ledger: Ledger, member: str, role: str) -> str:
    made = ledger.keys.create(
        member=member, role=role, name="t", by="t", scopes=None, lifetime=timedelta(days=1)
    )
    return made.secret


def following(url: str, key: str, count: int, places: ExitStack) -> list[BufferedReader]:
    """Give so many connections whose streams have begun."""
    wanted = head(
        b"GET /v1/events/stream?after=0 HTTP/1.1", HOST, f"Authorization: Bearer {key}".encode()
    )
    followers = []
    for connection in [places.enter_context(connected(url)) for _ in range(count)]:
        connection.sendall(wanted)
        followers.append(places.enter_context(connection.makefile("rb")))
    for follower in followers:
        until(follower, b"retry: 1000")
    return followers


def until(follower: BufferedReader, wanted: bytes, *, times: int = 1) -> bytes:
    """Read to the end of the line that has it so many times; what follows is left to be read."""
    received = b""
    while received.count(wanted) < times:
        line = follower.readline()
        assert line, "the stream ended"
        received += line
    return received


def test_many_followers_ask_the_database_no_more_than_a_few(
    ledger: Ledger, url: str, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "HEARTBEAT_SECONDS", 1.0)
    key = key_of(ledger, "sue", "auditor")
    counts = []
    for count in (FEW, MANY):
        with ExitStack() as places:
            first = following(url, key, count, places)[0]
            asked.clear()
            until(first, STILL_HERE, times=2)
            counts.append(len(asked))

    few, many = counts
    assert many < 3 * few


def test_each_follower_is_told_every_event_that_is_theirs(ledger: Ledger, url: str) -> None:
    keys = [key_of(ledger, "sue", "auditor"), key_of(ledger, "bob", "rep")]
    joined = event("member_joined", SINCE, rep="bob", role="rep", team="south")
    with ExitStack() as places:
        append(url, b"/v1/teams", joined)
        auditors, reps = (following(url, key, 3, places) for key in keys)
        append(url, b"/v1/deals", opened())
        append(url, b"/v1/deals", opened(owner="bob"), event("note_added", text="last"))
        told = [until(one, b"event: note_added").decode() for one in (*auditors, *reps)]

    ids = [[int(line[4:]) for line in one.splitlines() if line.startswith("id: ")] for one in told]
    assert ids == [[1, 2, 3, 4]] * 3 + [[1, 3, 4]] * 3


def test_a_quiet_stream_ends_soon_after_its_key(
    ledger: Ledger, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "_IDLE_SECONDS", 0.1)
    key = key_of(ledger, "sue", "auditor")
    with ExitStack() as places:
        (follower,) = following(url, key, 1, places)
        ledger.keys.revoke(key[4:12])
        while follower.readline() not in (b"0\r\n", b""):
            pass
        assert follower.readline() == b"\r\n"


def append(url: str, path: bytes, *events: object) -> None:
    body = json.dumps({"events": events}).encode()
    answer = ask(url, post(path, body, key=str(hash(body)).encode()))
    assert answer.status == 201, answer.body
