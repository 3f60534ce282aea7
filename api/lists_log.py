"""The audit log, filtered: events of all streams in the order of positions."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, TypeAlias
from uuid import UUID

from psycopg import sql

from api.identity.access import people
from api.identity.reach import WHOLE, People, Reach
from api.storage.log_reader import LogReader
from api.storage.rows import SELECT, read_events
from domain.events.catalogue import TYPES_BY_NAME
from domain.replay import Event

Order: TypeAlias = Literal["asc", "desc"]
MAX_LIMIT: Final = 1000

_OF_DEALS: Final = (
    "stream_id IN (SELECT 'deal:' || deal_id FROM spans WHERE {} AND from_position <= %(upto)s{})"
)
_AT_THE_END: Final = " AND (until_position IS NULL OR until_position > %(upto)s)"
_CONDITIONS: Final[Mapping[str, str]] = {
    "topics": "topic = ANY(%(topics)s)",
    "stream": "stream_id = %(stream)s",
    "actor": "actor = %(actor)s",
    "rep": "coalesce(on_behalf_of, actor) = %(rep)s",
    "channels": "channel = ANY(%(channels)s)",
    "recorded_from": "recorded_at >= %(recorded_from)s",
    "recorded_to": "recorded_at < %(recorded_to)s",
    "occurred_from": "occurred_at >= %(occurred_from)s",
    "occurred_to": "occurred_at < %(occurred_to)s",
    "occurred_by": "occurred_at <= %(occurred_by)s",
    "account": _OF_DEALS.format("account_id = %(account)s", ""),
    "owner": _OF_DEALS.format("owner = %(owner)s", _AT_THE_END),
}


_IN_REACH: Final = """
    CASE split_part(stream_id, ':', 1)
    WHEN 'deal' THEN %(deals_of)s::text[] IS NULL OR stream_id IN (
        SELECT 'deal:' || deal_id FROM spans
         WHERE until_position IS NULL AND owner = ANY(%(deals_of)s))
    WHEN 'quota' THEN %(figures_of)s::text[] IS NULL
        OR substring(stream_id FROM '^quota:(.*):[^:]*$') = ANY(%(figures_of)s)
    WHEN 'forecast' THEN %(figures_of)s::text[] IS NULL
        OR substring(stream_id FROM '^forecast:(.*):[^:]*$') = ANY(%(figures_of)s)
    ELSE true END
"""
"""What `sees_context` and the owner of today say of an event, as far as the views have got."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFilters:
    """Which events a page of the log holds; what is None or empty filters nothing.

    `account` finds the deals that were ever of that account, `owner` those that the rep owns as
    known at the end of the range; `rep` is whom an event is attributed to.
    """

    types: tuple[str, ...] = ()
    deal: UUID | None = None
    account: str | None = None
    owner: str | None = None
    rep: str | None = None
    actor: str | None = None
    channels: tuple[str, ...] = ()
    recorded_from: datetime | None = None
    recorded_to: datetime | None = None
    occurred_from: datetime | None = None
    occurred_to: datetime | None = None
    occurred_by: datetime | None = None

    @property
    def need_views(self) -> bool:
        """Whether the answer depends on what a projection knows of the deals."""
        return self.account is not None or self.owner is not None


class LogLists:
    """Pages of the log."""

    def __init__(self, store: LogReader) -> None:
        self._store = store

    def page(
        self,
        filters: LogFilters,
        *,
        after: int,
        upto: int,
        limit: int,
        order: Order = "asc",
        reach: Reach = WHOLE,
    ) -> list[Event]:
        """Give the first events of a range of positions, from its beginning or from its end."""
        values: dict[str, object] = {
            "after": after,
            "upto": upto,
            "limit": limit,
            "topics": [TYPES_BY_NAME[name].TOPIC for name in filters.types] or None,
            "stream": f"deal:{filters.deal}" if filters.deal else None,
            "actor": filters.actor,
            "rep": filters.rep,
            "channels": list(filters.channels) or None,
            "recorded_from": filters.recorded_from,
            "recorded_to": filters.recorded_to,
            "occurred_from": filters.occurred_from,
            "occurred_to": filters.occurred_to,
            "occurred_by": filters.occurred_by,
            "account": filters.account,
            "owner": filters.owner,
            "deals_of": people(reach.deals_of),
            "figures_of": people(_figures_of(reach)),
        }
        parts = ["position > %(after)s", "position <= %(upto)s"]
        parts += [] if reach.whole else [_IN_REACH]
        parts += [part for name, part in _CONDITIONS.items() if values[name] is not None]
        query = sql.SQL("{} WHERE {} ORDER BY position {} LIMIT %(limit)s").format(
            sql.SQL(SELECT),
            sql.SQL(" AND ").join(_sql(part) for part in parts),
            sql.SQL("DESC" if order == "desc" else "ASC"),
        )
        with self._store.connection() as connection, connection.cursor(binary=True) as cursor:
            return read_events(cursor.execute(query, values).fetchall())


def _figures_of(reach: Reach) -> People:
    if reach.figures_of is None or reach.teams is None:
        return None
    return reach.figures_of | reach.teams


def _sql(text: str) -> sql.SQL:
    # Only texts of this module come here.
    return sql.SQL(text)
