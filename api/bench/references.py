"""The plainer ways that answers about time are held against, in SQL over the same rows.

`bench_history` has a row for every change of a deal, as a table of versions would, with its best
index; a snapshot has the deals that were open at one position, as a nightly copy would.
"""

from collections.abc import Mapping
from typing import Any, Final, LiteralString, TypeAlias

from psycopg import sql

from api.bench.ledger import Connection
from domain.fiscal import FiscalQuarter
from projections.spans.fold import DealState
from projections.spans.read import Outline

Row: TypeAlias = tuple[Any, ...]

_COLUMNS: Final = tuple(DealState.__annotations__)
_STATE: Final = sql.SQL(", ").join(map(sql.Identifier, _COLUMNS))
_MAKE_HISTORY: Final = """
    CREATE TABLE bench_history AS
    SELECT s.deal_id, s.from_position, e.recorded_at AS changed_at, {state}
      FROM (SELECT deal_id, from_position, {state} FROM spans) s
      JOIN (SELECT position, recorded_at FROM events) e ON e.position = s.from_position
     ORDER BY s.from_position
"""
_MAKE_SNAPSHOT: Final = """
    CREATE TABLE {table} AS
    SELECT deal_id, {state} FROM (
        SELECT DISTINCT ON (deal_id) * FROM bench_history WHERE from_position <= {position}
         ORDER BY deal_id, from_position DESC) s
     WHERE closed IS NULL AND NOT deleted
"""
_SNAPSHOT_TOTALS: Final = """
    SELECT stage, owner, currency, count(*), sum(amount) FROM {table}
     GROUP BY stage, owner, currency
"""
_HISTORY_TOTALS: Final = """
    SELECT stage, owner, currency, count(*), sum(amount) FROM (
        SELECT DISTINCT ON (deal_id) stage, owner, currency, amount, closed, deleted
          FROM bench_history WHERE from_position <= %(position)s
         ORDER BY deal_id, from_position DESC) s
     WHERE closed IS NULL AND NOT deleted GROUP BY stage, owner, currency
"""
_DIFFERENCE: Final = """
    WITH earlier AS (
        SELECT DISTINCT ON (deal_id) * FROM bench_history WHERE from_position <= %(earlier)s
         ORDER BY deal_id, from_position DESC
    ), later AS (
        SELECT DISTINCT ON (deal_id) * FROM bench_history WHERE from_position <= %(later)s
         ORDER BY deal_id, from_position DESC
    )
    SELECT deal_id, {earlier}, {later} FROM earlier FULL JOIN later USING (deal_id)
     WHERE earlier.from_position IS DISTINCT FROM later.from_position
       AND ROW({earlier}) IS DISTINCT FROM ROW({later})
"""
_FRAMES: Final = """
    WITH changes AS (
        SELECT (changed_at AT TIME ZONE %(zone)s)::date AS day, amount, currency,
               coalesce(stage, '') AS stage, coalesce(forecast_category, '') AS category,
               closed IS NULL AND NOT deleted AS open, deal_id, from_position
          FROM bench_history
    ), followed AS (
        SELECT *, lead(day) OVER deal AS until, lead(day) OVER deal IS NOT NULL AS ended
          FROM changes WINDOW deal AS (PARTITION BY deal_id ORDER BY from_position)
    ), deltas AS (
        SELECT day, stage, category, currency, 1 AS deals, amount FROM followed WHERE open
        UNION ALL
        SELECT until, stage, category, currency, -1, -amount FROM followed
         WHERE open AND ended
    ), daily AS (
        SELECT greatest(day, %(first)s) AS day, stage, category, currency,
               sum(deals) AS deals, sum(amount) AS amount
          FROM deltas WHERE day <= %(last)s GROUP BY 1, 2, 3, 4
    ), framed AS (
        SELECT day, stage, category, currency,
               sum(coalesce(deals, 0)) OVER key AS deals,
               sum(coalesce(amount, 0)) OVER key AS amount
          FROM (SELECT DISTINCT stage, category, currency FROM daily) keys
         CROSS JOIN (SELECT generate_series(%(first)s, %(last)s, '1 day')::date AS day) days
          LEFT JOIN daily USING (day, stage, category, currency)
        WINDOW key AS (PARTITION BY stage, category, currency ORDER BY day)
    )
    SELECT * FROM framed WHERE deals > 0
"""


def make_history(connection: Connection) -> None:
    """Make `bench_history` from the spans of the ledger that the connection stands in."""
    _run(connection, _MAKE_HISTORY)
    _run(connection, "CREATE INDEX ON bench_history (deal_id, from_position DESC)")
    _run(connection, "CREATE INDEX ON bench_history (from_position)")
    _run(connection, "VACUUM (ANALYZE) bench_history")


def make_snapshot(connection: Connection, *, position: int) -> None:
    """Store what was open at a position, for the questions about snapshots of that position."""
    _run(connection, _MAKE_SNAPSHOT, table=_snapshot(position), position=sql.Literal(position))
    _run(connection, "VACUUM (ANALYZE) {table}", table=_snapshot(position))


def snapshot_totals(connection: Connection, position: int) -> list[Row]:
    """Give (stage, owner, currency, deals, amount) of the snapshot of a position."""
    return _rows(connection, sql.SQL(_SNAPSHOT_TOTALS).format(table=_snapshot(position)))


def snapshot_list(connection: Connection, position: int) -> list[Row]:
    """Give every row of the snapshot of a position, the deal's id first."""
    return _rows(connection, sql.SQL("SELECT * FROM {table}").format(table=_snapshot(position)))


def history_totals(connection: Connection, position: int) -> list[Row]:
    """Give (stage, owner, currency, deals, amount) as known at a position."""
    return _rows(connection, _HISTORY_TOTALS, {"position": position})


def history_difference(connection: Connection, earlier: int, later: int) -> list[Row]:
    """Give the deals whose outlines differ at two positions: the id, then both of them."""
    columns = {
        name: sql.SQL(", ").join(sql.Identifier(name, column) for column in Outline._fields)
        for name in ("earlier", "later")
    }
    statement = sql.SQL(_DIFFERENCE).format(**columns)
    return _rows(connection, statement, {"earlier": earlier, "later": later})


def history_frames(connection: Connection, quarter: FiscalQuarter) -> list[Row]:
    """Give (day, stage, category, currency, deals, amount) at the end of each local day.

    What has no stage or category has an empty one.
    """
    days = {"first": quarter.start, "last": quarter.end, "zone": quarter.zone}
    return _rows(connection, _FRAMES, days)


def read_log(connection: Connection, *, upto: int) -> None:
    """Read the log in order, as fast as it can be had: by `COPY`, without looking at it."""
    statement = sql.SQL(
        "COPY (SELECT * FROM events WHERE position <= {} ORDER BY position) TO STDOUT"
    ).format(sql.Literal(upto))
    with connection.cursor() as cursor, cursor.copy(statement) as rows:
        for _ in rows:
            pass


def _snapshot(position: int) -> sql.Identifier:
    return sql.Identifier(f"bench_snapshot_{position}")


def _run(connection: Connection, statement: LiteralString, **parts: sql.Composable) -> None:
    connection.execute(sql.SQL(statement).format(state=_STATE, **parts))


def _rows(
    connection: Connection,
    statement: LiteralString | sql.Composed,
    parameters: Mapping[str, object] | None = None,
) -> list[Row]:
    with connection.cursor(binary=True) as cursor:
        return cursor.execute(statement, parameters).fetchall()
