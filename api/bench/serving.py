"""Cases of the server: requests of the API over 64 connections, and pages over one."""

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import cycle
from statistics import quantiles
from time import perf_counter
from typing import Final, TypeAlias
from uuid import uuid4

from api.bench.clients import raw_table
from api.bench.grounds import Grounds
from api.bench.harness import Case, Goal, Sides, at_least, at_most, timed
from api.bench.ledger import connected
from api.bench.served import EMPTY, Served, served, served_usually

CONNECTIONS: Final = 64
REQUESTS: Final = 192
"""Three for each connection in a round."""
PAGES: Final = 40
"""A reader asks for one after the other, each of another deal."""

_EVENTS: Final = 20_000
"""The server first brings the views of its ledger up; how long that takes is another case."""
_NOTE: Final = b'{"events":[{"type":"note_added","data":{"text":"Called back about the papers"}}]}'
_HALF_WAY: Final = """
    SELECT stream_id, (min(position) + max(position)) / 2 FROM events
     WHERE stream_id LIKE 'deal:%' GROUP BY stream_id ORDER BY stream_id
"""
Lines: TypeAlias = Sequence[tuple[StreamReader, StreamWriter]]
Measured: TypeAlias = Callable[[Callable[[], list[float]]], float]
"""Does a round, which gives how long each request took, and gives the seconds of one."""
Ask: TypeAlias = Callable[[Served, str, int], bytes]
"""Makes the request about a deal and a position that lies within its life."""


class RequestFailedError(Exception):
    """The server refused what it had to do, so there is nothing to measure."""


@contextmanager
def _against_empty(grounds: Grounds, *, ask: Ask) -> Iterator[Sides]:
    schema = grounds.own_ledger(_EVENTS)
    with _deals(grounds, schema) as deals, served(grounds.dsn, schema=schema) as server:
        yield from _sides(
            _mean,
            (server, lambda: ask(server, *next(deals))),
            (server, lambda: _request("POST", EMPTY, server, body=b"{}")),
        )


@contextmanager
def _against_usual(grounds: Grounds, *, measure: Measured) -> Iterator[Sides]:
    schema, table = grounds.own_ledger(_EVENTS), raw_table(grounds)
    with (
        _deals(grounds, schema) as deals,
        served(grounds.dsn, schema=schema) as server,
        served_usually(grounds.dsn, schema=table) as usual,
    ):
        yield from _sides(
            measure,
            (server, lambda: _post_event(server, *next(deals))),
            (usual, lambda: _post_event(usual, *next(deals))),
        )


@contextmanager
def _page_against_json(grounds: Grounds) -> Iterator[Sides]:
    schema = grounds.own_ledger(_EVENTS)
    with (
        _deals(grounds, schema) as ours,
        _deals(grounds, schema) as theirs,
        served(grounds.dsn, schema=schema) as server,
    ):
        yield from _sides(
            partial(_mean, units=PAGES),
            (server, lambda: _get(server, f"/deals/{next(ours)[0][5:]}")),
            (server, lambda: _get(server, f"/v1/deals/{next(theirs)[0][5:]}")),
            connections=1,
            requests=PAGES,
        )


def _sides(
    measure: Measured,
    *asked: tuple[Served, Callable[[], bytes]],
    connections: int = CONNECTIONS,
    requests: int = REQUESTS,
) -> Iterator[Sides]:
    """Give the two sides; each round has connections of its own, which none leaves idle."""
    with asyncio.Runner() as runner:

        def measured(server: Served, make: Callable[[], bytes]) -> float:
            asking = [make() for _ in range(requests)]
            lines = runner.run(_connect(server.port, connections))
            try:
                return measure(lambda: runner.run(_ask_all(lines, asking)))
            finally:
                runner.run(_hang_up(lines))

        ours, theirs = (partial(measured, *side) for side in asked)
        yield Sides(ours, theirs)


@contextmanager
def _deals(grounds: Grounds, schema: str) -> Iterator[Iterator[tuple[str, int]]]:
    """Give the deals of a ledger, each with a position in its life, again and again."""
    with connected(grounds.dsn, schema=schema) as connection:
        found = connection.execute(_HALF_WAY).fetchall()
    yield cycle([(stream_id, position) for stream_id, position in found])


def _mean(round_: Callable[[], list[float]], *, units: int = REQUESTS) -> float:
    return timed(round_, units=units)()


def _slowest_percent(round_: Callable[[], list[float]]) -> float:
    return quantiles(round_(), n=100)[-1]


def _post_event(server: Served, stream_id: str, _: int) -> bytes:
    return _request("POST", f"/v1/deals/{stream_id[5:]}/events", server, body=_NOTE)


def _get_deal(server: Served, stream_id: str, position: int) -> bytes:
    return _get(server, f"/v1/deals/{stream_id[5:]}?as_of=position:{position}")


def _get(server: Served, path: str) -> bytes:
    return _request("GET", path, server)


def _request(method: str, path: str, server: Served, *, body: bytes = b"") -> bytes:
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
        f"Authorization: Bearer {server.token}\r\nIdempotency-Key: {uuid4()}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def _connect(port: int, count: int) -> Lines:
    return [await asyncio.open_connection("127.0.0.1", port) for _ in range(count)]


async def _hang_up(lines: Lines) -> None:
    for _, writer in lines:
        writer.close()
    await asyncio.gather(*(w.wait_closed() for _, w in lines), return_exceptions=True)


async def _ask_all(lines: Lines, requests: Sequence[bytes]) -> list[float]:
    """Let every connection ask its share, one after the other; give how long each answer took."""
    took: list[float] = []

    async def asking(number: int, reader: StreamReader, writer: StreamWriter) -> None:
        for request in requests[number :: len(lines)]:
            start = perf_counter()
            writer.write(request)
            await _answer(reader)
            took.append(perf_counter() - start)

    await asyncio.gather(*(asking(number, *line) for number, line in enumerate(lines)))
    return took


async def _answer(reader: StreamReader) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    _, _, length = head.lower().partition(b"content-length:")
    body = await reader.readexactly(int(length.partition(b"\r")[0]))
    if not head.startswith(b"HTTP/1.1 2"):
        raise RequestFailedError(f"{head.decode()}{body.decode()}")


CASES: Final = (
    Case(
        name="post-event",
        what="POST of one event, 64 connections",
        against="an empty endpoint of the same server",
        unit="request",
        goal=at_least(0.75),
        prepare=partial(_against_empty, ask=_post_event),
    ),
    Case(
        name="post-event-usual",
        what="POST of one event, 64 connections",
        against="a plain FastAPI service, one INSERT a request",
        unit="request",
        goal=at_least(2.5),
        prepare=partial(_against_usual, measure=_mean),
    ),
    Case(
        name="post-event-usual-p99",
        what="99 of 100 POSTs of one event, 64 connections",
        against="99 of 100 of a plain FastAPI service, one INSERT a request",
        unit="request",
        goal=at_most(0.5),
        prepare=partial(_against_usual, measure=_slowest_percent),
    ),
    Case(
        name="get-deal-as-of",
        what="GET of a deal as of a position, 64 connections",
        against="an empty endpoint of the same server",
        unit="request",
        goal=Goal(of="rate"),
        prepare=partial(_against_empty, ask=_get_deal),
    ),
    Case(
        name="get-deal-page",
        what="the page of a deal, one reader",
        against="GET of the same deal's state as JSON",
        unit="page",
        goal=Goal(of="time"),
        prepare=_page_against_json,
    ),
)
