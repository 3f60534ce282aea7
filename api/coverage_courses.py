"""How the recording coverage of teams went along a replay, told wherever it turned."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Final, NamedTuple, TypeAlias
from uuid import UUID

from psycopg import sql

from api.places import Places
from api.replays import Replay
from domain.replay import Event, view
from projections.facts import Rows
from projections.pressure.context import KnownContext
from projections.pressure.derive import derive_acts
from projections.pressure.recording import Coverage
from projections.spans.clocks import micros

Team: TypeAlias = frozenset[str] | None
"""The reps of a team; None is everybody."""
Course: TypeAlias = Sequence[tuple[int, Coverage]]
"""A coverage and from where on the clock it stands, in order, from the start of a replay on."""


class _Turn(NamedTuple):
    """From where on a rep has so many more acts that count, and of these with a customer cause."""

    at: int
    rep: str
    explained: int
    of: int


class _Unsettled(NamedTuple):
    """An act done at an instant that has another cause at times until what bears on it occurred."""

    event_id: UUID
    rep: str
    explained: bool
    done: datetime
    until: datetime


class CoverageCourses:
    """Gives the coverage of any team at every place on the clock of a replay.

    It is what asking there gives (`KnownContext.coverage`). Acts are read once, each as what it
    adds from where on, so that the course of a team is their sum.
    """

    def __init__(
        self,
        connection: Rows,
        replay: Replay,
        *,
        places: Places,
        context_at: Callable[[int], KnownContext],
    ) -> None:
        """Take what gives the context of a question at a place on the clock of the replay."""
        self._connection = connection
        self._replay = replay
        self._places = places
        self._start, end = context_at(replay.start.coordinate), context_at(replay.end.coordinate)
        self._params = {
            "start": replay.start.coordinate,
            "end": replay.end.coordinate,
            "position": replay.moment.position,
            "since": self._start.at,
            "until": end.at,
        }
        turns = self._told() if replay.clock == "as_known" else self._happened()
        self._turns = sorted(turns)
        self._found: dict[Team, Course] = {}

    def of(self, team: Team) -> Course:
        """Give the course of the coverage of a team, of these very reps, or of everybody."""
        if team not in self._found:
            self._found[team] = self._course(team)
        return self._found[team]

    def _course(self, team: Team) -> Course:
        explained = of = 0
        course = {self._replay.start.coordinate: Coverage(0, 0)}
        for turn in self._turns:
            if team is None or turn.rep in team:
                explained, of = explained + turn.explained, of + turn.of
                course[turn.at] = Coverage(explained, of)
        return list(course.items())

    def _told(self) -> Iterator[_Turn]:
        rows = self._connection.execute(_TOLD, self._params).fetchall()
        return (_Turn(*row) for row in rows)

    def _happened(self) -> Iterator[_Turn]:
        for at, *counts in self._connection.execute(_SETTLED, self._params).fetchall():
            yield _Turn(micros(at), *counts)
        unsettled: dict[UUID, list[_Unsettled]] = defaultdict(list)
        for deal_id, *act in self._connection.execute(_UNSETTLED, self._params).fetchall():
            unsettled[deal_id].append(_Unsettled(*act))
        streams = self._places.streams(sorted(unsettled), self._replay.moment.position)
        for deal_id, acts in unsettled.items():
            yield from self._settling(acts, streams[deal_id])

    def _settling(self, acts: Sequence[_Unsettled], stream: Sequence[Event]) -> Iterator[_Turn]:
        """Give what some acts of a deal add, and take, as what bears on them occurs."""
        occurred = {event.occurred_at for event in stream}
        causes: dict[datetime, dict[UUID, bool]] = {}
        for act in acts:
            places = sorted({act.done, *(at for at in occurred if act.done < at < act.until)})
            for at in places:
                if at not in causes:
                    causes[at] = self._explained(stream, at)
            told = [(at, causes[at][act.event_id]) for at in places] + [(act.until, act.explained)]
            yield _Turn(micros(act.done), act.rep, told[0][1], 1)
            for (_, before), (at, now) in pairwise(told):
                yield _Turn(micros(at), act.rep, now - before, 0)

    def _explained(self, stream: Sequence[Event], at: datetime) -> dict[UUID, bool]:
        """Say of the acts of a deal by an instant whether a customer event explains them."""
        acts = derive_acts(view(stream, effective_at=at), self._start.known)
        return {act.event_id: not act.seller_only for act in acts}


# The first position from when something is done on: what is recorded later has a later position.
TOLD_BY: Final = sql.SQL("""
    SELECT e.position FROM events e WHERE e.recorded_at >= {}
     ORDER BY e.recorded_at, e.position LIMIT 1
""")
# An act that was dated a little ahead counts from what is told when it is done.
_TOLD: Final = sql.SQL("""
    SELECT at, rep, sum(sign * explained), sum(sign)
      FROM (SELECT rep, (cause <> 'seller_only')::int AS explained, until_position,
                   greatest(from_position, %(start)s, CASE WHEN action_time > %(since)s THEN
                       coalesce(({by}), %(end)s + 1) END) AS from_position
              FROM acts WHERE outside) done,
           LATERAL (VALUES (from_position, 1), (until_position, -1)) AS turns (at, sign)
     WHERE at <= %(end)s AND (until_position IS NULL OR from_position < until_position)
     GROUP BY at, rep
""").format(by=TOLD_BY.format(sql.Identifier("acts", "action_time")))
_DONE: Final = sql.SQL("""
    SELECT deal_id, event_id, rep, cause <> 'seller_only' AS explained,
           greatest(occurred_at, action_time, %(since)s) AS at, unsettled_until
      FROM acts
     WHERE outside AND greatest(occurred_at, action_time) <= %(until)s
       AND from_position <= %(position)s
       AND (until_position IS NULL OR until_position > %(position)s)
""")
_SETTLED: Final = sql.SQL("""
    SELECT at, rep, count(*) FILTER (WHERE explained), count(*) FROM ({}) done
     WHERE coalesce(unsettled_until <= at, true) GROUP BY at, rep
""").format(_DONE)
_UNSETTLED: Final = sql.SQL("""
    SELECT deal_id, event_id, rep, explained, at, unsettled_until FROM ({}) done
     WHERE unsettled_until > at
""").format(_DONE)
