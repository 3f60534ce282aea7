"""Runs the imports that wait: one after the other, and again what a crash broke off."""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event as Flag
from typing import Any, Final, LiteralString
from uuid import UUID

import structlog

from api.exchange.lines import ExportRefusedError
from api.exchange.profile import ProfileRefusedError
from api.import_job import ImportCancelledError, ImportJob, ImportStoppedError, begin
from api.imports import HELD
from api.storage.errors import AppendRefusedError, LedgerNotEmptyError, LogUnavailableError
from api.storage.event_store import EventStore

MAX_ATTEMPTS: Final = 5
"""How often an import may end without a word before it is not begun again."""

_RETRY_SECONDS: Final = 2.0
_TURN_SECONDS: Final = 1.0
_FORGOTTEN: Final = timedelta(hours=1)
"""An upload that grew no more for so long, and that nobody asked to import, never will be."""
LOCK: Final = "lock"
"""The file that a runner holds while it works on a folder."""
_FILES: Final = ".files"

_UNENDED: Final[LiteralString] = (
    "SELECT id FROM imports WHERE id = ANY(%(ids)s) AND state IN ('waiting', 'running') ORDER BY id"
)
_KNOWN: Final[LiteralString] = "SELECT id FROM imports WHERE id = ANY(%(ids)s)"


class ImportRunner:
    """Imports the uploads of one folder; of several runners on it, one works at a time.

    Files of ended imports are deleted, and so are uploads that broke off.
    """

    def __init__(
        self,
        store: EventStore,
        folder: Path,
        *,
        clock: Callable[[], datetime],
        most_unpacked: int,
    ) -> None:
        self._store = store
        self._folder = folder
        self._clock = clock
        self._most_unpacked = most_unpacked
        self._log = structlog.get_logger("dealtrail.imports")

    def run_waiting(self, stop: Flag) -> None:
        """Run every import that waits here; a database that is away is waited for."""
        found: UUID | None = None
        counts = True
        with _alone(self._folder, stop):
            while not stop.is_set():
                try:
                    self._sweep()
                    found = self._next()
                    if found is None:
                        return
                    self._run(found, counts=counts, stop=stop)
                    counts = True
                except ImportStoppedError:
                    return
                except LogUnavailableError as error:
                    self._log.warning("imports wait for the database", reason=str(error))
                    # Not the fault of the import, which is begun again as often as it takes.
                    counts = found is None
                    stop.wait(_RETRY_SECONDS)

    def _run(self, import_id: UUID, *, counts: bool, stop: Flag) -> None:
        asked: dict[str, Any] = begin(self._store, import_id, now=self._clock(), counts=counts)
        if not asked:
            return
        job = ImportJob(
            store=self._store,
            clock=self._clock,
            stop=stop,
            upload=self._folder / str(import_id),
            folder=self._folder / f"{import_id}{_FILES}",
            id=import_id,
            **asked,
        )
        if job.attempts > MAX_ATTEMPTS:
            told = f"the import ended {MAX_ATTEMPTS} times without a word; what it made stays"
            job.end("failed", problem=told)
        else:
            self._finish(job)

    def _finish(self, job: ImportJob) -> None:
        try:
            report = job.run(most_unpacked=self._most_unpacked)
        except ImportStoppedError:
            job.leave()
            raise
        except LogUnavailableError:
            raise
        except ImportCancelledError:
            job.end("cancelled", problem="cancelled; what it had appended by then stays")
        except (ExportRefusedError, ProfileRefusedError, LedgerNotEmptyError) as error:
            job.end("refused", problem=str(error))
        except AppendRefusedError as error:
            job.end("refused", problem=f"the log refuses this import: {error}")
        except Exception:  # noqa: BLE001 - an import that finds a fault of ours must not hold up the others
            self._log.exception("an import failed", import_id=str(job.id))
            job.end("failed", problem="a fault of ours; the server's log tells more")
        else:
            job.end("done", report=report)

    def _next(self) -> UUID | None:
        rows = self._store.rows(_UNENDED, {"ids": self._ids()})
        return rows[0][0] if rows else None

    def _sweep(self) -> None:
        """Delete the files of imports that have ended, and uploads that nobody asked to import.

        What was put aside goes as well, once nobody came back for it.
        """
        ids = self._ids()
        known = {row[0] for row in self._store.rows(_KNOWN, {"ids": ids})}
        unended = {row[0] for row in self._store.rows(_UNENDED, {"ids": ids})}
        since = (self._clock() - _FORGOTTEN).timestamp()
        for import_id in ids:
            upload = self._folder / str(import_id)
            forgotten = not upload.exists() or upload.stat().st_mtime < since
            if import_id not in unended and (import_id in known or forgotten):
                shutil.rmtree(self._folder / f"{import_id}{_FILES}", ignore_errors=True)
                upload.unlink(missing_ok=True)

        for held in self._folder.glob(f"*{HELD}"):
            if held.stat().st_mtime < since:
                held.unlink(missing_ok=True)

    def _ids(self) -> list[UUID]:
        found: set[UUID] = set()
        for path in self._folder.iterdir():
            try:
                found.add(UUID(path.name.removesuffix(_FILES)))
            except ValueError:
                continue
        return sorted(found)


@contextmanager
def _alone(folder: Path, stop: Flag) -> Iterator[None]:
    """Wait until no other runner works on the folder, or until told to stop."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        while not stop.is_set():
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                stop.wait(_TURN_SECONDS)
        yield
    finally:
        os.close(handle)
