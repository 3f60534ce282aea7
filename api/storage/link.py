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
        self._closed = False

    async def connect(self) -> None:
        """Does nothing if connected.

        Raises:
            LinkDownError: if that cannot be done in time, or after `close`.
        """
        if self._closed:
            raise LinkDownError("closed")
        if self._connection is not None and not self._connection.closed:
            return
        connecting = psycopg.AsyncConnection.connect(self._target, autocommit=True)
        try:
            connection = await asyncio.wait_for(connecting, CONNECT_SECONDS)
        except (psycopg.Error, OSError, TimeoutError) as error:
            message = f"no connection to the database: {str(error).strip() or 'no answer'}"
            raise LinkDownError(message) from error
        if self._closed:
            await connection.close()
            raise LinkDownError("closed")
        self._connection = connection

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
        connection = self._connection
        # Not a timeout, which cancels: a cancelled call of psycopg goes on with a silent server.
        late = asyncio.get_running_loop().call_later(CALL_SECONDS, _shut, connection)
        try:
            return await _answer(connection, statement, parameters, binary=binary)
        except psycopg.Error as error:
            if connection.closed or is_passing(error):
                raise LinkDownError(str(error).strip()) from error
            raise
        finally:
            late.cancel()

    async def close(self) -> None:
        """Gives up the connection for good; a call under way ends at once: the link is down."""
        self._closed = True
        connection = self._connection
        if connection is None:
            return
        if connection.lock.locked():
            _shut(connection)
        async with connection.lock:
            await connection.close()


def _shut(connection: psycopg.AsyncConnection[tuple[Any, ...]]) -> None:
    """Ends the conversation at the socket, which wakes the call under way with an error."""
    with contextlib.suppress(OSError), socket.socket(fileno=_duplicate(connection)) as ours:
        ours.shutdown(socket.SHUT_RDWR)


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
