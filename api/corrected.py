"""What corrected the events of an answer, as known at a position of the log."""

from collections.abc import Iterable, Mapping
from typing import Final, LiteralString, TypeAlias
from uuid import UUID

from api.storage.rows import SELECT, read_what_can_be
from domain.replay import Event, in_force, target_of
from projections.facts import Rows

Correctors: TypeAlias = Mapping[UUID, Event]
"""The correction in force of each corrected event."""
# In the words of the index of corrections.
_ABOUT: Final[LiteralString] = (
    f"{SELECT} WHERE topic IN ('deal.event_amended.v1', 'deal.event_retracted.v1')"
    " AND data ->> 'event_id' = ANY(%(ids)s) AND position <= %(upto)s"
)


def correctors_of(connection: Rows, events: Iterable[Event], *, upto: int) -> Correctors:
    """Give the correction in force of each of some events that one is about.

    Corrections of corrections are read too, since one that was retracted has no effect. One that
    this version cannot read counts as none.
    """
    known: dict[UUID, Event] = {}
    asked = {event.event_id: event.stream_id for event in events}
    while asked:
        rows = connection.execute(_ABOUT, {"ids": [str(one) for one in asked], "upto": upto})
        told = {one.event_id: one for one in read_what_can_be(rows.fetchall())[0]}
        told = {i: one for i, one in told.items() if i not in known and _of_stream(one, asked)}
        known |= told
        asked = {event_id: one.stream_id for event_id, one in told.items()}
    return in_force(sorted(known.values(), key=lambda one: one.position))


def _of_stream(correction: Event, asked: Mapping[UUID, str]) -> bool:
    """Say whether a correction is about an event of its own stream: no other ever counts."""
    target = target_of(correction.data)
    return target is not None and asked.get(target) == correction.stream_id
