"""Many processes at one log: gapless, in order, each request once, no reader misses any.

Holds `docs/guarantees.md`, G1 and G2. `scripts/crash --tail 100000` is the long form.
"""

from api.storage.event_store import EventStore
from tests.support.crash.tail import PROCESSES, faults, followed, written
from tests.support.log import assert_gapless
from tests.support.log_writer import WRITERS

REQUESTS = 120
KEYS = 700


def test_processes_that_write_at_once_make_one_log(store: EventStore, ledger_dsn: str) -> None:
    with followed(ledger_dsn) as tail:
        answers = written(ledger_dsn, requests=REQUESTS, keys=KEYS, patience=90)

    assert faults(store, tail, answers) == []
    assert assert_gapless(store) == len(tail.seen) > KEYS
    # The run was worth something: there were repetitions and there were races.
    assert len(answers) == PROCESSES * WRITERS * REQUESTS
    assert sum(answer.get("new") is False for answer in answers) > KEYS / 2
    assert any("conflict" in answer for answer in answers)
