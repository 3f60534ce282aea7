"""Where the lines of one import wait in the database until all are known, then go to the log."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from time import perf_counter
from typing import Final, LiteralString, Self, TypeAlias
from uuid import UUID

import psycopg
from pydantic_core import PydanticSerializationError

from api.storage import staging_sql
from api.storage.connections import Deadlines, conninfo
from api.storage.copying import Copying
from api.storage.errors import (
    CLOCK_STATES,
    AppendRefusedError,
    ClockRefusedError,
    LedgerNotEmptyError,
    LogUnavailableError,
    StorageError,
)
from api.storage.log_metrics import LogMetrics
from api.storage.staged_lines import WRITTEN, Row, StagedLine, caller_of, staged_row
from api.storage.timekeeper import Timekeeper
from domain.events.life import DealDisqualified, DealLost, DealWon
from domain.events.progress import StageEntered

Progress: TypeAlias = Callable[[int], None]

_DEADLINES: Final = Deadlines(statement=900, lock=30, idle_in_transaction=900)
_WRITTEN_AT_ONCE: Final = 500
_COPIED_AT_ONCE: Final = 10_000
"""The database stores lines while the next are read; one copy must not wait for them too long."""
_EVENTS_AT_ONCE: Final = 1_000
"""A window holds the head's row for as long as it takes, and others wait meanwhile."""
_Place: TypeAlias = tuple[int, str, datetime]
"""The place of a line in the staging table, its stream, and when it occurred."""
_STANDINGS: Final = [event.TOPIC for event in (StageEntered, DealWon, DealLost, DealDisqualified)]
"""What says how a deal stands."""


@dataclass(frozen=True, slots=True)
class StagedReject:
    """A line that does not go to the log, and why."""

    file: str
    row: int
    reason: str


class UnstorableLineError(ValueError):
    """The line holds what the database cannot; the message says what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StagingReport:
    """What became of the lines, or would; `topics` counts those that were appended by topic.

    `restated` of them amend what an earlier import of the source said.
    """

    appended: int
    duplicates: int
    deals: int
    restated: int
    topics: Mapping[str, int]


class Staging:
    """The staging table of one import; it is gone with the `with` block."""

    def __init__(
        self, dsn: str, *, schema: str, system: str, metrics: LogMetrics, timekeeper: Timekeeper
    ) -> None:
        self._target = conninfo(dsn, schema=schema, deadlines=_DEADLINES)
        self._system = system
        self._metrics = metrics
        self._timekeeper = timekeeper
        self._buffer: list[Row] = []
        self._copying: Copying | None = None
        self._seq = 0
        self._known = 0
        self._identified = False
        self._written = False
        self._referring = False
        self._stating = False
        self._opened_only = False
        self._dealless: bool | None = None
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

        Raises:
            UnstorableLineError: no column can hold what its texts hold.
        """
        seq = self.reserve() if place is None else place
        self._identified |= line.kept is not None
        self._written |= line.kept is None
        self._stating |= line.stated_at is not None
        self._referring |= line.caused_by is not None or line.refers_to is not None
        try:
            self._buffer.append(staged_row(line, seq=seq, system=self._system))
        except (PydanticSerializationError, ValueError) as error:
            raise UnstorableLineError(f"cannot be stored: {error}") from error
        if len(self._buffer) >= _WRITTEN_AT_ONCE:
            self._write()

    def named(self, names: Collection[str]) -> dict[str, tuple[str, UUID]]:
        """The topics and ids of staged lines by name: the source's id of each, or ours."""
        self._flush()
        if not names:
            return {}
        found: dict[str, tuple[str, UUID]] = {}
        for external_id, event_id, topic in self._rows(staging_sql.NAMED, names=sorted(names)):
            found |= {external_id: (topic, event_id), str(event_id): (topic, event_id)}
        return {name: known for name, known in found.items() if name in names}

    def reject_unopened(self) -> None:
        """Lets the lines of deals be rejected that no line of the import opens, nor the log.

        Only what was exported comes back as the part of a log that it is, be the openings in it
        or not, and what was written after it goes on with that.
        """
        self._opened_only = True

    def reject_without_deals(self, *, rejected: bool) -> None:
        """Lets all of a new source be rejected where no deal is told, if something is a reject.

        `rejected` says whether something is one already that was never staged.
        """
        self._dealless = rejected

    def check(self, *, founding: bool) -> StagingReport:
        """What `append` would report; changes nothing in the log.

        Raises:
            LedgerNotEmptyError: a founding import cannot be appended to this ledger.
        """
        self._decide(founding=founding)
        return self._report()

    def append(self, *, founding: bool, progress: Progress | None = None) -> StagingReport:
        """Appends the lines that are new; `progress` is told how many more are in the log.

        A founding import is appended whole or not at all, in the order of the source's recording
        times; one that the log has already changes nothing. Any other goes in windows, stream by
        stream, and may be run again if it was interrupted: what is stored then is of whole deals,
        or, of a deal that is too long for a window, of whole moments.

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
        return self._report()

    def _write(self) -> None:
        with _loss_told():
            if self._copying is None:
                self._copying = Copying(self._open())
            self._copying.write(self._buffer)
            self._buffer.clear()
            if self._copying.rows >= _COPIED_AT_ONCE:
                self._end_copying()

    def rejects(self) -> Iterator[StagedReject]:
        """The lines that do not go to the log, once that is decided, in the order of staging."""
        with _loss_told(), self._open().cursor("rejects", withhold=True) as cursor:
            cursor.execute(staging_sql.REJECTS)
            for row in cursor:
                yield StagedReject(*row)

    def _flush(self) -> None:
        self._write()
        with _loss_told():
            self._end_copying()

    def _end_copying(self) -> None:
        if self._copying is not None:
            self._copying.close()
            self._copying = None

    def _decide(self, *, founding: bool) -> None:
        """Settles which lines are new, which are known and which cannot be, by one log."""
        self._flush()
        if self._referring:
            self._run(staging_sql.INDEX)
        with self._transaction():
            self._run(staging_sql.AS_IT_IS)
            self._compare(founding=founding)

    def _compare(self, *, founding: bool) -> None:
        if self._referring:
            self._run(staging_sql.REFERRED)
            self._run(staging_sql.REFERRED_CAUSE)
        ((self._known,),) = self._rows(staging_sql.HEAD)
        if self._stating:
            self._run(staging_sql.RESTATED)
            self._run(staging_sql.OFFERED_AGAIN)
        self._run(staging_sql.STORED)
        self._run(staging_sql.REPEATED)
        if self._identified:
            self._run(staging_sql.STORED_ID)
            self._run(staging_sql.REPEATED_ID)
        if founding:
            self._run(staging_sql.RECORDED)
            self._run(staging_sql.FUTURE)
        if self._opened_only and self._written:
            self._run(staging_sql.EARLY, standings=_STANDINGS)
        self._reject_groundless()
        if self._referring:
            self._run(staging_sql.CAUSED)
        for (refusal,) in self._rows(staging_sql.REFUSALS) if founding else ():
            raise LedgerNotEmptyError(refusal)

    def _reject_groundless(self) -> None:
        """Rejects what rests on nothing, until nothing rests on what was rejected."""
        resting = [staging_sql.UNCAUSED, staging_sql.UNKNOWN] if self._referring else []
        if self._opened_only and self._written:
            resting.append(staging_sql.UNOPENED)
        while sum(self._run(statement) for statement in resting):
            pass
        if self._dealless is not None and not self._identified:
            self._run(staging_sql.DEALLESS, rejected=self._dealless)

    def _append_founding(self, progress: Progress) -> None:
        self._timekeeper.now()  # every line is kept with the time at which it was imported
        started = perf_counter()
        try:
            total = sum(count for (count,) in self._rows(staging_sql.APPEND_FOUNDING))
        except psycopg.Error as error:
            raise _refusal(error) from error
        self._metrics.imported(total, perf_counter() - started)
        progress(total)

    def _append_rounds(self, progress: Progress) -> None:
        # Each time the log has more of the lines than before, so this comes to an end.
        while self._append_windows(progress):
            self._run(staging_sql.NEXT_ROUND)
            self._decide(founding=False)

    def _append_windows(self, progress: Progress) -> bool:
        """Appends what has no fate yet, until another import is quicker; says whether one was."""
        overtaken = False
        with _loss_told(), self._open().cursor("lines", withhold=True) as cursor:
            cursor.itersize = _EVENTS_AT_ONCE
            cursor.execute(staging_sql.TO_APPEND)
            for seqs in _windows(cursor):
                if overtaken:
                    self._run(staging_sql.OVERTAKEN, seqs=seqs)
                else:
                    overtaken = self._append_window(seqs, progress)
        return overtaken

    def _append_window(self, seqs: Sequence[int], progress: Progress) -> bool:
        """Appends some lines, or says that another import was quicker with one of them.

        Where the database refuses them, all but the guilty ones are appended.
        """
        sent_at, started = self._timekeeper.now(), perf_counter()
        try:
            with self._transaction():
                ((total,),) = self._rows(
                    staging_sql.APPEND_WINDOW, sent_at=sent_at, known=self._known, seqs=seqs
                )
                if total < len(seqs):
                    raise psycopg.Rollback
        except psycopg.Error as error:
            return self._refused(seqs, _refusal(error), progress)
        self._timekeeper.agreed()
        if total < len(seqs):
            self._run(staging_sql.OVERTAKEN, seqs=seqs)
            return True
        self._known += total
        self._metrics.imported(total, perf_counter() - started)
        progress(total)
        return False

    def _refused(self, seqs: Sequence[int], refusal: StorageError, progress: Progress) -> bool:
        """Finds by halves which lines the database refuses."""
        if isinstance(refusal, ClockRefusedError):
            self._timekeeper.refused(refusal)
        if not isinstance(refusal, AppendRefusedError):
            raise refusal
        if len(seqs) == 1:
            self._metrics.refused(1)
            self._run(staging_sql.MARK_REFUSED, seq=seqs[0], reason=str(refusal))
            return False
        middle = len(seqs) // 2
        first = self._append_window(seqs[:middle], progress)
        return self._append_window(seqs[middle:], progress) or first

    def _report(self) -> StagingReport:
        topics: dict[str, int] = dict(self._rows(staging_sql.TOPICS))
        ((duplicates, deals, restated),) = self._rows(staging_sql.COUNTS)
        return StagingReport(
            appended=sum(topics.values()),
            duplicates=duplicates,
            deals=deals,
            restated=restated,
            topics=topics,
        )

    def _run(self, statement: LiteralString, **parameters: object) -> int:
        """Runs a statement and counts the lines that it changed."""
        return self._execute(statement, parameters).rowcount

    def _rows(self, statement: LiteralString, **parameters: object) -> list[Row]:
        return self._execute(statement, parameters).fetchall()

    def _execute(self, statement: LiteralString, given: dict[str, object]) -> psycopg.Cursor[Row]:
        always = {"system": self._system, "caller": caller_of(self._system), "written": WRITTEN}
        with _loss_told():
            return self._open().execute(statement, always | given)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with _loss_told(), self._open().transaction():
            yield

    def _open(self) -> psycopg.Connection[Row]:
        if self._connection is None:
            raise RuntimeError("a staging is used in a `with` block")
        return self._connection


def _windows(places: Iterable[_Place]) -> Iterator[list[int]]:
    """Windows of whole deals: of one that is half told it would not be known what was left out."""
    window: list[int] = []
    for seqs in _together(places):
        if window and len(window) + len(seqs) > _EVENTS_AT_ONCE:
            yield window
            window = []
        window += seqs
    if window:
        yield window


def _together(places: Iterable[_Place]) -> Iterator[list[int]]:
    """The lines of each stream, those of one that is too long for a window moment by moment."""
    for _, lines in groupby(places, key=itemgetter(1)):
        seqs: list[int] = []
        for _, moment in groupby(lines, key=itemgetter(2)):
            told = [seq for seq, _, _ in moment]
            if seqs and len(seqs) + len(told) > _EVENTS_AT_ONCE:
                yield seqs
                seqs = []
            seqs += told
        yield seqs


@contextmanager
def _loss_told() -> Iterator[None]:
    try:
        yield
    except psycopg.OperationalError as error:
        message = f"the database was lost during the import: {str(error).strip()}"
        raise LogUnavailableError(message) from error


def _refusal(error: psycopg.Error) -> StorageError:
    detail = error.diag.message_primary or str(error)
    if error.sqlstate == "DT003":
        return LedgerNotEmptyError(detail)
    if error.sqlstate in CLOCK_STATES:
        return ClockRefusedError(f"a clock jumped: {detail}")
    return AppendRefusedError(f"the database refuses this append: {detail}")


def _silent(_: int) -> None:
    return None
