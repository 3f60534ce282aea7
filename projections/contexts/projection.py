"""Keeps one row for every event of a deal, which no later event changes."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, LiteralString
from uuid import UUID

from domain.replay import Event
from projections.batch import Batch
from projections.contexts.fold import TOPICS, Evolve, contexts
from projections.facts import Rows

# What the envelope says stands beside the deal, so that one table answers what is asked of both.
_ADD: Final[LiteralString] = """
    INSERT INTO contexts (position, deal_id, owner, account_id, stage, amount, currency,
           told_topic, told_rep, told_actor, told_of, told_at)
    SELECT position, l.deal_id, l.owner, l.account_id, l.stage, l.amount, l.currency,
           e.topic, coalesce(e.on_behalf_of, e.actor), e.actor, e.occurred_at,
           CASE WHEN e.channel = 'import' AND e.clock = 'server' THEN e.source_recorded_at
                ELSE e.recorded_at END
      FROM unnest(%s::bigint[], %s::uuid[], %s::text[], %s::text[], %s::text[], %s::numeric[],
                  %s::text[]) AS l(position, deal_id, owner, account_id, stage, amount, currency)
      JOIN events e USING (position)
     ORDER BY position
"""


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
        rows = [
            (position, deal_id, one.owner, one.account_id, one.stage, one.amount, one.currency)
            for deal_id, stream in streams.items()
            for position, one in contexts(stream, self._evolve, after=after)
        ]
        if rows:
            connection.execute(_ADD, [list(column) for column in zip(*rows, strict=True)])
