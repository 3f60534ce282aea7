"""How activities that were ticked count: as a condition on events, and of which deals few do."""

from collections.abc import Collection
from typing import Final

from psycopg import sql

from api.moment import Moment
from domain.events.progress import ActivityTicked
from projections.batch import DEAL_PREFIX
from projections.facts import Rows
from projections.progress.status import STATUS_SQL

_STANDS: Final = sql.SQL(
    "t.from_position <= %(upto)s AND (t.until_position IS NULL OR t.until_position > %(upto)s)"
    " AND t.from_at <= %(progress_cut)s AND (t.until_at IS NULL OR t.until_at > %(progress_cut)s)"
)
STATUS: Final = sql.SQL(
    """CASE WHEN topic = {ticked} THEN (
        SELECT {status} FROM ticks t
         WHERE t.deal_id = substr(stream_id, 6)::uuid AND t.activity = data ->> 'activity'
           AND {stands}) END"""
).format(ticked=sql.Literal(ActivityTicked.TOPIC), status=sql.SQL(STATUS_SQL), stands=_STANDS)
"""How the activity of an event counts; null of all but ticks."""
_RARE: Final = {
    "evidenced_late": sql.SQL("t.reached_at > t.settles_at"),
    "not_expressible": sql.SQL("NOT t.expressible"),
    "pending": sql.SQL("t.settles_at > %(progress_at)s"),
}
"""What a status needs that an index finds."""
_ANY: Final = sql.SQL("true")
_FEW: Final = 5_000
_OF_STATUSES: Final = sql.SQL(
    "SELECT t.deal_id, t.activity FROM ticks t"
    " WHERE ({rare}) AND {stands} AND ({status}) = ANY(%(statuses)s) LIMIT %(most)s"
)
_TICKED: Final = sql.SQL(
    "SELECT e.position FROM unnest(%(streams)s::text[], %(activities)s::text[]) AS w (stream, name)"
    " JOIN events e ON e.stream_id = w.stream AND e.topic = {ticked}"
    " AND e.data ->> 'activity' = w.name AND e.position <= %(upto)s"
).format(ticked=sql.Literal(ActivityTicked.TOPIC))


def of_moment(moment: Moment) -> dict[str, object]:
    """Give what statuses at a moment are told with."""
    return {
        "upto": moment.position,
        "progress_at": moment.effective_at,
        "progress_cut": moment.cut or "infinity",
    }


def few_ticks(connection: Rows, moment: Moment, statuses: Collection[str]) -> frozenset[int] | None:
    """Give the positions of all ticks of some statuses; None where they are many.

    Of a status that few have they lie anywhere in the log, and are found by their deals.
    """
    rare = sql.SQL(" OR ").join(_RARE.get(status, _ANY) for status in sorted(statuses))
    rows = connection.execute(
        _OF_STATUSES.format(rare=rare, stands=_STANDS, status=sql.SQL(STATUS_SQL)),
        {**of_moment(moment), "statuses": sorted(statuses), "most": _FEW + 1},
        prepare=False,
    ).fetchall()
    if len(rows) > _FEW:
        return None
    streams = [f"{DEAL_PREFIX}{deal_id}" for deal_id, _ in rows]
    asked = {"streams": streams, "activities": [name for _, name in rows], "upto": moment.position}
    found = connection.execute(_TICKED, asked, prepare=False).fetchall()
    return frozenset(position for (position,) in found)
