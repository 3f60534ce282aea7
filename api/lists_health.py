"""The health of the deals of a list, told by the database so that it may filter and order them."""

from typing import Final, Literal, TypeAlias

from psycopg import sql

from api.moment import Moment
from domain.known import Known
from projections.commitments.figures import backings_at, backings_query
from projections.progress.figures import shares_at, shares_query
from projections.review.health import COLOUR_SQL

Health: TypeAlias = Literal["red", "amber", "none"]
"""The colour of an open deal in a list, `none` where no flag holds that a list tells."""
RANKS: Final[dict[Health, int]] = {"red": 0, "amber": 1, "none": 2}
"""Where each comes in an order by health: the worst first."""
_LISTED: Final = """
    (WITH listed AS MATERIALIZED (SELECT * FROM {table} t WHERE {where})
    SELECT listed.*,
           CASE WHEN backed.deal_id IS NULL THEN NULL
                WHEN ({colour}) = 'red' THEN {red}
                WHEN ({colour}) = 'amber' THEN {amber}
                ELSE {none}
           END AS health
    FROM listed LEFT JOIN LATERAL ({backings}) AS backed ON true
                LEFT JOIN LATERAL ({shares}) AS shown ON true)"""
# Deal by deal: nothing tells the planner how many are listed, and it would join all with all.
_OPEN: Final = sql.SQL(
    "SELECT listed.deal_id, listed.deal_id AS key"
    " WHERE listed.closed IS NULL AND NOT listed.deleted"
)


def with_health(table: sql.Composed, where: sql.Composed) -> sql.Composed:
    """Give the deals of a table that a condition lets through, with the rank of their `health`.

    It is null for a deal that is not open. The parameters are those of `health_at`.
    """
    return sql.SQL(_LISTED).format(
        table=table,
        where=where,
        backings=backings_query(_OPEN),
        shares=shares_query(_OPEN),
        colour=sql.SQL(COLOUR_SQL),
        **{name: sql.Literal(rank) for name, rank in RANKS.items()},
    )


def health_at(moment: Moment, known: Known) -> dict[str, object]:
    """Give the parameters of `with_health` at a moment."""
    position, at, cut = moment.position, moment.effective_at, moment.cut
    today = known.calendar.day_of(at)
    return {
        **shares_at(as_of=position, at=at, cut=cut),
        **backings_at(as_of=position, at=at, cut=cut, today=today),
    }
