"""When the acts of a quarter were pressure-shaped, as they were judged at each instant."""

from bisect import bisect_right
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from threading import Lock
from typing import Final
from uuid import UUID

from api.act_turns import ActTurns, probes
from api.board_marks import Times
from api.capped_acts import ActSpan, CappedActs
from api.context import ContextReader
from api.places import Places
from api.replays import Replay
from projections.attainment.projection import ledger
from projections.facts import Rows
from projections.pressure.context import KnownContext
from projections.pressure.verdicts import verdicts
from projections.quarter.board_tape import Span
from projections.spans.clocks import instant_of

_KEPT: Final = 32
"""How many quarters' verdicts are kept: what was known at a position never changes."""


class ShapedActsCache:
    """Keeps what was found of the quarters that were asked about last."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._found: OrderedDict[tuple[object, ...], list[ActSpan]] = OrderedDict()

    def get(self, replay: Replay, find: Callable[[], list[ActSpan]]) -> list[ActSpan]:
        """Give what is kept of a replay, or find it."""
        key = (replay.quarter, replay.start, replay.end, replay.last_position)
        with self._lock:
            found = self._found.get(key)
        if found is None:
            found = find()
        with self._lock:
            self._found[key] = found
            self._found.move_to_end(key)
            while len(self._found) > _KEPT:
                self._found.popitem(last=False)
        return found


class ShapedActs:
    """Finds when the acts of a quarter were pressure-shaped, as they were judged at each instant.

    A verdict changes only where something is told that it rests on (`ActTurns`). Between two such
    turns it is asked for once, wherever most others can be asked for with it. Where a coverage gate
    caps it is asked for apart (`CappedActs`).
    """

    def __init__(
        self,
        connection: Rows,
        replay: Replay,
        *,
        context: ContextReader,
        places: Places,
        times: Times,
    ) -> None:
        self._connection = connection
        self._replay = replay
        self._context = context
        self._places = places
        self._times = times

    def spans(self, cache: ShapedActsCache) -> list[Span]:
        """Give the spans in which acts were pressure-shaped."""
        found = cache.get(self._replay, self._found)
        if self._replay.clock == "as_known":
            self._times.read(at for one in found for at in (one.since, one.until))
        return [
            Span(
                one.deal_id,
                "shaped",
                self._at(one.since),
                None if one.until is None else self._at(one.until),
            )
            for one in found
        ]

    def _found(self) -> list[ActSpan]:
        turns = ActTurns(self._connection, self._replay, context=self._context, places=self._places)
        end = self._replay.end.coordinate
        acts = turns.acts()
        stretches = {event_id: act.stretches(end) for event_id, act in acts.items()}
        every = {one for own in stretches.values() for one in own}
        places = probes(every)
        probe_of = {(first, last): _last_by(places, last) for first, last in every}
        asked: dict[int, set[UUID]] = defaultdict(set)
        for event_id, own in stretches.items():
            for one in own:
                asked[probe_of[one]].add(event_id)
        shaped = {at: self._shaped(at, ids) for at, ids in sorted(asked.items())}
        spans = [
            ActSpan(act.deal_id, act.rep, first, last + 1 if last < end else None)
            for event_id, act in acts.items()
            for first, last in stretches[event_id]
            if event_id in shaped[probe_of[first, last]]
        ]
        capped = CappedActs(
            self._connection,
            self._replay,
            context=self._context,
            places=self._places,
            context_at=self._context_at,
        )
        return capped.without(spans)

    def _at(self, coordinate: int) -> datetime:
        known = self._replay.clock == "as_known"
        return self._times(coordinate) if known else instant_of(coordinate)

    def _shaped(self, coordinate: int, event_ids: Iterable[UUID]) -> frozenset[UUID]:
        """Give those of some acts that were pressure-shaped at a place on the clock, if not capped.

        An act may by then be one of another quarter: the calendar turned.
        """
        found = verdicts(
            self._context_at(coordinate, gated=False),
            where="event_id = ANY(%s) AND quarter = %s",
            params=(sorted(event_ids), self._replay.quarter.name),
        )
        return frozenset(one.event_id for one in found if one.verdict == "pressure_shaped")

    def _context_at(self, coordinate: int, *, gated: bool = True) -> KnownContext:
        """Give the context of who asks of a place on the clock; or what it were without a gate."""
        known = self._replay.clock == "as_known"
        position = coordinate if known else self._replay.moment.position
        at = self._at(coordinate)
        then = self._context.known(position)
        if not gated and then.policy.coverage_gate is not None:
            then = then.under(then.policy.model_copy(update={"coverage_gate": None}))
        return KnownContext(
            self._connection,
            known=then,
            as_of=position,
            at=at,
            ledger=ledger,
            reading=self._places.reading(None if known else at),
        )


def _last_by(places: Sequence[int], coordinate: int) -> int:
    """Give the last of some places, in order, that is not after a coordinate."""
    return places[bisect_right(places, coordinate) - 1]
