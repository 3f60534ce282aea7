"""What new events do to the rows of their deals, on both clocks."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Final, TypeAlias
from uuid import UUID

from domain.replay import Event
from projections.facts import Rows
from projections.spans.clocks import CLOCKS, HINDSIGHT, KNOWN, Clock, instant_of
from projections.spans.course import Change, Course, course, in_order, onward
from projections.spans.fold import TOPICS
from projections.spans.rows import Row, rows_of, texts_of
from projections.spans.stored import Standing, in_hindsight, standing

_POSITION: Final = attrgetter("position")
Streams: TypeAlias = Mapping[UUID, Sequence[Event]]


@dataclass(slots=True)
class Turn:
    """The rows that a stretch of the log takes away and brings on one clock."""

    gone: list[Row] = field(default_factory=list)
    came: list[Row] = field(default_factory=list)


Turns: TypeAlias = Mapping[Clock, Turn]
Sides: TypeAlias = Mapping[Clock, tuple[Sequence[Change], Sequence[str]]]


def turns_of(connection: Rows, streams: Streams, after: int) -> Turns:
    """Give what the events after a position do to the rows of deals, which are given whole.

    Events that come in order go on from the row that stands; otherwise the deal is folded anew.
    """
    turns = {clock: Turn() for clock in CLOCKS}
    told = {deal_id: events for deal_id in streams if (events := _told(streams[deal_id], after))}
    stands = standing(connection, told) if told else {}
    anew: list[UUID] = []
    for deal_id, events in told.items():
        stood = stands.get(deal_id)
        if stood is not None and in_order(events, stood.settled_at):
            _go_on(turns, stood, events)
        else:
            anew.append(deal_id)
    if rewritten := [deal_id for deal_id in anew if deal_id in stands]:
        turns[HINDSIGHT].gone += in_hindsight(connection, rewritten)
    for deal_id in anew:
        if deal_id in stands:
            turns[KNOWN].gone.append(stands[deal_id].known)
        _fold_anew(turns, deal_id, streams[deal_id], after)
    return turns


def _told(stream: Sequence[Event], after: int) -> list[Event]:
    first = bisect_right(stream, after, key=_POSITION)
    return [event for event in stream[first:] if event.data.TOPIC in TOPICS]


def _go_on(turns: Turns, stood: Standing, events: Sequence[Event]) -> None:
    changes = onward(events, stood.known.state)
    texts = [stood.known.text, *texts_of(changes, stood.known.state, stood.known.text)]
    for clock, row in ((KNOWN, stood.known), (HINDSIGHT, stood.hindsight)):
        occurred_at = instant_of(row.since) if clock is HINDSIGHT else stood.settled_at
        onwards = [Change(row.position, occurred_at, row.state), *changes]
        turns[clock].gone.append(row)
        turns[clock].came += rows_of(clock, row.deal, onwards, texts, events[-1].occurred_at)


def _fold_anew(turns: Turns, deal_id: UUID, stream: Sequence[Event], after: int) -> None:
    found = course([event for event in stream if event.data.TOPIC in TOPICS])
    for clock, (changes, texts) in sides(found).items():
        rows = rows_of(clock, str(deal_id), changes, texts, found.settled_at)
        # What was known before stays known; the row that stood may have ended.
        past = after if clock is KNOWN else -1
        turns[clock].came += [row for row in rows if row.until is None or row.until > past]


def sides(found: Course) -> Sides:
    """Give the changes of a deal on both clocks, and how their states read."""
    known = texts_of(found.known)
    hindsight = known if found.hindsight is found.known else texts_of(found.hindsight)
    return {KNOWN: (found.known, known), HINDSIGHT: (found.hindsight, hindsight)}
