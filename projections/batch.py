"""What a projection is given: the next events of the log, with what they have to be read with."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from domain.known import Known
from domain.replay import Event
from projections.facts import Rows

DEAL_PREFIX = "deal:"


def deal_of(stream_id: str) -> UUID | None:
    """Give the deal whose stream this is; None for the streams of the context."""
    return UUID(stream_id[len(DEAL_PREFIX) :]) if stream_id.startswith(DEAL_PREFIX) else None


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive events of the log, after position `after` and up to `upto`.

    `streams` holds every deal that they touch, whole and as known at `upto`; `load` gives the
    same for others. No batch goes past an event that changes how others are read (a calendar, a
    policy, a process), unless it begins with one: then `reframed` is true and every deal is read
    anew.
    """

    events: Sequence[Event]
    after: int
    upto: int
    known: Known
    streams: Mapping[UUID, list[Event]]
    load: Callable[[Collection[UUID]], dict[UUID, list[Event]]]
    every_deal: Callable[[], list[UUID]]
    reframed: bool

    def read(self) -> dict[UUID, list[Event]]:
        """Give the streams to read: those touched, or every deal's where all must be read anew."""
        if not self.reframed:
            return dict(self.streams)
        others = [deal_id for deal_id in self.every_deal() if deal_id not in self.streams]
        return {**self.load(others), **self.streams}

    def positions(
        self, streams: Iterable[UUID], relevant: Callable[[Event], bool]
    ) -> dict[UUID, list[int]]:
        """Give the positions at which the facts of each deal may have changed, in order."""
        found: dict[UUID, list[int]] = {}
        for deal_id in streams:
            own = [
                e.position for e in self.streams.get(deal_id, ()) if self._new(e) and relevant(e)
            ]
            if self.reframed:
                own = sorted({*own, self.upto})
            if own:
                found[deal_id] = own
        return found

    def _new(self, event: Event) -> bool:
        return self.after < event.position <= self.upto


class Projection(Protocol):
    """A read model that is kept up to date, batch by batch."""

    name: str

    def project(self, connection: Rows, batch: Batch) -> None:
        """Write what the batch changes; the caller commits it together with the position."""
        ...


def put_docs(connection: Rows, projection: str, docs: Mapping[UUID, bytes]) -> None:
    """Store the answers of a projection about these deals, in place of older ones."""
    if docs:
        # One JSON text, put together from the answers as they are: an array of texts would be
        # escaped piece by piece, which takes longer than folding them.
        rows = b",".join(b'{"d":"%s","j":%s}' % (str(d).encode(), j) for d, j in docs.items())
        connection.execute(
            "INSERT INTO deal_views (projection, deal_id, doc)"
            " SELECT %s, d, j FROM json_to_recordset(%s::json) AS u(d uuid, j json)"
            " ON CONFLICT (projection, deal_id) DO UPDATE SET doc = EXCLUDED.doc",
            (projection, (b"[" + rows + b"]").decode()),
        )


def get_docs(connection: Rows, projection: str, deal_ids: Collection[UUID]) -> dict[UUID, bytes]:
    """Give the stored answers of a projection about these deals."""
    rows = connection.execute(
        "SELECT deal_id, doc::text FROM deal_views WHERE projection = %s AND deal_id = ANY(%s)",
        (projection, list(deal_ids)),
    ).fetchall()
    return {deal_id: doc.encode() for deal_id, doc in rows}
