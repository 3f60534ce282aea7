"""Imports of uploads in a process of their own, which lives while there is something to import."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from threading import Event as Flag
from threading import Thread
from typing import Final

import structlog

from api import clock
from api.child_process import PAUSE_SECONDS, begin_child, run_child
from api.import_runner import LOCK, ImportRunner
from api.imports import Uploads
from api.logs import LogLevel
from api.storage.event_store import EventStore

UNPACKED: Final = 8
"""How many times as large as the largest upload the files in it may be."""


@dataclass(frozen=True, slots=True)
class _Place:
    """What the process works on."""

    dsn: str
    schema: str
    folder: Path
    most_unpacked: int
    log_level: LogLevel


@contextmanager
def importing(
    dsn: str, *, schema: str, uploads: Uploads, log_level: LogLevel = "info"
) -> Iterator[Uploads]:
    """Import what is uploaded until the block ends, and first what a crash broke off.

    `dsn` is the application's. Gives the uploads with what is to be told of each that came.
    """
    stop, wake = Flag(), Flag()
    place = _Place(dsn, schema, uploads.folder, UNPACKED * uploads.most, log_level)
    if _something_lies_in(uploads.folder):
        wake.set()
    keeper = Thread(target=_keep, args=(place, stop, wake), name="import-keeper", daemon=True)
    keeper.start()
    try:
        yield replace(uploads, received=wake.set)
    finally:
        stop.set()
        wake.set()
        keeper.join()


def _something_lies_in(folder: Path) -> bool:
    return folder.is_dir() and any(path.name != LOCK for path in folder.iterdir())


def _keep(place: _Place, stop: Flag, wake: Flag) -> None:
    while wake.wait() and not stop.is_set():
        wake.clear()
        ended = run_child(_import, (place,), name="imports", stop=stop)
        if ended:
            log = structlog.get_logger("dealtrail.imports")
            log.warning("imports broke off and are begun anew", exit_code=ended)
            stop.wait(PAUSE_SECONDS)
            wake.set()


def _import(place: _Place, told: Pipe) -> None:
    stop = begin_child(told, log_level=place.log_level)
    with EventStore(place.dsn, schema=place.schema) as store:
        runner = ImportRunner(
            store, place.folder, clock=clock.now, most_unpacked=place.most_unpacked
        )
        runner.run_waiting(stop)
