"""A forecast rests on what the folds of all deals say, at any moment, on both clocks.

Holds `docs/guarantees.md`: a quarter replays exactly.
"""

from collections import Counter
from collections.abc import Iterator
from copy import copy
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from uuid import UUID

import pytest

from api.bootstrap import Ledger
from api.moment import Moment
from api.replays import Replay
from domain.replay import view
from projections.pressure.acts import Stay
from projections.pressure.derive import derive_stays
from projections.quarter import forecast as forecasting
from projections.quarter.forecast import Odds, OpenDeal, expectations
from projections.quarter.forecast_answer import deal_json, expected_json
from projections.quarter.steps import Scope
from projections.spans.fold import DealState
from tests.support.postgres import PostgresServer
from tests.support.quarter_logs import REPS, TEAMS, ledger_with, quarter_log
from tests.support.spans import Log

QUARTER = "FY2025Q1"
START, END = datetime(2025, 1, 1, tzinfo=UTC), datetime(2025, 4, 1, tzinfo=UTC)
BEFORE = timedelta(microseconds=1)
DAY = timedelta(days=1)
SCOPES = [Scope(), *(Scope(rep=rep) for rep in REPS), *(Scope(team=team) for team in TEAMS)]


@pytest.fixture(params=range(3), scope="module")
def history(
    request: pytest.FixtureRequest, postgres_server: PostgresServer
) -> Iterator[tuple[Ledger, Log, Random]]:
    """One for all tests, since none of them tells it more."""
    chance = Random(request.param)
    log = quarter_log(chance, size=400, deals=30, pace=4)
    with ledger_with(postgres_server, log) as ledger:
        yield ledger, log, chance


@pytest.fixture
def told(history: tuple[Ledger, Log, Random]) -> tuple[Ledger, Log, Random]:
    ledger, log, chance = history
    return ledger, log, copy(chance)


def replays(ledger: Ledger, log: Log, chance: Random) -> Iterator[Replay]:
    """Give replays at the head, and at a moment in the quarter and one in the middle of the log."""
    for clock in ("as_known", "as_happened"):
        for position in (log.head, chance.randint(log.head // 3, log.head)):
            recorded = log.events[position - 1].recorded_at
            for cut in (None, recorded - timedelta(days=chance.randrange(20))):
                moment = Moment(position, recorded, cut or max(recorded, END), cut)
                yield ledger.replays.replay(QUARTER, moment, clock)


class Folded:
    """What every deal was where a replay has got to, by the folds alone."""

    def __init__(self, log: Log, replay: Replay, *, position: int, at: datetime) -> None:
        known = replay.clock == "as_known"
        self.at = at
        self.position = position
        cut = None if known else at
        self.states: dict[UUID, DealState] = log.states(position, cut)
        self.context = log.known(position if known else replay.moment.position)
        self.stays: dict[UUID, list[Stay]] = {}
        for deal_id, stream in log.streams(position).items():
            stays = derive_stays(view(stream, effective_at=cut), log.known(position))
            self.stays[deal_id] = [stay for stay in stays if stay.entered_at <= at]

    def odds(self) -> Odds:
        seen: dict[tuple[str, str], Counter[Any]] = {}
        for deal_id, state in self.states.items():
            for stay in [] if state.deleted else self.stays[deal_id]:
                days = Decimal(max(0, ((state.closed_at or self.at) - stay.entered_at) // DAY))
                ending = None if state.closed is None else "lost"
                if state.closed == "won":
                    ending = "won"
                seen.setdefault((stay.process, stay.stage), Counter())[days, ending] += 1
        return Odds(seen)

    def open_deals(self, scope: Scope) -> list[OpenDeal]:
        found: list[OpenDeal] = []
        for deal_id, state in sorted(self.states.items()):
            if state.closed is not None or state.deleted or not self._covers(scope, state.owner):
                continue
            here = [s for s in self.stays[deal_id] if s.left_at is None or s.left_at > self.at]
            stay = here[-1] if here else None
            found.append(
                OpenDeal(
                    deal_id=deal_id,
                    owner=state.owner,
                    stage=(stay.process, stay.stage) if stay else None,
                    age_days=Decimal((self.at - stay.entered_at) // DAY if stay else 0),
                    amount=state.amount or Decimal(0),
                    currency=state.currency,
                )
            )
        return found

    def _covers(self, scope: Scope, owner: str) -> bool:
        if scope.team is not None:
            return owner in self.context.team(scope.team, self.at)
        return scope.rep in (None, owner)


def end_of(log: Log, replay: Replay) -> Folded:
    known = replay.clock == "as_known"
    position = replay.end.coordinate if known else replay.moment.position
    return Folded(log, replay, position=position, at=replay.until)


def test_a_forecast_is_that_of_the_folds(
    told: tuple[Ledger, Log, Random], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forecasting, "NO_VERDICT", 1)  # so few stays are told here
    ledger, log, chance = told
    given = 0
    for replay in replays(ledger, log, chance):
        folded = end_of(log, replay)
        odds = folded.odds()
        within = Decimal((END - replay.until) // DAY)
        for scope in SCOPES:
            found: Any = ledger.forecasts.forecast(replay, scope)

            deals = folded.open_deals(scope)
            chances = [(one, odds.chance(one.stage, one.age_days, within)) for one in deals]
            assert found["deals"] == [deal_json(one, p) for one, p in chances]
            assert found["expected"] == [expected_json(one) for one in expectations(chances)]
            given += sum(p.p is not None for _, p in chances)
    assert given


def test_what_slipped_was_forecast_at_the_start_and_not_won(
    told: tuple[Ledger, Log, Random],
) -> None:
    ledger, log, chance = told
    for replay in replays(ledger, log, chance):
        known = replay.clock == "as_known"
        at = min(START - BEFORE, replay.until)
        position = replay.start.coordinate if known else replay.moment.position
        start = Folded(log, replay, position=position, at=at)
        end = end_of(log, replay)
        forecast = [
            deal_id
            for deal_id, state in start.states.items()
            if state.closed is None
            and not state.deleted
            and state.close_date is not None
            and START.date() <= state.close_date < END.date()
        ]
        won = {
            deal_id
            for deal_id, state in end.states.items()
            if state.closed == "won"
            and not state.deleted
            and state.closed_at is not None
            and START <= state.closed_at <= replay.until
        }

        found: Any = ledger.forecasts.forecast(replay, Scope())

        if replay.until < START:
            assert found["slip"]["n"] == 0, "nothing is forecast at a start that has not come"
            continue
        assert found["slip"]["n"] == len(forecast)
        assert found["slip"]["count"] == len(set(forecast) - won)


def test_pages_hold_every_deal_once_and_the_same_sums(told: tuple[Ledger, Log, Random]) -> None:
    ledger, _, _ = told
    moment = ledger_moment(ledger)
    replay = ledger.replays.replay(QUARTER, moment, "as_happened")
    whole: Any = ledger.forecasts.forecast(replay, Scope())
    listed: list[Any] = []
    after: UUID | None = None
    while True:
        page: Any = ledger.forecasts.forecast(replay, Scope(), after=after, limit=3)
        assert page["expected"] == whole["expected"]
        listed += page["deals"]
        if page["next"] is None:
            break
        after = UUID(page["next"])
    assert listed == whole["deals"]


def ledger_moment(ledger: Ledger) -> Moment:
    head = ledger.store.head().position
    at = datetime(2025, 3, 1, tzinfo=UTC)
    return Moment(head, ledger.store.recorded_at_of(head), at, at)
