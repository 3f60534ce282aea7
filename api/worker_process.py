"""The worker in a process of its own, so that its folding takes no time from those who ask."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from threading import Event as Flag
from threading import Thread

import structlog

from api.audit.tables import AuditTables
from api.bootstrap_worker import build_worker
from api.child_process import PAUSE_SECONDS, begin_child, run_child
from api.context import ContextReader
from api.logs import LogLevel
from api.storage.log_reader import LogReader
from api.worker import Worker


@dataclass(slots=True)
class Kept:
    """The worker as its keeper knows it; without a `pid` there is none at that moment."""

    pid: int | None = None


@contextmanager
def working(dsn: str, *, schema: str, log_level: LogLevel = "info") -> Iterator[Kept]:
    """Keep the views of a ledger up to date until the block ends.

    A worker that ends before is started anew. It ends with this process, however that ends. `dsn`
    is the projector's: the worker appends nothing. Its batch is one transaction, so that a kill
    loses nothing.
    """
    stop, kept = Flag(), Kept()
    arguments = (dsn, schema, log_level, stop, kept)
    keeper = Thread(target=_keep, args=arguments, name="worker-keeper", daemon=True)
    keeper.start()
    try:
        yield kept
    finally:
        stop.set()
        keeper.join()


def _keep(dsn: str, schema: str, log_level: LogLevel, stop: Flag, kept: Kept) -> None:
    def born(pid: int | None) -> None:
        kept.pid = pid

    while not stop.is_set():
        ended = run_child(_work, (dsn, schema, log_level), name="worker", stop=stop, born=born)
        if not stop.is_set():
            log = structlog.get_logger("dealtrail.worker")
            log.warning("the worker ended and is started anew", exit_code=ended)
            stop.wait(PAUSE_SECONDS)


def _work(dsn: str, schema: str, log_level: LogLevel, told: Pipe) -> None:
    stop = begin_child(told, log_level=log_level)
    with LogReader(dsn, schema=schema).closing() as store:
        worker, audit = build_worker(store, ContextReader(store))
        follow(worker, audit, stop)


def follow(worker: Worker, audit: AuditTables, stop: Flag) -> None:
    """Keep the views of a ledger, and behind them what auditors read, until told to stop."""
    auditing = Thread(target=audit.run, args=(stop,), name="audit", daemon=True)
    auditing.start()
    worker.run(stop)
    auditing.join()
