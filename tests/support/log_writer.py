"""One of several processes that write to one log; prints a line of JSON for every answer."""

import json
import random
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from api.storage.event_store import EventStore
from api.storage.requests import Appended, VersionConflict
from tests.support.log import SCHEMA, ask, new_event

WRITERS: Final = 4
_KEYS_OF_A_DEAL: Final = 8


def write(store: EventStore, *, seed: int, requests: int, keys: int) -> list[dict[str, object]]:
    """Asks with keys that others use too, sure of a version or not, until each is answered."""
    chance = random.Random(seed)
    answers: list[dict[str, object]] = []
    for _ in range(requests):
        key = chance.randrange(keys)
        # A key always means the same request, whoever asks.
        stream_id, size, sure = f"deal:{key // _KEYS_OF_A_DEAL}", 1 + key % 3, key % 2 == 0
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


def main(dsn: str, seed: int, requests: int, keys: int) -> None:
    with EventStore(dsn, schema=SCHEMA) as store, ThreadPoolExecutor(WRITERS) as pool:
        writers = [
            pool.submit(write, store, seed=seed * WRITERS + n, requests=requests, keys=keys)
            for n in range(WRITERS)
        ]
        for writer in writers:
            for answer in writer.result():
                sys.stdout.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
