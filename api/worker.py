"""Keeps the projections up to date with the log, a batch and a transaction at a time."""

from collections.abc import Callable, Iterator, Sequence
from threading import Event as Flag
from typing import Final

import structlog

from api.context import ContextReader
from api.deal_reader import DealReader, Deals
from api.parking import Parking, parked_deals
from api.storage.errors import StorageError
from api.storage.log_reader import LogReader
from projections.batch import Batch, Projection
from projections.facts import Rows

BATCH_EVENTS: Final = 10_000
"""Events a batch holds at the most: enough that a commit costs little beside its work."""
DEALS_AT_ONCE: Final = 1_000
"""Deals that are read together where a frame begins and every deal is read anew."""
POLL_SECONDS: Final = 0.5
"""How long an idle worker waits when nobody tells it of new events."""
RETRY_SECONDS: Final = 2.0
"""How long it waits after the database was away."""

PATIENCE: Final = (
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
        self._reader = DealReader(store)
        self._log = structlog.get_logger("dealtrail.worker")

    def run(self, stop: Flag) -> None:
        """Follow the log until told to stop; a database that is away is waited for.

        Deals that were parked are tried again first: this version may be able to fold them.
        """
        resumed = False
        while not stop.is_set():
            try:
                if not resumed:
                    self.resume()
                    resumed = True
                self.catch_up(stop=stop)
                head = self._store.head().position
                self._store.wait_for(head + 1, timeout=POLL_SECONDS, stopped=stop.is_set)
            except StorageError as error:
                self._log.warning("projections wait for the database", reason=str(error))
                stop.wait(RETRY_SECONDS)
            except Exception:  # noqa: BLE001 - a worker that ended would be missed by nobody
                # Not an event's fault, which would be parked: the lag shows until it is mended.
                self._log.exception("projections stand still; trying again")
                stop.wait(RETRY_SECONDS)

    def catch_up(
        self,
        *,
        progress: Progress | None = None,
        stop: Flag | None = None,
        upto: int | None = None,
    ) -> int:
        """Bring every projection to a position, by default the head as it stands now; give it."""
        head = self._store.head().position if upto is None else upto
        reached = 0
        while reached < head and not (stop and stop.is_set()):
            # One batch each, so that all stand close together and share what was read.
            reached = min(self._advance(projection, head) for projection in self._projections)
            if progress:
                progress(reached, head)
        return reached

    def resume(self) -> int:
        """Try the parked deals again, from where each was parked; give how many are still."""
        return sum(self._resume(projection) for projection in self._projections)

    def position(self) -> int:
        """Give the position that every projection has reached."""
        with self._store.connection() as connection:
            rows = connection.execute("SELECT name, position FROM projections").fetchall()
        positions: dict[str, int] = dict(rows)
        reached = [int(positions.get(projection.name, 0)) for projection in self._projections]
        return min(reached)

    def _advance(self, projection: Projection, head: int) -> int:
        with self._store.connection() as connection, connection.transaction():
            connection.execute(PATIENCE)
            after = locked_position(connection, projection.name)
            if after >= head:
                return after
            upto = min(head, after + BATCH_EVENTS)
            parking = Parking(connection, projection)
            for deals in self._deals(projection, after, upto):
                batch = Batch(after, upto, deals.streams, self._context)
                parking.project(batch, deals.unreadable)
            connection.execute(
                "UPDATE projections SET position = %s WHERE name = %s", (upto, projection.name)
            )
        return upto

    def _deals(self, projection: Projection, after: int, upto: int) -> Iterator[Deals]:
        """Give the deals that a stretch touches, then those that a new frame makes read anew."""
        touched = self._reader.touched(after, upto)
        yield self._reader.deals(touched)
        if not projection.framed or not self._context.between(after, upto):
            return
        others = [deal_id for deal_id in self._reader.every_deal() if deal_id not in touched]
        for start in range(0, len(others), DEALS_AT_ONCE):
            yield self._reader.deals(others[start : start + DEALS_AT_ONCE], keep=False)

    def _resume(self, projection: Projection) -> int:
        with self._store.connection() as connection, connection.transaction():
            connection.execute(PATIENCE)
            upto = locked_position(connection, projection.name)
            parked = parked_deals(connection, projection.name)
            if parked:
                # Told again though nothing was appended, their facts bear on other deals.
                connection.execute(
                    "UPDATE projections SET generation = DEFAULT WHERE name = %s",
                    (projection.name,),
                )
            for one in parked:
                reader = DealReader(self._store)
                reader.touched(upto, upto)
                deals = reader.deals([one.deal_id])
                batch = Batch(one.position - 1, upto, deals.streams, self._context)
                Parking(connection, projection).resume(batch, deals.unreadable)
            return len(parked_deals(connection, projection.name))


def locked_position(connection: Rows, name: str) -> int:
    """Give the position of a projection, which nobody else moves until the transaction ends."""
    connection.execute(
        "INSERT INTO projections (name, position) VALUES (%s, 0) ON CONFLICT DO NOTHING", (name,)
    )
    row = connection.execute(
        "SELECT position FROM projections WHERE name = %s FOR UPDATE", (name,)
    ).fetchone()
    return row[0] if row else 0
