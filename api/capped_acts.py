"""When shaped acts were capped: a team recorded too little of what customers do (METRICS 4)."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from psycopg import sql

from api.context import ContextReader
from api.replays import Replay
from projections.batch import DEAL_PREFIX
from projections.facts import Rows
from projections.pressure.context import KnownContext
from projections.spans.clocks import micros


@dataclass(frozen=True, slots=True)
class ActSpan:
    """From where on the clock, and until where, an act of a rep on a deal was pressure-shaped."""

    deal_id: UUID
    rep: str
    since: int
    until: int | None


class CappedActs:
    """Takes out of spans those parts in which the coverage gate was not reached.

    Coverage is of all acts done by the instant of the question, before those judged or after, so
    that it turns far more often than what else verdicts rest on. It is asked for only where an act
    would be shaped.
    """

    def __init__(
        self,
        connection: Rows,
        replay: Replay,
        *,
        context: ContextReader,
        context_at: Callable[[int], KnownContext],
    ) -> None:
        """Take what gives the context of a question at a place on the clock of a replay."""
        self._connection = connection
        self._replay = replay
        self._context = context
        self._context_at = context_at

    def without(self, spans: Sequence[ActSpan]) -> list[ActSpan]:
        """Give the parts of spans in which the acts were not capped."""
        if not self._gated():
            return list(spans)
        turns = self._turns()
        pieces = [(one, _cut(one, turns)) for one in spans]
        asked: dict[int, set[str]] = defaultdict(set)
        for one, cuts in pieces:
            for at in cuts:
                asked[at].add(one.rep)
        capped = {(at, rep) for at, reps in sorted(asked.items()) for rep in self._capped(at, reps)}
        return [
            ActSpan(one.deal_id, one.rep, since, until)
            for one, cuts in pieces
            for since, until in zip(cuts, [*cuts[1:], one.until], strict=True)
            if (since, one.rep) not in capped
        ]

    def _gated(self) -> bool:
        """Say whether a policy with a gate was in force somewhere on the replay."""
        last = self._replay.last_position
        start, end = self._replay.start.coordinate, self._replay.end.coordinate
        places = [last]
        if self._replay.clock == "as_known":
            told = (event.position for event in self._context.known(last).events)
            places = [start, *(at for at in told if start < at <= end)]
        return any(self._context.known(at).policy.coverage_gate is not None for at in places)

    def _capped(self, at: int, reps: set[str]) -> Iterator[str]:
        context = self._context_at(at)
        gate = context.policy.coverage_gate
        return (rep for rep in sorted(reps) if context.coverage(rep).caps(gate))

    def _turns(self) -> list[int]:
        """Give the places at which the coverage of a team may turn, in order."""
        replay = self._replay
        context = self._context.known(replay.last_position).events
        params = {
            "end": replay.end.coordinate,
            "position": replay.moment.position,
            "prefix": DEAL_PREFIX,
        }
        if replay.clock == "as_known":
            rows = self._connection.execute(_TOLD, params).fetchall()
            told = {at for (at,) in rows if at is not None}
            return sorted(told | {event.position for event in context})
        rows = self._connection.execute(_DONE, params).fetchall()
        return sorted({micros(at) for (at,) in rows} | {micros(e.occurred_at) for e in context})


# An act that was dated a little ahead counts from what is told when it is done.
_TOLD: Final = sql.SQL("""
    SELECT at FROM acts, unnest(ARRAY[from_position, until_position]) AS at
     WHERE outside AND at <= %(end)s
    UNION
    SELECT (SELECT min(e.position) FROM events e WHERE e.recorded_at >= a.action_time)
      FROM acts a JOIN events told ON told.position = a.from_position
     WHERE a.outside AND a.action_time > told.recorded_at AND a.from_position <= %(end)s
""")
# Until what bears on it has occurred, an act may have another cause; that is of its deal.
_DONE: Final = sql.SQL("""
    SELECT unnest(ARRAY[occurred_at, action_time]) FROM acts
     WHERE outside AND from_position <= %(position)s
       AND (until_position IS NULL OR until_position > %(position)s)
    UNION
    SELECT e.occurred_at FROM acts a JOIN events e ON e.stream_id = %(prefix)s || a.deal_id::text
     WHERE a.outside AND a.from_position <= %(position)s
       AND (a.until_position IS NULL OR a.until_position > %(position)s)
       AND e.position <= %(position)s
       AND e.occurred_at > a.occurred_at AND e.occurred_at <= a.unsettled_until
""")


def _cut(span: ActSpan, turns: Sequence[int]) -> list[int]:
    """Give where a span begins, and where within it something may turn."""
    end = len(turns) if span.until is None else bisect_left(turns, span.until)
    return [span.since, *turns[bisect_right(turns, span.since) : end]]
