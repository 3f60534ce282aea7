"""What no client should send: heads, framings and addresses, answered by a real server."""

from collections.abc import Iterator

import pytest

from api.clock import Deadline
from tests.support.ledgers import SCHEMA
from tests.support.postgres import PostgresServer
from tests.support.raw_http import (
    HOST,
    JSON,
    PROBLEM,
    SIGNED_IN,
    Answers,
    ask,
    begins,
    connected,
    get,
    head,
    post,
    read_answer,
)
from tests.support.served import served

KEY = b"Idempotency-Key: wire"
OPENED = b'{"name":"Fleet renewal","account":{"id":"acme","name":"Acme"},"owner":"ann"}'
CHUNKED = b"Transfer-Encoding: chunked"
IDLE_SECONDS = 4.0
"""A little less than a connection may be idle."""


@pytest.fixture(scope="module")
def url(postgres_server: PostgresServer) -> Iterator[str]:
    with postgres_server.ledger(SCHEMA) as dsn, served(dsn) as address:
        yield address


def posted(*headers: bytes, body: bytes = b"", path: bytes = b"/v1/deals") -> bytes:
    return head(b"POST " + path + b" HTTP/1.1", HOST, SIGNED_IN, KEY, JSON, *headers) + body


HEADS = {
    "no request at all": (b"hello\r\n\r\n", 400, "malformed_http"),
    "another protocol": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "malformed_http"),
    "a version that is none": (head(b"GET /v1/deals HTTP/1.9", HOST), 400, "malformed_http"),
    "no host": (head(b"GET /v1/deals HTTP/1.1", SIGNED_IN), 400, "malformed_http"),
    "no host in HTTP/1.0": (head(b"GET /v1/deals HTTP/1.0", SIGNED_IN), 400, "foreign_host"),
    "two hosts": (get(b"/v1/deals", HOST), 400, "malformed_http"),
    "a foreign host": (head(b"GET /v1/deals HTTP/1.1", b"Host: evil.example"), 400, "foreign_host"),
    "a host that begins well": (
        head(b"GET /v1/deals HTTP/1.1", b"Host: localhost.evil.example"),
        400,
        "foreign_host",
    ),
    "a host with a password": (
        head(b"GET /v1/deals HTTP/1.1", b"Host: a@localhost"),
        400,
        "foreign_host",
    ),
    "a foreign absolute address": (
        head(b"GET http://evil.example/v1/deals HTTP/1.1", HOST, SIGNED_IN),
        400,
        "foreign_host",
    ),
    "an address with a fragment": (get(b"/v1/deals#top"), 400, "malformed_http"),
    "an address without a slash": (get(b"v1/deals"), 400, "malformed_http"),
    "a tunnel": (
        head(b"CONNECT localhost:80 HTTP/1.1", HOST, SIGNED_IN),
        400,
        "malformed_http",
    ),
    "a folded header": (get(b"/v1/deals", b"X-A: b", b" c"), 400, "malformed_http"),
    "a bare line feed": (
        b"GET /v1/deals HTTP/1.1\nHost: localhost\n\n",
        400,
        "malformed_http",
    ),
    "a bare carriage return": (get(b"/v1/deals", b"X-A: b\rX-B: c"), 400, "malformed_http"),
    "a blank before the colon": (get(b"/v1/deals", b"X-A : b"), 400, "malformed_http"),
    "a header without a name": (get(b"/v1/deals", b": b"), 400, "malformed_http"),
    "a header with a NUL": (get(b"/v1/deals", b"X-A: \x00"), 400, "malformed_http"),
    "a long address": (get(b"/v1/deals?owner=" + b"x" * 9000), 414, "address_too_long"),
    "an endless address": (b"GET /" + b"x" * 2_000_000, 414, "address_too_long"),
    "a long header": (get(b"/v1/deals", b"X-A: " + b"x" * 40_000), 431, "headers_too_large"),
    "many headers": (
        get(b"/v1/deals", *(b"X-%d: a" % n for n in range(200))),
        431,
        "headers_too_large",
    ),
    "a version in lower case": (head(b"GET /v1/deals http/1.1", HOST), 400, "malformed_http"),
    "a blank before the method": (b" " + get(b"/v1/deals"), 400, "malformed_http"),
    "tabs between the words": (head(b"GET\t/v1/deals\tHTTP/1.1", HOST), 400, "malformed_http"),
    "two blanks between the words": (head(b"GET  /v1/deals HTTP/1.1", HOST), 400, "malformed_http"),
    "a greeting of TLS": (b"\x16\x03\x01\x00\x48\x01\r\n\r\n", 400, "malformed_http"),
    "an empty host": (head(b"GET /v1/deals HTTP/1.1", b"Host:"), 400, "foreign_host"),
    "two hosts in one": (
        head(b"GET /v1/deals HTTP/1.1", b"Host: localhost, evil.example"),
        400,
        "foreign_host",
    ),
    "a host with a path": (
        head(b"GET /v1/deals HTTP/1.1", b"Host: localhost/evil"),
        400,
        "foreign_host",
    ),
    "a port that is none": (
        head(b"GET /v1/deals HTTP/1.1", b"Host: localhost:99999999"),
        400,
        "foreign_host",
    ),
    "an address with a password": (
        head(b"GET http://a:b@localhost/v1/deals HTTP/1.1", HOST, SIGNED_IN),
        400,
        "foreign_host",
    ),
    "an address of another scheme": (
        head(b"GET ftp://localhost/v1/deals HTTP/1.1", HOST, SIGNED_IN),
        400,
        "malformed_http",
    ),
    "an address in UTF-8": (get("/v1/deals?owner=é".encode()), 400, "malformed_http"),
    "a header named in UTF-8": (get(b"/v1/deals", "X-É: a".encode()), 400, "malformed_http"),
    "a token in the address": (
        head(b"GET /v1/deals?access_token=t HTTP/1.1", HOST),
        401,
        "unauthorised",
    ),
    "a token that nobody signed": (
        head(b"GET /v1/deals HTTP/1.1", HOST, b"Authorization: Bearer eyJhbGciOiJub25lIn0.e30."),
        401,
        "unauthorised",
    ),
    "a token in the trailer": (
        head(b"GET /v1/deals HTTP/1.1", HOST, CHUNKED, b"Trailer: Authorization")
        + b"0\r\n"
        + SIGNED_IN
        + b"\r\n\r\n",
        401,
        "unauthorised",
    ),
    "no token": (head(b"GET /v1/deals HTTP/1.1", HOST), 401, "unauthorised"),
    "a token of another scheme": (
        head(b"GET /v1/deals HTTP/1.1", HOST, b"Authorization: Basic YTpi"),
        401,
        "unauthorised",
    ),
}
FRAMINGS = {
    "two framings": (
        posted(b"Content-Length: 4", CHUNKED, body=b"0\r\n\r\n"),
        400,
        "malformed_http",
    ),
    "two lengths": (
        posted(b"Content-Length: 4", b"Content-Length: 5", body=b"abcd"),
        400,
        "malformed_http",
    ),
    "a length twice": (
        posted(b"Content-Length: 2", b"Content-Length: 2", body=b"{}"),
        400,
        "malformed_http",
    ),
    "a list of lengths": (posted(b"Content-Length: 2, 2", body=b"{}"), 400, "malformed_http"),
    "a length in hexadecimal": (posted(b"Content-Length: 0x2", body=b"{}"), 400, "malformed_http"),
    "an empty length": (posted(b"Content-Length:"), 400, "malformed_http"),
    "a length in Arabic digits": (
        posted("Content-Length: \u0662".encode(), body=b"{}"),
        400,
        "malformed_http",
    ),
    "a negative length": (posted(b"Content-Length: -1"), 400, "malformed_http"),
    "a length with a sign": (posted(b"Content-Length: +2", body=b"{}"), 400, "malformed_http"),
    "a length of many digits": (posted(b"Content-Length: 1" + b"0" * 30), 400, "malformed_http"),
    "another transfer coding": (posted(b"Transfer-Encoding: gzip, chunked"), 400, "malformed_http"),
    "a disguised transfer coding": (
        posted(b"Transfer-Encoding: xchunked", body=b"0\r\n\r\n"),
        400,
        "malformed_http",
    ),
    "the coding twice": (posted(CHUNKED, CHUNKED, body=b"0\r\n\r\n"), 400, "malformed_http"),
    "the coding and none": (
        posted(b"Transfer-Encoding: chunked, identity", body=b"0\r\n\r\n"),
        400,
        "malformed_http",
    ),
    "the coding after a vertical tab": (
        posted(b"Transfer-Encoding: \x0bchunked", body=b"0\r\n\r\n"),
        400,
        "malformed_http",
    ),
    "chunks of HTTP/1.0": (
        head(b"POST /v1/deals HTTP/1.0", HOST, SIGNED_IN, KEY, JSON, CHUNKED)
        + b"%x\r\n%s\r\n0\r\n\r\n" % (len(OPENED), OPENED),
        400,
        "malformed_http",
    ),
    "a chunk of negative size": (posted(CHUNKED, body=b"-2\r\n{}\r\n"), 400, "malformed_http"),
    "a chunk size with a prefix": (
        posted(CHUNKED, body=b"0x2\r\n{}\r\n"),
        400,
        "malformed_http",
    ),
    "a trailer without end": (
        posted(CHUNKED, body=b"0\r\nX-A: " + b"x" * 200_000),
        431,
        "headers_too_large",
    ),
    "a chunk that is none": (posted(CHUNKED, body=b"zz\r\n"), 400, "malformed_http"),
    "a chunk longer than it says": (
        posted(CHUNKED, body=b"1\r\n{}}}\r\n0\r\n\r\n"),
        400,
        "malformed_http",
    ),
    "too long, as it says": (posted(b"Content-Length: 99999999"), 413, "too_large"),
    "too long, in chunks": (
        posted(CHUNKED, body=(b"10000\r\n" + b" " * 65536 + b"\r\n") * 40 + b"0\r\n\r\n"),
        413,
        "too_large",
    ),
    "compressed": (
        posted(b"Content-Encoding: gzip", b"Content-Length: 2", body=b"\x1f\x8b"),
        415,
        "unsupported_encoding",
    ),
    "two codings": (
        posted(b"Content-Encoding: identity, br", b"Content-Length: 2", body=b"{}"),
        415,
        "unsupported_encoding",
    ),
    "two content types": (posted(JSON, b"Content-Length: 2", body=b"{}"), 400, "repeated_header"),
    "two keys": (posted(KEY, b"Content-Length: 2", body=b"{}"), 400, "repeated_header"),
    "two tokens": (posted(SIGNED_IN, b"Content-Length: 2", body=b"{}"), 400, "two_credentials"),
    "another expectation": (
        posted(b"Expect: a-miracle", b"Content-Length: 2", body=b"{}"),
        417,
        "expectation_failed",
    ),
}
ADDRESSES = {
    "a trailing slash": (get(b"/v1/deals/"), 404, "not_found"),
    "two slashes": (get(b"//v1//deals"), 404, "not_found"),
    "a way up": (get(b"/v1/../healthz"), 404, "not_found"),
    "a way up in disguise": (get(b"/v1/%2e%2e/%2e%2e/etc/passwd"), 404, "not_found"),
    "a way out of the files": (get(b"/static/%2e%2e/%2e%2e/pyproject.toml"), 404, None),
    "a NUL in the path": (get(b"/v1/deals/%00"), 400, "malformed_address"),
    "a NUL in a process's name": (get(b"/v1/processes/a%00b"), 400, "malformed_address"),
    "half a character in the path": (get(b"/v1/deals/%ff%fe"), 400, "malformed_address"),
    "half a surrogate pair in the path": (get(b"/v1/deals/%ed%a0%80"), 400, "malformed_address"),
    "an escape that is none": (get(b"/v1/deals/%zz"), 404, "unknown_deal"),
    "an overlong slash": (get(b"/v1/deals/%c0%af"), 400, "malformed_address"),
    "a slash in disguise": (get(b"/v1/deals/a%2fb"), 404, "not_found"),
    "a line break in the path": (get(b"/v1/deals/a%0d%0aX-A:b"), 404, "unknown_deal"),
    "an escaped escape": (get(b"/v1/deals/%2500"), 404, "unknown_deal"),
    "a parameter of the path": (get(b"/v1/deals;a=b"), 404, "not_found"),
    "another case": (get(b"/V1/deals"), 404, "not_found"),
    "an address that is none": (get(b"/v1/nothing"), 404, "not_found"),
    "a method in lower case": (get(b"/v1/deals", method=b"get"), 405, "method_not_allowed"),
    "a method that is none": (get(b"/v1/deals", method=b"BREW"), 405, "method_not_allowed"),
    "a trace": (get(b"/v1/deals", method=b"TRACE"), 405, "method_not_allowed"),
    "a replacement": (get(b"/v1/deals", method=b"PUT"), 405, "method_not_allowed"),
    "a change": (get(b"/v1/deals", method=b"PATCH"), 405, "method_not_allowed"),
    "a long method": (get(b"/v1/deals", method=b"A" * 300), 405, "method_not_allowed"),
    "a deletion": (get(b"/v1/deals", method=b"DELETE"), 405, "method_not_allowed"),
}


@pytest.mark.parametrize("case", [*HEADS, *FRAMINGS, *ADDRESSES])
def test_what_has_no_one_meaning_is_refused_as_a_problem(url: str, case: str) -> None:
    request, status, code = (HEADS | FRAMINGS | ADDRESSES)[case]

    answer = ask(url, request)

    assert answer.status == status, answer
    assert answer.headers["x-content-type-options"] == "nosniff"
    if code is not None:
        assert answer.headers["content-type"] == PROBLEM
        assert answer.told["code"] == code
        assert answer.told["request_id"] == answer.headers["x-request-id"]
    if status == 405:
        assert answer.headers["allow"] == "GET, HEAD, OPTIONS, POST"
    assert ask(url, get(b"/v1/events")).told["events"] == []


UNUSUAL = {
    "a port of the host": (
        head(b"GET /v1/deals HTTP/1.1", b"Host: 127.0.0.1:8000", SIGNED_IN),
        200,
    ),
    "an absolute address": (
        head(b"GET http://localhost/v1/deals HTTP/1.1", b"Host: x", SIGNED_IN),
        200,
    ),
    "HTTP/1.0": (head(b"GET /v1/deals HTTP/1.0", HOST, SIGNED_IN), 200),
    "a range": (get(b"/v1/deals", b"Range: bytes=0-1"), 200),
    "a header of Latin-1": (get(b"/v1/deals", b"X-A: \xe9"), 200),
    "another site's page": (get(b"/v1/deals", b"Origin: https://evil.example"), 200),
    "a method in a header": (get(b"/v1/deals", b"X-HTTP-Method-Override: DELETE"), 200),
    "another host in a header": (get(b"/v1/deals", b"X-Forwarded-Host: evil.example"), 200),
    "a trace of nothing": (get(b"/v1/deals", b"traceparent: 00-zz"), 200),
    "many ranges": (get(b"/v1/deals", b"Range: bytes=" + b"0-1," * 999 + b"5-6"), 200),
    "an upgrade": (get(b"/v1/deals", b"Connection: Upgrade", b"Upgrade: websocket"), 200),
    "options": (get(b"/v1/deals", method=b"OPTIONS"), 204),
    "options of the server": (get(b"*", method=b"OPTIONS"), 204),
    "a head": (get(b"/v1/deals", method=b"HEAD"), 200),
    "a head of the stream": (get(b"/v1/events/stream", method=b"HEAD"), 200),
}


@pytest.mark.parametrize("case", UNUSUAL)
def test_what_is_unusual_and_allowed_is_answered(url: str, case: str) -> None:
    request, status = UNUSUAL[case]

    answer = ask(url, request)

    assert answer.status == status, answer
    assert "access-control-allow-origin" not in answer.headers
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert b" * " in request or answer.headers["cache-control"] == "no-store"
    if request.startswith(b"HEAD"):
        assert answer.body == b""
    if b"OPTIONS /" in request:
        assert answer.headers["allow"] == "GET, HEAD, OPTIONS, POST"


def test_a_head_names_what_a_get_would_give(url: str) -> None:
    # As of a position and an instant, so that both answers have the same bytes.
    path = b"/v1/deals?as_of=position:0&effective_at=2026-01-01T00:00:00Z"
    whole = ask(url, get(path))
    named = ask(url, get(path, method=b"HEAD"))

    assert named.headers["content-length"] == str(len(whole.body))
    assert named.headers["etag"] == whole.headers["etag"]


def test_chunks_may_have_extensions(url: str) -> None:
    body = b"%x;name=value\r\n%s\r\n0\r\nX-Trailer: a\r\n\r\n" % (len(OPENED), OPENED)

    assert ask(url, posted(CHUNKED, body=body)).status == 201


def test_pipelined_requests_are_answered_in_order(url: str) -> None:
    with connected(url) as connection:
        connection.sendall(get(b"/healthz") + get(b"/v1/nothing") + get(b"/healthz"))
        answers = Answers(connection)
        statuses = [answers.read_one().status for _ in range(3)]

    assert statuses == [200, 404, 200]


@pytest.mark.parametrize("requests", [1, 2])
def test_a_client_that_has_said_all_is_answered(url: str, requests: int) -> None:
    with connected(url) as connection:
        connection.sendall(get(b"/v1/deals") * requests)
        connection.shutdown(1)
        answers = Answers(connection)
        statuses = [answers.read_one().status for _ in range(requests)]
        idle = Deadline.after(IDLE_SECONDS)
        rest = answers.read(1)

    assert (statuses, rest) == ([200] * requests, b"")
    assert not idle.passed()  # closed because all is said, and not because nothing more came


def test_a_smuggled_request_is_not_served(url: str) -> None:
    hidden = get(b"/healthz")
    with connected(url) as connection:
        connection.sendall(posted(b"Content-Length: 5", CHUNKED, body=b"0\r\n\r\n" + hidden))
        answer = read_answer(connection)
        rest = connection.recv(1)

    assert (answer.status, rest) == (400, b"")


def test_a_body_that_is_too_long_is_not_asked_for(url: str) -> None:
    asked = posted(b"Expect: 100-continue", b"Content-Length: 99999999")

    assert ask(url, asked).status == 413


def test_a_body_that_is_wanted_is_asked_for(url: str) -> None:
    length = b"Content-Length: %d" % len(OPENED)
    with connected(url) as connection:
        connection.sendall(
            post(b"/v1/deals", b"", JSON, b"Expect: 100-continue", key=b"expected").replace(
                b"Content-Length: 0", length
            )
        )
        asked_for = begins(connection, b"HTTP/1.1 100 Continue\r\n\r\n")
        connection.sendall(OPENED)
        answer = read_answer(connection, method="POST")

    assert asked_for
    assert answer.status == 201
