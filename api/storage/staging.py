"""Where the lines of one import wait in the database until all are known, then go to the log."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, LiteralString, Self, TypeAlias

import psycopg
from pydantic_core import PydanticSerializationError

from api.storage import staging_sql
from api.storage.committer import Committer
from api.storage.connections import Deadlines, conninfo
from api.storage.errors import (
    CLOCK_STATES,
    AppendRefusedError,
    ClockRefusedError,
    ExternalIdTakenError,
    LedgerNotEmptyError,
    LogUnavailableError,
    StorageError,
)
from api.storage.staged_lines import (
    Row,
    StagedLine,
    StagedRequest,
    staged_requests,
    staged_row,
)
from api.storage.timekeeper import Timekeeper

Progress: TypeAlias = Callable[[int], None]

_DEADLINES: Final = Deadlines(statement=900, lock=30, idle_in_transaction=900)
_COPIED_AT_ONCE: Final = 2000
_REQUESTS_AT_ONCE: Final = 512
_EVENTS_AT_ONCE: Final = 5_000
"""Events held in memory at once on their way to the log."""
_ROUNDS: Final = 3
"""Another import of the same lines may come between; what it stored is seen in the next round."""


@dataclass(frozen=True, slots=True)
class StagedReject:
    """A line that does not go to the log, and why."""

    file: str
    row: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StagingReport:
    """What became of the lines, or would; `topics` counts those that were appended by topic."""

    appended: int
    duplicates: int
    deals: int
    rejects: tuple[StagedReject, ...]
    topics: Mapping[str, int]


class Staging:
    """The staging table of one import; it is gone with the `with` block."""

    def __init__(
        self, dsn: str, *, schema: str, system: str, committer: Committer, timekeeper: Timekeeper
    ) -> None:
        self._target = conninfo(dsn, schema=schema, deadlines=_DEADLINES)
        self._system = system
        self._committer = committer
        self._timekeeper = timekeeper
        self._buffer: list[Row] = []
        self._unfit: list[StagedReject] = []
        self._seq = 0
        self._identified = False
        self._connection: psycopg.Connection[Row] | None = None

    def __enter__(self) -> Self:
        with _loss_told():
            self._connection = psycopg.connect(self._target, autocommit=True)
            self._connection.execute(staging_sql.OPEN)
        return self

    def __exit__(self, *_: object) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def reserve(self) -> int:
        """Gives the place of a line that is added later, after which others may come before it."""
        self._seq += 1
        return self._seq

    def add(self, line: StagedLine, *, place: int | None = None) -> None:
        """Stages a line, at a place that was reserved or at the end.

        One whose text cannot be stored is a reject.
        """
        seq = self.reserve() if place is None else place
        self._identified |= line.kept is not None
        try:
            self._buffer.append(staged_row(line, seq=seq, system=self._system))
        except (PydanticSerializationError, ValueError) as error:
            self._unfit.append(StagedReject(line.file, line.row, f"cannot be stored: {error}"))
        if len(self._buffer) >= _COPIED_AT_ONCE:
            self._flush()

    def topics(self, names: Collection[str]) -> dict[str, str]:
        """The topics of staged lines by name: the source's id of each, or ours."""
        self._flush()
        if not names:
            return {}
        found: dict[str, str] = {}
        for external_id, event_id, topic in self._rows(staging_sql.TOPICS_OF, names=sorted(names)):
            found |= {external_id: topic, event_id: topic}
        return found

    def check(self, *, founding: bool) -> StagingReport:
        """What `append` would report; changes nothing in the log.

        Raises:
            LedgerNotEmptyError: a founding import cannot be appended to this ledger.
        """
        self._decide(founding=founding)
        return self._report(fate=None)

    def append(self, *, founding: bool, progress: Progress | None = None) -> StagingReport:
        """Appends the lines that are new; `progress` is told how many more are in the log.

        A founding import is appended whole or not at all, in the order of the source's recording
        times. Any other goes stream by stream, and may be run again if it was interrupted.

        Raises:
            LedgerNotEmptyError: a founding import needs a ledger without deals.
            LogUnavailableError: the database was lost, or a clock jumped; of an ordinary import a
                part may be stored.
        """
        self._decide(founding=founding)
        if founding:
            self._append_founding(progress or _silent)
        else:
            self._append_rounds(progress or _silent)
        return self._report(fate="appended")

    def _flush(self) -> None:
        with _loss_told(), self._open().cursor() as cursor, cursor.copy(staging_sql.COPY) as copy:
            for row in self._buffer:
                copy.write_row(row)
        self._buffer.clear()

    def _decide(self, *, founding: bool) -> None:
        """Settles which lines are new, which are known and which cannot be."""
        self._flush()
        self._run(staging_sql.INDEX)
        self._run(staging_sql.STORED)
        self._run(staging_sql.REPEATED)
        if self._identified:
            self._run(staging_sql.STORED_ID)
            self._run(staging_sql.REPEATED_ID)
        if founding:
            self._run(staging_sql.RECORDED)
            self._run(staging_sql.FUTURE)
            refusal = self._rows(staging_sql.REFUSAL)[0][0]
            if refusal is not None:
                raise LedgerNotEmptyError(refusal)
        while self._run(staging_sql.UNCAUSED) + self._run(staging_sql.UNKNOWN):
            pass
        self._run(staging_sql.CAUSED)

    def _append_founding(self, progress: Progress) -> None:
        self._timekeeper.now()  # every line is kept with the time at which it was imported
        try:
            total = self._rows(staging_sql.APPEND_FOUNDING)[0][0]
        except psycopg.Error as error:
            raise _founding_error(error) from error
        self._run(staging_sql.MARK_APPENDED)
        progress(total)

    def _append_rounds(self, progress: Progress) -> None:
        for _ in range(_ROUNDS):
            if not self._append_streams(progress):
                return
            self._decide(founding=False)
        raise LogUnavailableError("another import of this source is running; start again after it")

    def _append_streams(self, progress: Progress) -> bool:
        """Appends what has no fate yet; says whether another import was quicker somewhere."""
        overtaken = False
        connection = self._open()
        with _loss_told(), connection.transaction(), connection.cursor("lines") as cursor:
            cursor.itersize = _COPIED_AT_ONCE
            cursor.execute(staging_sql.TO_APPEND)
            asked = staged_requests(cursor, system=self._system)
            for window in _windows(asked):
                overtaken |= self._append_window(window, progress)
        return overtaken

    def _append_window(self, window: Sequence[StagedRequest], progress: Progress) -> bool:
        outcomes = self._committer.append_many_blocking([each.request for each in window])
        stored: list[int] = []
        overtaken = False
        for asked, outcome in zip(window, outcomes, strict=True):
            if not isinstance(outcome, AppendRefusedError):
                stored += asked.seqs
            elif isinstance(outcome, ExternalIdTakenError):
                overtaken = True
            elif len(asked.seqs) > 1:
                overtaken |= self._append_window(asked.apart(), progress)
            else:
                self._run(staging_sql.MARK_REFUSED, seq=asked.seqs[0], reason=str(outcome))
        self._run(staging_sql.MARK_THESE, seqs=stored)
        progress(len(stored))
        return overtaken

    def _report(self, *, fate: str | None) -> StagingReport:
        topics: dict[str, int] = dict(self._rows(staging_sql.TOPICS, fate=fate))
        ((duplicates, deals),) = self._rows(staging_sql.COUNTS, fate=fate)
        rejects = [StagedReject(*row) for row in self._rows(staging_sql.REJECTS)]
        return StagingReport(
            appended=sum(topics.values()),
            duplicates=duplicates,
            deals=deals,
            rejects=(*self._unfit, *rejects),
            topics=topics,
        )

    def _run(self, statement: LiteralString, **parameters: object) -> int:
        """Runs a statement and counts the lines that it changed."""
        return self._execute(statement, parameters).rowcount

    def _rows(self, statement: LiteralString, **parameters: object) -> list[Row]:
        return self._execute(statement, parameters).fetchall()

    def _execute(self, statement: LiteralString, given: dict[str, object]) -> psycopg.Cursor[Row]:
        always = {"system": self._system, "caller": f"import:{self._system}"}
        with _loss_told():
            return self._open().execute(statement, always | given)

    def _open(self) -> psycopg.Connection[Row]:
        if self._connection is None:
            raise RuntimeError("a staging is used in a `with` block")
        return self._connection


def _windows(asked: Iterable[StagedRequest]) -> Iterator[list[StagedRequest]]:
    """The appends in lots of bounded size, however long streams are."""
    window: list[StagedRequest] = []
    events = 0
    for one in asked:
        window.append(one)
        events += len(one.seqs)
        if len(window) >= _REQUESTS_AT_ONCE or events >= _EVENTS_AT_ONCE:
            yield window
            window, events = [], 0
    if window:
        yield window


@contextmanager
def _loss_told() -> Iterator[None]:
    try:
        yield
    except psycopg.OperationalError as error:
        message = f"the database was lost during the import: {str(error).strip()}"
        raise LogUnavailableError(message) from error


def _founding_error(error: psycopg.Error) -> StorageError:
    detail = error.diag.message_primary or str(error)
    if error.sqlstate == "DT003":
        return LedgerNotEmptyError(detail)
    if error.sqlstate in CLOCK_STATES:
        return ClockRefusedError(f"a clock jumped: {detail}")
    return AppendRefusedError(f"the database refuses this import: {detail}")


def _silent(_: int) -> None:
    return None
