"""Finds where the verdicts of a quarter's acts may turn, on either clock."""

from bisect import bisect_right, insort
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from operator import itemgetter
from typing import Any, Final, TypeAlias
from uuid import UUID

from psycopg import sql

from api.context import ContextReader
from api.places import Places
from api.replays import Replay
from api.told_facts import Fact, Stage, facts_of_context, facts_of_deals
from projections.facts import Rows
from projections.pressure.acts import ActKind
from projections.spans.clocks import micros

Stretch: TypeAlias = tuple[int, int]
"""From where on a clock until where nothing turns, both included."""


@dataclass(slots=True)
class TurningAct:
    """An act, and the coordinates from which on something else may bear on its verdict.

    Of a move forward it names the stage `left`, or several if that was told in several ways.
    """

    deal_id: UUID
    kind: ActKind
    rep: str
    occurred_at: datetime
    action_time: datetime
    left: set[Stage] = field(default_factory=set)
    turns: set[int] = field(default_factory=set)

    def stretches(self, end: int) -> list[Stretch]:
        """Give from where to where up to an end nothing turns."""
        starts = sorted(at for at in self.turns if at <= end)
        return [(at, after - 1) for at, after in pairwise([*starts, end + 1])]


class ActTurns:
    """Reads the acts of a quarter with all that their verdicts rest on.

    That is their own deal; of the context what is everybody's, and the quotas and teams of their
    rep; and, told later, a booking of their rep, and what was done before them that is compared
    with them: offers with an offer, stays with a move of the stage. How much a team records is
    none of it: see `api.capped_acts`.
    """

    def __init__(
        self, connection: Rows, replay: Replay, *, context: ContextReader, places: Places
    ) -> None:
        self._connection = connection
        self._replay = replay
        self._context = context
        self._places = places

    def acts(self) -> dict[UUID, TurningAct]:
        """Give the acts of the quarter by their events."""
        return self._told() if self._replay.clock == "as_known" else self._happened()

    def _told(self) -> dict[UUID, TurningAct]:
        """Give the acts known by the end, with the positions at which their verdicts may turn."""
        start, end = self._replay.start.coordinate, self._replay.end.coordinate
        acts: dict[UUID, TurningAct] = {}
        rows = self._rows(
            "SELECT event_id, process, left_stage, from_position, until_position,"
            " deal_id, kind, rep, occurred_at, action_time FROM acts"
            " WHERE quarter = %(quarter)s AND outside IS NOT TRUE"
            " AND from_position <= %(end)s"
            " AND (until_position IS NULL OR until_position > %(start)s)"
        )
        for event_id, process, stage, since, until, *told in rows:
            act = acts.setdefault(event_id, TurningAct(*told))
            if stage is not None:
                act.left.add((process, stage))
            act.turns |= {max(since, start), *([] if until is None or until > end else [until])}
        known = self._context.known(end)
        told_of_deals = facts_of_deals(
            self._connection, start, end, quarter=self._replay.quarter.name
        )
        turn(acts.values(), [*facts_of_context(known, start, end), *told_of_deals])
        return acts

    def _happened(self) -> dict[UUID, TurningAct]:
        """Give the acts as known now, with the instants from which on they may read otherwise."""
        rows = self._rows(
            "SELECT event_id, deal_id, kind, rep, occurred_at, action_time, unsettled_until"
            " FROM acts WHERE quarter = %(quarter)s AND outside IS NOT TRUE"
            " AND occurred_at <= %(until)s AND {stands}"
        )
        acts: dict[UUID, TurningAct] = {}
        unsettled: dict[UUID, datetime] = {}
        for event_id, *told, settles in rows:
            act = acts[event_id] = TurningAct(*told)
            act.turns |= {micros(act.occurred_at), micros(act.action_time)}
            unsettled[event_id] = max(act.action_time, settles or act.action_time)
        wanted = {a.deal_id for i, a in acts.items() if unsettled[i] > a.occurred_at}
        streams = self._places.streams(sorted(wanted), self._replay.moment.position)
        for event_id, act in acts.items():
            own = (e.occurred_at for e in streams.get(act.deal_id, ()))
            act.turns |= {micros(at) for at in own if act.occurred_at < at <= unsettled[event_id]}
        self._turn_until_told([act for act in acts.values() if act.occurred_at < act.action_time])
        return acts

    def _turn_until_told(self, late: Sequence[TurningAct]) -> None:
        """Let acts told late turn where, until they were, something was booked for their rep."""
        if not late:
            return
        rows = self._rows(
            "SELECT rep, occurred_at FROM credits"
            " WHERE quarter = %(quarter)s AND kind = 'revenue'"
            " AND occurred_at > %(since)s AND occurred_at < %(before)s AND {stands}",
            since=min(act.occurred_at for act in late),
            before=max(act.action_time for act in late),
        )
        booked: dict[str, list[datetime]] = defaultdict(list)
        for rep, at in rows:
            booked[rep].append(at)
        for act in late:
            own = booked[act.rep]
            act.turns |= {micros(at) for at in own if act.occurred_at < at < act.action_time}

    def _rows(self, statement: str, **more: object) -> list[tuple[Any, ...]]:
        # Only texts of this module come here.
        replay = self._replay
        return self._connection.execute(
            sql.SQL(statement).format(stands=_STANDS),
            {
                "quarter": replay.quarter.name,
                "start": replay.start.coordinate,
                "end": replay.end.coordinate,
                "until": replay.until,
                "position": replay.moment.position,
                **more,
            },
        ).fetchall()


_STANDS: Final = sql.SQL(
    "from_position <= %(position)s AND (until_position IS NULL OR until_position > %(position)s)"
)


def turn(acts: Iterable[TurningAct], facts: Iterable[Fact]) -> None:
    """Let acts turn where, after they were told, something is told of before them, or of then.

    A stay that ended at the very instant of a move is among those that are over by then, also where
    the move was told a little before it occurred. It goes from the last act to the first, so that
    what was told after each is at hand by what it is of.
    """
    waiting = sorted(facts, key=itemgetter(0))
    told_after: list[Fact] = []
    for first, act in sorted(((min(act.turns), act) for act in acts), key=itemgetter(0))[::-1]:
        while waiting and waiting[-1].told > first:
            insort(told_after, waiting.pop(), key=_OF)
        then = max(act.occurred_at, act.action_time)
        before = told_after[: bisect_right(told_after, then, key=_OF)]
        act.turns |= {fact.told for fact in before if fact.bears_on(act)}


_OF: Final = itemgetter(1)


def probes(stretches: Collection[Stretch]) -> list[int]:
    """Give the fewest coordinates of which every stretch has one, in order."""
    found: list[int] = []
    for first, last in sorted(stretches, key=itemgetter(1)):
        if not found or found[-1] < first:
            found.append(last)
    return found
