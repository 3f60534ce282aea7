"""Many processes at one log: gapless, in order, each request once, no reader misses any."""

import json
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path
from typing import Any

from api.storage.event_store import EventStore
from tests.support.log import SCHEMA, assert_gapless

ROOT = Path(__file__).resolve().parents[2]
PROCESSES = 4
REQUESTS = 120


class Tail(threading.Thread):
    """Follows the log from the beginning while it is written."""

    def __init__(self, store: EventStore) -> None:
        super().__init__(name="tail")
        self._store = store
        self.stop = threading.Event()
        self.seen: list[int] = []

    def run(self) -> None:
        while not self.stop.is_set():
            self._read()
        self._read()

    def _read(self) -> None:
        after = self.seen[-1] if self.seen else 0
        for events in self._store.log(after=after, batch=50):
            self.seen += [event.position for event in events]


def run_writers(dsn: str) -> list[dict[str, Any]]:
    writers = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.support.log_writer", dsn, str(n), str(REQUESTS)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        for n in range(PROCESSES)
    ]
    answers = []
    for writer in writers:
        output, _ = writer.communicate(timeout=90)
        assert writer.returncode == 0
        answers += [json.loads(line) for line in output.splitlines()]
    return answers


def test_processes_that_write_at_once_make_one_log(store: EventStore, ledger_dsn: str) -> None:
    tail = Tail(EventStore(ledger_dsn, schema=SCHEMA))
    tail.start()
    try:
        answers = run_writers(ledger_dsn)
    finally:
        tail.stop.set()
        tail.join()
        tail._store.close()

    assert len(answers) == PROCESSES * 8 * REQUESTS
    head = assert_gapless(store)
    assert tail.seen == list(range(1, head + 1))
    assert_each_request_once(store, answers)


def assert_each_request_once(store: EventStore, answers: list[dict[str, Any]]) -> None:
    stored = [answer for answer in answers if "conflict" not in answer]
    conflicts = [answer for answer in answers if "conflict" in answer]
    places = {
        answer["key"]: (answer["stream_id"], answer["first"], answer["last"], answer["version"])
        for answer in stored
    }
    first_times = Counter(answer["key"] for answer in stored if answer["new"])

    # The run was worth something: there were repetitions and there were races.
    assert len(stored) > len(places)
    assert conflicts
    assert all(answer["conflict"] > answer["expected"] for answer in conflicts)
    assert set(first_times.values()) == {1}
    assert first_times.keys() == places.keys()
    for answer in stored:
        place = (answer["stream_id"], answer["first"], answer["last"], answer["version"])
        assert place == places[answer["key"]]
    events = {event.position: event for batch in store.log() for event in batch}
    claimed = [
        (position, str(key), stream_id, version - last + position)
        for key, (stream_id, first, last, version) in places.items()
        for position in range(first, last + 1)
    ]
    assert sorted(claimed) == [
        (position, event.idempotency_key, event.stream_id, event.version)
        for position, event in sorted(events.items())
    ]
