"""Builds what follows the log; a process that does only that loads no more, and starts sooner."""

from typing import TypeAlias

from api.all_projections import projections
from api.audit.tables import AuditTables
from api.context import ContextReader
from api.storage.log_reader import LogReader
from api.worker import Worker

Followers: TypeAlias = tuple[Worker, AuditTables]
"""What keeps the views up to date, and behind them what auditors read."""


def build_worker(store: LogReader, context: ContextReader) -> Followers:
    """Build what follows the log.

    They write through `store`, which is of the projector's role.
    """
    worker = Worker(store, context, projections())
    return worker, AuditTables(store, context, worker)
