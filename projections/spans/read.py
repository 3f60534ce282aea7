"""Reads the states of deals at any place on either clock, each question one look into an index."""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, Literal, LiteralString, NamedTuple, TypeAlias
from uuid import UUID

from psycopg import sql

from projections.facts import Rows
from projections.spans.clocks import HINDSIGHT, KNOWN, STATE, Clock, micros
from projections.spans.days import Days, coordinates, last_slabs
from projections.spans.fold import DealState

Kind: TypeAlias = Literal["owner", "stage", "forecast_category", "currency"]
KINDS: Final[tuple[Kind, ...]] = ("owner", "stage", "forecast_category", "currency")
_APART: Final = timedelta(days=2)
"""Local days of the same instant are at the most so far apart, whatever their zones."""


class At(NamedTuple):
    """A place on one of the clocks: a position, or an instant in microseconds since 1970."""

    clock: Clock
    coordinate: int


class Stood(NamedTuple):
    """The state of a deal at some place, and the position of the event that brought it."""

    deal_id: UUID
    since_position: int
    state: DealState


class Total(NamedTuple):
    """How many deals were open, and what they amounted to; a kind not asked for is None."""

    owner: str | None
    stage: str | None
    forecast_category: str | None
    currency: str | None
    deals: int
    amount: Decimal


class Difference(NamedTuple):
    """A deal that read differently at two places; None before it existed."""

    deal_id: UUID
    before: Stood | None
    after: Stood


class Step(NamedTuple):
    """A change of one deal: where on the clock, by which event, from what to what."""

    deal_id: UUID
    coordinate: int
    position: int
    before: DealState | None
    after: DealState


class DayDelta(NamedTuple):
    """What a local day added to the open deals of one kind, or took from them."""

    day: date
    zone: str
    stage: str | None
    forecast_category: str | None
    currency: str | None
    deals: int
    amount: Decimal


def known_at(position: int) -> At:
    """Give the place of what was known at a position."""
    return At(KNOWN, position)


def happened_by(connection: Rows, instant: datetime, *, views: int) -> At:
    """Give the place of what had happened by an instant, as known where the spans stand.

    An instant after everything that can have happened by then is as good as the last one.
    """
    (slab,) = last_slabs(connection, HINDSIGHT, [views])
    return At(HINDSIGHT, min(micros(instant), (slab + 1) * HINDSIGHT.width - 1))


def open_deals(at: At) -> sql.Composed:
    """Give the open deals of a place as a table: deal_id, since_position and the state."""
    clock, coordinate = at
    # Written as a sum, of which there are no statistics: they would say that few rows go on for
    # so long, as most of the history has ended by then, and nearly all of this slab's do.
    return clock.statement(
        "(SELECT deal_id, since_position, {state} FROM {slabs}"
        " WHERE slab = {slab} AND {since} <= {at} AND {until} + 0 > {at})",
        slab=sql.Literal(coordinate // clock.width),
        at=sql.Literal(coordinate),
    )


def deals_out(at: At, *, after: int = -1) -> sql.Composed:
    """Give the closed and the deleted deals of a place as a table, as `open_deals` does.

    Only those that came to be as they are after a coordinate.
    """
    return at.clock.statement(
        "(SELECT deal_id, {key} AS since_position, {state} FROM {spans}"
        " WHERE (closed IS NOT NULL OR deleted) AND {since} > {after} AND {since} <= {at}"
        " AND ({until} IS NULL OR {until} > {at}))",
        after=sql.Literal(after),
        at=sql.Literal(at.coordinate),
    )


def all_deals(at: At) -> sql.Composed:
    """Give all deals of a place as a table, as `open_deals` does."""
    return sql.SQL("({} UNION ALL {})").format(open_deals(at), deals_out(at))


def stood(
    connection: Rows,
    table: sql.Composed,
    *,
    where: LiteralString = "true",
    params: Sequence[object] = (),
) -> list[Stood]:
    """Give the rows of one of the tables above, of those that `where` names, in no order."""
    query = sql.SQL("SELECT deal_id, since_position, {} FROM {} t WHERE {}").format(
        STATE, table, sql.SQL(where)
    )
    return [_stood(row) for row in _fetch(connection, query, params)]


def totals(
    connection: Rows, at: At, *, by: Collection[Kind] = KINDS, owners: Sequence[str] | None = None
) -> list[Total]:
    """Give the open deals of a place, of all or of some owners, added up by kinds."""
    kinds = [
        sql.Identifier(kind) if kind in by else sql.SQL("NULL::text AS {}").format(_named(kind))
        for kind in KINDS
    ]
    query = sql.SQL(
        "SELECT {}, count(*), coalesce(sum(amount), 0) FROM {} t"
        " WHERE %s::text[] IS NULL OR owner = ANY(%s) GROUP BY 1, 2, 3, 4"
    ).format(sql.SQL(", ").join(kinds), open_deals(at))
    return [Total(*row) for row in _fetch(connection, query, (owners, owners))]


def states(connection: Rows, at: At, deal_ids: Iterable[UUID]) -> dict[UUID, Stood]:
    """Give what deals were at a place; those that did not exist yet are left out."""
    query = at.clock.statement(
        "SELECT deal_id, {key}, {state} FROM {spans} WHERE deal_id = ANY(%s)"
        " AND {since} <= %s AND ({until} IS NULL OR {until} > %s)"
    )
    rows = _fetch(connection, query, (list(deal_ids), at.coordinate, at.coordinate))
    return {row[0]: _stood(row) for row in rows}


def differing(before: At, after: At) -> sql.Composed:
    """Give the deals that differ between two places of one clock, the earlier one first.

    It is a table as `open_deals` is, with a row of each deal where it stood at the later place,
    for which `after` is true, and one where it stood at the earlier place, if it existed.
    """
    return before.clock.statement(
        """
        (WITH one AS {before}, other AS (
             SELECT *, EXISTS (SELECT FROM one WHERE one.deal_id = o.deal_id) AS was_open
               FROM (SELECT * FROM {open} p UNION ALL SELECT * FROM {out} q) o
              WHERE NOT EXISTS (SELECT FROM one WHERE one.deal_id = o.deal_id
                                   AND one.since_position = o.since_position))
         SELECT true AS after, deal_id, since_position, {state} FROM other
         UNION ALL
         SELECT false, one.* FROM one WHERE deal_id IN (SELECT deal_id FROM other)
         UNION ALL
         SELECT false, s.deal_id, s.{key}, {columns} FROM other o JOIN {spans} s USING (deal_id)
          WHERE NOT was_open AND s.{since} <= {at} AND (s.{until} IS NULL OR s.{until} > {at}))
        """,
        before=open_deals(before),
        open=open_deals(after),
        out=deals_out(after, after=before.coordinate),
        columns=before.clock.columns("s"),
        at=sql.Literal(before.coordinate),
    )


def differences(connection: Rows, before: At, after: At) -> list[Difference]:
    """Give the deals that read differently at two places of one clock, the earlier one first."""
    query = sql.SQL("SELECT after, deal_id, since_position, {} FROM {} d").format(
        STATE, differing(before, after)
    )
    sides: dict[bool, dict[UUID, Stood]] = {False: {}, True: {}}
    for row in _fetch(connection, query, ()):
        sides[row[0]][row[1]] = _stood(row[1:])
    found = (Difference(i, sides[False].get(i), row) for i, row in sides[True].items())
    return [d for d in found if d.before is None or _reads_otherwise(d.before, d.after)]


def _reads_otherwise(one: Stood, other: Stood) -> bool:
    """Say whether two states read differently: 10.0 and 10.00 are equal, and do."""
    before, after = one.state, other.state
    if before != after:
        return True
    return any(
        was is not None and was.as_tuple() != stands.as_tuple()
        for was, stands in ((before.amount, after.amount), (before.discount, after.discount))
        if stands is not None
    )


def steps(connection: Rows, clock: Clock, *, after: int, upto: int) -> list[Step]:
    """Give the changes of all deals after one coordinate and up to another, in their order."""
    query = clock.statement(
        "SELECT deal_id, {key}, {since}, {state} FROM {spans}"
        " WHERE {since} > %s AND {since} <= %s ORDER BY {since}, {key}"
    )
    rows = _fetch(connection, query, (after, upto))
    start = states(connection, At(clock, after), {row[0] for row in rows})
    current = {deal_id: row.state for deal_id, row in start.items()}
    found: list[Step] = []
    for deal_id, position, coordinate, *values in rows:
        state = DealState._make(values)
        found.append(Step(deal_id, coordinate, position, current.get(deal_id), state))
        current[deal_id] = state
    return found


def day_deltas(
    connection: Rows, upto: At, days: Days, *, owners: Sequence[str] | None = None
) -> list[DayDelta]:
    """Give what each local day changed up to a place, for all owners or for some together.

    Whole days of all owners are kept; where the fiscal calendar that the spans know counts other
    days then, and for some owners, they are added up from the slabs of the days.
    """
    starts = coordinates(connection, upto.clock, [*days.starts, days.end])
    whole = bisect_right(starts, upto.coordinate + 1) - 1
    if whole < 1 or owners is not None or _counted_otherwise(connection, upto.clock, days):
        return _added_up(connection, upto, days, starts, first=0, owners=owners)
    rows = _fetch(
        connection,
        upto.clock.statement(
            "SELECT day, zone, stage, forecast_category, currency, deals, amount FROM {deltas}"
            " WHERE day BETWEEN %s AND %s"
        ),
        (days.days[0][0], days.days[whole - 1][0]),
    )
    kept = [DayDelta(*row) for row in rows]
    return kept + _added_up(connection, upto, days, starts, first=whole, owners=None)


def _counted_otherwise(connection: Rows, clock: Clock, days: Days) -> bool:
    """Say whether days near these are kept in another zone."""
    query = clock.statement(
        "SELECT EXISTS (SELECT FROM {deltas} WHERE day BETWEEN %s AND %s AND zone <> %s)"
    )
    zones = {zone for _, zone in days.days}
    near = (days.days[0][0] - _APART, days.days[-1][0] + _APART, days.days[0][1])
    return len(zones) > 1 or connection.execute(query, near).fetchone() == (True,)


def _added_up(
    connection: Rows,
    upto: At,
    days: Days,
    starts: Sequence[int],
    *,
    first: int,
    owners: Sequence[str] | None,
) -> list[DayDelta]:
    """Add up the days from number `first` on.

    What is cut between two slabs ends and begins at one coordinate, and evens out; therefore the
    slab before is read, too, where the first day begins with one.
    """
    clock, last = upto.clock, min(upto.coordinate, starts[-1] - 1)
    if first == len(days.days) or starts[first] > last:
        return []
    rows = _fetch(
        connection,
        clock.statement(
            """
            WITH piece AS (
                SELECT * FROM {slabs}
                 WHERE slab BETWEEN (%(first)s - 1) / {width} AND %(last)s / {width}
                   AND (%(owners)s::text[] IS NULL OR owner = ANY(%(owners)s))
            )
            SELECT width_bucket(at, %(starts)s::bigint[]), stage, forecast_category, currency,
                   sum(n)::bigint, coalesce(sum(n * amount), 0)
              FROM (SELECT {since} AS at, 1 AS n, stage, forecast_category, currency, amount
                      FROM piece
                    UNION ALL
                    SELECT {until}, -1, stage, forecast_category, currency, amount FROM piece) step
             WHERE at BETWEEN %(first)s AND %(last)s
             GROUP BY 1, 2, 3, 4
            """
        ),
        {"first": starts[first], "last": last, "starts": list(starts[:-1]), "owners": owners},
    )
    return [DayDelta(*days.days[number - 1], *rest) for number, *rest in rows]


def _fetch(
    connection: Rows, query: sql.Composed, params: Sequence[object] | Mapping[str, object]
) -> list[tuple[Any, ...]]:
    # Binary, because reading instants and ids from text costs more than the whole query.
    with connection.cursor(binary=True) as cursor:
        return cursor.execute(query, params).fetchall()


def _stood(row: tuple[Any, ...]) -> Stood:
    return Stood(row[0], row[1], DealState._make(row[2:]))


def _named(kind: str) -> sql.Identifier:
    return sql.Identifier(kind)
