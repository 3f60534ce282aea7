"""Terms about how late events were told, as conditions on the rows of the log."""

from datetime import timedelta
from typing import Final

from psycopg import sql

from api.query import fiscal, values
from api.query.tree import Term
from api.query.writing import Writing

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


def late(writing: Writing, leaf: Term) -> sql.Composable:
    """Give where an event was told later after it occurred than the policy allows."""
    lag = timedelta(hours=float(writing.ground.known.policy.late_hours))
    told, occurred = writing.columns[TOLD_INDEXED], writing.columns["occurred"]
    return _truth(writing, leaf, sql.SQL("{} - {} > {}").format(told, occurred, writing.value(lag)))


def backdated(writing: Writing, leaf: Term) -> sql.Composable:
    """Give where an event was told in another quarter than it occurred in."""
    turns = fiscal.boundaries(writing.ground.stretches)
    occurred, indexed = writing.columns["occurred"], writing.columns[TOLD_INDEXED]
    apart = sql.SQL(
        "width_bucket({occurred}, {s}::timestamptz[]) <> width_bucket({told}, {s}::timestamptz[])"
    ).format(s=writing.value(turns), occurred=occurred, told=writing.columns[TOLD])
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
