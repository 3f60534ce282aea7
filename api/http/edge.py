"""What every request is held to before its route: one meaning, a body in time, HEAD and OPTIONS."""

import asyncio
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Final, NoReturn
from urllib.parse import unquote_to_bytes

from fastapi.responses import Response
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import MalformedRequestError
from api.http.limits import Limits
from api.http.problems import RequestRefusedError

Methods = Callable[[Scope], list[str]]
"""Gives the methods that an address has; none where there is nothing."""
_BODILESS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_SINGLE: Final = (
    "authorization",
    "content-encoding",
    "content-type",
    "expect",
    "idempotency-key",
    "last-event-id",
)
"""Headers that say one thing: given twice, a proxy might have read the other one."""
_LISTS: Final = (b"if-match", b"if-none-match", b"accept")
"""Headers whose lines are one list."""


class Edge:
    """Checks what is common to all requests, and puts a deadline on their bodies."""

    def __init__(self, app: ASGIApp, *, methods: Methods, limits: Limits) -> None:
        self._app = app
        self._methods = methods
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request.

        Raises:
            RequestRefusedError: it has no meaning, or two.
        """
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        _check_headers(headers)
        if scope["method"] not in _BODILESS:
            _check_encoding(headers)
        _check_address(scope)
        scope["headers"] = _merged(scope["headers"])
        body = _Body(receive, self._limits)
        if scope["method"] == "HEAD":
            head = _Head(send)
            await self._app({**scope, "method": "GET"}, head.receive, head.send)
        elif scope["method"] == "OPTIONS" and (methods := self._options(scope)):
            answer = Response(status_code=204, headers={"Allow": ", ".join(methods)})
            await answer(scope, receive, send)
        else:
            await self._app(scope, body.receive, body.sending(send))

    def _options(self, scope: Scope) -> list[str]:
        if scope["path"] == "*":
            return ["GET", "HEAD", "OPTIONS", "POST"]
        return self._methods(scope)


def _check_headers(headers: Headers) -> None:
    names = headers.keys()
    for name in _SINGLE:
        if names.count(name) > 1:
            detail = f"{name}: given more than once"
            raise RequestRefusedError(400, "repeated_header", detail, field=name)
    if headers.get("expect", "100-continue").strip().lower() != "100-continue":
        raise RequestRefusedError(
            HTTPStatus.EXPECTATION_FAILED,
            "expectation_failed",
            "expect: nothing but 100-continue is known here",
            field="expect",
        )


def _check_encoding(headers: Headers) -> None:
    """Refuse what is compressed: a few bytes may say more than memory holds."""
    encoding = headers.get("content-encoding", "identity").strip().lower()
    if encoding != "identity":
        raise RequestRefusedError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "unsupported_encoding",
            "content-encoding: bodies are read as they are, not compressed",
            field="content-encoding",
            headers={"Accept-Encoding": "identity"},
        )


def _check_address(scope: Scope) -> None:
    """Refuse bytes that no text has: the database could not even be asked for them."""
    raw_path = scope.get("raw_path") or b""
    if b"%" in raw_path and not _is_text(raw_path):
        detail = "the path holds a NUL character, or is not UTF-8"
        raise RequestRefusedError(HTTPStatus.BAD_REQUEST, "malformed_address", detail)
    if b"%" not in scope["query_string"]:
        return
    for name, value in _pairs(scope["query_string"]):
        if not (_is_text(name) and _is_text(value)):
            _bad_parameter(unquote_to_bytes(name).decode("utf-8", "replace").replace("\0", "?"))


def _pairs(query: bytes) -> Iterator[tuple[bytes, bytes]]:
    for part in query.split(b"&"):
        name, _, value = part.partition(b"=")
        yield name, value


def _bad_parameter(name: str) -> NoReturn:
    detail = f"{name}: holds a NUL character, or is not UTF-8"
    raise RequestRefusedError(422, MalformedRequestError.code, detail, field=name)


def _is_text(escaped: bytes) -> bool:
    try:
        return "\0" not in unquote_to_bytes(escaped).decode("utf-8")
    except UnicodeDecodeError:
        return False


def _merged(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Write the lines of a list as one line, as which routes read it."""
    for listed in _LISTS:
        values = [value for name, value in headers if name == listed]
        if len(values) > 1:
            others = [pair for pair in headers if pair[0] != listed]
            headers = [*others, (listed, b", ".join(values))]
    return headers


class _Body:
    """The body of a request: it comes in time, and whole, or the request is refused."""

    def __init__(self, receive: Receive, limits: Limits) -> None:
        self._receive = receive
        self._limits = limits
        self._start = asyncio.get_running_loop().time()
        self._size = 0
        self._over = False

    async def receive(self) -> Message:
        """Give the next part.

        Raises:
            RequestRefusedError: it is too slow, or ends before its end.
        """
        if self._over:
            return await self._receive()
        limits = self._limits
        seconds = limits.body_grace_seconds + self._size / limits.body_bytes_a_second
        try:
            async with asyncio.timeout_at(self._start + seconds):
                message = await self._receive()
        except TimeoutError:
            raise _too_slow() from None
        if message["type"] == "http.disconnect":
            raise RequestRefusedError(400, "incomplete_body", "the body ended before its end")
        self._size += len(message.get("body", b""))
        self._over = not message.get("more_body", False)
        return message

    def sending(self, send: Send) -> Send:
        """Give `send`, after whose first message the body is nobody's concern any more."""

        async def sent(message: Message) -> None:
            self._over = True
            await send(message)

        return sent


def _too_slow() -> RequestRefusedError:
    return RequestRefusedError(
        HTTPStatus.REQUEST_TIMEOUT,
        "too_slow",
        "the body comes in too slowly; nothing of it is recorded",
        headers={"Connection": "close"},
    )


class _Head:
    """Gives the head of what GET would answer, and ends the answer there."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._begun = asyncio.Event()

    async def receive(self) -> Message:
        """Say, once the head is out, that nobody listens to the rest."""
        await self._begun.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Send the head on, and nothing else."""
        if message["type"] == "http.response.start":
            await self._send(message)
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})
            self._begun.set()
