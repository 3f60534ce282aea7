"""Makes the states of all deals anew: whole deals by COPY, then what derives from their rows."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from domain.calendars import CalendarHistory
from projections.facts import Rows
from projections.spans import deltas
from projections.spans.clocks import CLOCKS, HINDSIGHT, KNOWN, Clock
from projections.spans.course import course
from projections.spans.days import last_slabs
from projections.spans.fold import TOPICS, Told
from projections.spans.rows import copy_spans, copying_spans, span_lines
from projections.spans.turns import sides


def load(connection: Rows, streams: Mapping[UUID, Sequence[Told]]) -> None:
    """Add deals to the spans, which hold nothing of them; events of `TOPICS` suffice."""
    hindsight: list[str] = []
    with copying_spans(connection, KNOWN) as write:
        for deal_id, events in streams.items():
            found = course([event for event in events if event.data.TOPIC in TOPICS])
            deal, at, both = str(deal_id), found.settled_at, sides(found)
            # Written deal by deal, so that the database reads while the next one is folded.
            write("".join(span_lines(KNOWN, deal, *both[KNOWN], at)))
            hindsight += span_lines(HINDSIGHT, deal, *both[HINDSIGHT], at)
    copy_spans(connection, HINDSIGHT, hindsight)


def fill(
    connection: Rows, *, upto: int, calendars: CalendarHistory, part: int = 0, parts: int = 1
) -> None:
    """Make one part of the slabs and deltas, which are empty, from the spans of all deals."""
    for clock in CLOCKS[part::parts]:
        _cut(connection, clock, upto)
        deltas.make(connection, clock, calendars)


def _cut(connection: Rows, clock: Clock, upto: int) -> None:
    (last,) = last_slabs(connection, clock, [upto])
    # In the order of the key, so that what is read together lies together.
    connection.execute(
        clock.statement(
            """
            INSERT INTO {slabs} (slab, deal_id, {since}, {until}, since_position, {state})
            SELECT slab, deal_id, greatest({since}, slab * {width}),
                   least({until}, (slab + 1) * {width}), {key}, {state}
              FROM {spans},
                   generate_series(
                       {since} / {width}, (least({until}, %(end)s) - 1) / {width}) AS slab
             WHERE closed IS NULL AND NOT deleted AND {since} IS DISTINCT FROM {until}
             ORDER BY 1, 3, 5
            """
        ),
        {"end": (last + 1) * clock.width},
    )
