"""Requests for one stream take turns, and none waits for longer than its client does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final
from weakref import WeakValueDictionary

from api.storage.errors import LogUnavailableError

ANSWER_SECONDS: Final = 6.0
"""How long a client waits for its answer, whatever has to be loaded, decided and tried again."""


class Turns:
    """The turns of all streams, on one event loop.

    Without them each would only find that another was first, and one that has to load a deal
    would lose to those that remember it, again and again. Another process is not waited for.
    """

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def of(self, stream_id: str) -> AsyncIterator[None]:
        """Wait for a turn, and work in it, all within the time that a client waits.

        Raises:
            LogUnavailableError: that time is over; something may be recorded.
        """
        turn = self._locks.setdefault(stream_id, asyncio.Lock())
        try:
            async with asyncio.timeout(ANSWER_SECONDS), turn:
                yield
        except TimeoutError:
            message = f"the log gave no answer within {ANSWER_SECONDS:g} seconds"
            raise LogUnavailableError(message, outcome_known=False) from None
