"""Clients over HTTP that append under load, and ask again until they are answered."""

import http.client
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from random import Random
from threading import Event as Flag
from threading import Thread
from typing import Final

from api.clock import Deadline
from tests.support.crash.requests import Asked, Book, Event, moment, opening, something
from tests.support.crash.rival import Rival
from tests.support.crash.server import PATIENCE, Server

DEALS: Final = 24
_TIMEOUT: Final = 12.0
_PAUSE: Final = 0.05
_OVERTAKEN: Final = 0.2
"""The share of appends on a version before which somebody else writes."""
_EVENTS_EACH: Final = 10
_LINES: Final = "application/x-ndjson"


class Line:
    """A connection that is made again when it broke; one client's own."""

    def __init__(self, server: Server, *, timeout: float = _TIMEOUT) -> None:
        self._server = server
        self._timeout = timeout
        self._connection: http.client.HTTPConnection | None = None

    def ask(
        self, method: str, path: str, body: bytes = b"", **headers: str
    ) -> tuple[int, bytes, dict[str, str]] | None:
        """Give status, body and headers, or None where the answer did not arrive whole."""
        if self._connection is None:
            self._connection = self._server.connect(timeout=self._timeout)
        named = self._server.headers(**{k.replace("_", "-"): v for k, v in headers.items()})
        try:
            self._connection.request(method, path, body=body or None, headers=named)
            with self._connection.getresponse() as answer:
                told = {name.lower(): value for name, value in answer.getheaders()}
                return answer.status, answer.read(), told
        except (OSError, http.client.HTTPException):
            self.hang_up()
            return None

    def hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None


class Client:
    """Does one thing after the other; what it asks for depends on its seed alone."""

    def __init__(self, server: Server, book: Book, *, seed: int) -> None:
        self.line = Line(server)
        self._book = book
        self._rival = Rival(server, book)
        self._seed = seed
        self._chance = Random(seed)
        self._made = 0

    def work(self, stop: Flag) -> None:
        """Append until told to stop, and then until everything is answered."""
        try:
            while not stop.is_set():
                self._once()
        except Exception as error:
            self._book.complain(f"client {self._seed} ended: {error!r}")
            raise
        finally:
            self.line.hang_up()

    def _once(self) -> None:
        deal = self._book.some_deal(self._chance)
        kind = self._chance.random()
        if deal is None or (len(self._book.deals) < DEALS and kind < 0.3):
            self._settle(self._asked("/v1/deals", [opening(self._chance), something(self._chance)]))
        elif kind < 0.2:
            self._in_bulk()
        elif kind < 0.45:
            self._with_version(deal)
        else:
            events = [something(self._chance) for _ in range(self._chance.choice([1, 1, 1, 2, 5]))]
            self._settle(self._asked(f"/v1/deals/{deal}/events", events))

    def _with_version(self, deal: str) -> None:
        """Append on the version that the deal is seen at, and look at it afterwards.

        Now and then somebody was first, whom the server cannot know of.
        """
        seen = self._version_of(deal)
        if seen is None:
            return
        if self._chance.random() < _OVERTAKEN:
            self._rival.write(deal)
        asked = self._asked(f"/v1/deals/{deal}/events", [something(self._chance)], if_match=seen)
        self._settle(asked)
        if asked.acknowledged:
            version = json.loads(asked.answer)["version"]
            if version != seen + 1:
                self._book.complain(f"{asked.key}: asked for {seen + 1}, was given {version}")
            after = self._version_of(deal)
            if after is not None and after < version:
                self._book.complain(f"{asked.key}: recorded as {version}, read as {after}")

    def _version_of(self, deal: str) -> int | None:
        answer = self.line.ask("GET", f"/v1/deals/{deal}")
        if answer is None or answer[0] != 200:
            self._note_refusal(f"GET /v1/deals/{deal}", answer)
            return None
        return int(answer[2]["etag"].strip('"'))

    def _in_bulk(self) -> None:
        deals = [self._book.some_deal(self._chance) for _ in range(self._chance.randint(2, 8))]
        self._append_lines(deals, lambda: self._chance.choice([1, 2]))

    def write_to_all(self) -> None:
        """Append many events to every deal, in one request."""
        self._append_lines(self._book.deals, lambda: _EVENTS_EACH)
        self.line.hang_up()

    def _append_lines(self, deals: Sequence[str | None], size: Callable[[], int]) -> None:
        lines: list[Asked] = []
        contents: list[dict[str, object]] = []
        for number, deal in enumerate(deals, start=1):
            events = [something(self._chance) for _ in range(size())]
            one = self._asked("/v1/events:bulk", events, line=number)
            lines.append(one)
            contents.append({"idempotency_key": one.key, "deal_id": deal, "events": events})
        body = b"\n".join(json.dumps(content).encode() for content in contents)
        for one in lines:
            one.body = body
        self._book.open(*lines)
        self._until_answered(lines)

    def _asked(
        self, path: str, events: list[Event], *, if_match: int | None = None, line: int = 0
    ) -> Asked:
        self._made += 1
        body = json.dumps({"events": events}).encode()
        key = f"client-{self._seed}-{self._made}"
        return Asked(key, path, body, events, moment(), if_match=if_match, line=line)

    def _settle(self, asked: Asked) -> None:
        self._book.open(asked)
        self._until_answered([asked])

    def _until_answered(self, asked: list[Asked]) -> None:
        deadline, pause = Deadline.after(PATIENCE), Flag()
        while not all(one.status for one in asked):
            self.send(asked)
            if deadline.passed():
                self._book.complain(f"{asked[0].key}: no answer in {PATIENCE} s")
                return
            if not all(one.status for one in asked):
                pause.wait(_PAUSE)

    def send(self, asked: list[Asked]) -> bool:
        """Send a request, or all lines of one, and note what settles it; False if nothing did."""
        first = asked[0]
        if first.line:
            answer = self.line.ask("POST", first.path, first.body, Content_Type=_LINES)
            return self._note_lines(asked, answer)
        headers = {"Idempotency_Key": first.key, "Content_Type": "application/json"}
        if first.if_match is not None:
            headers["If_Match"] = f'"{first.if_match}"'
        answer = self.line.ask("POST", first.path, first.body, **headers)
        settled = {201} if first.if_match is None else {201, 412}
        if answer is None or answer[0] not in settled:
            self._note_refusal(first.key, answer)
            return False
        self._book.close(first, answer[0], answer[1] if answer[0] == 201 else b"")
        return True

    def _note_lines(
        self, asked: list[Asked], answer: tuple[int, bytes, dict[str, str]] | None
    ) -> bool:
        if answer is None or answer[0] != 200:
            self._note_refusal(asked[0].key, answer)
            return False
        whole = True
        for text in answer[1].splitlines():
            told = json.loads(text)
            one = asked[told["line"] - 1]
            if told["status"] == 201:
                told.pop("replayed")
                self._book.close(one, 201, json.dumps(told, sort_keys=True).encode())
            else:
                self._note_refusal(one.key, (told["status"], text, {"retry-after": "told"}))
                whole = False
        return whole

    def _note_refusal(self, what: str, answer: tuple[int, bytes, dict[str, str]] | None) -> None:
        """Silence and 503 may come at any time; everything else must not."""
        if answer is None:
            return
        status, body, headers = answer
        if status != 503 or "retry-after" not in headers:
            self._book.complain(f"{what}: answered {status} {body[:300]!r}")


class Follower:
    """Follows the log over server-sent events, from where it was when the stream broke."""

    def __init__(self, server: Server, book: Book) -> None:
        self._server = server
        self._book = book
        self.seen = 0

    def work(self, stop: Flag) -> None:
        pause = Flag()
        while not stop.is_set():
            try:
                self._follow(stop)
            except (OSError, http.client.HTTPException):
                pause.wait(_PAUSE)

    def _follow(self, stop: Flag) -> None:
        connection = self._server.connect(timeout=_TIMEOUT * 2)
        try:
            path = f"/v1/events/stream?after={self.seen}"
            connection.request("GET", path, headers=self._server.headers())
            with connection.getresponse() as answer:
                while not stop.is_set() and (line := answer.readline()):
                    if line.startswith(b"id: "):
                        self._see(int(line[4:]))
        finally:
            connection.close()

    def _see(self, position: int) -> None:
        if position != self.seen + 1:
            self._book.complain(f"a follower at {self.seen} was told {position}")
        self.seen = position


@contextmanager
def appending(server: Server, book: Book, *, clients: int, seed: int) -> Iterator[None]:
    """Append with so many clients until the block ends, and then until all are answered."""
    with _threads([Client(server, book, seed=seed * 1000 + n) for n in range(clients)]):
        yield


@contextmanager
def following(server: Server, book: Book) -> Iterator[Follower]:
    """Follow the log until the block ends."""
    follower = Follower(server, book)
    with _threads([follower]):
        yield follower


@contextmanager
def _threads(workers: Sequence[Client | Follower]) -> Iterator[None]:
    stop = Flag()
    threads = [Thread(target=one.work, args=(stop,), daemon=True) for one in workers]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(2 * PATIENCE)
