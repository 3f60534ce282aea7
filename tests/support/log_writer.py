"""One of several processes that write to one log; prints a line of JSON for every answer."""

import json
import random
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from api.storage.event_store import EventStore
from api.storage.requests import Appended, VersionConflict
from tests.support.log import SCHEMA, ask, new_event

WRITERS: Final = 8
DEALS: Final = 200
KEYS: Final = 1500
"""Fewer keys than requests and the same in every process, so that most are asked for again."""


def write(store: EventStore, *, seed: int, requests: int) -> list[dict[str, object]]:
    """Asks with keys that others use too, sure of a version or not, until each is answered."""
    chance = random.Random(seed)
    answers: list[dict[str, object]] = []
    for _ in range(requests):
        key = chance.randrange(KEYS)
        # A key always means the same request, whoever asks.
        stream_id, size, sure = f"deal:{key % DEALS}", 1 + key % 3, key % 2 == 0
        expected = len(store.stream(stream_id)) if sure else None
        verdict = store.append_blocking(
            ask(
                stream_id,
                *(new_event() for _ in range(size)),
                expected=expected,
                key=str(key),
                caller="everybody",
            )
        )
        if isinstance(verdict, VersionConflict):
            answers.append({"key": key, "conflict": verdict.current_version, "expected": expected})
        else:
            answers.append(
                {
                    "key": key,
                    "new": isinstance(verdict, Appended),
                    "stream_id": stream_id,
                    "first": verdict.first_position,
                    "last": verdict.last_position,
                    "version": verdict.version,
                }
            )
    return answers


def main(dsn: str, seed: int, requests: int) -> None:
    with EventStore(dsn, schema=SCHEMA) as store, ThreadPoolExecutor(WRITERS) as pool:
        writers = [
            pool.submit(write, store, seed=seed * WRITERS + n, requests=requests)
            for n in range(WRITERS)
        ]
        for writer in writers:
            for answer in writer.result():
                sys.stdout.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
