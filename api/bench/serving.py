"""Cases of the API: requests over 64 connections, against an endpoint that does nothing."""

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import cycle
from typing import Final, TypeAlias
from uuid import uuid4

from api.bench.grounds import Grounds
from api.bench.harness import Case, Goal, Measure, Sides, at_least, timed
from api.bench.ledger import connected
from api.bench.served import EMPTY, Served, served

CONNECTIONS: Final = 64
REQUESTS: Final = 192
"""Three for each connection in a round."""

_EVENTS: Final = 20_000
"""The server first brings the views of its ledger up; how long that takes is another case."""
_NOTE: Final = b'{"events":[{"type":"note_added","data":{"text":"Called back about the papers"}}]}'
_HALF_WAY: Final = """
    SELECT stream_id, (min(position) + max(position)) / 2 FROM events
     WHERE stream_id LIKE 'deal:%' GROUP BY stream_id ORDER BY stream_id
"""
Lines: TypeAlias = Sequence[tuple[StreamReader, StreamWriter]]
Ask: TypeAlias = Callable[[Served, str, int], bytes]
"""Makes the request about a deal and a position that lies within its life."""


class RequestFailedError(Exception):
    """The server refused what it had to do, so there is nothing to measure."""


@contextmanager
def _prepared(grounds: Grounds, *, ask: Ask) -> Iterator[Sides]:
    schema = grounds.own_ledger(_EVENTS)
    with connected(grounds.dsn, schema=schema) as connection:
        deals = cycle(connection.execute(_HALF_WAY).fetchall())
    with served(grounds.dsn, schema=schema) as server, asyncio.Runner() as runner:
        lines = runner.run(_connect(server.port))

        def measure(make: Callable[[], bytes]) -> Measure:
            def measured() -> float:
                requests = [make() for _ in range(REQUESTS)]
                return timed(lambda: runner.run(_ask_all(lines, requests)), units=REQUESTS)()

            return measured

        try:
            yield Sides(
                measure(lambda: ask(server, *next(deals))),
                measure(lambda: _request("POST", EMPTY, server, body=b"{}")),
            )
        finally:
            runner.run(_hang_up(lines))


def _post_event(server: Served, stream_id: str, _: int) -> bytes:
    return _request("POST", f"/v1/deals/{stream_id[5:]}/events", server, body=_NOTE)


def _get_deal(server: Served, stream_id: str, position: int) -> bytes:
    return _request("GET", f"/v1/deals/{stream_id[5:]}?as_of=position:{position}", server)


def _request(method: str, path: str, server: Served, *, body: bytes = b"") -> bytes:
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
        f"Authorization: Bearer {server.token}\r\nIdempotency-Key: {uuid4()}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def _connect(port: int) -> Lines:
    return [await asyncio.open_connection("127.0.0.1", port) for _ in range(CONNECTIONS)]


async def _hang_up(lines: Lines) -> None:
    for _, writer in lines:
        writer.close()
    await asyncio.gather(*(w.wait_closed() for _, w in lines), return_exceptions=True)


async def _ask_all(lines: Lines, requests: Sequence[bytes]) -> None:
    """Let every connection ask its share of the requests, one after the other."""

    async def asking(number: int, reader: StreamReader, writer: StreamWriter) -> None:
        for request in requests[number :: len(lines)]:
            writer.write(request)
            await _answer(reader)

    await asyncio.gather(*(asking(number, *line) for number, line in enumerate(lines)))


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
        prepare=partial(_prepared, ask=_post_event),
    ),
    Case(
        name="get-deal-as-of",
        what="GET of a deal as of a position, 64 connections",
        against="an empty endpoint of the same server",
        unit="request",
        goal=Goal(of="rate"),
        prepare=partial(_prepared, ask=_get_deal),
    ),
)
