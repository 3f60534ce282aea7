"""What of a quarter was told late, or told otherwise before: what makes its replays differ."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from psycopg import sql

from api.corrected import correctors_of
from api.storage.rows import SELECT, read_what_can_be
from domain.events.base import type_name
from domain.events.catalogue import EVENT_TYPES
from domain.events.honesty import EventRetracted
from domain.fiscal import FiscalQuarter
from projections.batch import deal_of
from projections.facts import Rows

LISTED: Final = 200
"""Events that an answer lists; `total` counts all of them."""
_SOON: Final = timedelta(minutes=5)
"""What is told within this time is in no index of late events; see migration 0003."""

# When the source, or else the ledger, was told (RecordedEvent.told_at), in the words of the index.
TOLD_IN_INDEX: Final = sql.SQL(
    "(CASE WHEN channel = 'import' AND clock = 'server'"
    " THEN coalesce(source_recorded_at, occurred_at) ELSE recorded_at END)"
)
_IN_QUARTER: Final = sql.SQL(
    "position <= %(as_of)s AND stream_id >= 'deal:' AND stream_id < 'deal;'"
    " AND occurred_at >= %(start)s AND occurred_at < %(end)s AND occurred_at <= %(at)s"
)
# In the words of the index of corrections.
_CORRECTED: Final = sql.SQL("""
    {select} WHERE {in_quarter} AND event_id IN (
        SELECT (c.data ->> 'event_id')::uuid FROM events c
         WHERE c.topic IN ('deal.event_amended.v1', 'deal.event_retracted.v1')
           AND c.position <= %(as_of)s)
""").format(select=sql.SQL(SELECT), in_quarter=_IN_QUARTER)
_QUERY: Final = sql.SQL("""
    WITH told AS (
        SELECT event_id, occurred_at, recorded_at, {told} AS told_at FROM events
         WHERE {in_quarter} AND {told} - occurred_at > interval '5 minutes'
        UNION
        SELECT event_id, occurred_at, recorded_at, {told} FROM events
         WHERE {in_quarter} AND recorded_at >= least(%(end)s, %(at)s) AND recorded_at <= %(soon)s
    ), late AS (
        SELECT event_id, told_at - occurred_at > %(late)s AS late, told_at >= %(end)s AS backdated,
               told_at > %(at)s AS after FROM told
    ), corrected AS (
        SELECT * FROM unnest(%(corrected)s::uuid[], %(by)s::uuid[]) AS c (event_id, corrected_by)
    ), found AS (
        SELECT event_id, coalesce(late, false) AS late, coalesce(backdated, false) AS backdated,
               coalesce(after, false) AS after, c.corrected_by
          FROM (SELECT * FROM late WHERE late OR backdated OR after) l
          FULL JOIN corrected c USING (event_id)
    )
    SELECT e.position, e.event_id, e.stream_id, e.topic, e.occurred_at, e.recorded_at,
           f.late, f.backdated, f.after, c.topic, f.corrected_by,
           coalesce(c.on_behalf_of, c.actor), c.recorded_at, c.data ->> 'reason', count(*) OVER ()
      FROM found f JOIN events e USING (event_id) LEFT JOIN events c ON c.event_id = f.corrected_by
     ORDER BY e.position LIMIT %(listed)s
""").format(told=TOLD_IN_INDEX, in_quarter=_IN_QUARTER)


@dataclass(frozen=True, slots=True)
class LateEvents:
    """The late, backdated and corrected events of a quarter: how many, and the first of them."""

    total: int
    events: list[dict[str, object]]

    def answer(self) -> dict[str, object]:
        """Give them in the shape of the API."""
        return {"total": self.total, "events": self.events}


def late_events(
    connection: Rows, quarter: FiscalQuarter, *, as_of: int, at: datetime, late_hours: float
) -> LateEvents:
    """Give what occurred in a quarter by an instant and was not simply told in its time.

    That is: told after that instant, more than `late_hours` late, across the quarter's end, or
    corrected, as known at a position.
    """
    within: dict[str, object] = {
        "as_of": as_of,
        "at": at,
        "start": quarter.start_instant,
        "end": quarter.end_instant,
    }
    corrected, _ = read_what_can_be(connection.execute(_CORRECTED, within).fetchall())
    by = {i: one.event_id for i, one in correctors_of(connection, corrected, upto=as_of).items()}
    told = [one.event_id for one in corrected if one.event_id in by]
    rows = connection.execute(
        _QUERY,
        {
            **within,
            "soon": min(at, quarter.end_instant) + _SOON,
            "late": timedelta(hours=late_hours),
            "corrected": told,
            "by": [by[event_id] for event_id in told],
            "listed": LISTED,
        },
    ).fetchall()
    return LateEvents(rows[0][-1] if rows else 0, [_json(row) for row in rows])


def _json(row: tuple[Any, ...]) -> dict[str, object]:
    position, event_id, stream, topic, occurred, recorded, *flags, how, by, rep, at, why, _ = row
    names = ("late_recorded", "backdated_across_boundary", "recorded_after")
    because = [name for name, holds in zip(names, flags, strict=True) if holds]
    if how is not None:
        because.append("retracted" if how == EventRetracted.TOPIC else "amended")
    known = EVENT_TYPES.get(topic)
    return {
        "event_id": str(event_id),
        "deal_id": str(deal_of(stream)),
        "type": type_name(known) if known else topic,
        "position": position,
        "occurred_at": occurred,
        "recorded_at": recorded,
        "because": because,
        "corrected_by": str(by) if by else None,
        "correction": {"rep": rep, "recorded_at": at, "reason": why} if by else None,
    }
