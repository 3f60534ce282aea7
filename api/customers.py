"""What became of customers: the deals of each account, what came after the win, and their goals."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final, LiteralString, TypeAlias
from uuid import UUID

from psycopg import sql

from api.errors import UnknownThingError
from api.identity.access import only_in_reach
from api.identity.reach import WHOLE, Reach
from api.moment import Moment
from api.places import Places
from api.storage.log_reader import LogReader
from projections.customers.answer import customer_json, deal_json, kept_json
from projections.customers.fold import (
    Customer,
    CustomerDeal,
    customer_of,
    in_order,
    kept,
    wins_of,
)
from projections.customers.goals import Goal
from projections.customers.projection import GOALS
from projections.facts import Rows

Answer: TypeAlias = dict[str, object]
MAX_CUSTOMERS: Final = 1_000
"""Customers on one page."""


class Customers:
    """Answers about customers as known and as true at a moment; the views must have reached it."""

    def __init__(self, store: LogReader, places: Places) -> None:
        self._store = store
        self._places = places

    def customers(
        self, moment: Moment, *, after: str | None, limit: int, reach: Reach = WHOLE
    ) -> Answer:
        """Give what holds of all customers, and a page of them in the order of their ids."""
        with self._store.connection() as connection:
            table = self._table(connection, moment, reach)
            wins = wins_of(_deals(connection, moment, table, "closed = 'won'", ()))
            number = _number(connection, table)
            page = _page(connection, table, wins, after, limit + 1)
        return {
            **moment.answer(),
            **kept_json(kept(wins, customers=number)),
            "accounts": [customer_json(one) for one in page[:limit]],
            "next": page[limit - 1].account_id if len(page) > limit else None,
        }

    def customer(self, moment: Moment, account_id: str, reach: Reach = WHOLE) -> Answer:
        """Give one customer with its deals and what it wants.

        Raises:
            UnknownThingError: no deal of this account is known.
        """
        with self._store.connection() as connection:
            table = self._table(connection, moment, reach)
            deals = _deals(connection, moment, table, "account_id = %s", (account_id,))
        if not deals:
            message = f"no deal of an account {account_id!r} is known"
            raise UnknownThingError(message, field="account")
        return {
            **moment.answer(),
            **customer_json(customer_of(deals)),
            "history": [deal_json(deal) for deal in in_order(deals)],
        }

    def accounts(self, moment: Moment, *, limit: int, reach: Reach = WHOLE) -> list[Answer]:
        """Give the ids and the names of customers, those of the newest deals first."""
        with self._store.connection() as connection:
            query = sql.SQL(
                "SELECT account_id, (array_agg(account_name ORDER BY opened_at DESC, deal_id))[1]"
                " FROM {} d GROUP BY 1 ORDER BY max(opened_at) DESC, 1 LIMIT %s"
            ).format(self._table(connection, moment, reach))
            rows = connection.execute(query, (limit,)).fetchall()
        return [{"id": account_id, "name": name} for account_id, name in rows]

    def called(self, moment: Moment, name: str, reach: Reach = WHOLE) -> list[str]:
        """Give the ids of the customers that a deal calls by a name."""
        with self._store.connection() as connection:
            query = sql.SQL(
                "SELECT DISTINCT account_id FROM {} d WHERE account_name = %s ORDER BY 1 LIMIT 5"
            ).format(self._table(connection, moment, reach))
            rows = connection.execute(query, (name,)).fetchall()
        return [account_id for (account_id,) in rows]

    def is_of_another(self, moment: Moment, name: str) -> bool:
        """Say whether a name is the id of a customer, in reach or not, that is called otherwise."""
        with self._store.connection() as connection:
            query = sql.SQL(
                "SELECT EXISTS (SELECT FROM {} d WHERE account_id = %s AND account_name <> %s)"
            ).format(self._table(connection, moment, WHOLE))
            ((found,),) = connection.execute(query, (name, name)).fetchall()
        return bool(found)

    def _table(self, connection: Rows, moment: Moment, reach: Reach) -> sql.Composed:
        """Give the deals of a moment that are in reach and not deleted."""
        place = self._places.of(connection, moment)
        return sql.SQL("(SELECT * FROM {} a WHERE NOT deleted AND {})").format(
            place.all_deals, only_in_reach(reach)
        )


def _number(connection: Rows, table: sql.Composed) -> int:
    query = sql.SQL("SELECT count(DISTINCT account_id) FROM {} d").format(table)
    ((number,),) = connection.execute(query).fetchall()
    return int(number)


def _page(
    connection: Rows,
    table: sql.Composed,
    wins: Mapping[str, Sequence[CustomerDeal]],
    after: str | None,
    limit: int,
) -> list[Customer]:
    """Give so many customers after one, in the order of the bytes of their ids."""
    query = sql.SQL(
        'SELECT account_id COLLATE "C", count(*), count(*) FILTER (WHERE closed IS NULL),'
        " (array_agg(account_name ORDER BY opened_at DESC, deal_id DESC))[1]"
        ' FROM {} d WHERE %(after)s::text IS NULL OR account_id COLLATE "C" > %(after)s'
        " GROUP BY 1 ORDER BY 1 LIMIT %(limit)s"
    ).format(table)
    rows = connection.execute(query, {"after": after, "limit": limit}).fetchall()
    return [
        Customer(account_id, name, deals, still_open, tuple(wins.get(account_id, ())))
        for account_id, deals, still_open, name in rows
    ]


def _deals(
    connection: Rows,
    moment: Moment,
    table: sql.Composed,
    where: LiteralString,
    params: Sequence[object],
) -> list[CustomerDeal]:
    """Give those of the deals that `where` names, with their goals."""
    query = sql.SQL(
        "SELECT deal_id, account_id, account_name, opened_at, closed, closed_at FROM {} d WHERE {}"
    ).format(table, sql.SQL(where))
    rows = connection.execute(query, params).fetchall()
    goals = _goals(connection, moment, [row[0] for row in rows])
    return [replace(CustomerDeal(*row), goals=tuple(goals.get(row[0], ()))) for row in rows]


def _goals(connection: Rows, moment: Moment, deal_ids: list[UUID]) -> dict[UUID, list[Goal]]:
    """Give the goals of deals by then, each achieved only if it was by then."""
    known = GOALS.known(
        connection, as_of=moment.position, where="deal_id = ANY(%s)", params=(deal_ids,)
    )
    found: dict[UUID, list[Goal]] = defaultdict(list)
    for deal_id, goal in sorted(known, key=lambda pair: (pair[0], pair[1].goal)):
        told = goal if moment.cut is None else _seen_by(goal, moment)
        if told is not None:
            found[deal_id].append(told)
    return found


def _seen_by(goal: Goal, moment: Moment) -> Goal | None:
    """Give what is to be seen of a goal where what occurred later is hidden."""
    recorded, achieved = (
        at is not None and moment.cut is not None and at <= moment.cut
        for at in (goal.recorded_at, goal.achieved_at)
    )
    if not (recorded or achieved):
        return None
    seen = goal if recorded else replace(goal, recorded_at=None, recorded_by=None)
    return seen if achieved else replace(seen, achieved_at=None, achieved_by=None)
