"""Keeps the rows that auditors read by SQL: behind the projections, and all at one position."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from threading import Event as Flag
from typing import Final
from uuid import UUID

import psycopg
import structlog
from psycopg import sql

from api import clock
from api.audit.quarters import NEVER, quarters
from api.audit.rows import TABLES, Row, Told
from api.context import CONTEXT_TOPICS, ContextReader
from api.deal_reader import DealReader, Deals
from api.kept_verdicts import KEPT_IN
from api.parking import parked_deals
from api.storage.errors import StorageError
from api.storage.log_reader import LogReader
from api.worker import PATIENCE, POLL_SECONDS, RETRY_SECONDS, Worker, locked_position
from domain.calendars import CalendarHistory
from domain.fiscal import OutsideCalendarError
from domain.replay import Event, view
from projections.attainment.projection import ledger
from projections.batch import deal_of
from projections.facts import Rows
from projections.pressure.context import KnownContext
from projections.pressure.dirty import rederived

NAME: Final = KEPT_IN
"""Under which the position of the rows, and the deals without any, are kept."""
OWN: Final = (*TABLES, "audit_quarters", "audit_members")
"""All tables that are written here."""
_DEALS_AT_ONCE: Final = 200
"""Deals that are told together: so many take about a second, after which a stop is heeded."""
_FOLLOWED: Final = 50
"""As many events are followed one by one however few deals there are."""
_FEW: Final = 4
"""To find what one event changes takes about as long as to tell so many deals anew."""
_AHEAD: Final = timedelta(days=3 * 366)
"""How far after the last event quarters are told, for dates that lie ahead."""
_SHARE: Final = 2
"""How many times as long as it took to tell the rows nobody tells them again: what is appended
all the time shall not keep the worker from its projections."""
_SMALL: Final = ("quota.", "forecast.")
"""Of the context, what changes no more verdicts than `rederived` finds."""


class StoppedError(Exception):
    """Nobody waits for the rows any more; what was told of them is given up."""


class AuditTables:
    """Tells the rows anew of those deals that read otherwise since they were told."""

    def __init__(self, store: LogReader, context: ContextReader, worker: Worker) -> None:
        """Take the worker whose projections the rows rest on."""
        self._store = store
        self._context = context
        self._worker = worker
        self._log = structlog.get_logger("dealtrail.audit")

    def run(self, stop: Flag) -> None:
        """Follow the projections until told to stop; a database that is away is waited for."""
        while not stop.is_set():
            try:
                begun = clock.now()
                position = self.catch_up(stop=stop)
                stop.wait(_SHARE * (clock.now() - begun).total_seconds())
                self._store.wait_for(position + 1, timeout=POLL_SECONDS, stopped=stop.is_set)
            except StoppedError:
                return
            except StorageError as error:
                self._log.warning("the rows of auditors wait for the database", reason=str(error))
                stop.wait(RETRY_SECONDS)
            except Exception:  # noqa: BLE001 - who follows must not end, and would be missed by nobody
                self._log.exception("the rows of auditors stand still; trying again")
                stop.wait(RETRY_SECONDS)

    def catch_up(self, *, stop: Flag | None = None) -> int:
        """Bring all rows to where the projections stand, in one transaction; give the position."""
        with self._store.connection() as connection, connection.transaction():
            connection.execute(PATIENCE)
            after, upto = locked_position(connection, NAME), self._worker.position()
            own, generation = _generations(connection)
            # A ledger without events may have no projections yet, and has nothing to tell.
            if not upto or (after >= upto and own == generation):
                return after
            # From other rows than were there before, nothing that was told need hold.
            self._tell(connection, after if own == generation else 0, upto, stop)
            connection.execute(
                "UPDATE projections SET position = %s, generation = %s WHERE name = %s",
                (upto, generation, NAME),
            )
        return upto

    def _tell(self, connection: Rows, after: int, upto: int, stop: Flag | None) -> None:
        reader = DealReader(self._store)
        reader.touched(upto, upto)
        every = _every_deal(connection, upto)
        changed = self._changed(connection, after, upto, deals=len(every))
        if changed is None:
            _forget(connection, None)
        else:
            changed |= {one.deal_id for one in parked_deals(connection, NAME)}
        wanted = sorted(every if changed is None else changed)
        context = self._context_at(connection, upto)
        for start in range(0, len(wanted), _DEALS_AT_ONCE):
            if stop and stop.is_set():
                raise StoppedError
            chunk = wanted[start : start + _DEALS_AT_ONCE]
            if changed is not None:
                _forget(connection, chunk)
            _write(connection, reader.deals(chunk, keep=False), context)
        if changed is None:
            _tell_members(connection, context)
        self._tell_quarters(connection, after if changed is not None else 0, context)

    def _changed(self, connection: Rows, after: int, upto: int, *, deals: int) -> set[UUID] | None:
        """Give the deals that read otherwise since; None for all of them."""
        if not after or upto - after > max(_FOLLOWED, deals // _FEW):
            return None
        rows = connection.execute(
            "SELECT position, stream_id, topic FROM events"
            " WHERE position > %s AND position <= %s ORDER BY position",
            (after, upto),
        ).fetchall()
        if any(t in CONTEXT_TOPICS and not t.startswith(_SMALL) for _, _, t in rows):
            return None
        found: set[UUID] = set()
        for position, stream_id, _ in rows:
            deal_id = deal_of(stream_id)
            found |= {deal_id} if deal_id else set()
            found |= {
                one.deal_id
                for one in rederived(lambda at: self._context_at(connection, at), position, deal_id)
            }
        return found

    def _context_at(self, connection: Rows, position: int) -> KnownContext:
        at = self._store.recorded_at_of(position)
        return KnownContext(
            connection,
            known=self._context.known(position),
            as_of=position,
            at=at or NEVER,
            ledger=ledger,
        )

    def _tell_quarters(self, connection: Rows, after: int, context: KnownContext) -> None:
        """Give the quarters of everything told, unless those are there already."""
        ((first, told_upto),) = connection.execute(
            "SELECT min(from_instant), max(to_instant) FROM audit_quarters WHERE %s > 0", (after,)
        ).fetchall()
        earliest = _earliest(connection, after, context)
        last = context.at + _AHEAD
        if first is not None and first <= earliest and last <= told_upto:
            return
        connection.execute("DELETE FROM audit_quarters")
        since = earliest if first is None else min(first, earliest)
        _copy(connection, "audit_quarters", list(quarters(context.calendar, since, last)))


def _earliest(connection: Rows, after: int, context: KnownContext) -> datetime:
    """Give the first instant that what was told after a position is of, or a quota of all.

    A quota may be of a quarter that was over before anything else occurred.
    """
    ((first,),) = connection.execute(
        "SELECT least(min(occurred_at), min(source_recorded_at)) FROM events"
        " WHERE position > %s AND position <= %s",
        (after, context.as_of),
    ).fetchall()
    named = {one.quarter for one in context.known.quotas.values()}
    begun = [_begun(context.calendar, name) for name in named]
    earliest: datetime = min([first, *(at for at in begun if at is not None)])
    return earliest


def _begun(calendar: CalendarHistory, quarter: str) -> datetime | None:
    try:
        return calendar.quarter_named(quarter).start_instant
    except OutsideCalendarError:
        return None


def _generations(connection: Rows) -> tuple[int, int]:
    """Give which rows of projections those here were told from, and which there are.

    All together: of two that come at once, the one with the smaller number may come last.
    """
    row = connection.execute(
        "SELECT max(generation) FILTER (WHERE name = %(own)s),"
        " sum(generation) FILTER (WHERE name <> %(own)s)::bigint FROM projections",
        {"own": NAME},
    ).fetchone()
    own, others = row or (0, 0)
    return own, others


def _every_deal(connection: Rows, upto: int) -> list[UUID]:
    """Give all deals that something is told of, opened or not."""
    rows = connection.execute(
        "SELECT stream_id FROM events WHERE version = 1 AND position <= %s"
        " AND stream_id >= 'deal:' AND stream_id < 'deal;'",
        (upto,),
    ).fetchall()
    return [deal_id for (stream_id,) in rows if (deal_id := deal_of(stream_id))]


def _tell_members(connection: Rows, context: KnownContext) -> None:
    connection.execute("DELETE FROM audit_members")
    rows = [
        {
            "rep": one.rep,
            "team": one.team,
            "manager": one.manager,
            "role": one.role,
            "joined_at": one.joined,
            "left_at": one.left,
            "event_ids": list(one.events),
        }
        for one in context.known.memberships
    ]
    _copy(connection, "audit_members", rows)


def _forget(connection: Rows, deal_ids: Sequence[UUID] | None) -> None:
    """Delete the rows of some deals, or of all."""
    ids = None if deal_ids is None else list(deal_ids)
    for table in TABLES:
        connection.execute(
            sql.SQL("DELETE FROM {} WHERE %s::uuid[] IS NULL OR deal_id = ANY(%s)").format(
                sql.Identifier(table)
            ),
            (ids, ids),
        )
    connection.execute(
        "DELETE FROM parked WHERE projection = %s AND (%s::uuid[] IS NULL OR deal_id = ANY(%s))",
        (NAME, ids, ids),
    )


def _write(connection: Rows, deals: Deals, context: KnownContext) -> None:
    """Write the rows of deals; one that cannot be told is parked, and has none."""
    elsewhere = {one.deal_id for one in parked_deals(connection)}
    rows: dict[str, list[Row]] = {table: [] for table in TABLES}
    for deal_id, stream in deals.streams.items():
        if deal_id in elsewhere or deal_id in deals.unreadable:
            continue
        try:
            own = _rows_of(deal_id, stream, context)
        except psycopg.Error:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, other deals go on
            _park(connection, deal_id, stream[-1].position, error)
            continue
        for table, found in own.items():
            rows[table] += found
    for table, found in rows.items():
        _copy(connection, table, found)


def _rows_of(deal_id: UUID, stream: Sequence[Event], context: KnownContext) -> dict[str, list[Row]]:
    events = view(stream)
    told = Told(deal_id, stream, events, context.known.processes(events), context)
    return {
        table: [{"deal_id": deal_id, **row} for row in rows(told)] for table, rows in TABLES.items()
    }


def _park(connection: Rows, deal_id: UUID, position: int, error: Exception) -> None:
    reason = f"{type(error).__name__}: {error}"
    connection.execute(
        "INSERT INTO parked (projection, deal_id, position, reason) VALUES (%s, %s, %s, %s)",
        (NAME, deal_id, position, reason),
    )


def _copy(connection: Rows, table: str, rows: Sequence[Row]) -> None:
    if not rows:
        return
    columns = list(rows[0])
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row([row[name] for name in columns])
