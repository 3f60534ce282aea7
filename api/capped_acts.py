"""When shaped acts were capped: a team recorded too little of what customers do (METRICS 4)."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby, pairwise
from operator import itemgetter
from typing import Final
from uuid import UUID

from psycopg import sql

from api.act_turns import Stretch
from api.context import ContextReader
from api.coverage_courses import TOLD_BY, Course, CoverageCourses, Team
from api.places import Places
from api.replays import Replay
from domain.events.context import MemberJoined, MemberLeft, PolicyPublished
from domain.policy import policy_from
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
    that it turns far more often than what else verdicts rest on. Where a team reached the gate is
    found once, whatever spans there are.
    """

    def __init__(
        self,
        connection: Rows,
        replay: Replay,
        *,
        context: ContextReader,
        places: Places,
        context_at: Callable[[int], KnownContext],
    ) -> None:
        """Take what gives the context of a question at a place on the clock of a replay."""
        self._connection = connection
        self._replay = replay
        self._known = context.known(replay.last_position)
        self._places = places
        self._context_at = context_at

    def without(self, spans: Sequence[ActSpan]) -> list[ActSpan]:
        """Give the parts of spans in which the acts were not capped."""
        if not self._gated():
            return list(spans)
        reached = self._reached({one.rep for one in spans})
        return [part for one in spans for part in self._parts(one, reached[one.rep])]

    def _gated(self) -> bool:
        """Say whether a policy with a gate may be in force on the replay."""
        told = (event.data for event in self._known.events)
        published = [one for one in told if isinstance(one, PolicyPublished)]
        policies = (policy_from(one.version, one.numbers) for one in published)
        return any(policy.coverage_gate is not None for policy in policies)

    def _reached(self, reps: Collection[str]) -> dict[str, list[Stretch]]:
        """Give of each rep where their team reached the gate, in order."""
        courses = CoverageCourses(
            self._connection, self._replay, places=self._places, context_at=self._context_at
        )
        found: dict[str, list[Stretch]] = defaultdict(list)
        for since, until in pairwise([*self._frames(), self._replay.end.coordinate + 1]):
            context = self._context_at(since)
            teams: dict[Team, list[str]] = defaultdict(list)
            for rep in reps:
                teams[context.team(rep)].append(rep)
            for team, members in teams.items():
                frame = (since, until - 1)
                stretches = _reaching(courses.of(team), frame, context.policy.coverage_gate)
                for rep in members:
                    found[rep] += stretches
        return found

    def _frames(self) -> list[int]:
        """Give the start and all later places at which the policy or a team may turn, in order."""
        start, end = self._replay.start.coordinate, self._replay.end.coordinate
        if self._replay.clock == "as_known":
            params = {"topics": [one.TOPIC for one in _FRAMING]}
            turns = {at for (at,) in self._connection.execute(_FRAMED, params).fetchall()}
        else:
            stays = self._known.memberships
            turns = {micros(at) for one in stays for at in (one.joined, one.left) if at}
        return sorted({start, *(at for at in turns if at is not None and start < at <= end)})

    def _parts(self, span: ActSpan, reached: Sequence[Stretch]) -> Iterator[ActSpan]:
        """Give the parts of a span that lie in stretches, which are in order."""
        end = self._replay.end.coordinate
        until = end if span.until is None else span.until - 1
        after = bisect_right(reached, until, key=itemgetter(0))
        for first, last in reached[bisect_left(reached, span.since, key=itemgetter(1)) : after]:
            since, by = max(first, span.since), min(last, until)
            yield ActSpan(span.deal_id, span.rep, since, by + 1 if by < end else None)


_FRAMING: Final = (MemberJoined, MemberLeft, PolicyPublished)
# Who joins or leaves a little ahead does so with what is told then; a policy is in force at once.
_FRAMED: Final = sql.SQL("""
    SELECT unnest(ARRAY[position, ({by})]) FROM events c WHERE topic = ANY(%(topics)s)
""").format(by=TOLD_BY.format(sql.Identifier("c", "occurred_at")))


def _reaching(course: Course, frame: Stretch, gate: Decimal | None) -> list[Stretch]:
    """Give where in a frame a coverage reaches a gate, in order."""
    first = bisect_right(course, frame[0], key=itemgetter(0)) - 1
    after = bisect_right(course, frame[1], key=itemgetter(0))
    told = [(max(at, frame[0]), coverage.caps(gate)) for at, coverage in course[first:after]]
    turns = [next(same) for _, same in groupby(told, key=itemgetter(1))]
    ends = [*(at - 1 for at, _ in turns[1:]), frame[1]]
    return [(at, end) for (at, capped), end in zip(turns, ends, strict=True) if not capped]
