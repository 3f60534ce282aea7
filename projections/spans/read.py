"""Reads the states of deals at any place on either clock, each question one look into an index."""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, Literal, LiteralString, NamedTuple, TypeAlias
from uuid import UUID

from psycopg import sql

from projections.facts import Rows
from projections.spans.clocks import HINDSIGHT, KNOWN, STATE, Clock, instant_of, micros
from projections.spans.days import Days, coordinates, last_slabs, recorded_at
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


class Outline(NamedTuple):
    """What a comparison looks at in the state of a deal."""

    owner: str
    stage: str | None
    closed: str | None
    amount: Decimal | None
    currency: str | None
    close_date: date | None
    forecast_category: str | None
    deleted: bool


class Difference(NamedTuple):
    """A deal whose outline was another at two places; None before the deal existed."""

    deal_id: UUID
    before: Outline | None
    after: Outline


class Step(NamedTuple):
    """A change of one deal: where on the clock, by which event, from what to what."""

    deal_id: UUID
    coordinate: int
    position: int
    before: DealState | None
    after: DealState


class DayDelta(NamedTuple):
    """What a local day added to the open deals of one kind, or took from them.

    The owner is None where all owners are told together.
    """

    day: date
    zone: str
    owner: str | None
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
        sql.Identifier(kind)
        if kind in by
        else sql.SQL("NULL::text AS {}").format(sql.Identifier(kind))
        for kind in KINDS
    ]
    groups: list[sql.Composable] = [sql.Identifier(kind) for kind in KINDS if kind in by]
    query = sql.SQL("SELECT {}, count(*), sum(amount) FROM {} t WHERE {} GROUP BY {}").format(
        sql.SQL(", ").join(kinds),
        open_deals(at),
        sql.SQL("true" if owners is None else "owner = ANY(%s)"),
        sql.SQL(", ").join(groups or [sql.SQL("()")]),
    )
    rows = _fetch(connection, query, () if owners is None else (list(owners),))
    return [Total._make((*row[:-1], row[-1] or Decimal(0))) for row in rows if row[-2]]


def states(connection: Rows, at: At, deal_ids: Iterable[UUID]) -> dict[UUID, Stood]:
    """Give what deals were at a place; those that did not exist yet are left out."""
    query = at.clock.statement(
        "SELECT deal_id, {key}, {state} FROM {spans} WHERE deal_id = ANY(%s)"
        " AND {since} <= %s AND ({until} IS NULL OR {until} > %s)"
    )
    rows = _fetch(connection, query, (list(deal_ids), at.coordinate, at.coordinate))
    return {row[0]: _stood(row) for row in rows}


def differences(connection: Rows, before: At, after: At) -> list[Difference]:
    """Give the deals whose outlines differ at two places of one clock, the earlier one first."""
    query = before.clock.statement(
        """
        WITH earlier AS (
            SELECT deal_id, since_position, {outline} FROM {open_before} p
            UNION ALL
            SELECT deal_id, {key}, {outline} FROM {spans}
             WHERE (closed IS NOT NULL OR deleted) AND {since} <= {at_before}
               AND {until} > {at_before} AND {until} <= {at_after}
        ), later AS (
            SELECT deal_id, since_position, {outline} FROM {open_after} p
            UNION ALL
            SELECT deal_id, since_position, {outline} FROM {out_after} p
        )
        SELECT deal_id, earlier.since_position IS NOT NULL, {was}, {now}
          FROM later LEFT JOIN earlier USING (deal_id)
         WHERE earlier.since_position IS DISTINCT FROM later.since_position
        """,
        outline=_columns(Outline._fields),
        open_before=open_deals(before),
        open_after=open_deals(after),
        out_after=deals_out(after, after=before.coordinate),
        at_before=sql.Literal(before.coordinate),
        at_after=sql.Literal(after.coordinate),
        was=_columns(Outline._fields, of="earlier"),
        now=_columns(Outline._fields, of="later"),
    )
    half = len(Outline._fields)
    found: list[Difference] = []
    for deal_id, was_there, *values in _fetch(connection, query, ()):
        was = Outline._make(values[:half]) if was_there else None
        now = Outline._make(values[half:])
        if was != now:
            found.append(Difference(deal_id, was, now))
    return found


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
    """Give what each local day changed up to a place, of all owners together or of some each.

    Whole days of all owners are kept; where the fiscal calendar that the spans know counts other
    days then, and for some owners, they are added up from the slabs of the days.
    """
    kept = _kept(connection, upto.clock, days) if owners is None else None
    if kept is None:
        return _added_up(connection, upto, days, owners)
    begun = _whole(connection, upto, days)
    whole = set(days.days[:begun])
    rest = Days(days.starts[begun:], days.days[begun:], days.end)
    found = [delta for delta in kept if (delta.day, delta.zone) in whole]
    return found + (_added_up(connection, upto, rest, None) if rest.days else [])


def _kept(connection: Rows, clock: Clock, days: Days) -> list[DayDelta] | None:
    """Give what is kept of days; None where days near them are kept in another zone."""
    query = clock.statement(
        "SELECT day, zone, NULL::text, stage, forecast_category, currency, deals, amount"
        " FROM {deltas} WHERE day BETWEEN %s AND %s"
    )
    near = (days.days[0][0] - _APART, days.days[-1][0] + _APART)
    found = [DayDelta(*row) for row in _fetch(connection, query, near)]
    zones = {delta.zone for delta in found} | {zone for _, zone in days.days}
    return found if len(zones) == 1 else None


def _whole(connection: Rows, upto: At, days: Days) -> int:
    """Give how many of the days have ended at a place: nothing after it lies in them."""
    last, following = upto.coordinate, upto.coordinate + 1
    if upto.clock is KNOWN:
        told = recorded_at(connection, [last, following])
        until = told.get(following) or told.get(last) or days.starts[0]
    else:
        until = instant_of(following)
    return bisect_right([*days.starts[1:], days.end], until)


def _added_up(
    connection: Rows, upto: At, days: Days, owners: Sequence[str] | None
) -> list[DayDelta]:
    """Add up what days changed, from the slabs that they lie in.

    What is cut between two slabs ends and begins at one coordinate, and evens out; therefore the
    slab before is read, too, where the first day begins with one.
    """
    clock = upto.clock
    *starts, end = coordinates(connection, clock, [*days.starts, days.end])
    last = min(upto.coordinate, end - 1)
    rows = _fetch(
        connection,
        clock.statement(
            """
            WITH piece AS (
                SELECT * FROM {slabs}
                 WHERE slab BETWEEN (%(first)s - 1) / {width} AND %(last)s / {width}
                   AND (%(owners)s::text[] IS NULL OR owner = ANY(%(owners)s))
            )
            SELECT width_bucket(at, %(starts)s::bigint[]), {owner}, stage, forecast_category,
                   currency, sum(n)::bigint, coalesce(sum(n * amount), 0)
              FROM (SELECT {since} AS at, 1 AS n, owner, stage, forecast_category, currency, amount
                      FROM piece
                    UNION ALL
                    SELECT {until}, -1, owner, stage, forecast_category, currency, amount
                      FROM piece) step
             WHERE at BETWEEN %(first)s AND %(last)s
             GROUP BY 1, 2, 3, 4, 5
            """,
            owner=sql.SQL("NULL::text" if owners is None else "owner"),
        ),
        {
            "first": starts[0],
            "last": last,
            "starts": starts,
            "owners": None if owners is None else list(owners),
        },
    )
    return [DayDelta(*days.days[number - 1], *rest) for number, *rest in rows]


def _columns(names: Iterable[str], *, of: str | None = None) -> sql.Composed:
    """Give columns, of one of the tables of a statement."""
    table = () if of is None else (of,)
    return sql.SQL(", ").join(sql.Identifier(*table, name) for name in names)


def _fetch(
    connection: Rows, query: sql.Composed, params: Sequence[object] | Mapping[str, object]
) -> list[tuple[Any, ...]]:
    return connection.execute(query, params).fetchall()


def _stood(row: tuple[Any, ...]) -> Stood:
    return Stood(row[0], row[1], DealState._make(row[2:]))
