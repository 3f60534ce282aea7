"""Limits that clients are told of: how often, how much at once, and how long an answer takes."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from api.bootstrap_server import build_app
from api.http.bulk import MAX_LINES
from api.http.limits import MAX_BULKS, Limits
from tests.support.browser import serving
from tests.support.client import TOKEN, event, opened
from tests.support.ledgers import SCHEMA
from tests.support.postgres import PostgresServer
from tests.support.raw_http import (
    HOST,
    SIGNED_IN,
    Answer,
    ask,
    begins,
    connected,
    get,
    head,
    post,
    read_answer,
)
from tests.support.roles import under_one_login
from tests.support.served import served

BULK = b"/v1/events:bulk"
NDJSON = b"Content-Type: application/x-ndjson"
JUDGED = ("history", "pressure")
UNKNOWN = "018bdee0-36f0-701d-8000-000000000000"


@pytest.fixture(scope="module")
def url(postgres_server: PostgresServer) -> Iterator[str]:
    with postgres_server.ledger(SCHEMA) as dsn, served(dsn) as address:
        yield address


def line(key: str, **more: Any) -> bytes:
    return json.dumps({"idempotency_key": key, **more}).encode()


def bulk(url: str, *lines: bytes, end: bytes = b"\n") -> list[dict[str, Any]]:
    answer = ask(url, post(BULK, b"\n".join(lines) + end, NDJSON))
    assert answer.status == 200, answer
    return [json.loads(one) for one in answer.body.splitlines()]


def test_a_credential_is_told_where_it_stands_and_refused_when_it_asks_too_often(
    database: str,
) -> None:
    with served(database, limits=Limits(requests_a_minute=3)) as url:
        told = [ask(url, get(b"/v1/policies")) for _ in range(4)]
        watched = ask(url, get(b"/healthz"))

    assert [one.status for one in told] == [200, 200, 200, 429]
    assert {one.headers["ratelimit-policy"] for one in told} == {'"credential";q=3;w=60'}
    assert [one.headers["ratelimit"].partition(";t=")[0] for one in told] == [
        f'"credential";r={left}' for left in (2, 1, 0, 0)
    ]
    assert told[3].told["code"] == "rate_limited"
    assert 1 <= int(told[3].headers["retry-after"]) <= 20
    assert (watched.status, "ratelimit" in watched.headers) == (200, False)


def test_without_a_limit_nothing_is_said_of_one(database: str) -> None:
    with served(database, limits=Limits(requests_a_minute=0)) as url:
        answer = ask(url, get(b"/v1/policies"))

    assert (answer.status, "ratelimit" in answer.headers) == (200, False)


def test_every_line_has_its_verdict_in_order_and_none_stops_another(url: str) -> None:
    deal = bulk(url, line("one", **opened()))[0]["deal_id"]
    lines = [
        line("two", deal_id=deal, **event("note_added", text="a")),
        b"{no json",
        b"",
        b'{"a":' * 5000,
        line("three", deal_id=deal, **event("note_added", text="b" * 200_000)),
        line("four", deal_id=deal, if_match=1, **event("note_added", text="c")),
        line("five", deal_id="nowhere", **event("note_added", text="d")),
        line("", deal_id=deal, **event("note_added", text="e")),
        line("six", deal_id=[deal], **event("note_added", text="f")),
        b'{"idempotency_key":"a","idempotency_key":"b"}',
        b"\xff\xfe",
        b'"' + b"x" * (1 << 20) + b'"',
        line("seven", deal_id=deal, **event("note_added", text="g")),
        b'{"idempotency_key":"eight","deal_id":"' + deal.encode(),
    ]

    first = bulk(url, *lines, end=b"")
    again = bulk(url, *lines, end=b"")

    statuses = [(one["line"], one["status"]) for one in first]
    assert statuses == [
        (1, 201), (2, 400), (4, 422), (5, 422), (6, 412), (7, 404), (8, 422),
        (9, 422), (10, 422), (11, 400), (12, 413), (13, 201), (14, 400),
    ]  # fmt: skip
    assert [one["line"] for one in again if one.get("replayed")] == [1, 13]
    assert ask(url, get(f"/v1/deals/{deal}".encode())).told["version"] == 3


@pytest.mark.parametrize("key", [" ", " a", "a ", "k" * 201, "\u2603", "a\u00a0b", "a\n", 7, None])
def test_a_line_has_a_key_as_a_header_could_have_it(url: str, key: object) -> None:
    (verdict,) = bulk(url, json.dumps({"idempotency_key": key, **opened()}).encode())

    assert (verdict["status"], verdict["field"]) == (422, "idempotency_key")


def test_who_leaves_midway_loses_nothing(url: str) -> None:
    lines = [line(f"left-{n}", **opened(name=f"Deal {n}")) for n in range(300)]
    with connected(url) as connection:
        connection.sendall(post(BULK, b"\n".join(lines), NDJSON))
        assert begins(connection, b"HTTP/1.1 200")

    verdicts = bulk(url, *lines)

    assert [one["status"] for one in verdicts] == [201] * 300
    assert len({one["deal_id"] for one in verdicts}) == 300
    names = {f"left-{n}" for n in range(300)}
    assert {one["idempotency_key"] for one in verdicts} == names
    assert [one["replayed"] for one in bulk(url, *lines)] == [True] * 300


def test_too_many_lines_are_refused_before_any_is_tried(url: str) -> None:
    before = _head(url)
    answer = ask(url, post(BULK, line("many", **opened()) + b"\n" * (MAX_LINES + 1), NDJSON))

    assert (answer.status, answer.told["code"]) == (413, "too_large")
    assert _head(url) == before


def _head(url: str) -> str:
    return ask(url, get(b"/v1/events?limit=1")).headers["x-position"]


def test_so_many_bulks_at_once(url: str) -> None:
    waiting = head(
        b"POST " + BULK + b" HTTP/1.1", HOST, SIGNED_IN, NDJSON, b"Content-Length: 1000",
        b"Expect: 100-continue",
    )  # fmt: skip
    held = [connected(url) for _ in range(MAX_BULKS)]
    connections = [one.__enter__() for one in held]
    try:
        for connection in connections:
            connection.sendall(waiting)
            assert begins(connection, b"HTTP/1.1 100")  # it has its place
        refused = _bulk_of_nothing(url)
    finally:
        for one in held:
            one.__exit__(None, None, None)

    assert (refused.status, refused.headers["retry-after"]) == (503, "1")
    while _bulk_of_nothing(url).status == 503:  # until the server has seen them go
        pass


def _bulk_of_nothing(url: str) -> Answer:
    return ask(url, post(BULK, b"", NDJSON))


def test_a_position_that_the_views_do_not_reach_is_not_waited_for_long(database: str) -> None:
    # Without a worker, so that the views never come.
    with (
        under_one_login(database, schema=SCHEMA) as ledger,
        serving(build_app(ledger, token=TOKEN)) as url,
    ):
        body = json.dumps({"events": [opened()]}).encode()
        assert ask(url, post(b"/v1/deals", body)).status == 201
        behind = ask(url, get(b"/v1/deals?min_position=1"))

    assert (behind.status, behind.told["code"]) == (503, "views_behind")
    assert behind.headers["retry-after"] == "1"


def test_a_deal_that_the_views_do_not_reach_yet_is_not_told_to_be_none(database: str) -> None:
    with (
        under_one_login(database, schema=SCHEMA) as ledger,
        serving(build_app(ledger, token=TOKEN)) as url,
    ):
        body = json.dumps({"events": [opened()]}).encode()
        deal = ask(url, post(b"/v1/deals", body)).told["deal_id"]
        answers = [ask(url, get(f"/v1/deals/{deal}/{part}".encode())) for part in JUDGED]
        page = ask(url, get(f"/deals/{deal}".encode()))
        unknown = ask(url, get(f"/v1/deals/{UNKNOWN}/history".encode()))

    assert {(one.status, one.told["code"]) for one in answers} == {(503, "views_behind")}
    assert (page.status, page.headers["retry-after"]) == (503, "1")
    assert unknown.status == 404


@pytest.mark.parametrize(
    ("query", "status", "field"),
    [
        (b"limit=0", 422, "limit"),
        (b"limit=-1", 422, "limit"),
        (b"limit=1e3", 422, "limit"),
        (b"limit=0x10", 422, "limit"),
        (b"limit=1.5", 422, "limit"),
        (b"limit=", 422, "limit"),
        (b"limit=" + b"9" * 400, 422, "limit"),
        (b"limit=NaN", 422, "limit"),
        (b"limit=1_0", 422, "limit"),
        (b"limit=+1", 422, "limit"),
        (b"limit=%D9%A3", 422, "limit"),
        (b"limit[]=1", 422, "limit[]"),
        (b"limit", 422, "limit"),
        (b"min_position=1_0", 422, "min_position"),
        (b"as_of=position:9223372036854775808", 422, "as_of"),
        (b"limit=1&limit=2", 422, "limit"),
        (b"limit=1001", 422, "limit"),
        (b"ownr=ann", 422, "ownr"),
        (b"as_of=2026-01-01T00:00:00Z&as_of=2026-02-01T00:00:00Z", 422, "as_of"),
        (b"%FF=1", 422, None),
        (b"owner=%00", 422, "owner"),
        (b"owner=%ED%A0%80", 422, "owner"),
        (b"owner=", 422, "owner"),
        (b"as_of=yesterday", 422, "as_of"),
        (b"as_of=2999-01-01T00:00:00Z", 422, "as_of"),
        (b"as_of=position:999999", 422, "as_of"),
        (b"as_of=position:-1", 422, "as_of"),
        (b"as_of=2026-02-30T00:00:00Z", 422, "as_of"),
        (b"as_of=0001-01-01T00:00:00%2B14:00", 422, "as_of"),
        (b"as_of=9999-12-31T23:59:59-14:00", 422, "as_of"),
        (b"as_of=2026-01-01T00:00:00%2B99:99", 422, "as_of"),
        (b"as_of=2016-12-31T23:59:60Z", 422, "as_of"),
        (b"effective_at=never", 422, "effective_at"),
        (b"min_position=-1", 422, "min_position"),
        (b"min_position=1e400", 422, "min_position"),
        (b"min_position=999999", 422, "min_position"),
        (b"cursor=forged", 422, "cursor"),
        (b"cursor=%E2%80%AE", 422, "cursor"),
        (b"sort=owner;drop", 422, "sort"),
        (b"deleted=perhaps", 422, "deleted"),
        (b"close_date_from=2026-02-30", 422, "close_date_from"),
        (b"close_date_from=0000-01-01", 422, "close_date_from"),
        (b"closed=gone", 422, "closed"),
        (b"closed=", 422, "closed"),
        (b"cursor=", 422, "cursor"),
    ],
)
def test_a_parameter_that_cannot_be_meant_is_named(
    url: str, query: bytes, status: int, field: str | None
) -> None:
    answer = ask(url, get(b"/v1/deals?" + query))

    assert answer.status == status, answer
    if field is not None:
        assert answer.told["field"] == field


def test_a_cursor_of_another_question_is_refused(url: str) -> None:
    for name in ("first", "second"):
        bulk(url, line(f"cursor-{name}", **opened(name=f"{name} of two")))
    position = _head(url).encode()
    page = ask(url, get(b"/v1/deals?limit=1&sort=name&min_position=" + position)).told
    answer = ask(url, get(b"/v1/deals?sort=-amount&cursor=" + page["next"].encode()))

    assert (answer.status, answer.told["field"]) == (422, "cursor")


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        (b"application/json;q=0", 406),
        (b"image/png", 406),
        (b"image/png, */*;q=0.1", 200),
        (b"text/csv;q=0.9", 200),
        (b"", 200),
    ],
)
def test_the_log_is_given_in_a_format_that_is_accepted(
    url: str, accept: bytes, status: int
) -> None:
    assert ask(url, get(b"/v1/events", b"Accept: " + accept)).status == status


def test_an_unusual_text_is_kept_as_it_is(url: str) -> None:
    text = "\u202eevil\u202c \u05e9\u05dc\u05d5\u05dd \U0001f600 " + "x" * 9_900
    deal = bulk(url, line("unusual", **opened()))[0]["deal_id"]
    told = [line("unusual-note", deal_id=deal, **event("note_added", text=text))]
    assert bulk(url, *told)[0]["status"] == 201

    events = ask(url, get(f"/v1/deals/{deal}/events".encode())).told["events"]
    assert events[1]["data"]["text"] == text


def test_a_large_answer_is_whole(url: str) -> None:
    with connected(url) as connection:
        connection.sendall(get(b"/openapi.json"))
        assert read_answer(connection).told["openapi"].startswith("3.")
