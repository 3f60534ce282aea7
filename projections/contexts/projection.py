"""Keeps one row for every event of a deal, which no later event changes."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, LiteralString
from uuid import UUID

from domain.replay import Event
from projections.batch import Batch
from projections.contexts.fold import TOPICS, Evolve, contexts
from projections.facts import Rows

_COPY: Final[LiteralString] = (
    "COPY contexts (position, deal_id, owner, account_id, stage, amount, currency) FROM STDIN"
)


class ContextsProjection:
    """The deal as each of its events left it."""

    name: Final = "contexts"
    tables: Final[Sequence[str]] = ("contexts",)
    topics: Final[Collection[str]] = TOPICS
    framed: Final = False
    reads_bare_events: Final = True

    def __init__(self, evolve: Evolve[Any]) -> None:
        """Take what makes the state of a deal from its events."""
        self._evolve = evolve

    def project(self, connection: Rows, batch: Batch) -> None:
        """Add the events that the batch brings."""
        self._add(connection, batch.streams, after=batch.after)

    def load(self, connection: Rows, batch: Batch) -> None:
        """Add the events of whole deals."""
        self._add(connection, batch.streams, after=0)

    def fill(self, connection: Rows, whole: Batch, *, part: int, parts: int) -> None:
        """Derive nothing more."""

    def refold(self, connection: Rows, batch: Batch) -> None:
        """Add what the deals told since they were parked."""
        connection.execute(
            "DELETE FROM contexts WHERE deal_id = ANY(%s) AND position > %s",
            (list(batch.streams), batch.after),
        )
        self._add(connection, batch.streams, after=batch.after)

    def _add(
        self, connection: Rows, streams: Mapping[UUID, Sequence[Event]], *, after: int
    ) -> None:
        with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
            for deal_id, stream in streams.items():
                for position, deal in contexts(stream, self._evolve, after=after):
                    copy.write_row(
                        (
                            position,
                            deal_id,
                            deal.owner,
                            deal.account_id,
                            deal.stage,
                            deal.amount,
                            deal.currency,
                        )
                    )
