"""Group commit: what arrives while one commit is under way rides together in the next."""

import asyncio
import contextlib
from dataclasses import dataclass
from time import perf_counter
from typing import Final

import psycopg

from api.storage.errors import (
    CLOCK_STATES,
    AppendRefusedError,
    ClockRefusedError,
    ExternalIdTakenError,
    LogUnavailableError,
    StorageError,
)
from api.storage.link import Link, LinkDownError
from api.storage.log_metrics import LogMetrics
from api.storage.requests import Appended, Verdict
from api.storage.timekeeper import Timekeeper
from api.storage.wire import APPEND, CHANNEL, Parcel, parameters, read_verdicts

MAX_REQUESTS: Final = 256
MAX_EVENTS: Final = 5000
"""A batch holds the head's row for as long as it takes; this many events take about 0.2 s."""

MAX_QUEUE: Final = 4096
"""What cannot be stored within the waiting time is better refused at once."""

WAIT_SECONDS: Final = 5.0
"""How long a client waits for its answer."""

DRAIN_SECONDS: Final = 6.0
_HINT_SECONDS: Final = 0.002
"""A client that goes on at once need not wait for a hint that its next append will make old."""

_LONGEST_UNHINTED: Final = 0.05
_FIRST_PAUSE: Final = 0.05
_LONGEST_PAUSE: Final = 0.5
_NOT_OURS: Final = ("42", "3F", "28", "3D")
"""Undefined, forbidden, no such schema or database: the ledger is not as it should be."""


@dataclass(slots=True, eq=False)
class _Waiting:
    """A request whose sender awaits the answer, or has given up if the answer is done."""

    parcel: Parcel
    answer: asyncio.Future[Verdict]
    sent: bool = False


class GroupCommit:
    """The queue in front of the log; it belongs to one event loop."""

    def __init__(
        self, target: str, *, schema: str, metrics: LogMetrics, timekeeper: Timekeeper
    ) -> None:
        self._link = Link(target)
        self._metrics = metrics
        self._timekeeper = timekeeper
        self._schema = schema
        self._queue: list[_Waiting] = []
        self._arrived = asyncio.Event()
        self._unhinted: int | None = None
        self._runner: asyncio.Task[None] | None = None
        self._closed = False

    async def append(self, parcel: Parcel) -> Verdict:
        """Gives the log's answer; a cancelled or late client disturbs no other.

        Raises:
            LogUnavailableError: too much is queued, or there was no answer in time.
            AppendRefusedError: the database refuses this request.
        """
        if self._closed:
            raise LogUnavailableError("the log is closed")
        if len(self._queue) >= MAX_QUEUE:
            self._metrics.refused(1)
            message = f"{MAX_QUEUE} requests wait for the log already"
            raise LogUnavailableError(message)
        waiting = _Waiting(parcel, asyncio.get_running_loop().create_future())
        self._queue.append(waiting)
        self._arrived.set()
        if self._runner is None or self._runner.done():
            self._runner = asyncio.create_task(self._run())
            self._runner.add_done_callback(self._ended)
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                return await waiting.answer
        except TimeoutError:
            self._metrics.refused(1)
            message = f"the log gave no answer within {WAIT_SECONDS:g} seconds"
            raise LogUnavailableError(message, outcome_known=not waiting.sent) from None

    async def close(self) -> None:
        """Lets what is queued finish, for a bounded time, and gives up the connection."""
        self._closed = True
        if self._runner is not None and not self._runner.done():
            await asyncio.wait({self._runner}, timeout=DRAIN_SECONDS)
        await self._link.close()
        if self._runner is not None and not self._runner.done():
            self._runner.cancel()
            await asyncio.wait({self._runner}, timeout=DRAIN_SECONDS)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        hinted_at = loop.time()
        while True:
            self._arrived.clear()
            while batch := self._take():
                await self._settle(batch)
                # Those who were just answered may ask again and ride in the next batch.
                await asyncio.sleep(0)
            if self._unhinted is None:
                return
            if loop.time() - hinted_at < _LONGEST_UNHINTED and await self._asked_soon():
                continue
            await self._hint()
            hinted_at = loop.time()

    async def _asked_soon(self) -> bool:
        """Say whether somebody asks before it is time to hint."""
        try:
            async with asyncio.timeout(_HINT_SECONDS):
                return await self._arrived.wait()
        except TimeoutError:
            return False

    def _ended(self, runner: asyncio.Task[None]) -> None:
        if runner.cancelled() or runner.exception() is not None:
            error = None if runner.cancelled() else runner.exception()
            left, self._queue = self._queue, []
            self._refuse(left, LogUnavailableError(f"the log stopped: {error or 'it is closed'}"))

    def _take(self) -> list[_Waiting]:
        """The next batch: the oldest, each stream and each key once, the others stay in order."""
        batch: list[_Waiting] = []
        rest: list[_Waiting] = []
        taken: set[object] = set()
        events = 0
        for waiting in self._queue:
            parcel = waiting.parcel
            if waiting.answer.done():
                continue
            full = len(batch) == MAX_REQUESTS or (batch and events + parcel.size > MAX_EVENTS)
            if full or parcel.stream_id in taken or parcel.key in taken:
                rest.append(waiting)
            else:
                batch.append(waiting)
                events += parcel.size
            # Also when left behind: what comes later on the same stream must not overtake it.
            taken.add(parcel.stream_id)
            if parcel.key is not None:
                taken.add(parcel.key)
        self._queue = rest
        return batch

    async def _settle(self, batch: list[_Waiting]) -> None:
        """Answers all of a batch; tries again while somebody waits and the database may return."""
        pause = _FIRST_PAUSE
        while waiting := [each for each in batch if not each.answer.done()]:
            try:
                verdicts = await self._send(waiting)
            except LinkDownError:
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
            except ClockRefusedError as refusal:
                self._refuse(waiting, refusal)
                return
            except psycopg.Error as error:
                await self._refused(waiting, error)
                return
            else:
                _answer(waiting, verdicts)
                self._remember(verdicts)
                return

    async def _send(self, batch: list[_Waiting]) -> list[Verdict]:
        await self._link.connect()
        # After a lost reply the batch may be stored, so the database looks for its events first.
        resent = any(each.sent for each in batch)
        sent_at = self._timekeeper.now()
        for each in batch:
            each.sent = True
        sent = parameters((each.parcel for each in batch), sent_at=sent_at, resent=resent)
        started = perf_counter()
        verdicts = read_verdicts(await self._link.call(APPEND, sent))
        self._timekeeper.agreed()
        sizes = (each.parcel.size for each in batch)
        self._metrics.committed(sizes, verdicts, perf_counter() - started)
        return verdicts

    async def _refused(self, batch: list[_Waiting], error: psycopg.Error) -> None:
        """Finds who is guilty by halves; whatever concerns all fails for all."""
        reason = _translate(error)
        if isinstance(reason, ClockRefusedError):
            self._timekeeper.refused(reason)
        if len(batch) == 1 or isinstance(reason, LogUnavailableError):
            self._refuse(batch, reason)
            return
        middle = len(batch) // 2
        await self._settle(batch[:middle])
        await self._settle(batch[middle:])

    def _refuse(self, batch: list[_Waiting], reason: StorageError) -> None:
        waiting = [each for each in batch if not each.answer.done()]
        self._metrics.refused(len(waiting))
        for each in waiting:
            each.answer.set_exception(reason)

    def _remember(self, verdicts: list[Verdict]) -> None:
        positions = [each.last_position for each in verdicts if isinstance(each, Appended)]
        if positions:
            self._unhinted = max(positions)

    async def _hint(self) -> None:
        """Wakes who follows the log; followers poll too."""
        payload, self._unhinted = f"{self._schema}:{self._unhinted}", None
        with contextlib.suppress(LinkDownError, psycopg.Error):
            # A lost hint is harmless, so nobody waits until it is on the disk.
            await self._link.call(
                "SELECT set_config('synchronous_commit', 'off', true), pg_notify(%s, %s)",
                (CHANNEL, payload),
            )


def _answer(batch: list[_Waiting], verdicts: list[Verdict]) -> None:
    for waiting, verdict in zip(batch, verdicts, strict=True):
        if not waiting.answer.done():
            waiting.answer.set_result(verdict)


def _translate(error: psycopg.Error) -> StorageError:
    state = error.sqlstate or ""
    detail = error.diag.message_primary or str(error)
    if state in CLOCK_STATES:
        return ClockRefusedError(f"a clock jumped: {detail}")
    if state.startswith(_NOT_OURS):
        return LogUnavailableError(f"the ledger is not ready, is it migrated? {detail}")
    if error.diag.constraint_name in ("events_external_id", "events_event_id_key"):
        return ExternalIdTakenError(f"this was imported before: {detail}")
    return AppendRefusedError(f"the database refuses this append: {detail}")
