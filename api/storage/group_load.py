"""Group load: streams that are asked for while one question is under way ride in the next."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final, LiteralString, TypeAlias

import psycopg

from api.storage.errors import LogUnavailableError, UnreadableEventError
from api.storage.link import Link, LinkDownError
from api.storage.rows import SELECT, Event, Row, read_events

WAIT_SECONDS: Final = 5.0
"""How long a caller waits for its stream."""
MAX_STREAMS: Final = 64
_STREAMS: Final[LiteralString] = SELECT + " WHERE stream_id = ANY(%s) ORDER BY stream_id, version"
_Waiting: TypeAlias = asyncio.Future[list[Event]]


class GroupLoad:
    """Reads whole streams over one connection; it belongs to one event loop."""

    def __init__(self, target: str) -> None:
        self._link = Link(target)
        self._asked: dict[str, list[_Waiting]] = {}
        self._runner: asyncio.Task[None] | None = None

    async def load(self, stream_id: str) -> list[Event]:
        """Give the events of a stream as committed after the call, in the order of versions.

        Raises:
            LogUnavailableError: there was no answer in time.
            UnreadableEventError: this version cannot read one of them.
        """
        waiting: _Waiting = asyncio.get_running_loop().create_future()
        self._asked.setdefault(stream_id, []).append(waiting)
        if self._runner is None or self._runner.done():
            self._runner = asyncio.create_task(self._run())
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                return await waiting
        except TimeoutError:
            message = f"the log could not be read within {WAIT_SECONDS:g} seconds"
            raise LogUnavailableError(message) from None

    async def close(self) -> None:
        """Give up the connection; who still waits is told so."""
        await self._link.close()
        if self._runner is not None:
            await asyncio.wait({self._runner})

    async def _run(self) -> None:
        while taken := self._take():
            try:
                rows = await self._rows(list(taken))
            except (LinkDownError, psycopg.Error) as error:
                _refuse(taken, LogUnavailableError(f"the log cannot be read: {error}"))
            else:
                await _answer(taken, rows)

    def _take(self) -> dict[str, list[_Waiting]]:
        names = list(self._asked)[:MAX_STREAMS]
        return {name: self._asked.pop(name) for name in names}

    async def _rows(self, names: Sequence[str]) -> list[Row]:
        """Read; once more if that fails, as it does on a connection that broke while idle."""
        try:
            return await self._ask(names)
        except LinkDownError:
            return await self._ask(names)

    async def _ask(self, names: Sequence[str]) -> list[Row]:
        await self._link.connect()
        return await self._link.call(_STREAMS, (names,), binary=True)


async def _answer(taken: dict[str, list[_Waiting]], rows: Sequence[Row]) -> None:
    found: dict[str, list[Any]] = {name: [] for name in taken}
    for row in rows:
        found[row[1]].append(row)
    for name, waiting in taken.items():
        try:
            events = read_events(found[name])
        except UnreadableEventError as error:
            _refuse({name: waiting}, error)
        else:
            for each in waiting:
                if not each.done():
                    each.set_result(events)
        # A stream takes a millisecond to read, in which others wait.
        await asyncio.sleep(0)


def _refuse(taken: dict[str, list[_Waiting]], reason: Exception) -> None:
    for waiting in taken.values():
        for each in waiting:
            if not each.done():
                each.set_exception(reason)
