"""What stands around everything: each request is counted, timed, traced and logged."""

from time import perf_counter
from typing import Final

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.metrics import HttpMetrics
from api.http.notes import notes_of
from api.http.tracing import Trace, read_trace
from api.identity.permissions import Identity
from api.logs import VETTED, masked

UNROUTED: Final = "unrouted"
"""The route of a request that reached none: refused before, or to a path that there is not."""

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_PROBES: Final = frozenset({"/healthz", "/readyz", "/metrics"})
"""Asked every few seconds by machines: logged at `debug` unless they fail."""
_UUID_LENGTH: Final = 36
_SERVER_ERROR: Final = 500
_NOT_LET_IN: Final = frozenset({401, 403, 429})
_EVENT_STREAM: Final = b"text/event-stream"


class Observed:
    """Watches every request from outside, so that refusals and crashes are seen as well."""

    def __init__(self, app: ASGIApp, *, metrics: HttpMetrics) -> None:
        self._app = app
        self._metrics = metrics
        self._log = structlog.get_logger("dealtrail.http")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope["trace"] = trace = read_trace(scope["headers"])
        notes_of(scope)  # made here, so that everybody further in notes in the same place
        answer = _Answer(send, trace, self._metrics)
        started = perf_counter()
        self._metrics.in_flight.inc()
        try:
            await self._app(scope, receive, answer)
        finally:
            self._metrics.in_flight.dec()
            self._finished(scope, answer, perf_counter() - started)

    def _finished(self, scope: Scope, answer: "_Answer", seconds: float) -> None:
        method = scope["method"] if scope["method"] in _METHODS else "other"
        route = getattr(scope.get("route"), "path", UNROUTED)
        notes = notes_of(scope)
        if answer.streamed:
            self._metrics.streams.dec()
        self._metrics.finished(
            route=route,
            method=method,
            status=answer.status,
            refusal=notes.refusal,
            seconds=None if answer.streamed else seconds,
        )
        failed = answer.status == 0 or answer.status >= _SERVER_ERROR
        odd = failed or answer.status in _NOT_LET_IN
        log = self._log.warning if odd else self._log.info
        if route in _PROBES and not failed:
            log = self._log.debug
        trace, identity, client = answer.trace, scope.get("identity"), scope.get("client")
        known = identity if isinstance(identity, Identity) else None
        log(
            "request",
            **{VETTED: True},
            method=method,
            route=route,
            status=answer.status,
            ms=round(seconds * 1000, 3),
            bytes=answer.bytes,
            request_id=_shown(scope.get("request_id", "")),
            caller=known.actor if known else None,
            credential=known.credential if known else notes.shown,
            address=client[0] if client else None,
            refusal=notes.refusal,
            trace_id=trace.trace_id if trace else None,
            span_id=trace.span_id if trace else None,
        )


def _shown(request_id: str) -> str:
    # Our own ids have this length, and no secret has; a client may have sent anything.
    return request_id if len(request_id) == _UUID_LENGTH else masked(request_id)


class _Answer:
    """Sends an answer on, with its trace, and keeps what is logged of it.

    `status` is 0 until one was sent.
    """

    def __init__(self, send: Send, trace: Trace | None, metrics: HttpMetrics) -> None:
        self.status = 0
        self.bytes = 0
        self.streamed = False
        self.trace = trace
        self._send = send
        self._metrics = metrics

    async def __call__(self, message: Message) -> None:
        """Send one part of the answer."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = list(message.get("headers", ()))
            if any(n == b"content-type" and v.startswith(_EVENT_STREAM) for n, v in headers):
                self.streamed = True
                self._metrics.streams.inc()
            if self.trace is not None:
                headers.append((b"traceresponse", self.trace.response.encode()))
            message["headers"] = headers
        else:
            self.bytes += len(message.get("body", b""))
        await self._send(message)
