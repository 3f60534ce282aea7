"""Requests as bytes on a socket, for what no client library would send."""

import io
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPResponse
from typing import Any, Final, cast

from tests.support.client import TOKEN

HOST: Final = b"Host: localhost"
SIGNED_IN: Final = f"Authorization: Bearer {TOKEN}".encode()
JSON: Final = b"Content-Type: application/json"
PROBLEM: Final = "application/problem+json"
SECONDS: Final = 20.0
"""How long a test waits for bytes before it fails."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def told(self) -> dict[str, Any]:
        """The body as the JSON object that it is."""
        content: dict[str, Any] = json.loads(self.body)
        return content


def head(line: bytes, *headers: bytes) -> bytes:
    return b"\r\n".join([line, *headers, b"", b""])


def get(path: bytes, *headers: bytes, method: bytes = b"GET") -> bytes:
    """Give a GET of a client that is signed in."""
    return head(method + b" " + path + b" HTTP/1.1", HOST, SIGNED_IN, *headers)


def post(path: bytes, body: bytes, *headers: bytes, key: bytes = b"hostile") -> bytes:
    """Give a POST of JSON; `headers` stand in place of its content type if there are any."""
    named = (HOST, SIGNED_IN, b"Idempotency-Key: " + key, b"Content-Length: %d" % len(body))
    return head(b"POST " + path + b" HTTP/1.1", *named, *(headers or (JSON,))) + body


@contextmanager
def connected(url: str) -> Iterator[socket.socket]:
    host, _, port = url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=SECONDS) as connection:
        yield connection


class Answers(io.BufferedReader):
    """What comes back on a connection, one answer after the other."""

    def __init__(self, connection: socket.socket) -> None:
        super().__init__(connection.makefile("rb", buffering=0))

    def makefile(self, *_: object) -> "Answers":
        """Be the file that the library makes of a socket."""
        return self

    def close(self) -> None:
        """Stay open, though the library closes its file after each answer."""

    def read_one(self, *, method: str = "GET") -> Answer:
        """Read one answer, of which no byte may be missing."""
        response = HTTPResponse(cast("socket.socket", self), method=method)
        response.begin()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, headers, response.read())


def read_answer(connection: socket.socket, *, method: str = "GET") -> Answer:
    """Read the one answer of a connection."""
    return Answers(connection).read_one(method=method)


def ask(url: str, request: bytes) -> Answer:
    """Send a request and read its answer."""
    with connected(url) as connection:
        connection.sendall(request)
        return read_answer(connection, method=request.partition(b" ")[0].decode())


def begins(connection: socket.socket, wanted: bytes) -> bool:
    """Read as many bytes as are wanted, in however many pieces, and say whether they are these."""
    received = b""
    while len(received) < len(wanted) and (part := connection.recv(len(wanted) - len(received))):
        received += part
    return received == wanted


def is_closed(connection: socket.socket) -> bool:
    """Read to the end, and say whether the server closed its side in time."""
    try:
        while connection.recv(65536):
            pass
    except TimeoutError:
        return False
    except OSError:
        return True
    return True
