"""The statements that answer a question about the log."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Final, TypeAlias, TypeVar

from psycopg import sql

from api.errors import BeyondTheLogError
from api.identity.access import people
from api.identity.reach import ACT_TOPICS, People, Reach
from api.query.conditions import Conditions
from api.query.counting import Dimension, expression
from api.query.extent import Span, extent_of, inside
from api.query.ground import Findings, Ground
from api.query.question import LogQuestion
from api.storage.rows import SELECT, Row
from projections.facts import Rows

Key: TypeAlias = int | datetime
"""A place in the order: a position, or an instant."""
Stretch: TypeAlias = tuple[Key | None, Key | None]
"""From one place until before another; None is no end."""
End = TypeVar("End")
_STEPS: Final = (4_000, 32_000, 256_000)
"""How many events are looked at before all others: where many are found, these have enough."""
_LOOKS: Final = 8
"""Into how many parts the rest is divided to look at where they meet."""
_BEGINNING: Final = datetime.min.replace(tzinfo=UTC)
_LEAST: Final = timedelta(microseconds=1)
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


@dataclass(frozen=True, slots=True)
class Bounds:
    """The events between which others are asked for, by position: None is no bound.

    In the order without its minus sign, and without the two themselves.
    """

    after: int | None = None
    before: int | None = None

    def from_(self, question: LogQuestion, last: int | None) -> "Bounds":
        """Give what of them comes after an event in the order of a question; all for None."""
        if last is None:
            return self
        return replace(self, before=last) if question.backwards else replace(self, after=last)


NO_BOUNDS: Final = Bounds()


class Statements:
    """Asks the database for the events of one question, which `findings` of judgement settle."""

    def __init__(self, connection: Rows, ground: Ground, question: LogQuestion) -> None:
        self._connection = connection
        self._ground = ground
        self._question = question

    def page(self, bounds: Bounds, limit: int) -> list[Row]:
        """Give the rows of the first events, as `SELECT` has them.

        Of a question that must be judged these are all that it may hold for, and others.
        """
        found: list[Row] = []
        for stretch in self._stretches(bounds):
            found += self._first(bounds, stretch, limit - len(found))
            if len(found) == limit:
                break
        return found

    def _first(self, bounds: Bounds, stretch: Stretch, limit: int) -> list[Row]:
        """Give the rows of the first events of a stretch of the order.

        All events of the stretch are found first and put in order then: what the planner thinks
        lies soon in an order may lie at its end.
        """
        conditions, where = self._where(None)
        key = conditions.columns[self._key]
        return self._execute(
            conditions,
            sql.SQL(
                "WITH found AS MATERIALIZED ("
                "SELECT position, {key} AS key FROM {source} WHERE {where}{between}{stretch})"
                " {select} JOIN (SELECT * FROM found ORDER BY {order} LIMIT {limit}) AS first"
                " USING (position) ORDER BY {order}"
            ).format(
                select=sql.SQL(SELECT),
                source=conditions.source,
                where=where,
                key=key,
                between=self._between(conditions, bounds),
                stretch=_within(conditions, key, stretch),
                order=self._order(),
                limit=conditions.value(limit),
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

    def to_judge(self, limit: int) -> list[Row]:
        """Give the id and the stream of the seller events that the question may hold for."""
        conditions, where = self._where(None)
        return self._execute(
            conditions,
            sql.SQL("SELECT event_id, stream_id FROM {} WHERE {} AND {} LIMIT {}").format(
                conditions.source,
                where,
                conditions.equal(conditions.columns["type"], ACT_TOPICS),
                conditions.value(limit),
            ),
        )

    def counts(self, by: Sequence[Dimension], findings: Findings | None, limit: int) -> list[Row]:
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
        conditions = Conditions(self._ground, question.query, findings)
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

    @property
    def _key(self) -> str:
        """The field that the order goes by, and positions after it."""
        return "occurred" if self._question.by_occurrence else "position"

    def _order(self) -> sql.SQL:
        return sql.SQL("key DESC, position DESC" if self._question.backwards else "key, position")

    def _stretches(self, bounds: Bounds) -> Iterator[Stretch]:
        """Divide what lies between bounds into stretches, in the order of the question."""
        near: Key | None = None
        for place in self._cuts(bounds):
            far = self._key_at(place)
            yield self._ordered(near, far)
            near = far
        yield self._ordered(near, None)

    def _cuts(self, bounds: Bounds) -> Iterator[int]:
        """Give where the order is cut, from the side that the question begins at.

        Where little was found before, much may still lie together: a few places of the rest are
        looked at, and from the nearest at which there is something the stretches grow again.
        """
        first, last = self._ends(bounds)
        near, far = (last, first) if self._question.backwards else (first, last)
        yield from self._steps(near, first, last)
        near = self._further(near, _STEPS[-1])
        if abs(far - near) > _STEPS[-1] and first < near < last:
            found = self._nearest(bounds, near, far)
            if found is not None and first < found < last:
                yield found
                yield from self._steps(found, first, last)

    def _steps(self, near: int, first: int, last: int) -> Iterator[int]:
        steps = (self._further(near, step) for step in _STEPS)
        return (place for place in steps if first < place < last)

    def _nearest(self, bounds: Bounds, near: int, far: int) -> int | None:
        """Look at a few places of a stretch; give the nearest with something, None without."""
        places = [near + (far - near) * part // _LOOKS for part in range(1, _LOOKS)]
        spans = [self._ordered(p, self._further(p, _STEPS[0] // _LOOKS)) for p in places]
        conditions, where = self._where(None)
        key = conditions.columns[self._key]
        looked = [
            sql.SQL("({key} >= {} AND {key} < {})").format(
                *(conditions.value(self._key_at(end)) for end in span), key=key
            )
            for span in spans
        ]
        rows = self._execute(
            conditions,
            sql.SQL(
                "WITH found AS MATERIALIZED ("
                "SELECT position, {key} AS key FROM {source} WHERE {where}{between} AND ({looked}))"
                " SELECT key FROM found ORDER BY {order} LIMIT 1"
            ).format(
                key=key,
                source=conditions.source,
                where=where,
                between=self._between(conditions, bounds),
                looked=sql.SQL(" OR ").join(looked),
                order=self._order(),
            ),
        )
        return self._place_of(rows[0][0]) + self._question.backwards if rows else None

    def _further(self, place: int, steps: int) -> int:
        return place - steps if self._question.backwards else place + steps

    def _ordered(self, near: End, far: End) -> tuple[End, End]:
        return (far, near) if self._question.backwards else (near, far)

    @cached_property
    def _scale(self) -> tuple[datetime, timedelta]:
        """When the log begins, and how long it takes for one event of it."""
        begun, ended = self._ground.spanned or (_BEGINNING, _BEGINNING)
        return begun, max((ended - begun) / max(1, self._question.moment.position), _LEAST)

    def _key_at(self, place: int) -> Key:
        """Give the key at a place of the order, which are as many as events."""
        begun, one = self._scale
        return begun + one * place if self._question.by_occurrence else place

    def _place_of(self, key: Key) -> int:
        """Give the last place at or before a key."""
        return key if isinstance(key, int) else (key - self._scale[0]) // self._scale[1]

    def _ends(self, bounds: Bounds) -> tuple[int, int]:
        """Give from which place until before another all that is asked for lies."""
        extent = extent_of(self._question.query, self._ground)
        whole = (0, self._question.moment.position + 1)
        if self._question.by_occurrence:
            bound = (
                self._occurred_at(bounds.after, "after"),
                self._occurred_at(bounds.before, "before"),
            )
            spans = (self._places(bound), self._places(extent.occurred))
            return inside(whole, *spans)
        since, until = extent.recorded
        recorded = (self._recorded_from(since), self._recorded_from(until))
        return inside(whole, (bounds.after, bounds.before), extent.positions, recorded)

    def _places(self, span: Span[datetime]) -> Span[int]:
        since, until = span
        return (
            None if since is None else self._place_of(since),
            None if until is None else self._place_of(until) + 1,
        )

    def _recorded_from(self, instant: datetime | None) -> int | None:
        """Give the first position that was recorded at an instant or later; None if none was."""
        if instant is None:
            return None
        row = self._connection.execute(
            "SELECT position FROM events WHERE recorded_at >= %s"
            " ORDER BY recorded_at, position LIMIT 1",
            (instant,),
        ).fetchone()
        return int(row[0]) if row else None

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
                instant = conditions.value(self._occurred_at(position, field))
                keys = sql.SQL(" AND ({}, position) {} ({}, {})")
                made.append(keys.format(conditions.columns["occurred"], operator, instant, place))
            else:
                made.append(sql.SQL(" AND position {} {}").format(operator, place))
        return sql.Composed(made)

    def _occurred_at(self, position: int | None, field: str) -> datetime | None:
        """Give when the event at a bound occurred; None where there is no bound.

        Raises:
            BeyondTheLogError: there is no event, as known at the moment of the question.
        """
        if position is None:
            return None
        upto = self._question.moment.position
        row = self._connection.execute(
            "SELECT occurred_at FROM events WHERE position = %s AND position <= %s",
            (position, upto),
        ).fetchone()
        if row is None:
            message = f"{field}: there is no event at position {position} of {upto}"
            raise BeyondTheLogError(message, field=field)
        found: datetime = row[0]
        return found

    def _execute(self, conditions: Conditions, statement: sql.Composed) -> list[Row]:
        with self._connection.cursor(binary=True) as cursor:
            # Planned for the values that it has: a plan for any would serve none of them well.
            return cursor.execute(statement, conditions.parameters, prepare=False).fetchall()


def _within(conditions: Conditions, key: sql.Composable, stretch: Stretch) -> sql.Composed:
    since, until = stretch
    made = [
        sql.SQL(" AND {} {} {}").format(key, operator, conditions.value(place))
        for operator, place in ((sql.SQL(">="), since), (sql.SQL("<"), until))
        if place is not None
    ]
    return sql.Composed(made)


def _figures_of(reach: Reach) -> People:
    if reach.figures_of is None or reach.teams is None:
        return None
    return reach.figures_of | reach.teams
