"""The committer's one connection: it answers, or breaks, within a bounded time."""

import asyncio
import contextlib
import os
import socket
from typing import Any, Final, LiteralString

import psycopg

CONNECT_SECONDS: Final = 3.0
CALL_SECONDS: Final = 4.0
"""Longer than the server's own limits, so that it only ends what the server does not."""

_BREAK_SECONDS: Final = 1.0

_PASSING: Final = frozenset({"57014", "55P03", "40P01", "40001", "25006"})
"""Cancelled, lock not available, deadlock, serialization, read-only: nothing stored, try again."""

_PASSING_CLASSES: Final = ("08", "53", "57P", "58")
"""Connection lost, out of resources, the server stops or starts, its disk fails."""


class LinkDownError(Exception):
    """The call did not succeed and may succeed later."""


def is_passing(error: psycopg.Error) -> bool:
    """Whether the error is about the moment and not about what was asked."""
    state = error.sqlstate
    if state is None:
        return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    return state in _PASSING or state.startswith(_PASSING_CLASSES)


class Link:
    """A connection that is made when needed and made again after it broke."""

    def __init__(self, target: str) -> None:
        self._target = target
        self._connection: psycopg.AsyncConnection[tuple[Any, ...]] | None = None

    async def connect(self) -> None:
        """Does nothing if connected.

        Raises:
            LinkDownError: if that cannot be done in time.
        """
        if self._connection is not None and not self._connection.closed:
            return
        connecting = psycopg.AsyncConnection.connect(self._target, autocommit=True)
        try:
            self._connection = await asyncio.wait_for(connecting, CONNECT_SECONDS)
        except (psycopg.Error, OSError, TimeoutError) as error:
            message = f"no connection to the database: {str(error).strip() or 'no answer'}"
            raise LinkDownError(message) from error

    async def call(
        self, statement: LiteralString, parameters: tuple[object, ...], *, binary: bool = False
    ) -> list[tuple[Any, ...]]:
        """Runs one statement, which commits; `connect` comes first.

        Raises:
            LinkDownError: it may or may not have been done.
            psycopg.Error: the database refuses it; it was not done.
        """
        if self._connection is None:
            raise LinkDownError("not connected")
        answering = asyncio.ensure_future(
            _answer(self._connection, statement, parameters, binary=binary)
        )
        try:
            # Not wait_for: a cancelled call of psycopg goes on talking to a server that is silent.
            await asyncio.wait({answering}, timeout=CALL_SECONDS)
        finally:
            if not answering.done():
                await self._break(answering)
        try:
            return answering.result()
        except psycopg.Error as error:
            if self._connection is None or self._connection.closed or is_passing(error):
                raise LinkDownError(str(error).strip()) from error
            raise
        except asyncio.CancelledError as error:
            raise LinkDownError("the database does not answer") from error

    async def close(self) -> None:
        if self._connection is not None:
            await self._connection.close()

    async def _break(self, answering: "asyncio.Future[list[tuple[Any, ...]]]") -> None:
        """Ends the conversation at the socket, which wakes the call at once with an error."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        with contextlib.suppress(OSError), socket.socket(fileno=_duplicate(connection)) as ours:
            ours.shutdown(socket.SHUT_RDWR)
        await asyncio.wait({answering}, timeout=_BREAK_SECONDS)
        connection.pgconn.finish()
        answering.cancel()
        await asyncio.wait({answering}, timeout=_BREAK_SECONDS)


async def _answer(
    connection: psycopg.AsyncConnection[tuple[Any, ...]],
    statement: LiteralString,
    parameters: tuple[object, ...],
    *,
    binary: bool,
) -> list[tuple[Any, ...]]:
    cursor = await connection.execute(statement, parameters, prepare=True, binary=binary)
    return await cursor.fetchall()


def _duplicate(connection: psycopg.AsyncConnection[tuple[Any, ...]]) -> int:
    try:
        return os.dup(connection.fileno())
    except psycopg.Error as error:
        raise OSError("already closed") from error
