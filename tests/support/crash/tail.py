"""Writers in several processes at one log, and a reader that follows: what it sees and misses."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event as Flag
from threading import Thread
from typing import Any, Final

from api.storage.embedded import EmbeddedServer
from api.storage.event_store import EventStore
from api.storage.log_reader import LogReader
from tests.support.crash.server import ROOT
from tests.support.log import SCHEMA
from tests.support.log_writer import WRITERS
from tests.support.roles import migrated

PROCESSES: Final = 4
Answer = dict[str, Any]


class Tail:
    """Follows the log from the beginning; what it has passed it never looks at again."""

    def __init__(self, store: LogReader) -> None:
        self._store = store
        self.seen: list[int] = []

    def follow(self, stop: Flag) -> None:
        while not stop.is_set():
            self._read()
        self._read()

    def _read(self) -> None:
        after = self.seen[-1] if self.seen else 0
        for events in self._store.log(after=after, batch=50):
            self.seen += [event.position for event in events]


@contextmanager
def followed(dsn: str) -> Iterator[Tail]:
    """Follow the log of a ledger until the block ends and all that is written is read."""
    stop = Flag()
    with LogReader(dsn, schema=SCHEMA).closing() as store:
        tail = Tail(store)
        thread = Thread(target=tail.follow, args=(stop,), name="tail")
        thread.start()
        try:
            yield tail
        finally:
            stop.set()
            thread.join()


def written(dsn: str, *, requests: int, keys: int, patience: float) -> list[Answer]:
    """Let 16 writers in 4 processes ask so often each, under these keys, and give all answers.

    A key means one and the same request, of two events on the average, whoever asks. With fewer
    keys than requests most are asked for again, also at the same time.
    """
    writers = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.support.log_writer", dsn, *map(str, (n, requests, keys))],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        for n in range(PROCESSES)
    ]
    answers: list[Answer] = []
    for writer in writers:
        output, _ = writer.communicate(timeout=patience)
        if writer.returncode:
            raise subprocess.CalledProcessError(writer.returncode, writer.args)
        answers += [json.loads(line) for line in output.splitlines()]
    return answers


def faults(store: LogReader, tail: Tail, answers: Sequence[Answer]) -> list[str]:
    """Say what is not as promised; nobody writes any more."""
    head = store.head().position
    found = [] if tail.seen == list(range(1, head + 1)) else [_missed(tail.seen, head)]
    stored = [answer for answer in answers if "conflict" not in answer]
    places = {answer["key"]: _place(answer) for answer in stored}
    found += [
        f"key {answer['key']}: told {_place(answer)} and {places[answer['key']]}"
        for answer in stored
        if _place(answer) != places[answer["key"]]
    ]
    found += [
        f"conflict at version {answer['conflict']}, which was expected"
        for answer in answers
        if "conflict" in answer and answer["conflict"] <= answer["expected"]
    ]
    new = Counter(answer["key"] for answer in stored if answer["new"])
    found += [f"key {key}: new {new[key]} times" for key in places if new[key] != 1]
    claimed = [
        (position, str(key), stream_id, version - last + position)
        for key, (stream_id, first, last, version) in places.items()
        for position in range(first, last + 1)
    ]
    recorded = [
        (event.position, event.idempotency_key, event.stream_id, event.version)
        for events in store.log()
        for event in events
    ]
    if sorted(claimed) != recorded:
        odd = sorted({*claimed} ^ {*recorded}, key=str)[:5]
        found.append(f"the log is not what was told: {odd}")
    return found


def long_run(home: Path, *, events: int) -> tuple[int, list[Answer], list[str]]:
    """Write so many events and more; give how many, what was answered, and what was wrong."""
    # Of as many requests as there are keys, 63 in 100 are new, each of two events.
    keys = int(0.85 * events)
    with EmbeddedServer(home) as server:
        dsn = server.dsn()
        migrated(dsn, schema=SCHEMA)
        with followed(dsn) as tail:
            requests = -(-keys // (PROCESSES * WRITERS))
            answers = written(dsn, requests=requests, keys=keys, patience=3600)
        with EventStore(dsn, schema=SCHEMA) as store:
            return len(tail.seen), answers, faults(store, tail, answers)


def _place(answer: Answer) -> tuple[str, int, int, int]:
    return answer["stream_id"], answer["first"], answer["last"], answer["version"]


def _missed(seen: Sequence[int], head: int) -> str:
    missed = sorted({*range(1, head + 1)} - {*seen})
    return f"of {head} events the reader has seen {len(seen)}, and missed {missed[:5]}"
