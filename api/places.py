"""Where a question stands among the states of all deals: on which clock, and what differs there."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, LiteralString
from uuid import UUID

import orjson
from psycopg import sql

from api.moment import Moment
from api.storage.log_reader import LogReader
from domain.replay import Event
from domain.stamp import FUTURE_TOLERANCE
from projections.batch import DEAL_PREFIX, deal_of
from projections.facts import Rows
from projections.pressure.kept_stays import KeptStays
from projections.pressure.others import Reading
from projections.spans import read
from projections.spans.course import course
from projections.spans.fold import CORRECTIONS, TOPICS, DealState
from projections.spans.read import At, Stood

_STATE: Final = sql.SQL(", ").join(map(sql.Identifier, DealState._fields))


@dataclass(frozen=True, slots=True)
class Place:
    """The states of all deals as known and as true at a moment.

    They are those of a place on one of the clocks, but for the deals of `refolded`, of which
    something was told after the moment: None where nothing was known or true of one yet.
    """

    at: At
    refolded: Mapping[UUID, Stood | None]

    @property
    def open_deals(self) -> sql.Composed:
        """The open deals as a table: deal_id, since_position and the state."""
        return self._with(read.open_deals(self.at), "closed IS NULL AND NOT deleted")

    def deals_out(self, *, closed_since: datetime | None = None) -> sql.Composed:
        """Give the closed and deleted deals as such a table; or those closed since an instant."""
        table = self._with(read.deals_out(self.at), "closed IS NOT NULL OR deleted")
        if closed_since is None:
            return table
        return sql.SQL("(SELECT * FROM {} c WHERE closed_at >= {})").format(
            table, sql.Literal(closed_since)
        )

    @property
    def all_deals(self) -> sql.Composed:
        """All deals as such a table."""
        return sql.SQL("({} UNION ALL {})").format(self.open_deals, self.deals_out())

    def states(self, connection: Rows, deal_ids: Iterable[UUID]) -> dict[UUID, Stood]:
        """Give what some deals were."""
        ids = list(deal_ids)
        found = read.states(connection, self.at, [i for i in ids if i not in self.refolded])
        again = {i: self.refolded.get(i) for i in ids}
        return found | {i: one for i, one in again.items() if one is not None}

    def _with(self, table: sql.Composed, wanted: LiteralString) -> sql.Composed:
        """Put the deals that were folded again in the place of what the table says of them."""
        if not self.refolded:
            return table
        rows = [
            {"deal_id": one.deal_id, "since_position": one.since_position, **one.state._asdict()}
            for one in self.refolded.values()
            if one is not None
        ]
        return sql.SQL(
            "(SELECT * FROM {table} t WHERE deal_id <> ALL({ids}::uuid[]) UNION ALL"
            " SELECT deal_id, since_position, {state}"
            " FROM json_populate_recordset(NULL::hindsight_spans, {rows}) r WHERE {wanted})"
        ).format(
            table=table,
            ids=sql.Literal([str(deal_id) for deal_id in self.refolded]),
            state=_STATE,
            rows=sql.Literal(orjson.dumps(rows, default=str).decode()),
            wanted=sql.SQL(wanted),
        )


class Places:
    """Finds the place of a moment that the views have reached."""

    def __init__(self, store: LogReader, views: Callable[[], int]) -> None:
        self._store = store
        self._views = views
        self._stays = KeptStays()

    def of(self, connection: Rows, moment: Moment) -> Place:
        """Give the place of a moment: what was known at its position and, if cut, true by then."""
        if moment.cut is None or not self._something_later(connection, moment):
            return Place(read.known_at(moment.position), {})
        return self.happened(connection, moment.cut, moment.position)

    def happened(self, connection: Rows, instant: datetime, position: int) -> Place:
        """Give the place of what had happened by an instant, as known at a position."""
        views = self._views()
        at = read.happened_by(connection, instant, views=views)
        return Place(at, self._refolded(connection, instant, position, views))

    def told_since(
        self, connection: Rows, position: int, *, of: datetime | None = None
    ) -> list[UUID]:
        """Give the deals of which something was told since, as far as the views know.

        With `of`, only those of which it may bear on the state that they had at an instant.
        """
        rows = connection.execute(
            "SELECT DISTINCT stream_id FROM events WHERE position > %s AND position <= %s"
            " AND stream_id >= 'deal:' AND stream_id < 'deal;'"
            " AND (occurred_at <= coalesce(%s::timestamptz, 'infinity') OR topic = ANY(%s))",
            (position, self._views(), of, sorted(CORRECTIONS)),
        ).fetchall()
        return [deal_id for (stream,) in rows if (deal_id := deal_of(stream))]

    def streams(self, deal_ids: Sequence[UUID], position: int) -> Mapping[UUID, Sequence[Event]]:
        """Give the raw streams of deals as known at a position."""
        names = [f"{DEAL_PREFIX}{deal_id}" for deal_id in deal_ids]
        found = self._store.streams(names, upto=position)
        return {i: found[name] for i, name in zip(deal_ids, names, strict=True)}

    def reading(self, cut: datetime | None) -> Reading:
        """Give how questions read the facts of all deals, with what is kept for all of them."""
        return Reading(self.streams, cut, self._stays.read)

    def _refolded(
        self, connection: Rows, instant: datetime, position: int, views: int
    ) -> dict[UUID, Stood | None]:
        if position >= views:
            return {}
        streams = self.streams(self.told_since(connection, position, of=instant), position)
        return {deal_id: state_by(deal_id, s, instant) for deal_id, s in streams.items()}

    def _something_later(self, connection: Rows, moment: Moment) -> bool:
        """Say whether something that was known occurred after the cut, and is hidden by it."""
        if moment.cut is None:
            return False
        row = connection.execute(
            "SELECT EXISTS (SELECT FROM events WHERE recorded_at > %s AND position <= %s"
            " AND occurred_at > %s AND stream_id >= 'deal:' AND stream_id < 'deal;')",
            (moment.cut - FUTURE_TOLERANCE, moment.position, moment.cut),
        ).fetchone()
        return row == (True,)


def state_by(deal_id: UUID, stream: Sequence[Event], instant: datetime) -> Stood | None:
    """Fold what a deal was by an instant, as its stream has it."""
    changes = course([event for event in stream if event.data.TOPIC in TOPICS]).hindsight
    last = next((one for one in reversed(changes) if one.occurred_at <= instant), None)
    return Stood(deal_id, last.position, last.state) if last and last.state else None
