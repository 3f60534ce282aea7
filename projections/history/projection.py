"""Keeps every deal's timeline."""

from typing import Final

from pydantic import TypeAdapter

from domain.replay import view
from projections.batch import Batch, put_docs
from projections.facts import Rows
from projections.history.fold import Entry, fold

TIMELINE: Final = TypeAdapter(list[Entry])
"""Reads and writes a stored timeline."""


class HistoryProjection:
    """The timeline of every deal at the projection's position."""

    name = "history"

    def project(self, connection: Rows, batch: Batch) -> None:
        """Fold the deals that the batch touches, or all where the context changed."""
        known = batch.known
        docs = {}
        for deal_id, events in batch.read().items():
            timeline = fold(events, known.processes(view(events)), known.policy, known.calendar)
            docs[deal_id] = TIMELINE.dump_json(timeline)
        put_docs(connection, self.name, docs)
