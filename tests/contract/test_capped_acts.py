"""Acts are capped wherever the coverage that is asked for there says so, on both clocks.

Holds `docs/guarantees.md`: a quarter replays exactly.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import pairwise
from operator import itemgetter
from random import Random
from typing import Final
from uuid import uuid5

import pytest

from api.bootstrap import Ledger
from api.capped_acts import ActSpan, CappedActs
from api.coverage_courses import CoverageCourses
from api.replays import ClockName, Replay
from projections.facts import Rows
from projections.pressure.context import KnownContext
from tests.support.covered_logs import covered_log
from tests.support.judged_anew import CLOCKS, context_at, deals_at, places, replay_of
from tests.support.postgres import PostgresServer
from tests.support.quarter_logs import REPS, ledger_with
from tests.support.told import NAMESPACE

EVERYBODY: Final = (*REPS, "nobody")
"""The last of them is in no team."""
GATES: Final = {
    12: ("0.3", None, "0.34", "0.36"),
    39: ("0.2", "0.3", "0.24"),
    53: ("0.4", "0.6", None),
}
"""The gates of random logs, by their seeds; such as coverage crosses often."""


@pytest.fixture(params=GATES, scope="module")
def history(request: pytest.FixtureRequest, postgres_server: PostgresServer) -> Iterator[Ledger]:
    log = covered_log(Random(request.param), gates=GATES[request.param])
    with ledger_with(postgres_server, log) as ledger:
        yield ledger


@pytest.mark.parametrize("clock", CLOCKS)
def test_coverage_is_everywhere_what_who_asks_there_is_told(
    history: Ledger, clock: ClockName
) -> None:
    replay = replay_of(history, clock)
    with history.store.connection() as connection:
        asked_at = partial(context_at, history, connection, replay)
        courses = CoverageCourses(connection, replay, places=history.places, context_at=asked_at)
        for at in places(history, replay, ()):
            context = asked_at(at)
            for rep in EVERYBODY:
                course = courses.of(context.team(rep))
                turn = bisect_right(course, at, key=itemgetter(0)) - 1

                assert course[turn][1] == context.coverage(rep), (at, rep)
        turns = [at for at, _ in courses.of(None)]
        assert turns == sorted(turns)
        assert turns[0] == replay.start.coordinate


@pytest.mark.parametrize("clock", CLOCKS)
def test_acts_are_capped_wherever_who_asks_there_is_told_that_they_are(
    history: Ledger, clock: ClockName
) -> None:
    replay = replay_of(history, clock)
    spans = spans_between(places(history, replay, ()))
    with history.store.connection() as connection:
        asked_at = partial(context_at, history, connection, replay)
        parts = capped_acts(history, connection, replay).without(spans)
        reached = {at: reaching(asked_at(at)) for at in places(history, replay, parts)}
        gated = asked_at(replay.end.coordinate).policy.coverage_gate is not None

    for at, reps in reached.items():
        uncapped = [span for span in spans if span.rep in reps]
        assert deals_at(parts, at) == deals_at(uncapped, at), at
    assert all(part.until is None or part.until <= replay.end.coordinate for part in parts)
    turns = Counter(rep for a, b in pairwise(reached.values()) for rep in a ^ b)
    assert not gated or all(turns[rep] for rep in EVERYBODY), turns


def test_a_gate_that_anything_reaches_caps_those_of_whom_nothing_is_known(
    postgres_server: PostgresServer,
) -> None:
    with ledger_with(postgres_server, covered_log(Random(1), gates=("0",), size=1)) as ledger:
        for clock in CLOCKS:
            replay = replay_of(ledger, clock)
            span = ActSpan(uuid5(NAMESPACE, "span"), REPS[0], replay.start.coordinate, None)
            with ledger.store.connection() as connection:
                assert capped_acts(ledger, connection, replay).without([span]) == []


def capped_acts(ledger: Ledger, connection: Rows, replay: Replay) -> CappedActs:
    return CappedActs(
        connection,
        replay,
        context=ledger.context,
        places=ledger.places,
        context_at=partial(context_at, ledger, connection, replay),
    )


def spans_between(ends: Sequence[int]) -> list[ActSpan]:
    """Give spans of everybody's acts: of the whole replay, to its end, and of parts of it."""
    chance = Random(1)
    lasting: list[tuple[int, int | None]] = [(ends[0], None), (ends[5], None)]
    lasting += [(min(two), max(two)) for two in (chance.sample(ends, 2) for _ in range(20))]
    return [
        ActSpan(uuid5(NAMESPACE, f"span {rep} {since} {until}"), rep, since, until)
        for rep in EVERYBODY
        for since, until in lasting
    ]


def reaching(context: KnownContext) -> frozenset[str]:
    """Give those whose acts a gate does not cap."""
    gate = context.policy.coverage_gate
    return frozenset(rep for rep in EVERYBODY if not context.coverage(rep).caps(gate))
