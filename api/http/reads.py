"""Bounds what reading may hold up: so many answers are made at once, and each in bounded time."""

import asyncio
from http import HTTPStatus
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.limits import Limits
from api.http.problems import RequestRefusedError
from api.http.slots import Slot, Slots

_METHODS: Final = frozenset({"GET", "HEAD"})
_UNBOUNDED: Final = ("/healthz", "/readyz", "/v1/events/stream", "/static/")
"""What must answer when nothing else does, goes on for long, or waits for nothing."""


class BoundedReads:
    """Gives each read a place, which it has until its answer begins.

    So no more of them wait for a thread than there are, and who finds no place in time, or whose
    answer does not begin in time, is told to come back.
    """

    def __init__(self, app: ASGIApp, *, limits: Limits) -> None:
        self._app = app
        self._limits = limits
        self._places = Slots(limits.reads_at_once, "reads")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request.

        Raises:
            RequestRefusedError: it is a read, and there was no place or no answer in time.
        """
        is_read = scope["type"] == "http" and scope["method"] in _METHODS
        if not is_read or scope["path"].startswith(_UNBOUNDED):
            await self._app(scope, receive, send)
            return
        answer = _Answer(send, await self._places.wait(self._limits.place_seconds))
        serving = asyncio.create_task(self._serve(scope, receive, answer))
        try:
            await asyncio.wait({serving}, timeout=self._limits.read_seconds)
        except asyncio.CancelledError:
            serving.cancel()
            raise
        if not serving.done() and not answer.begun:
            # Its thread cannot be stopped: it keeps its place until it ends by itself.
            answer.cut = True
            serving.add_done_callback(_seen)
            raise _too_long(self._limits.read_seconds)
        await serving

    async def _serve(self, scope: Scope, receive: Receive, answer: "_Answer") -> None:
        try:
            await self._app(scope, receive, answer)
        finally:
            answer.place.release()


class _Answer:
    """Sends an answer on; its place is free once it begins, for nobody waits for a slow reader."""

    def __init__(self, send: Send, place: Slot) -> None:
        self.place = place
        self.begun = False
        self.cut = False
        self._send = send

    async def __call__(self, message: Message) -> None:
        """Send one part, unless somebody else has answered meanwhile."""
        if self.cut:
            return
        self.begun = True
        self.place.release()
        await self._send(message)


def _too_long(seconds: float) -> RequestRefusedError:
    detail = f"there was no answer within {seconds:g} seconds; ask again, or for less"
    return RequestRefusedError(HTTPStatus.SERVICE_UNAVAILABLE, "no_answer_in_time", detail)


def _seen(done: "asyncio.Task[None]") -> None:
    if not done.cancelled():
        done.exception()
