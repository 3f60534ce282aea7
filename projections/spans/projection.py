"""Keeps the states of all deals on both clocks, stretch by stretch of the log."""

from typing import Final

from projections.batch import Batch
from projections.facts import Rows
from projections.spans import deltas, rebuild
from projections.spans.clocks import CLOCKS, TABLES
from projections.spans.days import last_slabs, zones
from projections.spans.fold import TOPICS
from projections.spans.turns import turns_of
from projections.spans.write import carry, rewrite


class SpansProjection:
    """The state of every deal at every position, and at every instant with hindsight."""

    name: Final = "spans"
    tables: Final = TABLES
    topics: Final = TOPICS
    framed: Final = False
    reads_bare_events: Final = True

    def project(self, connection: Rows, batch: Batch) -> None:
        """Follow the deals that the batch touches."""
        before, calendars = (batch.frames.at(at).calendar for at in (batch.after, batch.upto))
        turns = turns_of(connection, batch.streams, batch.after)
        for clock in CLOCKS:
            last, slab = last_slabs(connection, clock, [batch.after, batch.upto])
            if batch.after:
                carry(connection, clock, last, slab)
            turn = turns[clock]
            rewrite(connection, clock, turn.gone, turn.came, slab=slab, calendars=calendars)
            if zones(calendars) != zones(before):
                deltas.make(connection, clock, calendars)

    def load(self, connection: Rows, batch: Batch) -> None:
        """Add whole deals to the spans, which hold nothing of them."""
        rebuild.load(connection, batch.streams)

    def fill(self, connection: Rows, whole: Batch, *, part: int, parts: int) -> None:
        """Make one part of the slabs and deltas from the spans of all deals."""
        calendars = whole.frames.at(whole.upto).calendar
        rebuild.fill(connection, upto=whole.upto, calendars=calendars, part=part, parts=parts)

    def refold(self, connection: Rows, batch: Batch) -> None:
        """Bring deals, which are given whole, to where all others are already."""
        calendars = batch.frames.at(batch.upto).calendar
        for clock, turn in turns_of(connection, batch.streams, batch.after).items():
            _, slab = last_slabs(connection, clock, [batch.after, batch.upto])
            rewrite(connection, clock, turn.gone, turn.came, slab=slab, calendars=calendars)
