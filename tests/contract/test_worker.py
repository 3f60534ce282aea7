"""The worker goes on by itself after the database was away, and lag is counted from the head.

Holds `docs/guarantees.md`: a projection's rows and its position are committed together.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from threading import Event as Flag
from typing import Any

import pytest
from structlog.testing import capture_logs

from api import worker as working
from api.all_projections import projections
from api.bootstrap import Ledger
from api.clock import Deadline
from api.context import ContextReader
from api.storage.log_reader import LogReader
from api.storage.requests import Head
from api.worker import Worker
from tests.support.chaos import ChaosProxy
from tests.support.ledgers import NOW, SCHEMA, import_lines, ledger_on
from tests.support.projected import forget, snapshot
from tests.support.thirty import thirty_lines

PATIENCE = 30.0


@contextmanager
def running(store: LogReader) -> Iterator[Worker]:
    """Run a worker in a thread of its own."""
    stop = Flag()
    worker = Worker(store, ContextReader(store), projections())
    thread = threading.Thread(target=worker.run, args=(stop,))
    thread.start()
    try:
        with capture_logs():
            yield worker
    finally:
        stop.set()
        thread.join(PATIENCE)
        assert not thread.is_alive()


def in_time(holds: Callable[[], bool]) -> bool:
    deadline = Deadline.after(PATIENCE)
    pause = Flag()
    while not holds():
        if deadline.passed():
            return False
        pause.wait(0.05)
    return True


def test_a_worker_goes_on_after_the_database_was_away(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(working, "RETRY_SECONDS", 0.05)
    with ledger_on(database) as ledger, ChaosProxy(database).listening() as proxy:
        import_lines(ledger, tmp_path, thirty_lines())
        expected, head = snapshot(ledger), ledger.store.head().position
        forget(ledger)
        for _ in range(3):
            proxy.cut_next_reply()
        with (
            LogReader(proxy.dsn, schema=SCHEMA).closing() as store,
            running(store),
        ):
            assert in_time(lambda: ledger.worker.position() == head)
            proxy.drop_all()
            forget(ledger)
            assert in_time(lambda: ledger.worker.position() == head)

        assert snapshot(ledger) == expected


def test_a_worker_with_nothing_to_do_stops_at_once(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(working, "POLL_SECONDS", 600)
    monkeypatch.setattr("api.storage.log_reader._POLL_SECONDS", 600)
    waits = Flag()

    def wait_for(store: LogReader, position: int, **more: Any) -> Head:
        waits.set()
        return followed(store, position, **more)

    followed = LogReader.wait_for
    monkeypatch.setattr(LogReader, "wait_for", wait_for)
    with ledger_on(database) as ledger, running(ledger.projecting):
        assert waits.wait(PATIENCE)


def test_lag_counts_from_the_head_whether_or_not_a_worker_lives(
    database: str, tmp_path: Path
) -> None:
    with ledger_on(database) as ledger:
        import_lines(ledger, tmp_path, thirty_lines())
        assert lag(ledger) == (0, 0.0)
        forget(ledger)

        head = ledger.store.head().position
        first = ledger.store.events_at(1, 1)[0].ingested_at
        states = ledger.states.states(first + timedelta(seconds=90))

        assert {one.lag_positions for one in states.projections} == {head}
        assert states.lag_seconds == 90.0


def lag(ledger: Ledger) -> tuple[int, float]:
    states = ledger.states.states(NOW)
    return max(one.lag_positions for one in states.awaited), states.lag_seconds
