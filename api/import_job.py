"""One import of uploaded files, from its archive to its report, and what it tells meanwhile."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from threading import Event as Flag
from typing import Final, Literal, LiteralString, TypeAlias
from uuid import UUID

from api.clock import Deadline
from api.exchange.archives import unpack
from api.exchange.importing import FOLDERS, Format, LedgerContext, Step, reader_for, run_import
from api.exchange.lines import ExportRefusedError, Findings, ImportReport, Reader
from api.exchange.metering import Meter, metered
from api.exchange.profile import (
    Profile,
    ProfileRefusedError,
    profile_of,
    profile_text,
    shipped_profile,
)
from api.people import People
from api.storage.event_store import EventStore
from api.storage.staged_lines import caller_of

Ending: TypeAlias = Literal["done", "refused", "failed", "cancelled"]
PROFILES: Final = ("profile.yaml", "profile.yml")
"""What a profile is called that comes with the files of an archive."""

_BEAT_SECONDS: Final = 1.0

_BEGIN: Final[LiteralString] = (
    "UPDATE imports SET state = 'running', attempts = attempts + %(counts)s, step = 'unpacking',"
    " began_at = coalesce(began_at, %(now)s), told_at = %(now)s, bytes_to_read = NULL,"
    " first_position = coalesce(first_position, (SELECT position FROM log_head))"
    " WHERE id = %(id)s AND state IN ('waiting', 'running')"
    " RETURNING format, file, profile, declared, founding, dry_run, attempts, began_at < %(now)s,"
    " first_position"
)
_OPENED: Final[LiteralString] = (
    "UPDATE imports SET bytes_to_read = %(size)s, step = 'reading', declared = %(declared)s"
    " WHERE id = %(id)s RETURNING 1"
)
_TELL: Final[LiteralString] = (
    "UPDATE imports SET told_at = %(now)s, step = %(step)s, bytes_read = %(bytes_read)s,"
    " rows_read = %(rows_read)s, events_made = %(events_made)s, duplicates = %(duplicates)s,"
    " rejects = %(rejects)s WHERE id = %(id)s RETURNING cancelling"
)
_LEAVE: Final[LiteralString] = (
    "UPDATE imports SET state = 'waiting', attempts = attempts - 1 WHERE id = %(id)s RETURNING 1"
)
_END: Final[LiteralString] = (
    "UPDATE imports SET state = %(state)s, ended_at = %(now)s, told_at = %(now)s, step = NULL,"
    " report = %(report)s::json, problem = %(problem)s, position = (SELECT position FROM log_head),"
    " bytes_read = %(bytes_read)s, rows_read = %(rows_read)s, events_made = %(events_made)s,"
    " duplicates = %(duplicates)s, rejects = %(rejects)s WHERE id = %(id)s"
)
_FORGET_REJECTS: Final[LiteralString] = "DELETE FROM import_rejects WHERE import_id = %(id)s"
_KEEP_REJECTS: Final[LiteralString] = (
    "COPY import_rejects (import_id, number, file, row, reason) FROM STDIN"
)
_MADE: Final[LiteralString] = (
    "SELECT count(*), count(DISTINCT stream_id) FILTER (WHERE stream_id LIKE 'deal:%%'),"
    " count(*) FILTER (WHERE topic = 'deal.history_gap.v1') FROM events"
    " WHERE position > %(after)s AND channel = 'import' AND caller = %(caller)s"
)
"""By who appended, for an export that came back keeps the sources of its events."""


class ImportCancelledError(Exception):
    """Somebody asked that the import end."""


class ImportStoppedError(Exception):
    """The process is to end; the import goes on when it is started again."""


@dataclass(slots=True, kw_only=True)
class ImportJob:
    """An import that is running."""

    store: EventStore
    clock: Callable[[], datetime]
    stop: Flag
    upload: Path
    folder: Path
    """Where its files are unpacked."""
    id: UUID
    format: Format
    file: str
    profile: str | None
    declared: str | None
    """The text of a profile of one's own: as it was sent along, or found among the files."""
    founding: bool
    dry_run: bool
    attempts: int
    resumed: bool
    """Whether it had begun before, and what it appended then may be in the log."""
    first_position: int
    """The head of the log when it first began."""
    findings: Findings = field(default_factory=Findings)
    _system: str | None = None
    _step: Step = "read"
    _appended: int = 0
    _size: int = 0
    _meter: Meter = field(init=False)
    _due: Deadline = field(default_factory=lambda: Deadline.after(_BEAT_SECONDS))

    def __post_init__(self) -> None:
        self._meter = Meter(self._beat)

    def run(self, *, most_unpacked: int) -> ImportReport:
        """Import the files, and give what all attempts at it came to.

        Raises:
            ExportRefusedError: the archive or its files are not what they should be.
            ProfileRefusedError: the profile cannot be used.
            ImportCancelledError: somebody ended it.
            ImportStoppedError: it is to go on later.
        """
        reader = self._opened(most_unpacked)
        with metered(self._meter):
            report = run_import(
                self.store,
                reader,
                now=self.clock(),
                founding=self.founding,
                dry_run=self.dry_run,
                progress=self._take,
                findings=self.findings,
            )
        return self._of_all_attempts(report)

    def leave(self) -> None:
        """Say that it waits again; this attempt was none."""
        self.store.rows(_LEAVE, {"id": self.id})

    def end(
        self, state: Ending, *, report: ImportReport | None = None, problem: str | None = None
    ) -> None:
        """Say what has become of it."""
        rejects = self.findings.rejects if report is None else report.rejects
        ending = {
            "id": self.id,
            "state": state,
            "now": self.clock(),
            "report": None if report is None else _report_text(report),
            "problem": problem and _storable(problem.replace(str(self.folder), self.file)),
            **(self._figures() if report is None else self._figures_of(report)),
        }
        if report is None:
            ending["events_made"] = self._made()[0]
        with self.store.connection() as connection, connection.transaction():
            connection.execute(_FORGET_REJECTS, {"id": self.id})
            with connection.cursor() as cursor, cursor.copy(_KEEP_REJECTS) as copy:
                for number, one in enumerate(rejects, start=1):
                    copy.write_row((self.id, number, one.file, one.row, _storable(one.reason)))
            connection.execute(_END, ending)
        if report is not None and not self.dry_run:
            People(self.store).remember(report.names)

    def _opened(self, most: int) -> Reader:
        """The reader of the unpacked files, whose size is told to whoever asks."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(mode=0o700)
        files = unpack(self.upload, name=self.file, into=self.folder, most=most)
        profile, files = self._profile_among(files)
        reader = reader_for(
            self.format,
            [self.folder] if self.format in FOLDERS else sorted(files),
            profile=profile,
            known=LedgerContext(self.store),
            now=self.clock(),
        )
        self._system = reader.system
        self._size = sum(path.stat().st_size for path in reader.files)
        opened = {"id": self.id, "size": self._size, "declared": self.declared}
        self.store.rows(_OPENED, opened)
        return reader

    def _profile_among(self, files: list[Path]) -> tuple[Profile | None, list[Path]]:
        """The profile that came with the files, or that was named or declared, and the others."""
        found = [path for path in files if path.name in PROFILES]
        others = [path for path in files if path not in found]
        # An attempt that a crash broke off has kept what it found.
        texts = {profile_text(path, name=path.name) for path in found}
        texts |= {self.declared} if self.declared else set()
        if len(found) > 1 or len(texts) + bool(self.profile) > 1:
            raise ProfileRefusedError("two profiles: one is enough, named or among the files")
        if not others:
            raise ExportRefusedError("there is nothing to import in it", file=self.file)
        for path in found:
            path.unlink()
        if self.profile:
            return shipped_profile(self.profile), others
        self.declared = next(iter(texts), None)
        if self.declared is None:
            return None, others
        return profile_of(self.declared, name=found[0].name if found else "sent along"), others

    def _of_all_attempts(self, report: ImportReport) -> ImportReport:
        """The report of all attempts together: what an earlier one made is no duplicate."""
        if not self.resumed or self.dry_run:
            return report
        events, deals, gaps = self._made()
        earlier = events - report.events_made
        return replace(
            report,
            events_made=events,
            deals=deals,
            gaps=gaps,
            duplicates=max(0, report.duplicates - earlier),
        )

    def _made(self) -> tuple[int, int, int]:
        """How many events, deals and gaps of this source came since the import began."""
        if self._system is None or self.dry_run:
            return 0, 0, 0
        values = {"after": self.first_position, "caller": caller_of(self._system)}
        ((events, deals, gaps),) = self.store.rows(_MADE, values)
        return events, deals, gaps

    def _take(self, step: Step, count: int) -> None:
        self._step = step
        self._appended += count if step == "appended" else 0
        self._beat()

    def _beat(self) -> None:
        """Tell how far it is, and end it if that was asked for."""
        if self.stop.is_set():
            raise ImportStoppedError
        if not self._due.passed():
            return
        self._due = Deadline.after(_BEAT_SECONDS)
        step = "appending" if self._step == "appended" else "reading"
        told = {"id": self.id, "now": self.clock(), "step": step, **self._figures()}
        if self.store.rows(_TELL, told) == [(True,)]:
            raise ImportCancelledError

    def _figures(self) -> dict[str, object]:
        return {
            "bytes_read": self._meter.bytes_read,
            "rows_read": self.findings.rows_read,
            "events_made": self._appended,
            "duplicates": self.findings.duplicates,
            "rejects": len(self.findings.rejects),
        }

    def _figures_of(self, report: ImportReport) -> dict[str, object]:
        return {
            "bytes_read": self._size,
            "rows_read": report.rows_read,
            "events_made": report.events_made,
            "duplicates": report.duplicates,
            "rejects": len(report.rejects),
        }


def begin(store: EventStore, import_id: UUID, *, now: datetime, counts: bool) -> dict[str, object]:
    """Say that an import runs, and give what was asked; nothing if it has ended.

    `counts` says whether this is another attempt.
    """
    rows = store.rows(_BEGIN, {"id": import_id, "now": now, "counts": int(counts)})
    names = ("format", "file", "profile", "declared", "founding", "dry_run")
    more = ("attempts", "resumed", "first_position")
    return dict(zip((*names, *more), rows[0], strict=True)) if rows else {}


def _report_text(report: ImportReport) -> str:
    told = report.summary() | {"rejects_total": len(report.rejects)}
    return _storable(json.dumps(told, ensure_ascii=False).replace("\\u0000", "\\ufffd"))


def _storable(text: str) -> str:
    """The text as a column can hold it; a message may quote what none can."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
