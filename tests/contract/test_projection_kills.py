"""A worker or a rebuild that is killed at any moment leaves rows that go on as if it had not been.

Holds `docs/guarantees.md`: a projection's rows and its position are committed together.
"""

import multiprocessing
import os
import random
import signal
from collections.abc import Callable
from pathlib import Path

from api import worker
from api.all_projections import projections
from api.context import ContextReader
from api.rebuild import rebuild
from api.storage.log_reader import LogReader
from api.storage.roles import Role
from api.worker import Worker
from tests.support.ledgers import SCHEMA, import_lines, ledger_on
from tests.support.projected import forget, late_lines, snapshot
from tests.support.roles import address
from tests.support.thirty import thirty_lines

KILLS = 20
MOMENTS = 5
"""At how many positions, at the least, the worker was when it was killed."""
FORK = multiprocessing.get_context("fork")


def killed(work: Callable[[], None], after: float) -> bool:
    """Start a process of its own group, and kill the group; say whether it was still working."""

    def alone() -> None:
        os.setsid()
        work()

    process = FORK.Process(target=alone)
    process.start()
    assert process.pid is not None
    process.join(after)
    working = process.is_alive()
    if working:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:  # it has no group of its own yet
            process.kill()
    process.join()
    return working


def test_a_worker_killed_twenty_times_leaves_what_one_that_lived_leaves(
    database: str, tmp_path: Path
) -> None:
    chance = random.Random(1)

    def work() -> None:
        worker.BATCH_EVENTS = 3  # type: ignore[misc]  # so that there are many moments to be killed at
        store = LogReader(address(database, Role.PROJECTOR), schema=SCHEMA)
        Worker(store, ContextReader(store), projections()).catch_up()

    with ledger_on(database) as ledger:
        import_lines(ledger, tmp_path, [*thirty_lines(), *late_lines()])
        expected = snapshot(ledger)
        head = ledger.store.head().position
        forget(ledger)
        kills, reached, longest = 0, [0], 0.2
        while kills < KILLS or len(set(reached)) <= MOMENTS:
            kills += killed(work, chance.uniform(0.02, longest))
            reached.append(ledger.worker.position())
            # As long as this machine takes, however busy it is, to come a little further.
            longest *= 1.5 if reached[-1] == reached[-2] else 0.9
            if reached[-1] == head:
                assert snapshot(ledger) == expected
                forget(ledger)
                reached.append(0)

        ledger.worker.catch_up()
        assert snapshot(ledger) == expected


def test_a_rebuild_killed_twenty_times_changes_nothing_and_can_be_done_again(
    database: str, tmp_path: Path
) -> None:
    chance = random.Random(2)

    def work() -> None:
        store = LogReader(address(database, Role.PROJECTOR), schema=SCHEMA)
        rebuild(store, "spans", projections, processes=1)

    with ledger_on(database) as ledger:
        import_lines(ledger, tmp_path, [*thirty_lines(), *late_lines()])
        expected = snapshot(ledger)
        kills = 0
        while kills < KILLS:
            kills += killed(work, chance.uniform(0.02, 0.4))
            assert snapshot(ledger) == expected

        assert rebuild(ledger.projecting, "spans", projections, processes=1).equal is True
        assert snapshot(ledger) == expected
