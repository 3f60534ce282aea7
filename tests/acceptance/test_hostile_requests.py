"""What clients get wrong, or try: bodies, values, headers and parameters that are refused."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.support.client import event, opened
from tests.support.ledgers import SCHEMA
from tests.support.postgres import PostgresServer
from tests.support.raw_http import JSON, PROBLEM, ask, get, post
from tests.support.served import served


@dataclass(frozen=True, slots=True)
class Served:
    """A server, and a deal on it."""

    url: str
    deal: str


@pytest.fixture(scope="module")
def server(postgres_server: PostgresServer) -> Iterator[Served]:
    with postgres_server.ledger(SCHEMA) as dsn, served(dsn) as url:
        told = json.dumps({"events": [opened()]}).encode()
        yield Served(url, ask(url, post(b"/v1/deals", told, key=b"the deal")).told["deal_id"])


def events(*told: Any) -> bytes:
    return json.dumps({"events": list(told)}).encode()


def note(text: str = "x", occurred_at: str | None = None) -> dict[str, Any]:
    return event("note_added", occurred_at, text=text)


def won(amount: Any = "10.00", currency: Any = "USD", closed_on: Any = "2026-01-01") -> bytes:
    net = {"amount": amount, "currency": currency}
    return events(event("deal_won", net=net, closed_on=closed_on))


def raw(data: str, type_: str = "note_added") -> bytes:
    return f'{{"events":[{{"type":"{type_}","data":{data}}}]}}'.encode()


AMOUNT = "events[0].data.net.amount"
BODIES: dict[str, tuple[bytes, int, str | None]] = {
    "nothing": (b"", 400, None),
    "no JSON": (b"{events}", 400, None),
    "half of it": (b'{"events":[', 400, None),
    "more than one": (b"{}{}", 400, None),
    "a byte order mark": (b"\xef\xbb\xbf" + events(note()), 400, None),
    "UTF-16": (events(note()).decode().encode("utf-16"), 400, None),
    "Latin-1": (raw('{"text":"\xe9"}').decode().encode("latin-1"), 400, None),
    "a comment": (b'{"events":[]/* none */}', 400, None),
    "a comma at the end": (b'{"events":[],}', 400, None),
    "a blank that JSON has not": ("\u00a0{}".encode(), 400, None),
    "an overlong character": (b'{"events":"\xc0\x80"}', 400, None),
    "half a surrogate pair in UTF-8": (b'{"events":"\xed\xa0\x80"}', 400, None),
    "an escape that JSON has not": (b'{"events":"\\x41"}', 400, None),
    "a list": (b"[]", 422, None),
    "null": (b"null", 422, None),
    "a number": (b"7", 422, None),
    "nothing in it": (b"{}", 422, "events"),
    "no events": (events(), 422, "events"),
    "too many events": (events(*[note()] * 501), 422, "events"),
    "events that are none": (b'{"events":[7]}', 422, "events[0]"),
    "events that are no list": (b'{"events":{}}', 422, "events"),
    "a name given twice": (b'{"events":1,"events":2}', 422, "events"),
    "a name given twice, once escaped": (b'{"events":1,"event\\u0073":2}', 422, "events"),
    "a prototype": (b'{"__proto__":{},"events":[]}', 422, None),
    "a name given twice inside": (raw('{"text":"a","text":"b"}'), 422, "text"),
    "a field of ours": (events({**note(), "recorded_at": "2026-01-01T00:00:00Z"}), 422,
                        "events[0].recorded_at"),
    "an actor": (events({**note(), "actor": "ann"}), 422, "events[0].actor"),
    "an unknown type": (events(event("deal_stolen")), 422, "events[0].type"),
    "a type by its topic": (events(event("deal.note_added.v1", text="x")), 422, "events[0].type"),
    "a type that is null": (events({"type": None, "data": {}}), 422, "events[0].type"),
    "data that is null": (events({"type": "note_added", "data": None}), 422, "events[0].data"),
    "a type that is a list": (events({"type": ["note_added"], "data": {}}), 422, "events[0].type"),
    "an unknown field": (events(event("note_added", text="x", more=1)), 422,
                         "events[0].data.more"),
    "a text that is a boolean": (events(event("note_added", text=True)), 422,
                                 "events[0].data.text"),
    "shares of nothing": (events(event("credit_split_set", shares={"a": "0"})), 422,
                          "events[0].data"),
    "a version that is no integer": (
        events(event("deal_moved_to_process", process={"id": "a", "version": 1.5})), 422,
        "events[0].data.process.version"),
    "a field of another kind": (events(event("note_added", text=["x"])), 422,
                                "events[0].data.text"),
    "very deep": (b'{"a":' * 5000 + b"1" + b"}" * 5000, 422, None),
    "too deep": (raw('{"text":' + "[" * 40 + "]" * 40 + "}"), 422, None),
    "too many values": (b'{"events":[' + b"0," * 150_000 + b"0]}", 422, None),
    "a NUL": (raw('{"text":"\\u0000"}'), 422, "events[0].data.text"),
    "a NUL in a name": (raw('{"te\\u0000xt":"x"}'), 422, None),
    "half a surrogate pair": (raw('{"text":"\\ud800"}'), 422, "events[0].data.text"),
    "a control character": (raw('{"text":"\x01"}'), 400, None),
    "not a number": (raw('{"text":NaN}'), 422, None),
    "infinity": (raw('{"text":-Infinity}'), 422, None),
    "a number past all": (raw('{"text":1e400}'), 422, None),
    "a number of many digits": (raw('{"text":' + "9" * 9000 + "}"), 422, None),
    "a hexadecimal number": (raw('{"text":0x10}'), 400, None),
    "a long text": (events(note("x" * 100_001)), 422, "events[0].data.text"),
    "an empty text": (events(note("")), 422, "events[0].data.text"),
    "money of 40 digits": (won("9" * 40), 422, AMOUNT),
    "money with an exponent": (won("1e5"), 422, AMOUNT),
    "money below nothing": (won("-1.00"), 422, AMOUNT),
    "money that is a number": (won(10.5), 422, AMOUNT),
    "money that is none": (won("NaN"), 422, AMOUNT),
    "money with a line break": (won("1\n"), 422, AMOUNT),
    "money with a comma": (won("1,000.00"), 422, AMOUNT),
    "money in Arabic digits": (won("\u0661\u0660"), 422, AMOUNT),
    "a currency that is none": (won(currency="U$D"), 422, "events[0].data.net.currency"),
    "a currency in lower case": (won(currency="usd"), 422, "events[0].data.net.currency"),
    "a day that is none": (won(closed_on="2026-02-30"), 422, "events[0].data.closed_on"),
    "a day of the year 0": (won(closed_on="0000-01-01"), 422, "events[0].data.closed_on"),
    "a day that is an instant": (won(closed_on="2026-01-01T10:00:00Z"), 422,
                                 "events[0].data.closed_on"),
    "a day of a week": (won(closed_on="2026-W01-1"), 422, "events[0].data.closed_on"),
    "a day without hyphens": (won(closed_on="20260101"), 422, "events[0].data.closed_on"),
    "a day that is a number": (won(closed_on=20260101), 422, "events[0].data.closed_on"),
    "a percent past all": (events(event("discount_offered", percent="100.01")), 422,
                           "events[0].data.percent"),
    "a percent of nothing": (events(event("discount_offered", percent="-0")), 422,
                             "events[0].data.percent"),
    "a percent with a sign": (events(event("discount_offered", percent="10%")), 422,
                              "events[0].data.percent"),
    "a cause that is no id": (events({**note(), "caused_by": "x"}), 422, "events[0].caused_by"),
}  # fmt: skip
INSTANTS = {
    "no zone": "2026-01-01T00:00:00",
    "a zone past all": "2026-01-01T00:00:00+99:99",
    "a day alone": "2026-01-01",
    "an hour that is none": "2026-01-01T25:00:00Z",
    "a day that is none at noon": "2026-02-30T12:00:00Z",
    "the year 0": "0000-01-01T00:00:00Z",
    "before the first year, in UTC": "0001-01-01T00:00:00+14:00",
    "after the last year, in UTC": "9999-12-31T23:59:59-14:00",
    "five digits": "12026-01-01T00:00:00Z",
    "an hour past the last": "2026-01-01T24:00:00Z",
    "a zone with seconds": "2026-01-01T00:00:00+00:00:30",
    "a leap second": "2016-12-31T23:59:60Z",
    "seconds since 1970": "1767225600",
    "now": "now",
    "nothing": "",
}
TYPES = {
    "no content type": b"X-Nothing: a",
    "an empty content type": b"Content-Type:",
    "a form": b"Content-Type: application/x-www-form-urlencoded",
    "text": b"Content-Type: text/plain",
    "a compound type": b"Content-Type: application/json, text/plain",
    "a relative of JSON": b"Content-Type: application/problem+json",
    "JSON in UTF-16": b"Content-Type: application/json; charset=utf-16",
    "JSON with a boundary": b"Content-Type: application/json; boundary=x",
    "any type": b"Content-Type: */*",
}
KEYS = {
    "a key of blanks": (b"  ", 422),
    "a long key": (b"k" * 201, 422),
    "a key of Latin-1": (b"\xe9", 422),
    "a key with a tab": (b"a\tb", 422),
}


def refused(server: Served, request: bytes, status: int, field: str | None) -> dict[str, Any]:
    """Hold that a request is refused with a problem that names the field, and records nothing."""
    state = get(f"/v1/deals/{server.deal}".encode())
    before = ask(server.url, state).headers["etag"]
    answer = ask(server.url, request)
    assert answer.status == status, answer
    assert answer.headers["content-type"] == PROBLEM
    told = answer.told
    if field is not None:
        assert told["field"] == field
        assert field in [one["field"] for one in told["errors"]]
    assert ask(server.url, state).headers["etag"] == before
    return told


def to_the_deal(server: Served, body: bytes, *headers: bytes, key: bytes = b"") -> bytes:
    # A key for each body, so that none is refused because of another one's.
    named = key or hashlib.sha256(body).hexdigest().encode()
    return post(f"/v1/deals/{server.deal}/events".encode(), body, *headers, key=named)


@pytest.mark.parametrize("case", BODIES)
def test_a_body_that_cannot_be_meant_is_refused(server: Served, case: str) -> None:
    body, status, field = BODIES[case]

    refused(server, to_the_deal(server, body), status, field)


@pytest.mark.parametrize("case", INSTANTS)
def test_an_instant_that_is_none_is_refused(server: Served, case: str) -> None:
    body = events(note(occurred_at=INSTANTS[case] or " "))

    refused(server, to_the_deal(server, body), 422, "events[0].occurred_at")


@pytest.mark.parametrize("case", TYPES)
def test_another_content_type_is_refused(server: Served, case: str) -> None:
    refused(server, to_the_deal(server, events(note()), TYPES[case]), 415, None)


@pytest.mark.parametrize("case", KEYS)
def test_a_key_that_is_none_is_refused(server: Served, case: str) -> None:
    key, status = KEYS[case]

    refused(server, to_the_deal(server, events(note()), key=key), status, "Idempotency-Key")


def test_a_key_is_needed_and_used_once(server: Served) -> None:
    keyless = to_the_deal(server, events(note()), key=b"none").replace(
        b"Idempotency-Key: none\r\n", b""
    )
    other = post(b"/v1/deals", events(opened(name="Another")), key=b"the deal")

    assert refused(server, keyless, 400, None)["code"] == "idempotency_key_missing"
    assert refused(server, other, 422, None)["code"] == "idempotency_key_reused"


@pytest.mark.parametrize(
    ("named", "status"),
    [
        (b'"7"', 412),
        (b'"7", "9"', 412),
        (b'W/"1"', 412),
        (b'"01"', 412),
        (b'"a version"', 422),
        (b'"abc"', 412),
        (b"1", 422),
        (b'"1', 422),
        (b"'1'", 422),
        (b"-1", 422),
        (b'"1" "2"', 422),
    ],
)
def test_a_version_that_the_deal_is_not_at_is_refused(
    server: Served, named: bytes, status: int
) -> None:
    request = to_the_deal(server, events(note()), JSON, b"If-Match: " + named)

    told = refused(server, request, status, "If-Match" if status == 422 else None)

    assert told.get("current_version") == (1 if status == 412 else None)


def test_one_of_the_versions_named_is_enough(server: Served) -> None:
    told = json.dumps({"events": [opened()]}).encode()
    deal = ask(server.url, post(b"/v1/deals", told, key=b"of many versions")).told["deal_id"]
    path = f"/v1/deals/{deal}/events".encode()

    for number, named in enumerate((b'If-Match: "9", "1"', b"If-Match: *")):
        request = post(path, events(note()), JSON, named, key=b"listed %d" % number)
        assert ask(server.url, request).status == 201
    two_lines = post(path, events(note()), JSON, b'If-Match: "9"', b'If-Match: "3"', key=b"twice")
    assert ask(server.url, two_lines).status == 201


@pytest.mark.parametrize(
    ("named", "status"),
    [
        (b'"1"', 304),
        (b'W/"1"', 304),
        (b'"0", "1"', 304),
        (b"*", 304),
        (b'"0"', 200),
        (b"1", 200),
        (b'"', 200),
    ],
)
def test_what_the_client_has_is_not_sent_again(server: Served, named: bytes, status: int) -> None:
    path = f"/v1/deals/{server.deal}".encode()

    for method in (b"GET", b"HEAD"):
        answer = ask(server.url, get(path, b"If-None-Match: " + named, method=method))
        assert (answer.status, answer.headers["etag"]) == (status, '"1"')
        assert bool(answer.body) is (status == 200 and method == b"GET")
