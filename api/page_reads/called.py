"""Finds what a reader names: people and deals are known by their names, and asked for by ids."""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from psycopg import sql

from api.identity.access import only_in_reach
from api.identity.reach import Reach
from api.moment import Moment
from api.people import People
from api.places import Places
from api.query.errors import QueryError
from api.query.parser import MAX_VALUES
from api.storage.log_reader import LogReader

_SHARED: Final = "credit_split_set"
_OF_PEOPLE: Final = ("events[0].data.shares", "events[0].data.overlays")
"""The fields of that event that name people, one a line."""


class DealsCalled:
    """Finds deals by what they are called."""

    def __init__(self, store: LogReader, places: Places) -> None:
        self._store = store
        self._places = places

    def ids(self, told: str, moment: Moment, reach: Reach) -> list[str]:
        """Give the ids of the deals whose name or account has this in it, else what was told.

        Raises:
            QueryError: these are more than a query can name.
        """
        if _is_id(told) or self._store.stream_ids_of(told):
            return [told]
        with self._store.connection() as connection:
            query = sql.SQL(
                "SELECT deal_id FROM {} d WHERE {}"
                " AND strpos(lower(account_name || ': ' || name), lower(%s)) > 0"
                " ORDER BY opened_at DESC, deal_id LIMIT %s"
            ).format(
                self._places.of(connection, moment).all_deals,
                only_in_reach(reach),
            )
            rows = connection.execute(query, (told, MAX_VALUES + 1)).fetchall()
        if len(rows) > MAX_VALUES:
            more = f"more than {MAX_VALUES} deals have this in their name; write more of it"
            raise QueryError(more, column=0, field="deal")
        return [str(deal_id) for (deal_id,) in rows] or [told]


def with_ids(form: Mapping[str, str], people: People) -> Mapping[str, str]:
    """Give a form that splits credit with the ids of the people that it names."""
    if form.get("events[0].type") != _SHARED:
        return form
    told = {path: form[path].splitlines() for path in _OF_PEOPLE if path in form}
    return {
        **form,
        **{path: "\n".join(_by_id(one, people) for one in lines) for path, lines in told.items()},
    }


def _by_id(line: str, people: People) -> str:
    who, between, rest = line.partition(": ")
    return people.id_of(who.strip()) + between + rest


def _is_id(told: str) -> bool:
    try:
        UUID(told)
    except ValueError:
        return False
    return True
