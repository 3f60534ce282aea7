"""The statements that answer a question about the log."""

from collections.abc import Sequence
from functools import partial
from typing import Final, LiteralString

from psycopg import sql

from api.identity.access import people
from api.identity.reach import ACT_TOPICS, People, Reach
from api.kept_verdicts import Kept
from api.query.conditions import Conditions
from api.query.counting import Dimension, expression
from api.query.ground import Findings, Ground
from api.query.kept_acts import KeptActs
from api.query.order import Bounds, Key, Order, Stretch
from api.query.question import LogQuestion
from api.storage.rows import SELECT, Row
from projections.batch import DEAL_PREFIX
from projections.facts import Rows

_IN_REACH: Final = sql.SQL("""
    CASE split_part(stream_id, ':', 1)
    WHEN 'deal' THEN %(deals_of)s::text[] IS NULL OR stream_id IN (
        SELECT 'deal:' || s.deal_id FROM spans s
         WHERE s.until_position IS NULL AND s.owner = ANY(%(deals_of)s))
    WHEN 'quota' THEN %(figures_of)s::text[] IS NULL
        OR substring(stream_id FROM '^quota:(.*):[^:]*$') = ANY(%(figures_of)s)
    WHEN 'forecast' THEN %(figures_of)s::text[] IS NULL
        OR substring(stream_id FROM '^forecast:(.*):[^:]*$') = ANY(%(figures_of)s)
    ELSE true END
""")
"""What `sees_context` and the owner of today say of an event, as far as the views have got."""
_CANDIDATE: Final[LiteralString] = "SELECT position, event_id, stream_id, topic FROM events"
_EVENTS: Final[LiteralString] = f"{SELECT} WHERE position = ANY(%s)"


class Statements:
    """Asks the database for the events of one question.

    If they must be judged, what is `kept` of verdicts settles which they are, or else `findings`.
    """

    def __init__(
        self,
        connection: Rows,
        ground: Ground,
        question: LogQuestion,
        kept: KeptActs | None = None,
    ) -> None:
        self._connection = connection
        self._ground = ground
        self._question = question
        self._kept = kept
        self._order = Order(connection, ground, question)

    def page(self, bounds: Bounds, limit: int) -> list[Row]:
        """Give the rows of the first events, as `SELECT` has them."""
        return self._page(SELECT, bounds, limit)

    def candidates(self, bounds: Bounds, limit: int) -> list[Row]:
        """Give the first events of a question that must be judged: all it may hold for, and others.

        A row has the position, the id, the stream and the topic of one.
        """
        return self._page(_CANDIDATE, bounds, limit)

    def events(self, positions: Sequence[int]) -> list[Row]:
        """Give the rows of events in the order of some positions, as `SELECT` has them."""
        found = self._connection.execute(_EVENTS, (list(positions),)).fetchall()
        rows = {row[3]: row for row in found}
        return [rows[position] for position in positions]

    def _page(self, select: LiteralString, bounds: Bounds, limit: int) -> list[Row]:
        found: list[Row] = []
        for stretch in self._order.stretches(bounds, partial(self._nearest, bounds)):
            found += self._first(select, bounds, stretch, limit - len(found))
            if len(found) == limit:
                break
        return found

    def _first(
        self, select: LiteralString, bounds: Bounds, stretch: Stretch, limit: int
    ) -> list[Row]:
        """Give the rows of the first events of a stretch of the order."""
        return self._in_order(
            bounds,
            [stretch],
            sql.SQL(
                "{select} JOIN (SELECT * FROM found ORDER BY {order} LIMIT {limit}) AS first"
                " USING (position) ORDER BY {order}"
            ).format(select=sql.SQL(select), order=self._order.words, limit=sql.Literal(limit)),
        )

    def _nearest(self, bounds: Bounds, stretches: Sequence[Stretch]) -> Key | None:
        """Give the key of the first event in the order that lies in one of some stretches."""
        rows = self._in_order(
            bounds,
            stretches,
            sql.SQL("SELECT key FROM found ORDER BY {} LIMIT 1").format(self._order.words),
        )
        return rows[0][0] if rows else None

    def _in_order(
        self, bounds: Bounds, stretches: Sequence[Stretch], asked: sql.Composed
    ) -> list[Row]:
        """Ask about the events of some stretches, which are `found` with their keys.

        All of them are found first and put in order then: what the planner thinks lies soon in an
        order may lie at its end.
        """
        conditions, where = self._where(None)
        key = conditions.columns[self._order.field]
        within = [_within(conditions, key, stretch) for stretch in stretches]
        found = sql.SQL(
            "WITH found AS MATERIALIZED (SELECT position, {} AS key FROM {} WHERE {}{} AND ({})) {}"
        )
        return self._execute(
            conditions,
            found.format(
                key,
                conditions.source,
                where,
                self._between(conditions, bounds),
                sql.SQL(" OR ").join(within),
                asked,
            ),
        )

    def settled(self, positions: Sequence[int], findings: Findings) -> set[int]:
        """Give those of some positions whose events the question holds for, once judged."""
        conditions, where = self._where(findings)
        rows = self._execute(
            conditions,
            sql.SQL("SELECT position FROM {} WHERE {} AND position = ANY({})").format(
                conditions.source, where, conditions.value(list(positions))
            ),
        )
        return {row[0] for row in rows}

    def to_judge(self, limit: int, among: Kept | None = None) -> list[Row]:
        """Give the ids, streams and positions of the seller events that the question may hold for.

        Of all, or of those of which what is kept does not stand.
        """
        conditions, where = self._where(None)
        of = conditions.equal(conditions.columns["type"], ACT_TOPICS)
        if among is not None:
            of += sql.SQL(" AND (event_id = ANY({}::uuid[]) OR stream_id = ANY({}))").format(
                conditions.value(sorted(among.acts)),
                conditions.value([f"{DEAL_PREFIX}{deal_id}" for deal_id in sorted(among.deals)]),
            )
        return self._execute(
            conditions,
            sql.SQL("SELECT event_id, stream_id, position FROM {} WHERE {} AND {} LIMIT {}").format(
                conditions.source, where, of, conditions.value(limit)
            ),
        )

    def counts(
        self, by: Sequence[Dimension], limit: int, findings: Findings | None = None
    ) -> list[Row]:
        """Count the events in groups, the largest first; each row ends with its count."""
        conditions, where = self._where(findings)
        keys = [sql.SQL("{}").format(expression(one, conditions)) for one in by]
        places = [sql.SQL(str(place)) for place in range(1, len(by) + 1)]
        return self._execute(
            conditions,
            sql.SQL(
                "SELECT {keys} FROM {source} WHERE {where}{groups} ORDER BY {order} LIMIT {limit}"
            ).format(
                keys=sql.SQL(", ").join([*keys, sql.SQL("count(*)")]),
                source=conditions.source,
                where=where,
                groups=sql.SQL(" GROUP BY {}").format(sql.SQL(", ").join(places))
                if by
                else sql.SQL(""),
                order=sql.SQL(", ").join([sql.SQL(f"{len(by) + 1} DESC"), *places]),
                limit=conditions.value(limit),
            ),
        )

    def _where(self, findings: Findings | None) -> tuple[Conditions, sql.Composed]:
        question = self._question
        conditions = Conditions(self._ground, question.query, findings, self._kept)
        parts: list[sql.Composable] = [sql.SQL("position <= %(upto)s")]
        if question.moment.cut is not None:
            cut = conditions.value(question.moment.cut)
            occurred = conditions.columns["occurred"]
            parts.append(sql.SQL("{} <= {}").format(occurred, cut))
        if not question.reach.whole:
            conditions.parameters |= {
                "deals_of": people(question.reach.deals_of),
                "figures_of": people(_figures_of(question.reach)),
            }
            parts.append(_IN_REACH)
        parts.append(sql.SQL("({})").format(conditions.whole()))
        return conditions, sql.SQL(" AND ").join(parts)

    def _between(self, conditions: Conditions, bounds: Bounds) -> sql.Composed:
        made: list[sql.Composable] = []
        for field, position, operator in (
            ("after", bounds.after, sql.SQL(">")),
            ("before", bounds.before, sql.SQL("<")),
        ):
            if position is None:
                continue
            place = conditions.value(position)
            if self._question.by_occurrence:
                instant = conditions.value(self._order.occurred_at(position, field))
                keys = sql.SQL(" AND ({}, position) {} ({}, {})")
                made.append(keys.format(conditions.columns["occurred"], operator, instant, place))
            else:
                made.append(sql.SQL(" AND position {} {}").format(operator, place))
        return sql.Composed(made)

    def _execute(self, conditions: Conditions, statement: sql.Composed) -> list[Row]:
        with self._connection.cursor(binary=True) as cursor:
            # Planned for the values that it has: a plan for any would serve none of them well.
            return cursor.execute(statement, conditions.parameters, prepare=False).fetchall()


def _within(conditions: Conditions, key: sql.Composable, stretch: Stretch) -> sql.Composed:
    made = [
        sql.SQL("{} {} {}").format(key, operator, conditions.value(place))
        for operator, place in ((sql.SQL(">="), stretch.since), (sql.SQL("<"), stretch.until))
        if place is not None
    ]
    if stretch.among is not None:
        made.append(sql.SQL("position = ANY({})").format(conditions.value(stretch.among)))
    return sql.SQL("({})").format(sql.SQL(" AND ").join(made) if made else sql.SQL("true"))


def _figures_of(reach: Reach) -> People:
    if reach.figures_of is None or reach.teams is None:
        return None
    return reach.figures_of | reach.teams
