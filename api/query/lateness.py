"""Terms about how late events were told, as conditions on the rows of the log."""

from datetime import timedelta
from typing import Final

from psycopg import sql

from api.late import TOLD_IN_INDEX
from api.query import fiscal, values
from api.query.tree import Term
from api.query.writing import Writing
from projections.facts import Rows

TOLD: Final = "told"
"""The name of the column, asked by no field, that says when the source or else the ledger was told;
null where an import does not say."""
TOLD_INDEXED: Final = "told_indexed"
"""The name of the same in the words of the indexes of what was told early or late; when it occurred
where an import does not say."""
_SOON: Final = timedelta(minutes=5)
"""What is told within this time, before or after, is in none of these indexes."""
_LATE: Final = sql.SQL("{} - {} > interval '5 minutes'")
_EARLY: Final = sql.SQL("{} - {} < interval '-5 minutes'")
_SPANNED: Final = sql.SQL(
    "SELECT least(min(occurred_at) - interval '5 minutes',"
    " (SELECT min({told}) FROM events WHERE {early})),"
    " greatest(max(occurred_at), max(recorded_at)) FROM events"
).format(told=TOLD_IN_INDEX, early=_EARLY.format(TOLD_IN_INDEX, sql.SQL("occurred_at")))


def spanned(connection: Rows) -> fiscal.Span | None:
    """Give an instant before and one after all that the log tells of; None while it tells nothing.

    Some of it was told before it occurred: soon before, or as an import says.
    """
    row = connection.execute(_SPANNED).fetchone()
    return (row[0], row[1]) if row and row[0] else None


def late(writing: Writing, leaf: Term) -> sql.Composable:
    """Give where an event was told later after it occurred than the policy allows."""
    lag = timedelta(hours=float(writing.ground.known.policy.late_hours))
    told, occurred = writing.columns[TOLD_INDEXED], writing.columns["occurred"]
    return _truth(writing, leaf, sql.SQL("{} - {} > {}").format(told, occurred, writing.value(lag)))


def backdated(writing: Writing, leaf: Term) -> sql.Composable:
    """Give where an event was told in another quarter than it occurred in, by their names."""
    turns = fiscal.boundaries(writing.ground.stretches)
    occurred, indexed = writing.columns["occurred"], writing.columns[TOLD_INDEXED]
    told = writing.columns[TOLD]
    apart = sql.SQL("({} IS DISTINCT FROM {} AND {} IS NOT NULL)").format(
        writing.quarter_name(occurred), writing.quarter_name(told), told
    )
    # Each of these has an index: told much later or earlier, or near to where a quarter turns.
    ways = (
        _LATE.format(indexed, occurred),
        _EARLY.format(indexed, occurred),
        writing.spans(occurred, [(turn - _SOON, turn + _SOON) for turn in turns]),
    )
    return _truth(writing, leaf, sql.SQL("(({}) AND {})").format(sql.SQL(" OR ").join(ways), apart))


def _truth(writing: Writing, leaf: Term, condition: sql.Composable) -> sql.Composable:
    """Give where a condition is as one of the values says, and can be told."""
    wanted = {values.truth(word) for word in leaf.values}
    forms: list[sql.Composable] = []
    if True in wanted:
        forms.append(condition)
    if False in wanted:
        told = writing.columns[TOLD]
        forms.append(sql.SQL("(NOT ({}) AND {} IS NOT NULL)").format(condition, told))
    return sql.SQL(" OR ").join(forms)
