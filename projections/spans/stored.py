"""Rows of the spans as they are stored, for the next change of their deals."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from projections.facts import Rows
from projections.spans.clocks import HINDSIGHT, KNOWN
from projections.spans.course import NEVER
from projections.spans.fold import DealState
from projections.spans.rows import Row, text_of


class Standing(NamedTuple):
    """A deal at the end of what was projected: its last row on both clocks."""

    known: Row
    hindsight: Row

    @property
    def settled_at(self) -> datetime:
        """Give from when on events go on from here."""
        return self.known.settled_at or NEVER


def standing(connection: Rows, deal_ids: Collection[UUID]) -> dict[UUID, Standing]:
    """Give the rows of deals that go on; both clocks have the same state there."""
    rows = connection.execute(
        KNOWN.statement(
            "SELECT s.deal_id, s.from_position, s.settled_at, h.from_instant, h.since_position,"
            " {columns} FROM unnest(%s::uuid[]) d(deal_id)"
            " JOIN spans s ON s.deal_id = d.deal_id AND s.until_position IS NULL"
            " JOIN hindsight_spans h ON h.deal_id = d.deal_id AND h.until_instant IS NULL",
            columns=KNOWN.columns("s"),
        ),
        (list(deal_ids),),
    ).fetchall()
    return {row[0]: _standing(row) for row in rows}


def _standing(row: tuple[Any, ...]) -> Standing:
    deal_id, position, settled_at, instant, since_position = row[:5]
    state = DealState._make(row[5:])
    text = text_of(state)
    return Standing(
        Row(str(deal_id), position, None, position, state, text, settled_at),
        Row(str(deal_id), instant, None, since_position, state, text),
    )


def in_hindsight(connection: Rows, deal_ids: Collection[UUID]) -> list[Row]:
    """Give all rows of deals on the clock of what happened."""
    rows = connection.execute(
        HINDSIGHT.statement(
            "SELECT deal_id, {since}, {until}, since_position, {state} FROM {spans}"
            " WHERE deal_id = ANY(%s)"
        ),
        (list(deal_ids),),
    ).fetchall()
    found: list[Row] = []
    for deal_id, since, until, position, *values in rows:
        state = DealState._make(values)
        found.append(Row(str(deal_id), since, until, position, state, text_of(state)))
    return found
