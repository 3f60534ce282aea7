"""The rows of the spans and their slabs, and how they are written."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from operator import is_
from typing import Final, NamedTuple

from projections.facts import Rows
from projections.spans.clocks import KNOWN, Clock
from projections.spans.course import Change
from projections.spans.fold import DealState

NULL: Final = "\\N"
_ESCAPES: Final = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


class Row(NamedTuple):
    """A state of a deal from one coordinate of a clock until another; None while it goes on.

    `text` is the state as COPY reads it.
    """

    deal: str
    since: int
    until: int | None
    position: int
    state: DealState
    text: str
    settled_at: datetime | None = None


class Piece(NamedTuple):
    """A row of an open deal as far as it lies in one slab."""

    slab: int
    since: int
    until: int
    row: Row


def rows_of(
    clock: Clock, deal: str, changes: Sequence[Change], texts: Sequence[str], settled_at: datetime
) -> list[Row]:
    """Give the rows of consecutive changes, whose states read as `texts`."""
    places = _places(clock, changes)
    rows = [
        Row(deal, since, until, change.position, change.state, text)
        for change, (since, until), text in zip(changes, places, texts, strict=True)
        if change.state is not None
    ]
    if clock is KNOWN and rows and rows[-1].until is None:
        rows[-1] = rows[-1]._replace(settled_at=settled_at)
    return rows


def span_lines(
    clock: Clock, deal: str, changes: Sequence[Change], texts: Sequence[str], settled_at: datetime
) -> list[str]:
    """Give what `rows_of` gives as COPY reads it, without making the rows: for many of them."""
    lines = [
        f"{deal}\t{since}\t{NULL if until is None else until}\t"
        f"{NULL if clock is KNOWN else change.position}\t{text}\n"
        for change, (since, until), text in zip(
            changes, _places(clock, changes), texts, strict=True
        )
        if text
    ]
    if clock is KNOWN and changes and changes[-1].state is not None:
        lines[-1] = span_line(clock, rows_of(clock, deal, changes[-1:], texts[-1:], settled_at)[0])
    return lines


def _places(clock: Clock, changes: Sequence[Change]) -> Iterator[tuple[int, int | None]]:
    starts = [clock.coordinate(change) for change in changes]
    return zip(starts, [*starts[1:], None], strict=False)


def texts_of(
    changes: Sequence[Change], before: DealState | None = None, text: str = ""
) -> list[str]:
    """Give the states as COPY reads them, each made from the one before it, which reads `text`."""
    texts: list[str] = []
    fields = text.split("\t")
    for change in changes:
        state = change.state
        if state is None:
            texts.append("")
        elif before is None:
            fields = [*map(_text, state)]
            texts.append("\t".join(fields))
        else:
            for index, same in enumerate(map(is_, state, before)):
                if not same:
                    fields[index] = _text(state[index])
            texts.append("\t".join(fields))
        before = state
    return texts


def text_of(state: DealState) -> str:
    """Give a state as COPY reads it."""
    return "\t".join(map(_text, state))


def _text(value: object) -> str:
    if value is None:
        return NULL
    if isinstance(value, str):
        plain = value.isprintable() and "\\" not in value
        return value if plain else value.translate(_ESCAPES)
    return str(value)


def pieces_of(clock: Clock, row: Row, upto: int) -> Iterator[Piece]:
    """Cut a row into its slabs, up to the last one that is kept; none if the deal is not open."""
    width = clock.width
    until = (upto + 1) * width if row.until is None else row.until
    if row.state.open and row.since < until:
        for slab in range(row.since // width, (until - 1) // width + 1):
            start = slab * width
            yield Piece(slab, max(row.since, start), min(until, start + width), row)


def span_line(clock: Clock, row: Row) -> str:
    """Give a row of the spans as COPY reads it."""
    own = (row.settled_at or NULL) if clock is KNOWN else row.position
    until = NULL if row.until is None else row.until
    return f"{row.deal}\t{row.since}\t{until}\t{own}\t{row.text}\n"


def piece_line(piece: Piece) -> str:
    """Give a row of a slab as COPY reads it."""
    slab, since, until, row = piece
    return f"{slab}\t{row.deal}\t{since}\t{until}\t{row.position}\t{row.text}\n"


@contextmanager
def copying_spans(connection: Rows, clock: Clock) -> Iterator[Callable[[str], None]]:
    """Add rows to the spans, as they are handed to what this gives."""
    columns = "(deal_id, {since}, {until}, {own}, {state})"
    statement = clock.statement(f"COPY {{spans}} {columns} FROM STDIN")
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        yield copy.write


def copy_spans(connection: Rows, clock: Clock, lines: Sequence[str]) -> None:
    """Add rows to the spans."""
    if lines:
        with copying_spans(connection, clock) as write:
            write("".join(lines))


def copy_pieces(connection: Rows, clock: Clock, lines: Sequence[str]) -> None:
    """Add rows to the slabs."""
    if lines:
        columns = "(slab, deal_id, {since}, {until}, since_position, {state})"
        statement = clock.statement(f"COPY {{slabs}} {columns} FROM STDIN")
        with connection.cursor() as cursor, cursor.copy(statement) as copy:
            copy.write("".join(lines))
