"""When ticks counted on the board of a quarter, and when positions were: on either clock."""

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from uuid import UUID

from psycopg import sql

from api.replays import Replay
from api.storage.log_reader import LogReader
from projections.facts import Rows
from projections.quarter.board_tape import Span


class Times:
    """When positions of the log were recorded; each is read once."""

    def __init__(self, store: LogReader, default: datetime) -> None:
        """Take where to read; `default` is for the position 0, at which nothing was."""
        self._store = store
        self._known = {0: default}

    def __call__(self, position: int) -> datetime:
        """Give when a position was recorded."""
        if position not in self._known:
            self.read([position])
        return self._known[position]

    def read(self, positions: Iterable[int | None]) -> None:
        """Read many at once."""
        missing = {at for at in positions if at is not None and at not in self._known}
        if missing:
            rows = self._store.rows(
                "SELECT position, recorded_at FROM events WHERE position = ANY(%(positions)s)",
                {"positions": sorted(missing)},
            )
            self._known |= dict(rows)


def tick_spans(
    connection: Rows, replay: Replay, deal_ids: Collection[UUID], times: Times
) -> list[Span]:
    """Give since when, and until when, ticks of deals were evidenced, due or checkbox-only."""
    known = replay.clock == "as_known"
    where = (
        "until_at IS NULL AND from_position <= %(end)s"
        " AND (until_position IS NULL OR until_position > %(start)s)"
        if known
        else "from_position <= %(end)s AND (until_position IS NULL OR until_position > %(end)s)"
    )
    last = replay.last_position
    rows = connection.execute(
        sql.SQL(
            "SELECT deal_id, from_position, until_position, from_at, until_at, settles_at,"
            " reached_at FROM ticks WHERE expressible AND deal_id = ANY(%(deals)s) AND {}"
        ).format(sql.SQL(where)),
        {"deals": list(deal_ids), "end": last, "start": replay.start.coordinate},
    )
    found: list[Span] = []
    told = rows.fetchall()
    if known:
        times.read(at for row in told for at in row[1:3])
    for deal_id, since, until, from_at, until_at, settles_at, reached_at in told:
        if known:
            ends = None if until is None or until > last else times(until)
            found += _tick(deal_id, times(since), ends, settles_at, reached_at and times(since))
        else:
            found += _tick(deal_id, from_at, until_at, settles_at, reached_at)
    return found


def _tick(
    deal_id: UUID,
    since: datetime,
    until: datetime | None,
    settles_at: datetime,
    reached_at: datetime | None,
) -> Iterator[Span]:
    """Give what a tick counts as, one after the other; what never was has no length."""
    reached = _earliest(until, reached_at)
    yield Span(deal_id, "due", since, _earliest(reached, settles_at))
    yield Span(deal_id, "checkbox_only", max(since, settles_at), reached)
    if reached_at is not None:
        yield Span(deal_id, "evidenced", max(since, reached_at), until)


def _earliest(one: datetime | None, other: datetime | None) -> datetime | None:
    return min((at for at in (one, other) if at is not None), default=None)
