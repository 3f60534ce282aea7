"""Builds what follows the log; a process that does only that loads no more, and starts sooner."""

from api.all_projections import projections
from api.audit.tables import AuditTables
from api.context import ContextReader
from api.storage.log_reader import LogReader
from api.worker import Worker


def build_worker(store: LogReader, context: ContextReader) -> tuple[Worker, AuditTables]:
    """Build what keeps the views up to date, and behind them what auditors read.

    They write through `store`, which is of the projector's role.
    """
    worker = Worker(store, context, projections())
    return worker, AuditTables(store, context, worker)
