"""Reads which deals stand closed, when they were, by which event and to whose credit."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, TypeAlias
from uuid import UUID

from psycopg import sql

from api.places import Places
from api.replays import Replay
from domain.events.life import DealDisqualified, DealLost, DealWon
from domain.fiscal import local_day
from domain.values import Money
from projections.attainment.projection import CREDITS
from projections.batch import deal_of
from projections.facts import Rows
from projections.quarter.closings import Closing, Outcome
from projections.quarter.steps import Scope
from projections.spans import read
from projections.spans.fold import DealState
from projections.spans.read import Stood

_TOPICS: Final[dict[str, Outcome]] = {
    DealWon.TOPIC: "won",
    DealLost.TOPIC: "lost",
    DealDisqualified.TOPIC: "disqualified",
}
# The topics in the words of the index of migration 0015.
_CLOSED: Final = sql.SQL(
    "SELECT stream_id, occurred_at, topic, event_id FROM events"
    " WHERE topic IN ({}) AND position <= %s AND occurred_at >= %s AND occurred_at < %s"
    " ORDER BY position"
).format(sql.SQL(", ").join(map(sql.Literal, _TOPICS)))
_OUTCOMES: Final[dict[str, Outcome]] = {one: one for one in _TOPICS.values()}
_At: TypeAlias = tuple[UUID, datetime]


def closings(
    connection: Rows, places: Places, replay: Replay, scope: Scope, *, until: datetime
) -> list[Closing]:
    """Give the deals in scope that stand closed at the moment, by the order of their closing.

    Of those closed from the start of the quarter on and before an instant. A win that was
    reversed, and a deal that was reopened or deleted, stands closed no more.
    """
    moment, since = replay.moment, replay.quarter.start_instant
    stood = read.stood(
        connection,
        places.of(connection, moment).deals_out(closed_since=since),
        where="closed IS NOT NULL AND NOT deleted AND closed_at < %s",
        params=(until,),
    )
    events = _events(connection, moment.position, since, until)
    credited = _credited(connection, moment.position, since, until)
    found: list[Closing] = []
    for one in sorted(stood, key=lambda one: (one.state.closed_at or since, one.deal_id)):
        closing = _closing(one, replay, events, credited)
        if closing is not None and _in_scope(closing, scope):
            found.append(closing)
    return found


def _closing(
    one: Stood,
    replay: Replay,
    events: Mapping[tuple[UUID, datetime, str], UUID],
    credited: Mapping[_At, Sequence[str]],
) -> Closing | None:
    outcome, at = _OUTCOMES.get(one.state.closed or ""), one.state.closed_at
    if outcome is None or at is None:
        return None
    reps = credited.get((one.deal_id, at), ()) if outcome == "won" else ()
    owners = tuple(reps) or (one.state.owner,)
    teams = {member.team for rep in owners if (member := replay.known.member(rep, at))}
    return Closing(
        deal_id=one.deal_id,
        event_id=events.get((one.deal_id, at, outcome)),
        day=local_day(at, replay.quarter.zone),
        outcome=outcome,
        reps=owners,
        teams=tuple(sorted(teams)),
        net=_net(one.state) if outcome == "won" else None,
    )


def _net(state: DealState) -> Money | None:
    if state.amount is None or state.currency is None:
        return None
    return Money.model_construct(amount=state.amount, currency=state.currency)


def _in_scope(closing: Closing, scope: Scope) -> bool:
    if scope.team is not None:
        return scope.team in closing.teams
    return scope.rep is None or scope.rep in closing.reps


def _events(
    connection: Rows, position: int, since: datetime, until: datetime
) -> dict[tuple[UUID, datetime, str], UUID]:
    """Give the events that closed deals in that time; of several at one instant the last told."""
    rows = connection.execute(_CLOSED, (position, since, until)).fetchall()
    return {
        (deal_id, at, _TOPICS[topic]): event_id
        for stream, at, topic, event_id in rows
        if (deal_id := deal_of(stream))
    }


def _credited(
    connection: Rows, position: int, since: datetime, until: datetime
) -> dict[_At, list[str]]:
    """Give who was credited with what was won in that time."""
    found: dict[_At, set[str]] = defaultdict(set)
    for deal_id, credit in CREDITS.known(
        connection,
        as_of=position,
        where="kind = 'revenue' AND amount >= 0 AND occurred_at >= %s AND occurred_at < %s",
        params=(since, until),
    ):
        found[deal_id, credit.occurred_at].add(credit.rep)
    return {at: sorted(reps) for at, reps in found.items()}
