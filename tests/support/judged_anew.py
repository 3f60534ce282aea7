"""What whoever asks at a place on the clock of a replay is answered, to hold a tape against."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final, TypeAlias
from uuid import UUID

from api.bootstrap import Ledger
from api.capped_acts import ActSpan
from api.moment import moment
from api.replays import ClockName, Replay
from projections.attainment.projection import ledger as bookings
from projections.facts import Rows
from projections.pressure.context import KnownContext
from projections.pressure.fold import Verdict
from projections.pressure.verdicts import verdicts
from projections.spans.clocks import instant_of, micros
from tests.support.pressed_logs import QUARTER

CLOCKS: Final[tuple[ClockName, ...]] = ("as_known", "as_happened")
_LATER: Final = datetime.fromisoformat("2026-06-01T00:00:00Z")
Judged: TypeAlias = Mapping[UUID, tuple[UUID, Verdict]]
"""Of each act its deal and its verdict."""


def replay_of(ledger: Ledger, clock: ClockName) -> Replay:
    """Give the replay of the quarter with all that a ledger was told."""
    now = moment(ledger.store, as_of=None, effective_at=None, now=_LATER)
    return ledger.replays.replay(QUARTER, now, clock)


def places(ledger: Ledger, replay: Replay, spans: Iterable[ActSpan]) -> list[int]:
    """Every position, or every instant of an event, and those where spans turn and just before."""
    start, end = replay.start.coordinate, replay.end.coordinate
    if replay.clock == "as_known":
        return list(range(start, end + 1))
    # Acts are judged by when they were told, too.
    statement = "SELECT occurred_at FROM events UNION SELECT action_time FROM acts"
    instants = {micros(at) for (at,) in ledger.store.rows(statement, {})}
    turns = {at for one in spans for at in (one.since, one.until) if at is not None}
    found = {start, end} | instants | turns | {at - 1 for at in turns}
    return sorted(at for at in found if start <= at <= end)


def context_at(ledger: Ledger, connection: Rows, replay: Replay, at: int) -> KnownContext:
    """Give the context of whoever asks of a place on the clock."""
    known = replay.clock == "as_known"
    position = at if known else replay.moment.position
    instant = ledger.store.recorded_at_of(at) if known else instant_of(at)
    assert instant is not None
    return KnownContext(
        connection,
        known=ledger.context.known(position),
        as_of=position,
        at=instant,
        ledger=bookings,
        reading=ledger.places.reading(None if known else instant),
    )


def judged_anew(ledger: Ledger, connection: Rows, replay: Replay, at: int) -> Judged:
    """Judge all acts of the quarter as whoever asks of a place on the clock is answered."""
    context = context_at(ledger, connection, replay, at)
    found = verdicts(context, where="quarter = %s", params=(QUARTER,))
    return {one.event_id: (one.deal_id, one.verdict) for one in found}


def deals_at(spans: Iterable[ActSpan], at: int) -> Counter[UUID]:
    """Count the acts of deals whose spans hold at a place."""
    return Counter(s.deal_id for s in spans if s.since <= at and (s.until is None or at < s.until))
