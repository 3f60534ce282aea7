"""How activities that were ticked count: as a condition on events, and of which deals few do."""

from functools import cache, cached_property
from typing import Final, LiteralString

from psycopg import sql
from psycopg.types.json import Jsonb

from api.corrected import correctors_of
from api.moment import Moment
from api.storage.rows import SELECT, read_what_can_be
from domain.events.honesty import EventAmended, EventRetracted
from domain.events.progress import ActivityTicked
from projections.batch import DEAL_PREFIX
from projections.facts import Rows
from projections.progress.status import STATUS_SQL

_STANDS: Final = sql.SQL(
    "t.from_position <= %(upto)s AND (t.until_position IS NULL OR t.until_position > %(upto)s)"
    " AND t.from_at <= %(progress_cut)s AND (t.until_at IS NULL OR t.until_at > %(progress_cut)s)"
)
_ACTIVITY: Final = sql.SQL(
    "CASE WHEN %(reread)s ? position::text THEN %(reread)s ->> position::text"
    " ELSE data ->> 'activity' END"
)
"""What an event ticked, as it reads now; null of one that was retracted."""
STATUS: Final = sql.SQL(
    """CASE WHEN topic = {ticked} THEN (
        SELECT {status} FROM ticks t
         WHERE t.deal_id = substr(stream_id, 6)::uuid AND t.activity = {activity}
           AND {stands}) END"""
).format(
    ticked=sql.Literal(ActivityTicked.TOPIC),
    status=sql.SQL(STATUS_SQL),
    activity=_ACTIVITY,
    stands=_STANDS,
)
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
    "SELECT position FROM unnest(%(streams)s::text[], %(activities)s::text[]) AS w (stream, name)"
    " JOIN events ON stream_id = w.stream AND topic = {ticked}"
    " AND {activity} = w.name AND position <= %(upto)s"
).format(ticked=sql.Literal(ActivityTicked.TOPIC), activity=_ACTIVITY)
# In the words of the index of corrections.
_CORRECTED: Final = (
    "SELECT data ->> 'event_id' FROM events"
    " WHERE topic IN ('deal.event_amended.v1', 'deal.event_retracted.v1') AND position <= %s"
)
_OF_THESE: Final[LiteralString] = (
    f"{SELECT} WHERE topic = %s AND event_id = ANY(%s::uuid[]) AND position <= %s"
)


class Ticks:
    """How activities that were ticked count at a moment."""

    def __init__(self, connection: Rows, moment: Moment) -> None:
        """Take where they are read; nothing is before it is needed."""
        self._connection = connection
        self._moment = moment
        self.few = cache(self._few)

    @cached_property
    def parameters(self) -> dict[str, object]:
        """What `STATUS` is told with."""
        return {
            "upto": self._moment.position,
            "progress_at": self._moment.effective_at,
            "progress_cut": self._moment.cut or "infinity",
            "reread": Jsonb(self._reread()),
        }

    def _reread(self) -> dict[str, object]:
        """Give what the ticks that were corrected read as now, by position; None if retracted."""
        upto = self._moment.position
        corrected = [name for (name,) in self._connection.execute(_CORRECTED, (upto,))]
        asked = (ActivityTicked.TOPIC, corrected, upto)
        told, _ = read_what_can_be(self._connection.execute(_OF_THESE, asked).fetchall())
        correctors = correctors_of(self._connection, told, upto=upto)
        read: dict[str, object] = {}
        for tick in told:
            correction = correctors.get(tick.event_id)
            match correction and correction.data:
                case EventRetracted():
                    read[str(tick.position)] = None
                case EventAmended(data=data):
                    read[str(tick.position)] = data.get("activity")
                case _:
                    continue
        return read

    def _few(self, statuses: frozenset[str]) -> frozenset[int] | None:
        """Give the positions of all ticks of some statuses; None where they are many.

        Of a status that few have they lie anywhere in the log, and are found by their deals.
        """
        rare = sql.SQL(" OR ").join(_RARE.get(status, _ANY) for status in sorted(statuses))
        rows = self._connection.execute(
            _OF_STATUSES.format(rare=rare, stands=_STANDS, status=sql.SQL(STATUS_SQL)),
            {**self.parameters, "statuses": sorted(statuses), "most": _FEW + 1},
            prepare=False,
        ).fetchall()
        if len(rows) > _FEW:
            return None
        asked: dict[str, object] = {
            **self.parameters,
            "streams": [f"{DEAL_PREFIX}{deal_id}" for deal_id, _ in rows],
            "activities": [name for _, name in rows],
        }
        found = self._connection.execute(_TICKED, asked, prepare=False).fetchall()
        return frozenset(position for (position,) in found)
