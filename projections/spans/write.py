"""Writes the rows that a stretch of the log takes away and brings, and all that derives of them."""

from collections.abc import Iterable, Sequence

from domain.calendars import CalendarHistory
from projections.facts import Rows
from projections.spans import deltas
from projections.spans.clocks import Clock
from projections.spans.rows import (
    Piece,
    Row,
    copy_pieces,
    copy_spans,
    piece_line,
    pieces_of,
    span_line,
)


def carry(connection: Rows, clock: Clock, last: int, upto: int) -> None:
    """Let what goes on at the end of the last slab go on through the following ones.

    Nothing has happened yet beyond the last one: what the stretch ends, it takes away again.
    """
    for slab in range(last + 1, upto + 1):
        connection.execute(
            clock.statement(
                "INSERT INTO {slabs} (slab, deal_id, {since}, {until}, since_position, {state})"
                " SELECT %(slab)s, deal_id, %(start)s, %(end)s, since_position, {state}"
                " FROM {slabs} WHERE slab = %(slab)s - 1 AND {until} = %(start)s"
            ),
            {"slab": slab, "start": slab * clock.width, "end": (slab + 1) * clock.width},
        )


def rewrite(
    connection: Rows,
    clock: Clock,
    gone: Sequence[Row],
    came: Sequence[Row],
    *,
    slab: int,
    calendars: CalendarHistory,
) -> None:
    """Put rows in the place of others, in the spans, in the slabs up to one, and in the deltas."""
    old = {span_line(clock, row): row for row in gone}
    new = {span_line(clock, row): row for row in came}
    _delete_rows(connection, clock, [row for line, row in old.items() if line not in new])
    copy_spans(connection, clock, [line for line in new if line not in old])
    _rewrite_pieces(connection, clock, _pieces(clock, gone, slab), _pieces(clock, came, slab))
    deltas.keep(connection, clock, gone, came, calendars)


def _pieces(clock: Clock, rows: Iterable[Row], upto: int) -> dict[str, Piece]:
    pieces = (piece for row in rows for piece in pieces_of(clock, row, upto))
    return {piece_line(piece): piece for piece in pieces}


def _rewrite_pieces(
    connection: Rows, clock: Clock, old: dict[str, Piece], new: dict[str, Piece]
) -> None:
    gone = [piece for line, piece in old.items() if line not in new]
    if gone:
        connection.execute(
            clock.statement(
                "DELETE FROM {slabs} s USING unnest(%s::int[], %s::bigint[], %s::bigint[])"
                " AS g(slab, since, position)"
                " WHERE s.slab = g.slab AND s.{since} = g.since AND s.since_position = g.position"
            ),
            (
                [piece.slab for piece in gone],
                [piece.since for piece in gone],
                [piece.row.position for piece in gone],
            ),
        )
    copy_pieces(connection, clock, [line for line in new if line not in old])


def _delete_rows(connection: Rows, clock: Clock, gone: Sequence[Row]) -> None:
    if gone:
        connection.execute(
            clock.statement(
                "DELETE FROM {spans} s USING unnest(%s::uuid[], %s::bigint[]) AS g(deal_id, key)"
                " WHERE s.deal_id = g.deal_id AND s.{key} = g.key"
            ),
            ([row.deal for row in gone], [row.position for row in gone]),
        )
