"""What became of customers: the deals of each account, what came after the win, and their goals."""

from collections import defaultdict
from dataclasses import replace
from typing import Final, TypeAlias
from uuid import UUID

from psycopg import sql

from api.errors import UnknownThingError
from api.moment import Moment
from api.places import Places
from api.storage.log_reader import LogReader
from projections.customers.answer import customer_json, deal_json, kept_json
from projections.customers.fold import Customer, CustomerDeal, customers_of, kept
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

    def customers(self, moment: Moment, *, after: str | None, limit: int) -> Answer:
        """Give what holds of all customers, and a page of them in the order of their ids."""
        found = self._customers(moment)
        page = [one for one in found if after is None or one.account_id > after]
        return {
            **moment.answer(),
            **kept_json(kept(found)),
            "accounts": [customer_json(one) for one in page[:limit]],
            "next": page[limit - 1].account_id if len(page) > limit else None,
        }

    def customer(self, moment: Moment, account_id: str) -> Answer:
        """Give one customer with its deals and what it wants.

        Raises:
            UnknownThingError: no deal of this account is known.
        """
        found = self._customers(moment, account_id)
        if not found:
            message = f"no deal of an account {account_id!r} is known"
            raise UnknownThingError(message, field="account")
        (one,) = found
        return {
            **moment.answer(),
            **customer_json(one),
            "history": [deal_json(deal) for deal in one.deals],
        }

    def _customers(self, moment: Moment, account_id: str | None = None) -> list[Customer]:
        with self._store.connection() as connection:
            place = self._places.of(connection, moment)
            query = sql.SQL(
                "SELECT deal_id, account_id, account_name, opened_at, closed, closed_at FROM {} d"
                " WHERE NOT deleted AND (%(account)s::text IS NULL OR account_id = %(account)s)"
            ).format(place.all_deals)
            rows = connection.execute(query, {"account": account_id}).fetchall()
            deals = {row[0]: CustomerDeal(*row) for row in rows}
            ids = None if account_id is None else list(deals)
            for deal_id, goals in _goals(connection, moment, ids).items():
                if deal_id in deals:
                    deals[deal_id] = replace(deals[deal_id], goals=tuple(goals))
            return customers_of(deals.values())


def _goals(connection: Rows, moment: Moment, deal_ids: list[UUID] | None) -> dict[UUID, list[Goal]]:
    """Give the goals of deals by then, each achieved only if it was by then."""
    where = "true" if deal_ids is None else "deal_id = ANY(%s)"
    params = () if deal_ids is None else (deal_ids,)
    known = GOALS.known(connection, as_of=moment.position, where=where, params=params)
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
