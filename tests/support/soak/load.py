"""Clients of a mixed load at a fixed rate: appends, reads of now and of the past, followers."""

import contextlib
import http.client
import itertools
import json
import socket
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from threading import Event as Flag
from threading import Lock, Thread
from typing import Final

from api.clock import Deadline
from tests.support.crash.clients import Line
from tests.support.crash.requests import Event, opening, something
from tests.support.crash.server import Server

_TIMEOUT: Final = 30.0
_OPEN_DEALS: Final = 400
"""Deals that are appended to; the oldest gives way to a new one, and is read only."""
_OPENS_OF: Final = 20
"""One append in so many opens a deal."""
_STAY_EVENTS: Final = 500
"""A follower leaves after so many events and comes back for the rest, as browsers do."""
_SETTLED: Final = 500
"""Positions behind the head that the views have taken in for sure."""
_BULK_LINES: Final = 500
_JSON: Final = "application/json"
_LINES: Final = "application/x-ndjson"


@dataclass(slots=True)
class Seen:
    """What all clients were answered, and what they may ask about."""

    lock: Lock = field(default_factory=Lock)
    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    seconds: dict[str, list[float]] = field(default_factory=dict)
    odd: list[str] = field(default_factory=list)
    deals: deque[str] = field(default_factory=lambda: deque(maxlen=_OPEN_DEALS))
    head: int = 0
    followed: int = 0

    def note(
        self, kind: str, what: str, answer: tuple[int, bytes, dict[str, str]] | None, took: float
    ) -> None:
        """Count an answer; keep the words of the first that should not have come."""
        status = 0 if answer is None else answer[0]
        with self.lock:
            self.statuses[kind, status] += 1
            self.seconds.setdefault(kind, []).append(took)
            if status not in {200, 201} and len(self.odd) < 20:  # enough to see why
                self.odd.append(f"{what}: {status} {answer[1][:300] if answer else b''!r}")

    def stored(self, answer: bytes) -> None:
        told = json.loads(answer)
        with self.lock:
            self.head = max(self.head, told["position"])
            if told["deal_id"] not in self.deals:
                self.deals.append(told["deal_id"])

    def some_deal(self, chance: Random) -> str | None:
        with self.lock:
            return chance.choice(self.deals) if self.deals else None

    def count(self, *, least: int, most: int = 599) -> int:
        """How many answers had a status of a range, both ends included."""
        return sum(n for (_, status), n in self.statuses.items() if least <= status <= most)


class Pace:
    """Lets one client act at a fixed rate; what it was too late for is left out, not made up."""

    def __init__(self, rate: float, *, first: float) -> None:
        self._interval = 1 / rate
        self._due = Deadline.after(first / rate)

    def wait(self, stop: Flag) -> None:
        stop.wait(self._due.seconds_left())
        self._due = Deadline(max(self._due.at, Deadline.after(0).at - self._interval))
        self._due = Deadline(self._due.at + self._interval)


class Client:
    """Does one thing after the other at its pace."""

    def __init__(self, server: Server, seen: Seen, *, kind: str, seed: int, pace: Pace) -> None:
        self._line = Line(server, timeout=_TIMEOUT)
        self._seen = seen
        self._kind = kind
        self._seed = seed
        self._chance = Random(seed)
        self._pace = pace
        self._made = itertools.count(1)

    def work(self, stop: Flag) -> None:
        act = self._append if self._kind == "append" else self._read
        while not stop.is_set():
            self._pace.wait(stop)
            if not stop.is_set():
                act()
        self._line.hang_up()

    def _append(self) -> None:
        deal = self._seen.some_deal(self._chance)
        if deal is None or self._chance.randrange(_OPENS_OF) == 0:
            path, events = "/v1/deals", [opening(self._chance), something(self._chance)]
        else:
            path, events = f"/v1/deals/{deal}/events", [something(self._chance)]
        key = f"soak-{self._seed}-{next(self._made)}"
        body = json.dumps({"events": events}).encode()
        headers = {"Idempotency_Key": key, "Content_Type": _JSON}
        answer = self._ask("append", "POST", path, body, **headers)
        if answer is not None and answer[0] == http.HTTPStatus.CREATED:
            self._seen.stored(answer[1])

    def _read(self) -> None:
        deal = self._seen.some_deal(self._chance)
        if deal is None:
            return
        # Not what was written just now: for that a question may be told to come back.
        last = max(1, self._seen.head - _SETTLED)
        past = f"as_of=position:{self._chance.randint(max(1, last // 2), last)}"
        kind, path = self._chance.choice(
            [
                ("read", f"/v1/deals/{deal}"),
                ("read", f"/v1/deals/{deal}/progress"),
                ("read", f"/v1/deals/{deal}/history"),
                ("read", "/v1/deals?limit=50"),
                ("read", f"/v1/events?limit=100&deal={deal}"),
                ("read", "/v1/events?limit=100&order=desc"),
                ("as_of", f"/v1/deals?limit=50&{past}"),
                ("read", f"/v1/deals/{deal}/pressure"),
                ("as_of", f"/v1/events?limit=100&order=desc&{past}"),
            ]
        )
        self._ask(kind, "GET", path)

    def _ask(
        self, kind: str, method: str, path: str, body: bytes = b"", **headers: str
    ) -> tuple[int, bytes, dict[str, str]] | None:
        start = Deadline.after(0).at
        answer = self._line.ask(method, path, body, **headers)
        self._seen.note(kind, f"{method} {path}", answer, Deadline.after(0).at - start)
        return answer


class Follower:
    """Follows the log, leaves after a while and comes back; complains of what is missing."""

    def __init__(self, server: Server, seen: Seen, *, after: int) -> None:
        self._server = server
        self._seen = seen
        self._connection: http.client.HTTPConnection | None = None
        self.position = after

    def leave(self) -> None:
        """End the stream that is being read, for nobody knows when its next line comes."""
        connection = self._connection
        if connection is not None and connection.sock is not None:
            with contextlib.suppress(OSError):
                connection.sock.shutdown(socket.SHUT_RDWR)

    def work(self, stop: Flag) -> None:
        pause = Flag()
        while not stop.is_set():
            try:
                self._stay(stop)
            except (OSError, http.client.HTTPException) as error:
                if not stop.is_set():
                    self._seen.note("follow", f"stream: {error!r}", None, 0.0)
                    pause.wait(1.0)

    def _stay(self, stop: Flag) -> None:
        self._connection = connection = self._server.connect(timeout=_TIMEOUT)
        try:
            path = f"/v1/events/stream?after={self.position}"
            connection.request("GET", path, headers=self._server.headers())
            with connection.getresponse() as answer:
                self._seen.note("follow", path, (answer.status, b"", {}), 0.0)
                left = _STAY_EVENTS
                while left and not stop.is_set() and (line := answer.readline()):
                    if line.startswith(b"id: "):
                        self._see(int(line[4:]))
                        left -= 1
        finally:
            connection.close()

    def _see(self, position: int) -> None:
        with self._seen.lock:
            self._seen.followed += 1
            if position != self.position + 1:
                self._seen.odd.append(f"a follower at {self.position} was told {position}")
                self._seen.statuses["follow", 0] += 1
        self.position = position


def fill(server: Server, seen: Seen, *, events: int, seed: int) -> None:
    """Append so many events in bulk, so that what the product remembers is full from the start."""
    chance, line = Random(seed), Line(server, timeout=300.0)
    for request in range(0, events, _BULK_LINES):
        lines = []
        for number in range(request, min(request + _BULK_LINES, events)):
            deal = seen.some_deal(chance)
            opens = deal is None or chance.randrange(_OPENS_OF) == 0
            told: Event = {"idempotency_key": f"fill-{seed}-{number}"}
            told |= {"events": [opening(chance)]} if opens else {"deal_id": deal}
            lines.append(told if opens else told | {"events": [something(chance)]})
        body = "\n".join(json.dumps(one) for one in lines).encode()
        answer = line.ask("POST", "/v1/events:bulk", body, Content_Type=_LINES)
        for text in answer[1].splitlines() if answer else ():
            told = json.loads(text)
            if told["status"] == http.HTTPStatus.CREATED:
                seen.stored(text)
        seen.note("fill", "bulk", answer, 0.0)
    line.hang_up()


@contextmanager
def loading(
    server: Server,
    seen: Seen,
    *,
    appends: float,
    reads: float,
    clients: int,
    followers: int,
    seed: int,
) -> Iterator[None]:
    """Load a server until the block ends: so many appends and reads a second, in all."""
    made = [("append", appends, n) for n in range(clients)]
    made += [("read", reads, n) for n in range(clients)]
    works = [
        Client(
            server,
            seen,
            kind=kind,
            seed=seed * 1000 + index,
            pace=Pace(rate / clients, first=n / clients),
        ).work
        for index, (kind, rate, n) in enumerate(made)
    ]
    guests = [Follower(server, seen, after=seen.head) for _ in range(followers)]
    with _threads([*works, *(one.work for one in guests)]) as stop:
        yield
        stop.set()
        for one in guests:
            one.leave()


@contextmanager
def _threads(works: Sequence[Callable[[Flag], None]]) -> Iterator[Flag]:
    stop = Flag()
    threads = [Thread(target=work, args=(stop,), daemon=True) for work in works]
    for thread in threads:
        thread.start()
    try:
        yield stop
    finally:
        stop.set()
        for thread in threads:
            thread.join(2 * _TIMEOUT)
