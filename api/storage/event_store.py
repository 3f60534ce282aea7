"""What the application uses of the storage: append to the log, read it, import into it."""

import asyncio
from collections.abc import Sequence
from typing import Final, Self

from api.storage.committer import Committer, Outcome
from api.storage.connections import Deadlines, conninfo
from api.storage.group_load import GroupLoad
from api.storage.log_metrics import LogMetrics
from api.storage.log_reader import POOL_SECONDS, LogReader
from api.storage.requests import AppendRequest, Duplicate, Verdict
from api.storage.rows import Event
from api.storage.staging import Staging
from api.storage.tail import Tail
from api.storage.timekeeper import Timekeeper

_LOADING: Final = Deadlines(statement=3.5, lock=3.0, idle_in_transaction=5.0)


class EventStore(LogReader):
    """One ledger: its log and the one way into it.

    `start` comes before the first append; reading needs no start. `metrics` counts its appends,
    `timekeeper` tells what time they may bear, and `tail` is for those who follow the log on the
    loop that appends.
    """

    def __init__(self, dsn: str, *, schema: str) -> None:
        super().__init__(dsn, schema=schema)
        self.metrics = LogMetrics()
        self.timekeeper = Timekeeper()
        self._committer = Committer(
            dsn, schema=schema, metrics=self.metrics, timekeeper=self.timekeeper
        )
        self._group_load: GroupLoad | None = None
        self.tail = Tail(conninfo(dsn, schema=schema, deadlines=_LOADING), self.events_at)

    def start(self, loop: asyncio.AbstractEventLoop | None = None) -> Self:
        """Appends run on `loop` from now on, or, without one, on a thread of the store's own."""
        self._committer.start(loop)
        return self

    async def append(self, request: AppendRequest) -> Verdict:
        """Appends a request and gives its verdict, from any loop.

        Raises:
            LogUnavailableError: no answer in time; with a key, ask again with the same.
            AppendRefusedError: the database refuses this request whatever is tried.
        """
        return await self._committer.append(request)

    def append_blocking(self, request: AppendRequest, *, timeout: float | None = None) -> Verdict:
        return self._committer.append_blocking(request, timeout=timeout)

    async def append_many(self, requests: Sequence[AppendRequest]) -> list[Outcome]:
        """Appends independent requests; a refused one gives its error and stops no other."""
        return await self._committer.append_many(requests)

    def append_many_blocking(self, requests: Sequence[AppendRequest]) -> list[Outcome]:
        return self._committer.append_many_blocking(requests)

    def staging(self, *, system: str) -> Staging:
        """A place for the lines of one import from one source; use it in a `with` block."""
        return Staging(
            self.dsn,
            schema=self.schema,
            system=system,
            metrics=self.metrics,
            timekeeper=self.timekeeper,
        )

    async def load(self, stream_id: str) -> list[Event]:
        """As `stream`, for callers on a loop."""
        if asyncio.get_running_loop() is not self._committer.loop:
            return await asyncio.to_thread(self.stream, stream_id)
        if self._group_load is None:
            self._group_load = GroupLoad(conninfo(self.dsn, schema=self.schema, deadlines=_LOADING))
        return await self._group_load.load(stream_id)

    async def find_request_async(self, caller: str, key: str) -> Duplicate | None:
        """As `find_request`, for callers on a loop."""
        return await asyncio.to_thread(self.find_request, caller, key)

    async def aclose(self) -> None:
        """Lets queued appends finish and gives up all connections; for callers on a loop."""
        if self._group_load is not None:
            await self._group_load.close()
        await self.tail.close()
        await self._committer.aclose()
        await asyncio.to_thread(self.pool.close)

    def close(self) -> None:
        """Lets queued appends finish and gives up all connections."""
        loop = self._committer.loop
        if self._group_load is not None and loop is not None and loop.is_running():
            asyncio.run_coroutine_threadsafe(self._group_load.close(), loop).result(POOL_SECONDS)
        self._committer.close()
        self.pool.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()
