"""Looks whether any credential was changed, with one question for all who ask at once."""

import asyncio
from collections.abc import Awaitable, Callable

Read = Callable[[], Awaitable[int]]


class VersionWatch:
    """Tells the version of the credentials as it was at some instant after it was asked.

    So what was revoked before a request came is known to be when the request is answered, in
    every process; and under load the requests that wait share a question.
    """

    def __init__(self, read: Read) -> None:
        self._read = read
        self._next: asyncio.Future[int] | None = None
        self._asking: asyncio.Task[None] | None = None

    async def version(self) -> int:
        """Give the version; raises what reading it raises."""
        if self._next is None:
            self._next = asyncio.get_running_loop().create_future()
        waited = self._next
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask())
        return await asyncio.shield(waited)

    async def _ask(self) -> None:
        """Ask for those who wait, and again for those who came meanwhile."""
        while self._next is not None:
            asked, self._next = self._next, None
            try:
                asked.set_result(await self._read())
            except Exception as error:  # noqa: BLE001  # handed to all who wait, each of whom raises it
                asked.set_exception(error)
                asked.exception()  # known to be seen even where everybody has hung up
        self._asking = None
