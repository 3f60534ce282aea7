"""Places for answers that take long: there are so many, and who finds none comes back later."""

import asyncio
from collections import deque
from http import HTTPStatus
from typing import Any

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from api.http.problems import RequestRefusedError


class Slots:
    """The places of one kind of answer; they belong to one event loop."""

    def __init__(self, most: int, kind: str) -> None:
        self._left = most
        self._most = most
        self._kind = kind
        self._waiting: deque[asyncio.Future[None]] = deque()

    def take(self) -> "Slot":
        """Give a place, to be released.

        Raises:
            RequestRefusedError: all are taken.
        """
        if not self._left:
            detail = f"{self._most} {self._kind} are under way already; come back shortly"
            raise RequestRefusedError(HTTPStatus.SERVICE_UNAVAILABLE, "too_many_at_once", detail)
        self._left -= 1
        return Slot(self)

    async def wait(self, seconds: float) -> "Slot":
        """Give a place as soon as there is one, first come, first served.

        Raises:
            RequestRefusedError: there was none for so many seconds.
        """
        if not self._left:
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            try:
                await asyncio.wait({turn}, timeout=seconds)
            except asyncio.CancelledError:
                self._leave(turn)
                raise
            if turn.done():
                return Slot(self)
            self._leave(turn)
        return self.take()

    def _leave(self, turn: "asyncio.Future[None]") -> None:
        if turn.done():
            self.give_back()
        else:
            self._waiting.remove(turn)

    def give_back(self) -> None:
        """Pass a place on to who waits longest."""
        if self._waiting:
            self._waiting.popleft().set_result(None)
        else:
            self._left += 1


class Slot:
    """A place that is taken."""

    def __init__(self, slots: Slots) -> None:
        self._slots = slots
        self._released = False

    def release(self) -> None:
        """Give the place to others; a second time does nothing."""
        if not self._released:
            self._released = True
            self._slots.give_back()


class SlottedStream(StreamingResponse):
    """An answer that holds a place until its end, or until its client goes."""

    def __init__(self, slot: Slot, content: Any, **more: Any) -> None:
        super().__init__(content, **more)
        self._slot = slot

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._slot.release()
