"""Makes the states of all deals anew: whole deals by COPY, then what derives from their rows."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from domain.calendars import CalendarHistory
from projections.facts import Rows
from projections.spans import deltas
from projections.spans.clocks import CLOCKS, Clock
from projections.spans.course import course
from projections.spans.days import last_slabs
from projections.spans.fold import TOPICS, Told
from projections.spans.rows import copy_spans, span_lines
from projections.spans.turns import sides


def load(connection: Rows, streams: Mapping[UUID, Sequence[Told]]) -> None:
    """Add deals to the spans, which hold nothing of them; events of `TOPICS` suffice."""
    lines: dict[Clock, list[str]] = {clock: [] for clock in CLOCKS}
    for deal_id, events in streams.items():
        found = course([event for event in events if event.data.TOPIC in TOPICS])
        for clock, (changes, texts) in sides(found).items():
            lines[clock] += span_lines(clock, str(deal_id), changes, texts, found.settled_at)
    for clock in CLOCKS:
        copy_spans(connection, clock, lines[clock])


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
