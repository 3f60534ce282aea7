"""The shaped acts of a tape are those of all acts judged anew, at every place of both clocks.

Holds `docs/guarantees.md`: a quarter replays exactly.
"""

from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import Final
from uuid import UUID

import pytest

from api.act_turns import ActTurns
from api.board_marks import Times
from api.bootstrap import Ledger
from api.capped_acts import ActSpan
from api.replays import ClockName, Replay
from api.shaped_acts import ShapedActs, ShapedActsCache
from projections.facts import Rows
from projections.pressure.fold import Verdict
from tests.support.judged_anew import CLOCKS, Judged, deals_at, judged_anew, places, replay_of
from tests.support.log import SCHEMA
from tests.support.postgres import PostgresServer
from tests.support.pressed_logs import reaching_back_log
from tests.support.roles import under_roles
from tests.support.spans import Log, tell
from tests.support.told_late_logs import told_late_log

CAPPED: Final = {"pressure_shaped", "pressure_consistent"}
"""What a coverage gate, which no turn tells of, makes of one another."""


# Of random logs these are ones in which everything that verdicts rest on turns one.
def told_late(database: str) -> None:
    _fill(database, told_late_log(Random(2)))


def gated(database: str) -> None:
    _fill(database, told_late_log(Random(31), gates=("0.05", "0.15", "0.15")))


def later_gated(database: str) -> None:
    _fill(database, told_late_log(Random(3), gates=(None, "0.2", "0.1")))


def reaching_back(database: str) -> None:
    _fill(database, reaching_back_log(Random(3)))


def _fill(database: str, log: Log) -> None:
    tell(database, log)
    with under_roles(database, schema=SCHEMA) as ledger:
        ledger.worker.catch_up()


@pytest.fixture(params=[told_late, gated, later_gated, reaching_back], scope="module")
def history(request: pytest.FixtureRequest, postgres_server: PostgresServer) -> Iterator[Ledger]:
    with (
        postgres_server.ledger(SCHEMA, filled_by=request.param) as dsn,
        under_roles(dsn, schema=SCHEMA) as ledger,
    ):
        yield ledger


def shaped_on_tape(ledger: Ledger, connection: Rows, replay: Replay) -> list[ActSpan]:
    cache = ShapedActsCache()
    acts = ShapedActs(
        connection,
        replay,
        context=ledger.context,
        places=ledger.places,
        times=Times(ledger.store, replay.quarter.start_instant),
    )
    acts.spans(cache)
    return cache.get(replay, list)


@pytest.mark.parametrize("clock", CLOCKS)
def test_acts_are_shaped_wherever_they_are_if_all_are_judged_anew(
    history: Ledger, clock: ClockName
) -> None:
    replay = replay_of(history, clock)
    with history.store.connection() as connection:
        spans = shaped_on_tape(history, connection, replay)
        turns = ActTurns(connection, replay, context=history.context, places=history.places)
        acts = turns.acts()
        judged = {
            at: judged_anew(history, connection, replay, at)
            for at in places(history, replay, spans)
        }

    for at, found in judged.items():
        shaped = (deal_id for deal_id, verdict in found.values() if verdict == "pressure_shaped")
        assert deals_at(spans, at) == Counter(shaped), at
    assert spans
    for event_id, act in acts.items():
        for first, last in act.stretches(replay.end.coordinate):
            own = {verdict_at(judged[at], event_id) for at in judged if first <= at <= last}
            assert len(own) <= 1 or own == CAPPED, (act, first, last)


def verdict_at(judged: Judged, event_id: UUID) -> Verdict:
    """Give the verdict of an act; one that is not judged in the quarter is not shaped in it."""
    return judged[event_id][1] if event_id in judged else "not_pressure_shaped"
