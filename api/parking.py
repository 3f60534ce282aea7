"""Parks deals that a projection cannot fold, so that all others go on, and resumes them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import psycopg

from api.storage.rows import Event, Unreadable
from projections.batch import Batch, Projection
from projections.facts import Rows

_NOT_POISON: Final = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    psycopg.InternalError,
    psycopg.ProgrammingError,
)
"""Faults of the database or of our SQL: no event is to blame, and the batch is tried again."""
Write = Callable[[Rows, Batch], None]


@dataclass(frozen=True, slots=True)
class Parked:
    """A deal that a projection holds before `position`, and why."""

    projection: str
    deal_id: UUID
    position: int
    reason: str


def parked_deals(connection: Rows, projection: str | None = None) -> list[Parked]:
    """Give the deals that are parked, of one projection or of all."""
    rows = connection.execute(
        "SELECT projection, deal_id, position, reason FROM parked"
        " WHERE %s::text IS NULL OR projection = %s ORDER BY position, projection, deal_id",
        (projection, projection),
    ).fetchall()
    return [Parked(*row) for row in rows]


class Parking:
    """Projects batches of one projection past the deals that it cannot fold."""

    def __init__(self, connection: Rows, projection: Projection) -> None:
        self._connection = connection
        self._projection = projection
        self._parked = {one.deal_id for one in parked_deals(connection, projection.name)}

    def project(self, batch: Batch, unreadable: Mapping[UUID, Unreadable]) -> None:
        """Project what can be; park what cannot, each deal before the event that is to blame."""
        self._write(self._projection.project, self._going(batch, unreadable))

    def load(self, batch: Batch, unreadable: Mapping[UUID, Unreadable]) -> None:
        """Load what can be, of deals that the projection holds nothing of."""
        self._write(self._projection.load, self._going(batch, unreadable))

    def resume(self, batch: Batch, unreadable: Mapping[UUID, Unreadable]) -> None:
        """Project deals from where they were parked; what still cannot be is parked again."""
        for deal_id in batch.streams:
            self._connection.execute(
                "DELETE FROM parked WHERE projection = %s AND deal_id = %s",
                (self._projection.name, deal_id),
            )
            if one := unreadable.get(deal_id):
                self._park(deal_id, one.position, one.reason)
        self._write(self._projection.refold, batch)

    def _going(self, batch: Batch, unreadable: Mapping[UUID, Unreadable]) -> Batch:
        """Leave out the deals that are parked, and park those with an unreadable event."""
        streams = {i: s for i, s in batch.streams.items() if i not in self._parked}
        for deal_id, one in unreadable.items():
            if deal_id in streams:
                self._park(deal_id, one.position, one.reason)
        return batch.only(streams)

    def _write(self, write: Write, batch: Batch) -> None:
        if self._failure(write, batch) is None:
            return
        # Deals do not depend on each other, so each is tried alone to see which are to blame.
        streams = dict(batch.streams)
        for deal_id in batch.streams:
            alone = batch.only({deal_id: batch.streams[deal_id]})
            failure = self._failure(write, alone, keep=False)
            if failure is not None:
                told = self._told_before_failure(write, alone, deal_id, failure)
                streams[deal_id] = told
        write(self._connection, batch.only({i: s for i, s in streams.items() if s}))

    def _told_before_failure(
        self, write: Write, alone: Batch, deal_id: UUID, failure: Exception
    ) -> list[Event]:
        """Park a deal at the first new event that it cannot be folded with; give those before it.

        Where no new event is to blame but the frame that the deal is read in, nothing is given.
        """
        stream = alone.streams[deal_id]
        for event in alone.new(deal_id):
            until = [e for e in stream if e.position <= event.position]
            found = self._failure(write, alone.only({deal_id: until}), keep=False)
            if found is not None:
                self._park(deal_id, event.position, _words(found))
                return until[:-1]
        self._park(deal_id, alone.after + 1, _words(failure))
        return []

    def _failure(self, write: Write, batch: Batch, *, keep: bool = True) -> Exception | None:
        """Write a batch in a savepoint; give what an event is to blame for, and undo it then."""
        try:
            with self._connection.transaction(force_rollback=not keep):
                write(self._connection, batch)
        except _NOT_POISON:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a fold raises parks its deal, visibly
            return error
        return None

    def _park(self, deal_id: UUID, position: int, reason: str) -> None:
        self._parked.add(deal_id)
        self._connection.execute(
            "INSERT INTO parked (projection, deal_id, position, reason) VALUES (%s, %s, %s, %s)"
            " ON CONFLICT (projection, deal_id) DO NOTHING",
            (self._projection.name, deal_id, position, reason),
        )


def _words(failure: Exception) -> str:
    return f"{type(failure).__name__}: {failure}"
