"""The worker in a process of its own, so that its folding takes no time from those who ask."""

import multiprocessing
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from multiprocessing.connection import wait
from threading import Event as Flag
from threading import Thread
from typing import Final

import structlog

from api.bootstrap import Ledger, build_ledger
from api.collecting import collect_seldom
from api.logs import LogLevel, configure_logs
from api.storage.event_store import EventStore

_PAUSE_SECONDS: Final = 1.0
"""How long after its end a worker is started anew; one that cannot start must not spin."""
_STOP_SECONDS: Final = 2.0
"""How long a worker may take to end; its batch is one transaction, so that a kill loses nothing."""
_NICENESS: Final = 5


@dataclass(slots=True)
class Kept:
    """The worker as its keeper knows it; without a `pid` there is none at that moment."""

    pid: int | None = None


@contextmanager
def working(dsn: str, *, schema: str, log_level: LogLevel = "info") -> Iterator[Kept]:
    """Keep the views of a ledger up to date until the block ends.

    A worker that ends before is started anew. It ends with this process, however that ends. `dsn`
    is the projector's: the worker appends nothing.
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
    # Not forked: this process has threads and connections that the worker must not inherit.
    context = multiprocessing.get_context("spawn")
    while not stop.is_set():
        theirs, ours = context.Pipe(duplex=False)
        arguments = (dsn, schema, log_level, theirs)
        process = context.Process(target=_work, args=arguments, name="worker")
        process.start()
        kept.pid = process.pid
        theirs.close()
        while not stop.is_set() and not wait([process.sentinel], timeout=_PAUSE_SECONDS):
            pass
        kept.pid = None
        if not stop.is_set():
            log = structlog.get_logger("dealtrail.worker")
            log.warning("the worker ended and is started anew", exit_code=process.exitcode)
            stop.wait(_PAUSE_SECONDS)
        ours.close()
        process.join(_STOP_SECONDS)
        if process.is_alive():
            process.kill()
            process.join()


def _work(dsn: str, schema: str, log_level: LogLevel, told: Pipe) -> None:
    # Whoever started us decides when to stop: a terminal sends its signals to both of us.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    configure_logs(log_level)
    collect_seldom()
    # Where cores are few, who asks goes before the views that follow.
    os.nice(_NICENESS)
    stop = Flag()
    Thread(target=_await_end, args=(told, stop), daemon=True).start()
    store = EventStore(dsn, schema=schema)
    try:
        follow(build_ledger(store, store), stop)
    finally:
        store.close()


def follow(ledger: Ledger, stop: Flag) -> None:
    """Keep the views of a ledger, and behind them what auditors read, until told to stop."""
    auditing = Thread(target=ledger.audit.run, args=(stop,), name="audit", daemon=True)
    auditing.start()
    ledger.worker.run(stop)
    auditing.join()


def _await_end(told: Pipe, stop: Flag) -> None:
    """Set the flag when the other end is closed, by its owner or by its owner's death."""
    told.poll(None)
    stop.set()
