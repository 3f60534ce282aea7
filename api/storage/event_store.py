"""What the application uses of the storage: append to the log, read it, import into it."""

import asyncio
from collections.abc import Sequence
from typing import Any, Self

import psycopg
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool, PoolClosed, PoolTimeout

from api.storage.committer import Committer, Outcome
from api.storage.connections import conninfo
from api.storage.errors import LogUnavailableError
from api.storage.log_reader import (
    END,
    POOL_SECONDS,
    REQUEST,
    STREAM,
    LogReader,
    Parameters,
    read_request,
)
from api.storage.requests import AppendRequest, Duplicate, Verdict
from api.storage.rows import Event, Row, read_events
from api.storage.staging import Staging

_ASYNC_POOL_SIZE = 4


class EventStore(LogReader):
    """One ledger: its log and the one way into it.

    `start` comes before the first append; reading needs no start.
    """

    def __init__(self, dsn: str, *, schema: str) -> None:
        super().__init__(dsn, schema=schema)
        self._committer = Committer(dsn, schema=schema)
        self._async_pool: AsyncConnectionPool[AsyncConnection[Row]] | None = None

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
        return Staging(self.dsn, schema=self.schema, system=system, committer=self._committer)

    async def load(self, stream_id: str) -> list[Event]:
        """As `stream`, for callers on a loop."""
        if not self._on_our_loop():
            return await asyncio.to_thread(self.stream, stream_id)
        rows = await self._async_rows(STREAM, {"stream_id": stream_id, "upto": END})
        return read_events(rows)

    async def find_request_async(self, caller: str, key: str) -> Duplicate | None:
        """As `find_request`, for callers on a loop."""
        if not self._on_our_loop():
            return await asyncio.to_thread(self.find_request, caller, key)
        rows = await self._async_rows(REQUEST, {"caller": caller, "key": key})
        return read_request(rows[0]) if rows else None

    async def aclose(self) -> None:
        """Lets queued appends finish and gives up all connections; for callers on a loop."""
        if self._async_pool is not None:
            await self._async_pool.close()
        await self._committer.aclose()
        await asyncio.to_thread(self.pool.close)

    def close(self) -> None:
        """Lets queued appends finish and gives up all connections."""
        loop = self._committer.loop
        if self._async_pool is not None and loop is not None and loop.is_running():
            asyncio.run_coroutine_threadsafe(self._async_pool.close(), loop).result(POOL_SECONDS)
        self._committer.close()
        self.pool.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    def _on_our_loop(self) -> bool:
        return asyncio.get_running_loop() is self._committer.loop

    async def _async_rows(self, statement: Any, parameters: Parameters) -> list[Row]:
        pool = await self._opened_async_pool()
        try:
            async with pool.connection() as connection, connection.cursor(binary=True) as cursor:
                await cursor.execute(statement, parameters)
                return await cursor.fetchall()
        except (PoolTimeout, PoolClosed, psycopg.OperationalError) as error:
            message = f"the log cannot be read: {str(error).strip()}"
            raise LogUnavailableError(message) from error

    async def _opened_async_pool(self) -> AsyncConnectionPool[AsyncConnection[Row]]:
        if self._async_pool is None:
            self._async_pool = AsyncConnectionPool(
                conninfo(self.dsn, schema=self.schema),
                connection_class=AsyncConnection[Row],
                kwargs={"autocommit": True},
                min_size=1,
                max_size=_ASYNC_POOL_SIZE,
                timeout=POOL_SECONDS,
                check=AsyncConnectionPool.check_connection,
                open=False,
                name=f"{self.schema}-loop",
            )
        await self._async_pool.open()
        return self._async_pool
