"""The process's one way to the log, for callers on its event loop, on others and on none."""

import asyncio
import concurrent.futures
import threading
from collections.abc import Coroutine, Sequence
from typing import Any, Final, Self, TypeAlias, TypeVar

from api.storage.connections import Deadlines, conninfo
from api.storage.errors import AppendRefusedError, LogUnavailableError
from api.storage.group_commit import WAIT_SECONDS, GroupCommit
from api.storage.log_metrics import LogMetrics
from api.storage.requests import AppendRequest, Verdict
from api.storage.timekeeper import Timekeeper
from api.storage.wire import Parcel, pack

_DEADLINES: Final = Deadlines(statement=3.5, lock=3.0, idle_in_transaction=5.0)
_BRIDGE_SECONDS: Final = WAIT_SECONDS + 1.0
"""The other loop keeps the deadline; this one is for a loop that has stopped."""

_CLOSE_SECONDS: Final = 15.0
_WINDOW: Final = 1024
"""How many of many requests are queued at a time; the others wait outside."""

Answer = TypeVar("Answer")
Outcome: TypeAlias = Verdict | AppendRefusedError


class Committer:
    """Hands requests to the group commit, from wherever they come."""

    def __init__(
        self,
        dsn: str,
        *,
        schema: str,
        metrics: LogMetrics | None = None,
        timekeeper: Timekeeper | None = None,
    ) -> None:
        self._target = conninfo(dsn, schema=schema, deadlines=_DEADLINES)
        self._schema = schema
        self._metrics = metrics or LogMetrics()
        self._timekeeper = timekeeper or Timekeeper()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._group: GroupCommit | None = None
        self._thread: threading.Thread | None = None

    @property
    def loop(self) -> asyncio.AbstractEventLoop | None:
        """The loop that the appends run on, if started."""
        return self._loop

    def start(self, loop: asyncio.AbstractEventLoop | None = None) -> Self:
        """Appends will run on `loop`, or, without one, on a thread of the committer's own."""
        if self._loop is not None:
            raise LogUnavailableError("the committer is already started")
        self._group = GroupCommit(
            self._target, schema=self._schema, metrics=self._metrics, timekeeper=self._timekeeper
        )
        if loop is None:
            loop = asyncio.new_event_loop()
            self._thread = threading.Thread(target=loop.run_forever, name="committer", daemon=True)
            self._thread.start()
        self._loop = loop
        return self

    async def append(self, request: AppendRequest) -> Verdict:
        """Appends a request and gives its verdict.

        Raises:
            LogUnavailableError: no answer in time; with a key, or by hand, ask again.
            AppendRefusedError: the database refuses this request whatever is tried.
        """
        parcel = pack(request)
        return await self._bridged(self._started().append(parcel))

    async def append_many(self, requests: Sequence[AppendRequest]) -> list[Outcome]:
        """Appends independent requests; a refused one gives its error and stops no other."""
        parcels = [pack(request) for request in requests]
        return await self._bridged(_append_many(self._started(), parcels))

    def append_blocking(self, request: AppendRequest, *, timeout: float | None = None) -> Verdict:
        """As `append`, for a thread without a loop; `timeout` can only shorten the wait."""
        parcel = pack(request)
        seconds = _BRIDGE_SECONDS if timeout is None else min(timeout, _BRIDGE_SECONDS)
        return self._wait(self._started().append(parcel), timeout=seconds)

    def append_many_blocking(self, requests: Sequence[AppendRequest]) -> list[Outcome]:
        parcels = [pack(request) for request in requests]
        windows = -(-len(parcels) // _WINDOW)
        return self._wait(
            _append_many(self._started(), parcels), timeout=_BRIDGE_SECONDS * (windows + 1)
        )

    async def aclose(self) -> None:
        """Lets what is queued finish; for callers on a loop."""
        if self._group is not None and self._loop is not None and not self._loop.is_closed():
            await self._bridged(self._group.close())
        await asyncio.to_thread(self._end_thread)
        self._loop = self._group = None

    def close(self) -> None:
        """Lets what is queued finish; for callers without a loop."""
        loop = self._loop
        if self._group is not None and loop is not None and loop.is_running():
            self._wait(self._group.close(), timeout=_CLOSE_SECONDS)
        self._end_thread()
        self._loop = self._group = None

    def _started(self) -> GroupCommit:
        if self._group is None or self._loop is None or self._loop.is_closed():
            raise LogUnavailableError("the committer is not started, or its loop has ended")
        return self._group

    async def _bridged(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        if asyncio.get_running_loop() is self._loop:
            return await work
        return await asyncio.wrap_future(self._hand_over(work))

    def _wait(self, work: Coroutine[Any, Any, Answer], *, timeout: float) -> Answer:
        if self._loop is not None and _running_loop() is self._loop:
            work.close()
            message = "a blocking append on the committer's own loop would wait for itself"
            raise RuntimeError(message)
        future = self._hand_over(work)
        try:
            return future.result(timeout)
        except concurrent.futures.TimeoutError:
            future.cancel()
            message = f"the log gave no answer within {timeout:g} seconds"
            raise LogUnavailableError(message, outcome_known=False) from None

    def _hand_over(self, work: Coroutine[Any, Any, Answer]) -> concurrent.futures.Future[Answer]:
        if self._loop is None:
            work.close()
            raise LogUnavailableError("the committer is not started")
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def _end_thread(self) -> None:
        if self._thread is None or self._loop is None:
            return
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_CLOSE_SECONDS)
        self._loop.close()
        self._thread = None


async def _append_many(group: GroupCommit, parcels: Sequence[Parcel]) -> list[Outcome]:
    outcomes: list[Outcome] = []
    for start in range(0, len(parcels), _WINDOW):
        window = parcels[start : start + _WINDOW]
        answers = await asyncio.gather(*map(group.append, window), return_exceptions=True)
        outcomes += [_outcome(answer) for answer in answers]
    return outcomes


def _outcome(answer: Verdict | BaseException) -> Outcome:
    if isinstance(answer, BaseException) and not isinstance(answer, AppendRefusedError):
        raise answer
    return answer


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
