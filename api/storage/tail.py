"""The end of the log for all who follow it: looked at as often for many as for one."""

import asyncio
from collections.abc import Callable
from typing import Final

import psycopg

from api.storage.errors import LogUnavailableError
from api.storage.link import Link, LinkDownError
from api.storage.rows import Event

PAUSE_SECONDS: Final = 0.25
"""How late a follower may notice that the log has grown."""
BATCH: Final = 500
"""Events that are read at once."""


class Tail:
    """One look at a time, and one reading of each stretch, shared by all who wait for it.

    It belongs to one event loop, and does nothing while nobody follows. `read` gives the events
    of a range of positions.
    """

    def __init__(self, target: str, read: Callable[[int, int], list[Event]]) -> None:
        self._link = Link(target)
        self._read = read
        self._looking: asyncio.Task[int] | None = None
        self._reading: dict[int, asyncio.Task[list[Event]]] = {}

    async def head(self) -> int:
        """Give the head of the log as of the next look, a moment from now.

        Raises:
            LogUnavailableError: it cannot be read.
        """
        if self._looking is None:
            self._looking = asyncio.create_task(self._look())
            self._looking.add_done_callback(_seen)
        return await asyncio.shield(self._looking)

    async def after(self, position: int) -> list[Event]:
        """Give the next events after a position, or none if it is the head.

        Raises:
            LogUnavailableError: they cannot be read.
        """
        reading = self._reading.get(position)
        if reading is None:
            reading = asyncio.create_task(
                asyncio.to_thread(self._read, position + 1, position + BATCH)
            )
            self._reading[position] = reading
            reading.add_done_callback(_seen)
            reading.add_done_callback(lambda _: self._reading.pop(position))
        return await asyncio.shield(reading)

    async def close(self) -> None:
        """Give up the connection; who still waits is told so."""
        await self._link.close()
        if self._looking is not None:
            await asyncio.wait({self._looking})

    async def _look(self) -> int:
        try:
            await asyncio.sleep(PAUSE_SECONDS)
            try:
                return await self._ask()
            except LinkDownError:  # as of a connection that broke while idle
                return await self._ask()
        except (LinkDownError, psycopg.Error) as error:
            message = f"the log cannot be read: {error}"
            raise LogUnavailableError(message) from error
        finally:
            self._looking = None

    async def _ask(self) -> int:
        await self._link.connect()
        rows = await self._link.call("SELECT position FROM log_head", ())
        return int(rows[0][0])


def _seen(done: "asyncio.Task[int] | asyncio.Task[list[Event]]") -> None:
    """Take note of how it ended even where everybody who waited has hung up."""
    if not done.cancelled():
        done.exception()
