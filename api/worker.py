"""Keeps the projections up to date with the log, a batch and a transaction at a time."""

from collections.abc import Callable, Collection, Sequence
from threading import Event as Flag
from typing import Final
from uuid import UUID

import structlog

from api.context import REFRAMING_TOPICS, ContextReader
from api.storage.errors import StorageError
from api.storage.log_reader import LogReader
from domain.replay import Event
from projections.batch import DEAL_PREFIX, Batch, Projection, deal_of
from projections.facts import Rows

BATCH_EVENTS: Final = 10_000
"""Events a batch holds at the most: enough that a deal is rarely folded twice in a rebuild."""
POLL_SECONDS: Final = 0.5
"""How long an idle worker waits when nobody tells it of new events."""
RETRY_SECONDS: Final = 2.0
"""How long it waits after the database was away."""

_PATIENCE: Final = (
    "SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL statement_timeout = '10min'"
)
"""A batch folds between its statements, for longer than a request may."""

Progress = Callable[[int, int], None]
"""Told the position reached and the head, after each batch."""


class Worker:
    """Feeds every projection from the log; two of them on one ledger take turns."""

    def __init__(
        self, store: LogReader, context: ContextReader, projections: Sequence[Projection]
    ) -> None:
        self._store = store
        self._context = context
        self._projections = projections
        self._streams: _Streams | None = None
        self._read: tuple[int, list[Event]] | None = None
        self._log = structlog.get_logger("dealtrail.worker")

    def run(self, stop: Flag) -> None:
        """Follow the log until told to stop; a database that is away is waited for."""
        while not stop.is_set():
            try:
                self.catch_up(stop=stop)
                head = self._store.head().position
                self._store.wait_for(head + 1, timeout=POLL_SECONDS)
            except StorageError as error:
                self._log.warning("projections wait for the database", reason=str(error))
                stop.wait(RETRY_SECONDS)

    def catch_up(self, *, progress: Progress | None = None, stop: Flag | None = None) -> int:
        """Bring every projection to the head of the log as it stands now; give that position."""
        head = self._store.head().position
        reached = 0
        while reached < head and not (stop and stop.is_set()):
            # One batch each, so that all stand close together and share what was read.
            reached = min(self._advance(projection, head) for projection in self._projections)
            if progress:
                progress(reached, head)
        self._streams = self._read = None
        return reached

    def position(self) -> int:
        """Give the position that every projection has reached."""
        with self._store.connection() as connection:
            rows = connection.execute("SELECT name, position FROM projections").fetchall()
        positions = dict(rows)
        reached = [int(positions.get(projection.name, 0)) for projection in self._projections]
        return min(reached)

    def _advance(self, projection: Projection, head: int) -> int:
        with self._store.connection() as connection, connection.transaction():
            connection.execute(_PATIENCE)
            after = _locked_position(connection, projection.name)
            if after >= head:
                return after
            batch = self._batch(after, head)
            projection.project(connection, batch)
            connection.execute(
                "UPDATE projections SET position = %s WHERE name = %s",
                (batch.upto, projection.name),
            )
        return batch.upto

    def _events_after(self, after: int, head: int) -> list[Event]:
        """Read the next events once for all projections that stand at the same position."""
        if self._read is None or self._read[0] != after:
            events = self._store.events_at(after + 1, min(head, after + BATCH_EVENTS))
            self._read = (after, _until_reframed(events))
        return self._read[1]

    def _batch(self, after: int, head: int) -> Batch:
        events = self._events_after(after, head)
        upto = events[-1].position
        if self._streams is None or self._streams.upto != upto:
            self._streams = _Streams(self._store, upto)
        deals = {deal_id for event in events if (deal_id := deal_of(event.stream_id))}
        return Batch(
            events=events,
            after=after,
            upto=upto,
            known=self._context.known(upto),
            streams=self._streams.load(deals),
            load=self._streams.load,
            every_deal=self._streams.every_deal,
            reframed=events[0].data.TOPIC in REFRAMING_TOPICS,
        )


class _Streams:
    """The deals as known at one position, read once for all projections that stand there."""

    def __init__(self, store: LogReader, upto: int) -> None:
        self.upto = upto
        self._store = store
        self._loaded: dict[UUID, list[Event]] = {}

    def load(self, deal_ids: Collection[UUID]) -> dict[UUID, list[Event]]:
        missing = [f"{DEAL_PREFIX}{deal}" for deal in deal_ids if deal not in self._loaded]
        if missing:
            for stream_id, events in self._store.streams(missing, upto=self.upto).items():
                if deal_id := deal_of(stream_id):
                    self._loaded[deal_id] = events
        # In the order of ids, so that two runs write the same rows in the same order.
        return {deal_id: self._loaded[deal_id] for deal_id in sorted(deal_ids)}

    def every_deal(self) -> list[UUID]:
        rows = self._store.rows(
            "SELECT stream_id FROM events WHERE topic = 'deal.deal_opened.v1'"
            " AND position <= %(upto)s ORDER BY stream_id",
            {"upto": self.upto},
        )
        return [deal_id for row in rows if (deal_id := deal_of(row[0]))]


def _until_reframed(events: list[Event]) -> list[Event]:
    """Cut a batch before an event that reframes all others; such an event is a batch alone."""
    for index, event in enumerate(events):
        if event.data.TOPIC in REFRAMING_TOPICS:
            return events[:index] or [event]
    return events


def _locked_position(connection: Rows, name: str) -> int:
    connection.execute(
        "INSERT INTO projections (name, position) VALUES (%s, 0) ON CONFLICT DO NOTHING", (name,)
    )
    row = connection.execute(
        "SELECT position FROM projections WHERE name = %s FOR UPDATE", (name,)
    ).fetchone()
    return row[0] if row else 0
