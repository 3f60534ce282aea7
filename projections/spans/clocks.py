"""The two clocks that states are kept on, and what their tables and columns are called."""

from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import Final, LiteralString

from psycopg import sql

from projections.spans.course import Change
from projections.spans.fold import DealState

SLAB_POSITIONS: Final = 16_384
"""Few enough that little is read in vain, so many that few rows are kept twice."""
SLAB_TIME: Final = timedelta(days=16)
"""About as much as that many positions last in a ledger of 2 million events in three years."""

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def micros(instant: datetime) -> int:
    """Give an instant as it is kept: in microseconds since 1970."""
    return (instant - EPOCH) // _MICROSECOND


def instant_of(kept: int) -> datetime:
    """Give a kept instant back."""
    return EPOCH + kept * _MICROSECOND


@dataclass(frozen=True, slots=True)
class Clock:
    """One clock: what its tables and columns are called, and how wide its slabs are.

    The coordinate is a position on the clock of what was known, and an instant in microseconds
    on that of what happened. `key` is the position of the event that brought a row of the spans,
    `own` the one column that only its spans have.
    """

    spans: str
    slabs: str
    deltas: str
    since: str
    until: str
    key: str
    own: str

    @property
    def width(self) -> int:
        """Give how much of the coordinate lies in one slab."""
        return SLAB_POSITIONS if self is KNOWN else SLAB_TIME // _MICROSECOND

    def statement(self, text: LiteralString, **more: sql.Composable) -> sql.Composed:
        """Give a statement with this clock's names in it; {state} are the columns of a state."""
        names = {field.name: sql.Identifier(getattr(self, field.name)) for field in fields(self)}
        return sql.SQL(text).format(**names, width=sql.Literal(self.width), state=STATE, **more)

    @staticmethod
    def columns(table: str) -> sql.Composed:
        """Give the columns of a state in one of the tables of a statement."""
        return sql.SQL(", ").join(sql.Identifier(table, name) for name in DealState._fields)

    def coordinate(self, change: Change) -> int:
        """Give when a change took place on this clock."""
        return change.position if self is KNOWN else micros(change.occurred_at)


KNOWN: Final = Clock(
    spans="spans",
    slabs="slabs",
    deltas="deltas",
    since="from_position",
    until="until_position",
    key="from_position",
    own="settled_at",
)
HINDSIGHT: Final = Clock(
    spans="hindsight_spans",
    slabs="hindsight_slabs",
    deltas="hindsight_deltas",
    since="from_instant",
    until="until_instant",
    key="since_position",
    own="since_position",
)
CLOCKS: Final = (KNOWN, HINDSIGHT)
TABLES: Final = tuple(name for clock in CLOCKS for name in (clock.spans, clock.slabs, clock.deltas))

STATE: Final = sql.SQL(", ").join(map(sql.Identifier, DealState._fields))
"""The columns of a state, in the order of its fields."""
