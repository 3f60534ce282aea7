"""What each local day added to the open deals and took from them, kept row by row or in one go."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Final, TypeAlias

from domain.calendars import CalendarHistory
from projections.facts import Rows
from projections.spans.clocks import KNOWN, Clock, instant_of
from projections.spans.days import Days, coordinates, days_between, recorded_at
from projections.spans.rows import Row

_Key: TypeAlias = tuple[str | None, str | None, str | None]
"""Stage, forecast category and currency."""
_DayKey: TypeAlias = tuple[date, str, str | None, str | None, str | None]
_Sums: TypeAlias = defaultdict[tuple[int, _Key], list[Decimal]]


def keep(
    connection: Rows,
    clock: Clock,
    gone: Iterable[Row],
    came: Iterable[Row],
    calendars: CalendarHistory,
) -> None:
    """Bring the deltas up to rows that went and rows that came."""
    sums: _Sums = defaultdict(lambda: [Decimal(0), Decimal(0)])
    for row in gone:
        _count(sums, row, -1)
    for row in came:
        _count(sums, row, 1)
    standing = {key: both for key, both in sums.items() if any(both)}
    if standing:
        instants = _instants(connection, clock, {at for at, _ in standing})
        days = days_between(calendars, min(instants.values()), max(instants.values()))
        _add(connection, clock, _by_day(standing, instants, days))


def _count(sums: _Sums, row: Row, sign: int) -> None:
    state = row.state
    if not state.open:
        return
    key = (state.stage, state.forecast_category, state.currency)
    for at, of in ((row.since, sign), (row.until, -sign)):
        if at is not None:
            both = sums[at, key]
            both[0] += of
            both[1] += of * (state.amount or 0)


def _instants(connection: Rows, clock: Clock, coordinates: set[int]) -> Mapping[int, datetime]:
    if clock is KNOWN:
        return recorded_at(connection, coordinates)
    return {at: instant_of(at) for at in coordinates}


def _by_day(
    sums: Mapping[tuple[int, _Key], list[Decimal]], instants: Mapping[int, datetime], days: Days
) -> dict[_DayKey, list[Decimal]]:
    found: dict[_DayKey, list[Decimal]] = {}
    for (at, key), (deals, amount) in sums.items():
        both = found.setdefault((*days.of(instants[at]), *key), [Decimal(0), Decimal(0)])
        both[0] += deals
        both[1] += amount
    return {key: both for key, both in found.items() if any(both)}


def _add(connection: Rows, clock: Clock, sums: Mapping[_DayKey, list[Decimal]]) -> None:
    if not sums:
        return
    columns = zip(*((*key, *both) for key, both in sums.items()), strict=True)
    void = connection.execute(
        clock.statement(
            """
            WITH put AS (
                INSERT INTO {deltas} AS d
                       (day, zone, stage, forecast_category, currency, deals, amount)
                SELECT day, zone, stage, category, currency, deals, trim_scale(amount)
                  FROM unnest(%s::date[], %s::text[], %s::text[], %s::text[], %s::text[],
                              %s::bigint[], %s::numeric[])
                       AS u(day, zone, stage, category, currency, deals, amount)
                    ON CONFLICT (day, zone, stage, forecast_category, currency) DO UPDATE
                   SET deals = d.deals + EXCLUDED.deals,
                       amount = trim_scale(d.amount + EXCLUDED.amount)
                RETURNING d.ctid, d.deals, d.amount
            )
            SELECT ctid FROM put WHERE deals = 0 AND amount = 0
            """
        ),
        [list(column) for column in columns],
    ).fetchall()
    if void:
        connection.execute(
            clock.statement("DELETE FROM {deltas} WHERE ctid = ANY(%s::tid[])"),
            ([row[0] for row in void],),
        )


def make(connection: Rows, clock: Clock, calendars: CalendarHistory) -> None:
    """Make all deltas from the spans, in place of those there are."""
    connection.execute(clock.statement("DELETE FROM {deltas}"))
    ends = connection.execute(
        clock.statement("SELECT min({since}), max(coalesce({until}, {since})) FROM {spans}")
    ).fetchone()
    if ends is None or ends[0] is None:
        return
    instants = _instants(connection, clock, set(ends))
    days = days_between(calendars, instants[ends[0]], instants[ends[1]])
    connection.execute(
        clock.statement(_MAKE),
        {
            "starts": coordinates(connection, clock, days.starts),
            "days": [day for day, _ in days.days],
            "zones": [zone for _, zone in days.days],
        },
    )


_MAKE: Final = """
    INSERT INTO {deltas} (day, zone, stage, forecast_category, currency, deals, amount)
    SELECT (%(days)s::date[])[number], (%(zones)s::text[])[number], stage, forecast_category,
           currency, deals, trim_scale(amount)
      FROM (SELECT width_bucket(at, %(starts)s::bigint[]) AS number, stage, forecast_category,
                   currency, sum(n) AS deals, coalesce(sum(n * amount), 0) AS amount
              FROM (SELECT {since} AS at, 1 AS n, stage, forecast_category, currency, amount
                      FROM {spans} WHERE closed IS NULL AND NOT deleted
                    UNION ALL
                    SELECT {until}, -1, stage, forecast_category, currency, amount
                      FROM {spans} WHERE closed IS NULL AND NOT deleted AND {until} IS NOT NULL
                   ) step
             GROUP BY 1, 2, 3, 4) day
     WHERE deals <> 0 OR amount <> 0
"""
