"""The commitments, pushes and contacts of many deals at any moment, read from their facts."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from psycopg import sql

from domain.commitments import DATED_LEVEL, KEPT_COUNTS_FOR, Word
from projections.commitments.projection import COMMITMENTS, SIGNS
from projections.facts import Rows

_WHERE: Final = "deal_id = ANY(%s) AND from_at <= %s AND (until_at IS NULL OR until_at > %s)"


@dataclass(frozen=True, slots=True)
class Backing:
    """What stands behind a deal: its customer's word, and how many pushes and contacts it has."""

    words: tuple[Word, ...] = ()
    pushes: int = 0
    contacts: int = 0


def backings_of(
    connection: Rows, deal_ids: Collection[UUID], *, as_of: int, cut: datetime | None
) -> dict[UUID, Backing]:
    """Give the backing of each of these deals, as known at a position.

    With a cut, what occurred later has not happened yet.
    """
    params = (list(deal_ids), *[cut or "infinity"] * 2)
    words: dict[UUID, list[Word]] = defaultdict(list)
    of_customers = f"side = 'customer' AND {_WHERE}"
    for deal_id, given in COMMITMENTS.known(
        connection, as_of=as_of, where=of_customers, params=params
    ):
        words[deal_id].append(given.word)
    counts: dict[UUID, dict[str, int]] = defaultdict(lambda: {"push": 0, "contact": 0})
    for deal_id, sign in SIGNS.known(connection, as_of=as_of, where=_WHERE, params=params):
        counts[deal_id][sign.kind] += 1
    return {
        deal_id: Backing(tuple(words[deal_id]), counts[deal_id]["push"], counts[deal_id]["contact"])
        for deal_id in deal_ids
    }


STANDING: Final = """
    from_position <= %(backing_as_of)s
    AND (until_position IS NULL OR until_position > %(backing_as_of)s)
    AND from_at <= %(backing_cut)s AND (until_at IS NULL OR until_at > %(backing_cut)s)"""
"""Of a table of facts: those that tell what was known and true at a moment."""
STATUS: Final = """
    CASE WHEN settled IS NOT NULL THEN settled
         WHEN overdue_at <= %(backing_at)s THEN 'broken'
         WHEN renegotiated THEN 'renegotiated'
         ELSE 'open'
    END"""
"""`Word.status` over the columns of a commitment."""
_BACKED: Final = """
    WITH backing_of AS MATERIALIZED ({asked}),
    word AS (
        SELECT deal_id,
               max(level) FILTER (
                   WHERE status IN ('open', 'renegotiated')
                      OR status = 'kept' AND settled_at >= %(backing_kept)s
               ) AS level,
               max(level) FILTER (WHERE status = 'broken') AS broken_level,
               bool_or(status IN ('open', 'renegotiated') AND level >= %(backing_dated)s
                       AND due >= %(backing_today)s) AS dated
        FROM (SELECT deal_id, level, due, settled_at, {status} AS status
              FROM backing_of JOIN commitments USING (deal_id)
              WHERE side = 'customer' AND {standing}) AS given
        GROUP BY deal_id
    ),
    sign AS (
        SELECT deal_id, count(*) FILTER (WHERE kind = 'push') AS pushes,
               count(*) FILTER (WHERE kind = 'contact') AS contacts
        FROM backing_of JOIN signs USING (deal_id) WHERE {standing} GROUP BY deal_id
    )
    SELECT deal_id, coalesce(level, 0) AS level, broken_level, coalesce(dated, false) AS dated,
           coalesce(pushes, 0) AS pushes, coalesce(contacts, 0) AS contacts
    FROM backing_of LEFT JOIN word USING (deal_id) LEFT JOIN sign USING (deal_id)"""


def backings_query(asked: sql.Composable) -> sql.Composed:
    """Ask what the backing of deals comes to: for each `deal_id` of a query one row.

    `level` is that of the strongest live commitment, 0 without any, `broken_level` that of the
    strongest broken one; `dated` says whether a commitment is to come by a day. Its parameters are
    those of `backings_at`.
    """
    return sql.SQL(_BACKED).format(asked=asked, status=sql.SQL(STATUS), standing=sql.SQL(STANDING))


def backings_at(
    *, as_of: int, at: datetime, cut: datetime | None, today: date
) -> dict[str, object]:
    """Give the parameters of `backings_query`: `at` settles deadlines, `today` is its local day."""
    return {
        **standing_at(as_of=as_of, at=at, cut=cut),
        "backing_kept": at - KEPT_COUNTS_FOR,
        "backing_dated": DATED_LEVEL,
        "backing_today": today,
    }


def standing_at(*, as_of: int, at: datetime, cut: datetime | None) -> dict[str, object]:
    """Give the parameters of `STANDING` and `STATUS`: `at` settles deadlines."""
    return {"backing_as_of": as_of, "backing_at": at, "backing_cut": cut or "infinity"}
