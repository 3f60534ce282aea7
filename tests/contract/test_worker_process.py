"""The worker's own process keeps the views up, comes back when killed, and outlives nobody.

Holds `docs/guarantees.md`, G17.
"""

import multiprocessing
import os
import signal
from pathlib import Path
from threading import Event as Flag

from structlog.testing import capture_logs

from api.bootstrap import Ledger
from api.clock import Deadline
from api.storage.roles import Role
from api.worker_process import working
from tests.support.ledgers import SCHEMA, import_lines, ledger_on
from tests.support.projected import forget
from tests.support.roles import address
from tests.support.thirty import thirty_lines

PATIENCE = 60.0


def caught_up(ledger: Ledger) -> bool:
    head, deadline, pause = ledger.store.head().position, Deadline.after(PATIENCE), Flag()
    while ledger.worker.position() < head and not deadline.passed():
        pause.wait(0.05)
    return ledger.worker.position() == head


def gone(pid: int) -> bool:
    deadline, pause = Deadline.after(PATIENCE), Flag()
    while not deadline.passed():
        try:
            told = Path(f"/proc/{pid}/stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return True
        if told.rpartition(")")[2].split()[0] == "Z":
            return True
        pause.wait(0.05)
    return False


def workers() -> list[multiprocessing.process.BaseProcess]:
    return [child for child in multiprocessing.active_children() if child.name == "worker"]


def test_a_killed_worker_is_started_anew_and_ends_with_the_block(
    database: str, tmp_path: Path
) -> None:
    with ledger_on(database) as ledger:
        import_lines(ledger, tmp_path, thirty_lines())
        forget(ledger)
        with capture_logs(), working(address(database, Role.PROJECTOR), schema=SCHEMA):
            assert caught_up(ledger)
            (first,) = workers()
            first.kill()
            first.join()
            forget(ledger)
            assert caught_up(ledger)
            (second,) = workers()
            assert second.pid != first.pid
        assert not second.is_alive()


def _die(database: str, told: "multiprocessing.connection.Connection") -> None:
    with working(address(database, Role.PROJECTOR), schema=SCHEMA):
        while not (found := workers()):
            Flag().wait(0.02)
        told.send(found[0].pid)
        Flag().wait(0.5)
        os.kill(os.getpid(), signal.SIGKILL)


def test_a_worker_does_not_outlive_a_server_that_was_killed(database: str, tmp_path: Path) -> None:
    with ledger_on(database) as ledger:
        import_lines(ledger, tmp_path, thirty_lines())
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    server = context.Process(target=_die, args=(database, theirs))
    server.start()
    assert ours.poll(PATIENCE)
    pid = ours.recv()
    server.join(PATIENCE)

    assert server.exitcode == -signal.SIGKILL
    assert gone(pid)
