"""Writes comparisons of a statement, and gathers the values that they compare with."""

from collections.abc import Mapping, Sequence
from typing import Final

from psycopg import sql
from psycopg.types.multirange import TimestamptzMultirange
from psycopg.types.range import TimestamptzRange

from api.query import values
from api.query.fiscal import Span, boundaries
from api.query.ground import Ground
from api.query.tree import Between, Comparison, Term, Word

_OPERATORS: Final[Mapping[Comparison, sql.SQL]] = {
    ":": sql.SQL("="),
    "<": sql.SQL("<"),
    "<=": sql.SQL("<="),
    ">": sql.SQL(">"),
    ">=": sql.SQL(">="),
}

NOTHING: Final = sql.SQL("false")
_INDEXED_SPANS: Final = 60
"""Quarters of fifteen years."""


class Writing:
    """A statement that is being written; every value in it is a parameter.

    `columns` are those that fields of a query are in.
    """

    def __init__(self, ground: Ground, columns: Mapping[str, sql.SQL]) -> None:
        self.ground = ground
        self.columns = columns
        self.parameters: dict[str, object] = {}

    def value(self, value: object) -> sql.Placeholder:
        """Give the place of a value in the statement."""
        name = f"v{len(self.parameters)}"
        self.parameters[name] = value
        return sql.Placeholder(name)

    def equal(self, column: sql.Composable, wanted: Sequence[object]) -> sql.Composed:
        """Give where a column is one of some values."""
        # One value by itself: only that lets an index give the rows in its order.
        if len(wanted) == 1:
            return sql.SQL("{} = {}").format(column, self.value(wanted[0]))
        return sql.SQL("{} = ANY({})").format(column, self.value(list(wanted)))

    def compared(
        self, column: sql.Composable, comparison: Comparison, wanted: Sequence[object]
    ) -> sql.Composed:
        """Give where a column compares with a value, or is one of several."""
        if comparison == ":":
            return self.equal(column, wanted)
        operator = _OPERATORS[comparison]
        return sql.SQL("{} {} {}").format(column, operator, self.value(wanted[0]))

    def at(self, column: sql.Composable, term: Term) -> sql.Composed:
        """Give where an instant compares with days or instants; a day is all of it."""
        read = [self.ground.span_of(values.day_or_instant(word)) for word in term.values]
        made = [self._within(column, term.comparison, span) for span in read]
        return sql.SQL(" OR ").join(made)

    def between(self, column: sql.Composable, range_: Between) -> sql.Composed:
        """Give where an instant lies in a range of days or instants."""
        made = [
            self.compared(column, comparison, [self.ground.span_of(values.day_or_instant(end))[0]])
            for comparison, end in ends_of(range_)
        ]
        return sql.SQL(" AND ").join(made)

    def spans(self, column: sql.Composable, spans: Sequence[Span]) -> sql.Composed:
        """Give where an instant lies in one of some spans."""
        if len(spans) > _INDEXED_SPANS:
            ranges = TimestamptzMultirange([TimestamptzRange(*span) for span in spans])
            return sql.SQL("{} <@ {}::tstzmultirange").format(column, self.value(ranges))
        # One by one, which is how an index finds them.
        made = [
            sql.SQL("({column} >= {since} AND {column} < {until})").format(
                column=column, since=self.value(since), until=self.value(until)
            )
            for since, until in spans
        ]
        return (
            sql.SQL("({})").format(sql.SQL(" OR ").join(made))
            if made
            else sql.SQL("{}").format(NOTHING)
        )

    def quarter_name(self, instant: sql.Composable) -> sql.Composed:
        """Give the name of the fiscal quarter of an instant; null where there is none."""
        found = self.ground.stretches
        return sql.SQL("({}::text[])[width_bucket({}, {}::timestamptz[])]").format(
            self.value([one.quarter.name if one.quarter else None for one in found]),
            instant,
            self.value(boundaries(found)),
        )

    def _within(self, column: sql.Composable, comparison: Comparison, span: Span) -> sql.Composed:
        since, until = span
        if since == until:
            return self.compared(column, comparison, [since])
        match comparison:
            case ":":
                return self.spans(column, [span])
            case "<" | ">=":
                return self.compared(column, comparison, [since])
            case "<=":
                return self.compared(column, "<", [until])
            case ">":
                return self.compared(column, ">=", [until])


def ends_of(range_: Between) -> list[tuple[Comparison, Word]]:
    """Give the ends that a range has, each as what it asks for."""
    ends: tuple[tuple[Comparison, Word | None], ...] = ((">=", range_.since), ("<", range_.until))
    return [(comparison, end) for comparison, end in ends if end]
