"""Follows the log of Dealtrail from another system, and misses nothing.

    DEALTRAIL_KEY=dtk_... python follow.py http://127.0.0.1:8000 CURSOR

CURSOR is a file that holds the position up to which every event was handled. First the pages of the
log are read from there on, then the stream is followed; whenever it breaks off, both begin again.
"""

import http.client
import json
import os
import sys
import time
import urllib.request
from collections.abc import Callable, Generator
from contextlib import closing
from pathlib import Path
from typing import Any

Handle = Callable[[dict[str, Any]], None]
PAGE = 1_000


def follow(url: str, key: str, cursor: Path, handle: Handle) -> None:
    """Give every event to `handle`, once it is in the log and in its order, until an error of it.

    An event is given again if the program ended between handling it and keeping the position: let
    `handle` tell it by its `event_id`, or keep the position in the same transaction as its work.
    """
    while True:
        try:
            with closing(events(url, key, position_in(cursor))) as told:
                for event in told:
                    handle(event)
                    cursor.with_suffix(".new").write_text(str(event["position"]), encoding="utf-8")
                    cursor.with_suffix(".new").replace(cursor)
        except (OSError, http.client.HTTPException):
            time.sleep(1)


def position_in(cursor: Path) -> int:
    return int(cursor.read_text(encoding="utf-8")) if cursor.exists() else 0


def events(url: str, key: str, after: int) -> Generator[dict[str, Any], None, None]:
    """The events after a position: those that are there, and then each as it comes."""
    while page := asked(url, key, f"/v1/events?after={after}&limit={PAGE}")["events"]:
        yield from page
        after = page[-1]["position"]
    with opened(url, key, f"/v1/events/stream?after={after}") as stream:
        for line in stream:
            if line.startswith(b"data: "):
                yield json.loads(line.removeprefix(b"data: "))


def asked(url: str, key: str, path: str) -> Any:
    with opened(url, key, path) as answer:
        return json.load(answer)


def opened(url: str, key: str, path: str) -> http.client.HTTPResponse:
    headers = {"Authorization": f"Bearer {key}"}
    # The stream says something every 15 seconds; who hears nothing for longer is cut off.
    return urllib.request.urlopen(urllib.request.Request(url + path, headers=headers), timeout=40)


def show(event: dict[str, Any]) -> None:
    print(event["position"], event["type"], event["stream_id"])


if __name__ == "__main__":
    follow(sys.argv[1], os.environ["DEALTRAIL_KEY"], Path(sys.argv[2]), show)
