"""HTTP/1.1 on the socket: one meaning per request, bounded heads, and a deadline on every wait.

What a proxy before us could read in another way is refused, not repaired (RFC 9112 lets a server
do either), and every refusal is a problem as it is from the routes.
"""

import asyncio
import re
import socket
from http import HTTPStatus
from typing import Any, ClassVar, Final

import h11
from uuid_utils.compat import uuid7
from uvicorn import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from api.http.limits import (
    MAX_CONNECTIONS,
    MAX_DRAINED,
    MAX_HEAD,
    MAX_HEADERS,
    MAX_TARGET,
    Limits,
)
from api.http.problems import problem

_END_OF_HEAD: Final = re.compile(rb"\n\r?\n")
_TWO_MEANINGS: Final = re.compile(rb"(?<!\r)\n|\r(?!\n)|\n[ \t]|\n[^\r:]*[ \t]:")
"""A line that ends otherwise than in CRLF, a folded header, a blank before the colon."""
_LENGTH: Final = re.compile(rb"\ncontent-length:([^\r]*)", re.IGNORECASE)
_ABSOLUTE: Final = re.compile(rb"https?://([^/?#]+)(/[^#]*|\?[^#]*)?", re.IGNORECASE)
_SAFE: Final = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
_CODES: Final = {
    400: "malformed_http",
    408: "too_slow",
    414: "address_too_long",
    431: "headers_too_large",
    503: "too_many_connections",
}


class _Connection(h11.Connection):
    """Reads requests as strictly as a server may; `fault` says what was wrong with the last."""

    def __init__(self) -> None:
        super().__init__(h11.SERVER, max_incomplete_event_size=MAX_HEAD)
        self.fault: h11.RemoteProtocolError | None = None

    def next_event(self) -> Any:
        """Give the next event of the client.

        Raises:
            h11.RemoteProtocolError: what it sent is refused.
        """
        try:
            if self.their_state is h11.IDLE:
                _check_head(self.trailing_data[0])
            event = super().next_event()
            return _origin_form(event) if isinstance(event, h11.Request) else event
        except h11.RemoteProtocolError as error:
            self.fault = error
            raise


def _check_head(received: bytes) -> None:
    """Refuse what is too large before it is whole, and lines that have two meanings."""
    end = _END_OF_HEAD.search(received)
    head = received[: end.end()] if end else received
    line = head.partition(b"\n")[0]
    if len(line) > MAX_TARGET:
        raise _refused(f"the address is longer than {MAX_TARGET} bytes", 414)
    if len(head) > MAX_HEAD:
        raise _refused(f"address and headers are longer than {MAX_HEAD} bytes", 431)
    if head.count(b"\n") > MAX_HEADERS + 2:
        raise _refused(f"there are more than {MAX_HEADERS} headers", 431)
    if end and _TWO_MEANINGS.search(head):
        raise _refused("a line of the head is folded, or does not end in CRLF", 400)
    lengths = _LENGTH.findall(head)
    if len(lengths) > 1 or any(b"," in length for length in lengths):
        raise _refused("Content-Length stands there more than once", 400)


def _origin_form(request: h11.Request) -> h11.Request:
    """Give a request whose target is a path, with the host that an absolute address names."""
    names = {name for name, _ in request.headers}
    if {b"content-length", b"transfer-encoding"} <= names:
        raise _refused("Content-Length and Transfer-Encoding cannot both hold", 400)
    if request.http_version not in {b"1.0", b"1.1"}:
        raise _refused("HTTP/1.1 is spoken here", 400)
    if request.http_version == b"1.0" and b"transfer-encoding" in names:
        raise _refused("HTTP/1.0 knows no Transfer-Encoding", 400)
    if request.target.startswith(b"/") and b"#" not in request.target:
        return request
    if request.target == b"*" and request.method == b"OPTIONS":
        return request
    found = _ABSOLUTE.fullmatch(request.target)
    if found is None:
        raise _refused("the address is neither a path nor an absolute http address", 400)
    path = found[2] or b"/"
    others = [(name, value) for name, value in request.headers if name != b"host"]
    return h11.Request(
        method=request.method,
        headers=[(b"host", found[1]), *others],
        target=path if path.startswith(b"/") else b"/" + path,
        http_version=request.http_version,
    )


class _RefusedError(h11.RemoteProtocolError):
    """What we refuse; its words are ours, and quote nothing of the request."""


def _refused(detail: str, status: int) -> _RefusedError:
    return _RefusedError(detail, error_status_hint=status)


class Wire(H11Protocol):
    """A connection that gives way to nobody who is slow, and answers who half-closes it."""

    limits: ClassVar[Limits] = Limits()

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.conn: _Connection = _Connection()
        self._head: asyncio.TimerHandle | None = None
        self._stall: asyncio.TimerHandle | None = None
        self._last: asyncio.TimerHandle | None = None
        self._half_closed = False
        self._lingers = False
        self._drained = 0
        self._drained_before = 0
        self._drains_until = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection, unless there are too many."""
        super().connection_made(transport)
        # asyncio does so only for sockets that were made by the name of their protocol. Without it
        # the body of an answer waits until the client has confirmed the head: some 40 ms.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if len(self.connections) > MAX_CONNECTIONS:
            self._refuse(503, "too many connections are open; come back shortly")
            return
        self._watch_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget every deadline."""
        for timer in (self._head, self._stall, self._last):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take bytes; those of a refused request or of an answered one are read and dropped."""
        if self._lingers or (self.conn.our_state, self.conn.their_state) == (
            h11.DONE,
            h11.SEND_BODY,
        ):
            self._drained += len(data)
            if self._drained > MAX_DRAINED:
                self.transport.abort()
                return
        if not self._lingers:
            super().data_received(data)
            self._watch_head()

    def eof_received(self) -> bool:  # type: ignore[override]
        """Answer a client that said all it has to say, and close after that."""
        cycle = self.cycle
        waits = cycle is not None and not cycle.more_body and not cycle.response_started
        if waits and not self._lingers:
            self._half_closed = True
            self._cut_after(self.limits.half_closed_seconds)
        return waits and not self._lingers

    def on_response_complete(self) -> None:
        """Go on with what was sent meanwhile; else close what is half closed."""
        super().on_response_complete()
        if self.transport.is_closing():
            return
        if self._half_closed and self.cycle.response_complete:
            self.transport.close()
        elif self.conn.their_state is h11.SEND_BODY:
            self._drains_until = self.loop.time() + self.limits.drain_seconds
            self._cut_after(self.limits.linger_seconds)

    def pause_writing(self) -> None:
        """Wait for a client that does not take its answer, but not for ever."""
        super().pause_writing()
        self._stall = self.loop.call_later(self.limits.stall_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """Take note that the client reads again."""
        super().resume_writing()
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None

    def send_400_response(self, msg: str) -> None:
        """Answer what is no request, or one that is refused, with a problem."""
        fault = self.conn.fault
        status = fault.error_status_hint if fault is not None else 400
        detail = str(fault) if isinstance(fault, _RefusedError) else "this is not valid HTTP/1.1"
        self._refuse(status if status in _CODES else 400, detail)

    def _watch_head(self) -> None:
        waits = self.conn.their_state is h11.IDLE and not self.transport.is_closing()
        if not waits and self._head is not None:
            self._head.cancel()
            self._head = None
        elif waits and self._head is None:
            self._head = self.loop.call_later(self.limits.head_seconds, self._headless)

    def _headless(self) -> None:
        self._head = None
        if self.transport.is_closing() or self._lingers:
            return
        if self.conn.trailing_data[0]:
            self._refuse(408, f"no whole head came within {self.limits.head_seconds:g} seconds")
        else:
            self.transport.close()

    def _cut_after(self, seconds: float) -> None:
        if self._last is None:
            self._last = self.loop.call_later(seconds, self._cut)

    def _cut(self) -> None:
        self._last = None
        still_drains = self.conn.their_state is h11.SEND_BODY and self.conn.our_state is h11.DONE
        came, self._drained_before = self._drained - self._drained_before, self._drained
        if still_drains and came and self.loop.time() < self._drains_until:
            self._cut_after(self.limits.linger_seconds)
        elif self._half_closed or self._lingers or still_drains:
            self.transport.abort()

    def _refuse(self, status: int, detail: str) -> None:
        """Answer and close; a request that is under way here is told that its client is gone."""
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if self.conn.our_state not in {h11.IDLE, h11.SEND_RESPONSE}:
            self.transport.close()
            return
        request_id = str(uuid7())
        answer = problem(
            status,
            _CODES[status],
            detail,
            request_id=request_id,
            headers={
                "Connection": "close",
                "X-Request-ID": request_id,
                "Cache-Control": "no-store",
                **_SAFE,
            },
        )
        head = h11.Response(
            status_code=status,
            headers=answer.raw_headers,
            reason=HTTPStatus(status).phrase.encode(),
        )
        for event in (head, h11.Data(data=bytes(answer.body)), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        self._linger()

    def _linger(self) -> None:
        """Close our side, and read on a little: a close with bytes unread would take it back."""
        self._lingers = True
        self.flow.resume_reading()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._cut_after(self.limits.linger_seconds)
