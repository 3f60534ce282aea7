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
from api.web.reads import FormError
from api.web.record_body import AMENDED
from projections.batch import deal_of

_SHARED: Final = "credit_split_set"
_OF_PEOPLE: Final = ("shares", "overlays")
"""The fields of that event that name people, one a line."""
_TOLD: Final = "events[0].data"
MOST_NAMED: Final = 5
"""People of one name who are told apart by their ids where one of them is asked for."""


class DealsCalled:
    """Finds deals by what they are called."""

    def __init__(self, store: LogReader, places: Places) -> None:
        self._store = store
        self._places = places

    def ids(self, told: str, moment: Moment, reach: Reach) -> list[str]:
        """Give the ids of the deals whose name or account has this in it, else what was told.

        An id of a source goes before names where its deal is in reach; another hides none of them.

        Raises:
            QueryError: these are more than a query can name.
        """
        if _is_id(told):
            return [told]
        of_source = [deal_of(stream) for stream in self._store.stream_ids_of(told)]
        with self._store.connection() as connection:
            seen = sql.SQL("SELECT deal_id FROM {} d WHERE {}").format(
                self._places.of(connection, moment).all_deals, only_in_reach(reach)
            )
            by_id = seen + sql.SQL(" AND deal_id = ANY(%s::uuid[]) LIMIT 1")
            if connection.execute(by_id, ([one for one in of_source if one],)).fetchall():
                return [told]
            by_name = seen + sql.SQL(
                " AND strpos(lower(account_name || ': ' || name), lower(%s)) > 0"
                " ORDER BY opened_at DESC, deal_id LIMIT %s"
            )
            rows = connection.execute(by_name, (told, MAX_VALUES + 1)).fetchall()
        if len(rows) > MAX_VALUES:
            more = f"more than {MAX_VALUES} deals have this in their name; write more of it"
            raise QueryError(more, column=0, field="deal")
        return [str(deal_id) for (deal_id,) in rows] or [told]


def one_called(told: str, people: People, *, field: str) -> str:
    """Give the id of who is called so; an id, and what names nobody, stays as told.

    Raises:
        FormError: several people are called so.
    """
    found = people.ids_of(told)
    if len(found) > 1:
        message = (
            f"several people are called {told}; say which one: {', '.join(found[:MOST_NAMED])}"
        )
        raise FormError(message, field=field)
    return found[0]


def with_ids(form: Mapping[str, str], people: People) -> Mapping[str, str]:
    """Give a form that splits credit, or amends that, with the ids of the people that it names.

    Raises:
        FormError: a name is that of several people, or somebody is named twice.
    """
    path = f"{_TOLD}.data" if form.get(AMENDED) == _SHARED else _TOLD
    if _SHARED not in (form.get("events[0].type"), form.get(AMENDED)):
        return form
    fields = [f"{path}.{name}" for name in _OF_PEOPLE]
    return {**form, **{one: _by_ids(form[one], people, one) for one in fields if one in form}}


def _by_ids(told: str, people: People, field: str) -> str:
    lines = [line.partition(": ") for line in told.splitlines() if line.strip()]
    ids = [one_called(who.strip(), people, field=field) for who, _, _ in lines]
    twice = sorted({who for who in ids if ids.count(who) > 1})
    if twice:
        raise FormError(f"named more than once: {', '.join(twice)}", field=field)
    return "\n".join(
        who + between + rest for who, (_, between, rest) in zip(ids, lines, strict=True)
    )


def _is_id(told: str) -> bool:
    try:
        UUID(told)
    except ValueError:
        return False
    return True
