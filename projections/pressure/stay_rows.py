"""The stays of all deals in one stage as rows of numbers, with the positions that they stand at."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final, Self
from uuid import UUID

import numpy as np
from psycopg import sql

from projections import facts
from projections.pressure.stays import ENDLESS, ROW, Rows, StaysIn, halves

_NUMBERS: Final = ("number", "entered", "left", "since", "until")
_SENT: Final = np.dtype(
    [
        ("fields", ">i2"),
        *(field for name in _NUMBERS for field in ((f"{name}_bytes", ">i4"), (name, ">i8"))),
        *(("deal_bytes", ">i4"), ("high", ">i8"), ("low", ">i8")),
    ]
)
"""A row as `COPY` sends it in binary: before each field how many bytes it has."""
_HEADER, _TRAILER = 19, 2
_READ: Final = sql.SQL(
    "COPY (SELECT w.number, s.entered_at, coalesce(s.left_at, 'infinity'), s.from_position,"
    " coalesce(s.until_position, {endless}), s.deal_id FROM stays s"
    " JOIN unnest({processes}::text[], {stages}::text[])"
    " WITH ORDINALITY AS w (process, stage, number) USING (process, stage)"
    " WHERE {deals}::uuid[] IS NULL OR s.deal_id = ANY({deals})) TO STDOUT (FORMAT BINARY)"
)


@dataclass(frozen=True, slots=True)
class StayRows:
    """All rows that tell of stays in one stage at any position, the shortest first."""

    rows: Rows

    def __len__(self) -> int:
        return len(self.rows)

    def at(self, position: int) -> StaysIn:
        """Give the stays as known at a position."""
        rows = self.rows
        return StaysIn(rows[(rows["since"] <= position) & (rows["until"] > position)])

    def retold(self, deal_ids: Collection[UUID], told: Self) -> Self:
        """Give them with what is told of some deals now in the place of what was."""
        anew = {halves(deal_id) for deal_id in deal_ids}
        alike = np.flatnonzero(np.isin(self.rows["low"], [low for _, low in anew]))
        of_them = [row for row in alike.tolist() if _deal(self.rows[row]) in anew]
        return type(self)(_sorted(np.concatenate([np.delete(self.rows, of_them), told.rows])))


def read_rows(
    connection: facts.Rows,
    stages: Collection[tuple[str, str]],
    deal_ids: Collection[UUID] | None = None,
) -> Mapping[tuple[str, str], StayRows]:
    """Read all rows of some stages, each (process, stage), or those of some deals in them."""
    wanted = list(stages)
    statement = _READ.format(
        endless=sql.Literal(ENDLESS),
        processes=sql.Literal([process for process, _ in wanted]),
        stages=sql.Literal([stage for _, stage in wanted]),
        deals=sql.Literal(None if deal_ids is None else list(deal_ids)),
    )
    sent = bytearray()
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for part in copy:
            sent += part
    count = (len(sent) - _HEADER - _TRAILER) // _SENT.itemsize
    found = np.frombuffer(sent, _SENT, count=count, offset=_HEADER)
    return {
        stage: StayRows(_sorted(_rows(found[found["number"] == number])))
        for number, stage in enumerate(wanted, start=1)
    }


def _rows(sent: Rows) -> Rows:
    rows = np.empty(len(sent), ROW)
    for name in ("high", "low", "entered", "since", "until"):
        rows[name] = sent[name]
    left = sent["left"].astype(np.int64)
    rows["length"] = np.where(left == ENDLESS, ENDLESS, left - rows["entered"])
    return rows


def _sorted(rows: Rows) -> Rows:
    return rows[np.argsort(rows["length"], kind="stable")]


def _deal(row: np.void) -> tuple[int, int]:
    return int(row["high"]), int(row["low"])
