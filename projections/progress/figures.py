"""The progress of many deals at any moment, added up from their facts: no stream is read."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Final, Generic, TypeVar
from uuid import UUID

from psycopg import sql

from projections.facts import Rows
from projections.progress.shares import AdvancesAlike, Movement, TickShares
from projections.progress.status import BARE, HOLLOW, SETTLED, STATUS_SQL, STATUSES, Status

Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class Deals(Generic[Key]):
    """Which deals are asked about, and in which group each of them counts.

    `query` gives their `deal_id` and the `key` of their group, which is never null; names of
    parameters that begin with `progress_` are ours.
    """

    query: sql.Composable
    params: Mapping[str, object]


def each(deal_ids: Collection[UUID]) -> Deals[UUID]:
    """Ask about deals, each for itself."""
    query = sql.SQL("SELECT d AS deal_id, d AS key FROM unnest(%(progress_deals)s::uuid[]) AS u(d)")
    return Deals(query, {"progress_deals": list(deal_ids)})


def grouped(groups: Mapping[UUID, str]) -> Deals[str]:
    """Ask about deals in groups; for the total of all, name one group."""
    query = sql.SQL(
        "SELECT * FROM unnest(%(progress_deals)s::uuid[], %(progress_groups)s::text[])"
        " AS u(deal_id, key)"
    )
    return Deals(query, {"progress_deals": list(groups), "progress_groups": list(groups.values())})


_STANDING: Final = sql.SQL("""
    from_position <= %(progress_as_of)s
    AND (until_position IS NULL OR until_position > %(progress_as_of)s)
    AND from_at <= %(progress_cut)s AND (until_at IS NULL OR until_at > %(progress_cut)s)""")
_SHARES: Final = """
    WITH asked AS MATERIALIZED ({asked}),
    planned AS (
        SELECT key, sum(activities) AS planned
        FROM asked JOIN plans USING (deal_id) WHERE {standing} GROUP BY key
    ),
    ticked AS (
        SELECT key, {settled} AS settled, {hollow} AS hollow, {bare} AS bare, {counts}
        FROM (
            SELECT key, weight, {status} AS status
            FROM asked JOIN ticks USING (deal_id) WHERE {standing}
            OFFSET 0 -- otherwise each of the sums would compute the status for itself
        ) AS tick
        GROUP BY key
    )
    SELECT key, coalesce(settled, 0) AS settled, coalesce(hollow, 0) AS hollow,
           coalesce(bare, 0) AS bare, {counted}
    FROM planned LEFT JOIN ticked USING (key)"""
_ADVANCES: Final = """
    SELECT key, required, sum(steps)::int,
           coalesce(sum(steps) FILTER (WHERE customer_led), 0)::int, sum(steps * evidenced)::int
    FROM ({asked}) AS asked JOIN advances USING (deal_id) WHERE {standing}
    GROUP BY key, required ORDER BY key"""


def shares_of(
    connection: Rows, deals: Deals[Key], *, as_of: int, at: datetime, cut: datetime | None
) -> dict[Key, TickShares]:
    """Give the ticks of deals and their shares, by group, as known at a position.

    `at` settles deadlines; with a cut, what occurred later has not happened yet. A deal that was
    not opened by then counts nowhere.
    """
    rows = connection.execute(
        shares_query(deals.query), {**deals.params, **shares_at(as_of=as_of, at=at, cut=cut)}
    )
    return {
        key: TickShares(
            dict(zip(STATUSES, counts, strict=True)), settled=settled, hollow=hollow, bare=bare
        )
        for key, settled, hollow, bare, *counts in rows
    }


def shares_query(asked: sql.Composable) -> sql.Composed:
    """Ask for the ticks of the deals that a query gives, by its `key`: one row for each.

    Its parameters are those of `shares_at`.
    """
    return sql.SQL(_SHARES).format(
        asked=asked,
        standing=_STANDING,
        status=sql.SQL(STATUS_SQL),
        settled=_weight(SETTLED),
        hollow=_weight(HOLLOW),
        bare=_weight(BARE),
        counts=sql.SQL(", ").join(map(_count, STATUSES)),
        counted=sql.SQL(", ").join(map(_counted, STATUSES)),
    )


def shares_at(*, as_of: int, at: datetime, cut: datetime | None) -> dict[str, object]:
    """Give the parameters of `shares_query`: `at` settles deadlines, a cut hides what is later."""
    return {**_moment(as_of, cut), "progress_at": at}


def movements_of(
    connection: Rows, deals: Deals[Key], *, as_of: int, cut: datetime | None
) -> dict[Key, Movement]:
    """Give the steps of deals that moved above their high-water mark, by group."""
    query = sql.SQL(_ADVANCES).format(asked=deals.query, standing=_STANDING)
    rows = connection.execute(query, {**deals.params, **_moment(as_of, cut)})
    return {
        key: Movement.of(AdvancesAlike(*alike) for _, *alike in group)
        for key, group in groupby(rows, key=itemgetter(0))
    }


def _moment(as_of: int, cut: datetime | None) -> dict[str, object]:
    return {"progress_as_of": as_of, "progress_cut": "infinity" if cut is None else cut}


def _weight(statuses: Iterable[Status]) -> sql.Composed:
    among = sql.SQL(", ").join(map(sql.Literal, sorted(statuses)))
    return sql.SQL("sum(weight) FILTER (WHERE status IN ({}))").format(among)


def _count(status: Status) -> sql.Composed:
    """Count the ticks of a status; for what is not ticked, those of planned activities."""
    if status == "not_ticked":
        where = sql.SQL("status <> {}").format(sql.Literal("not_expressible"))
    else:
        where = sql.SQL("status = {}").format(sql.Literal(status))
    return sql.SQL("count(*) FILTER (WHERE {}) AS {}").format(where, sql.Identifier(status))


def _counted(status: Status) -> sql.Composed:
    counted = sql.SQL("coalesce({}, 0)").format(sql.Identifier(status))
    if status == "not_ticked":
        return sql.SQL("(planned - {})::int").format(counted)
    return counted
