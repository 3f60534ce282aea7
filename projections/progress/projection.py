"""Keeps every deal's progress; what time alone changes is computed when it is asked for."""

from typing import Final

from pydantic import TypeAdapter

from domain.replay import view
from projections.batch import Batch, put_docs
from projections.facts import Rows
from projections.progress.fold import Progress, fold

PROGRESS: Final = TypeAdapter(Progress)
"""Reads and writes a stored progress."""


class ProgressProjection:
    """The progress of every deal at the projection's position."""

    name = "progress"

    def project(self, connection: Rows, batch: Batch) -> None:
        """Fold the deals that the batch touches, or all where the context changed."""
        known = batch.known
        docs = {}
        for deal_id, events in batch.read().items():
            seen = view(events)
            progress = fold(seen, known.processes(seen), known.policy)
            docs[deal_id] = PROGRESS.dump_json(progress)
        put_docs(connection, self.name, docs)
