"""The verdicts of all acts as they are kept for auditors, for questions near where those stand.

A verdict rests on the act's own deal, on the context, and on what others did before it. Rows that
were told at one position hold at another, but for the acts that something bears on which was told
between the two: those alone must be judged again (ADR 30).
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, LiteralString, NamedTuple, TypeVar
from uuid import UUID

from psycopg import sql

from api.context import ContextReader
from api.moment import Moment
from api.told_facts import Fact, facts_of_context, facts_of_deals
from domain.known import Known
from projections.batch import deal_of
from projections.facts import Rows
from projections.pressure.context import KnownContext
from projections.pressure.fold import Verdict
from projections.pressure.verdicts import Counts, counts_by_deal, judgements

Answer = TypeVar("Answer")
KEPT_IN: Final = "audit"
"""The name under which the position of the rows is kept."""
_MOST_EVENTS: Final = 2_000
"""Where more was told between the rows and a question, all acts are judged."""
_MOST_ACTS: Final = 2_000
"""The same where so many must be judged again."""
_TRIES: Final = 3
"""How often a question begins again because other rows came while it was answered."""
_STANDING: Final = """
    SELECT a.position, a.generation FROM projections a
     WHERE a.name = %(name)s AND a.position > 0
       AND a.generation = (SELECT sum(generation) FROM projections WHERE name <> %(name)s)
"""
_STREAMS: Final = """
    SELECT stream_id FROM events WHERE position > %(after)s AND position <= %(upto)s LIMIT %(most)s
"""
_COUNTS: Final = """
    SELECT deal_id, verdict, count(*) FROM audit_verdicts
     WHERE deal_id = ANY(%(wanted)s) AND event_id <> ALL(%(again)s)
     GROUP BY deal_id, verdict
"""
_AGAIN: Final[LiteralString] = "deal_id = ANY(%s) OR (event_id = ANY(%s) AND deal_id = ANY(%s))"


class _Standing(NamedTuple):
    """Which rows there are: told at which position, from which rows of projections."""

    position: int
    generation: int


@dataclass(frozen=True, slots=True)
class Kept:
    """What of the rows does not hold at a question: all acts of some deals, and some of others."""

    deals: frozenset[UUID]
    acts: frozenset[UUID]


class KeptVerdicts:
    """Gives what of the kept verdicts holds at a moment."""

    def __init__(self, context: ContextReader) -> None:
        self._context = context

    def answer(
        self, connection: Rows, moment: Moment, known: Known, make: Callable[[Kept], Answer | None]
    ) -> Answer | None:
        """Answer a question from the rows; None where they do not help, or `make` gives none.

        They do not where something is hidden by a cut, where recording coverage bears on verdicts,
        which changes by time alone, or where too much was told between them and the moment.
        """
        if moment.cut is not None or known.policy.coverage_gate is not None:
            return None
        for _ in range(_TRIES):
            standing = _standing(connection)
            kept = None if standing is None else self._kept(connection, standing, moment.position)
            if kept is None:
                return None
            answer = make(kept)
            # Rows come and go in one transaction with where they stand.
            if _standing(connection) == standing:
                return answer
        return None

    def counts(
        self, context: KnownContext, moment: Moment, deal_ids: Collection[UUID]
    ) -> dict[UUID, Counts]:
        """Count the verdicts of each of some deals, as `counts_by_deal` of the same moment."""

        def made(kept: Kept) -> dict[UUID, Counts]:
            return _counts(context, sorted(deal_ids), kept)

        found = self.answer(context.connection, moment, context.known, made)
        return counts_by_deal(context, deal_ids) if found is None else found

    def _kept(self, connection: Rows, standing: _Standing, position: int) -> Kept | None:
        after, upto = sorted((standing.position, position))
        rows = connection.execute("SELECT DISTINCT deal_id FROM parked").fetchall()
        parked = {deal_id for (deal_id,) in rows}
        if after == upto and not parked:
            return Kept(frozenset(), frozenset())
        streams = connection.execute(
            _STREAMS, {"after": after, "upto": upto, "most": _MOST_EVENTS + 1}
        ).fetchall()
        if len(streams) > _MOST_EVENTS:
            return None
        told = {deal_id for (name,) in streams if (deal_id := deal_of(name))}
        facts = [
            *facts_of_context(self._context.known(upto), after, upto),
            *facts_of_deals(connection, after, upto, deals=told),
        ]
        if any(fact.of_all for fact in facts):
            return None
        acts = _rest_on(connection, facts, position)
        return None if len(acts) > _MOST_ACTS else Kept(frozenset(told | parked), acts)


def _standing(connection: Rows) -> _Standing | None:
    row = connection.execute(_STANDING, {"name": KEPT_IN}).fetchone()
    return None if row is None else _Standing(*row)


def _counts(context: KnownContext, deal_ids: Sequence[UUID], kept: Kept) -> dict[UUID, Counts]:
    found: dict[UUID, Counter[Verdict]] = defaultdict(Counter)
    moved = [deal_id for deal_id in deal_ids if deal_id in kept.deals]
    held = {
        "wanted": [deal_id for deal_id in deal_ids if deal_id not in kept.deals],
        "again": sorted(kept.acts),
    }
    for deal_id, verdict, count in context.connection.execute(_COUNTS, held).fetchall():
        found[deal_id][verdict] = count
    if moved or kept.acts:
        again = (moved, sorted(kept.acts), deal_ids)
        for one in judgements(context, where=_AGAIN, params=again):
            found[one.deal_id][one.verdict] += 1
    return {
        deal_id: Counts(
            shaped=(of := found[deal_id])["pressure_shaped"],
            consistent=of["pressure_consistent"],
            evaluable=of.total() - of["not_evaluable"],
        )
        for deal_id in deal_ids
    }


def _rest_on(connection: Rows, facts: Collection[Fact], position: int) -> frozenset[UUID]:
    """Give the acts known at a position that some facts bear on; somewhat too many if they are."""
    booked: dict[tuple[str, str | None], datetime] = {}
    left: dict[tuple[str, str], datetime] = {}
    offered: datetime | None = None
    for fact in facts:
        if fact.rep is not None:
            whose = fact.rep, fact.quarter
            booked[whose] = min(booked.get(whose, fact.of), fact.of)
        elif fact.left is not None:
            left[fact.left] = min(left.get(fact.left, fact.of), fact.of)
        else:
            offered = fact.of if offered is None else min(offered, fact.of)
    rows = connection.execute(
        _REST_ON,
        {
            "position": position,
            "reps": [rep for rep, _ in booked],
            "quarters": [quarter for _, quarter in booked],
            "booked": list(booked.values()),
            "processes": [process for process, _ in left],
            "stages": [stage for _, stage in left],
            "left": list(left.values()),
            "offered": offered,
            "most": _MOST_ACTS + 1,
        },
        # Planned for the values that it has, of which there may be none.
        prepare=False,
    )
    return frozenset(event_id for (event_id,) in rows.fetchall())


_REST_ON: Final = sql.SQL(
    """
    SELECT a.event_id
      FROM unnest(%(reps)s::text[], %(quarters)s::text[], %(booked)s::timestamptz[])
           AS f (rep, quarter, of)
      JOIN acts a ON a.rep = f.rep AND (f.quarter IS NULL OR a.quarter = f.quarter)
                 AND a.action_time >= f.of
     WHERE {stands} AND a.outside IS NOT TRUE
    UNION
    SELECT a.event_id
      FROM unnest(%(processes)s::text[], %(stages)s::text[], %(left)s::timestamptz[])
           AS f (process, stage, of)
      JOIN acts a ON a.left_stage = f.stage AND a.process = f.process AND a.occurred_at >= f.of
     WHERE {stands} AND a.outside IS NOT TRUE
    UNION
    SELECT a.event_id FROM acts a
     WHERE {stands} AND a.kind = 'discount_offered' AND a.action_time >= %(offered)s::timestamptz
     LIMIT %(most)s
    """
).format(
    stands=sql.SQL(
        "a.from_position <= %(position)s"
        " AND (a.until_position IS NULL OR a.until_position > %(position)s)"
    )
)
