"""The close pattern of a quarter counts what the folds of its deals say, at any moment.

Holds `docs/guarantees.md`: the same question about the same instants gives the same answer.
"""

from collections import Counter
from collections.abc import Iterator
from copy import copy
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from api.bootstrap import Ledger
from api.moment import Moment
from domain.replay import view
from projections.attainment.fold import credits_of
from projections.quarter.steps import Scope
from projections.spans.fold import DealState
from tests.support.postgres import PostgresServer
from tests.support.quarter_logs import REPS, TEAMS, ledger_with, quarter_log
from tests.support.spans import Log

QUARTER = "FY2025Q1"
START, END = datetime(2025, 1, 1, tzinfo=UTC), datetime(2025, 4, 1, tzinfo=UTC)
SCOPES = [Scope(), *(Scope(rep=rep) for rep in REPS), *(Scope(team=team) for team in TEAMS)]


@pytest.fixture(params=range(3), scope="module")
def history(
    request: pytest.FixtureRequest, postgres_server: PostgresServer
) -> Iterator[tuple[Ledger, Log, Random]]:
    """One for all tests, since none of them tells it more."""
    chance = Random(100 + request.param)
    log = quarter_log(chance, size=400, deals=60)
    with ledger_with(postgres_server, log) as ledger:
        yield ledger, log, chance


@pytest.fixture
def told(history: tuple[Ledger, Log, Random]) -> tuple[Ledger, Log, Random]:
    ledger, log, chance = history
    return ledger, log, copy(chance)


def moments(log: Log, chance: Random) -> Iterator[Moment]:
    for position in (log.head, chance.randint(log.head // 2, log.head)):
        recorded = log.events[position - 1].recorded_at
        for cut in (None, START + timedelta(days=chance.randint(20, 120))):
            yield Moment(position, recorded, cut or max(recorded, END), cut)


def closed_in_quarter(state: DealState) -> bool:
    at = state.closed_at
    return state.closed is not None and not state.deleted and at is not None and START <= at < END


def expected(log: Log, moment: Moment, scope: Scope) -> Counter[tuple[str, str]]:
    """Count (day, outcome) of the deals in scope, each folded from its own stream."""
    known = log.known(moment.position)
    streams = log.streams(moment.position)
    found: Counter[tuple[str, str]] = Counter()
    for deal_id, state in log.states(moment.position, moment.cut).items():
        if not closed_in_quarter(state) or state.closed is None or state.closed_at is None:
            continue
        seen = view(streams[deal_id], effective_at=moment.cut)
        reps = {
            credit.rep
            for credit in credits_of(seen, known.calendar)
            if state.closed == "won" and credit.occurred_at == state.closed_at and credit.amount > 0
        } or {state.owner}
        teams = {m.team for rep in reps if (m := known.member(rep, state.closed_at))}
        if scope.rep in (None, *reps) and scope.team in (None, *teams):
            found[state.closed_at.date().isoformat(), state.closed] += 1
    return found


def days_of(answer: Any) -> Counter[tuple[str, str]]:
    outcomes = ("won", "lost", "disqualified")
    return +Counter({(one["day"], how): one[how] for one in answer["days"] for how in outcomes})


def test_the_closings_of_a_quarter_are_those_of_its_deals_at_any_moment(
    told: tuple[Ledger, Log, Random],
) -> None:
    ledger, log, chance = told
    counted = 0
    for moment in moments(log, chance):
        known = ledger.context.known(moment.position)
        for scope in SCOPES:
            answer = ledger.close_patterns.pattern(moment, QUARTER, known, scope)

            assert days_of(answer) == expected(log, moment, scope), (moment, scope)
            counted += days_of(answer).total()
    assert counted > 30


def test_every_closing_names_the_event_that_closed_its_deal(
    told: tuple[Ledger, Log, Random],
) -> None:
    ledger, log, chance = told
    events = {str(event.event_id): event for event in log.events}
    for moment in moments(log, chance):
        known = ledger.context.known(moment.position)

        answer: Any = ledger.close_patterns.pattern(moment, QUARTER, known, Scope())

        for day in answer["days"]:
            for outcome in ("won", "lost", "disqualified"):
                ids = day[f"{outcome}_by"]
                assert len(set(ids)) == day[outcome]
                for event_id in ids:
                    event = events[event_id]
                    assert f"deal.deal_{outcome}.v1" == event.data.TOPIC
                    assert event.occurred_at.date().isoformat() == day["day"]
                    assert event.position <= moment.position
