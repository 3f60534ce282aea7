"""Every replay of a quarter says what the folds of its deals say, at any moment, on both clocks.

Holds `docs/guarantees.md`: a quarter replays exactly.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from copy import copy
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from uuid import UUID

import pytest

from api.bootstrap import Ledger
from api.moment import Moment
from api.replays import Replay
from domain.values import Money
from projections.quarter import tape as taping
from projections.quarter.steps import Scope
from projections.quarter.waterfall import INFLOWS, OUTFLOWS
from projections.spans.fold import DealState
from tests.support.postgres import PostgresServer
from tests.support.quarter_logs import CATEGORIES, REPS, TEAMS, ledger_with, quarter_log
from tests.support.spans import Log

QUARTER = "FY2025Q1"
FIRST, LAST = date(2025, 1, 1), date(2025, 3, 31)
START, END = datetime(2025, 1, 1, tzinfo=UTC), datetime(2025, 4, 1, tzinfo=UTC)
BEFORE = timedelta(microseconds=1)
CLOCKS = ("as_known", "as_happened")
States = Mapping[UUID, DealState]


@pytest.fixture(params=range(4), scope="module")
def history(
    request: pytest.FixtureRequest, postgres_server: PostgresServer
) -> Iterator[tuple[Ledger, Log, Random]]:
    """One for all tests, since none of them tells it more."""
    chance = Random(request.param)
    log = quarter_log(chance)
    with ledger_with(postgres_server, log) as ledger:
        yield ledger, log, chance


@pytest.fixture
def told(history: tuple[Ledger, Log, Random]) -> tuple[Ledger, Log, Random]:
    ledger, log, chance = history
    return ledger, log, copy(chance)


def moment_at(log: Log, position: int, at: datetime | None = None) -> Moment:
    recorded = log.events[position - 1].recorded_at
    return Moment(position, recorded, at or max(recorded, END), at)


def position_at(log: Log, instant: datetime) -> int:
    return bisect_right(log.events, instant, key=lambda event: event.recorded_at)


def states_at(log: Log, replay: Replay, instant: datetime) -> States:
    """What every deal was at an instant of a replay, by the fold alone."""
    if replay.clock == "as_known":
        return log.states(min(position_at(log, instant), replay.moment.position))
    return log.states(replay.moment.position, min(instant, replay.until))


def counted(states: States, wanted: Any) -> tuple[int, dict[str, Decimal]]:
    found = [state for state in states.values() if wanted(state)]
    sums: dict[str, Decimal] = {}
    for state in found:
        if state.amount is not None and state.currency is not None:
            sums[state.currency] = sums.get(state.currency, Decimal(0)) + state.amount
    return len(found), sums


def is_open(state: DealState) -> bool:
    return state.closed is None and not state.deleted


def in_quarter(state: DealState) -> bool:
    return is_open(state) and state.close_date is not None and FIRST <= state.close_date <= LAST


def amounts(answer: Any) -> tuple[int, dict[str, Decimal]]:
    return answer["deals"], {one["currency"]: Decimal(one["amount"]) for one in answer["amounts"]}


def positive(sums: tuple[int, dict[str, Decimal]]) -> tuple[int, dict[str, Decimal]]:
    return sums[0], {currency: amount for currency, amount in sums[1].items() if amount}


def team_at(log: Log, replay: Replay, instant: datetime, rep: str) -> str | None:
    """Whose team a rep was in, as the replay's clock has it."""
    if replay.clock == "as_known":
        upto = min(position_at(log, instant), replay.moment.position)
        told = [e for e in log.events[:upto] if e.stream_id == "organisation"]
        at = max((max(e.recorded_at, e.occurred_at) for e in told), default=instant)
        membership = log.known(upto).member(rep, at)
    else:
        membership = log.known(replay.moment.position).member(rep, min(instant, replay.until))
    return membership.team if membership else None


def in_scope(log: Log, replay: Replay, scope: Scope, instant: datetime) -> Any:
    def covered(state: DealState) -> bool:
        if scope.team is not None:
            return team_at(log, replay, instant, state.owner) == scope.team
        return scope.rep in (None, state.owner)

    return covered


SCOPES = [Scope(), *(Scope(rep=rep) for rep in REPS), *(Scope(team=team) for team in TEAMS)]


def replays(ledger: Ledger, log: Log, chance: Random) -> Iterator[Replay]:
    for clock in CLOCKS:
        for position in (log.head, chance.randint(log.head // 3, log.head)):
            yield ledger.replays.replay(QUARTER, moment_at(log, position), clock)  # type: ignore[arg-type]  # one of two


def test_a_waterfall_goes_from_what_stood_to_what_stands(
    told: tuple[Ledger, Log, Random],
) -> None:
    ledger, log, chance = told
    for replay in replays(ledger, log, chance):
        before, after = (states_at(log, replay, at) for at in (START - BEFORE, END - BEFORE))
        for scope in SCOPES:
            for category in (None, *CATEGORIES):
                found: Any = ledger.quarters.waterfall(replay, scope, category)

                for name, states, at in (
                    ("opening", before, START - BEFORE),
                    ("closing", after, END - BEFORE),
                ):
                    covered = in_scope(log, replay, scope, at)
                    held = {
                        deal_id: state
                        for deal_id, state in states.items()
                        if covered(state) and category in (None, state.forecast_category)
                    }
                    wanted = counted(held, in_quarter)
                    assert amounts(found[name]) == wanted, (name, scope, category, replay.clock)
                for currency in ("USD", "EUR"):
                    flown = sum(amounts(found[name])[1].get(currency, 0) for name in INFLOWS)
                    gone = sum(amounts(found[name])[1].get(currency, 0) for name in OUTFLOWS)
                    opening, closing = (
                        amounts(found[name])[1].get(currency, 0) for name in ("opening", "closing")
                    )
                    assert opening + flown - gone == closing


def test_every_entry_of_a_waterfall_names_an_event_of_the_log(
    told: tuple[Ledger, Log, Random],
) -> None:
    ledger, log, chance = told
    events = {str(event.event_id): event.position for event in log.events}
    seen = 0
    for replay in replays(ledger, log, chance):
        found: Any = ledger.quarters.waterfall(replay, Scope(), None)
        for name in ("opening", *INFLOWS, *OUTFLOWS, "closing"):
            for entry in found[name]["entries"]:
                assert events[entry["event_id"]] == entry["position"]
                seen += 1
    assert seen > 20


def test_frames_are_what_stood_open_at_the_end_of_each_day(
    told: tuple[Ledger, Log, Random],
) -> None:
    ledger, log, chance = told
    for replay in replays(ledger, log, chance):
        for scope in SCOPES:
            found: Any = ledger.quarters.frames(replay, scope)
            for frame in found["frames"]:
                states = states_at(log, replay, frame["at"])
                covered = in_scope(log, replay, scope, frame["at"])
                wanted = counted(states, lambda s, covered=covered: is_open(s) and covered(s))
                assert positive(amounts(frame["total"])) == positive(wanted), (scope, frame["day"])
            days = [frame["day"] for frame in found["frames"]]
            assert days == [str(FIRST + timedelta(days=n)) for n in range(len(days))]
            assert found["frames"][-1]["at"] == replay.until


def test_the_tape_at_any_instant_is_what_the_ledger_answers_then(
    told: tuple[Ledger, Log, Random],
) -> None:
    ledger, log, chance = told
    for replay in replays(ledger, log, chance):
        answer: Any = ledger.quarters.tape(replay, after=None, limit=1000)
        stood = states_at(log, replay, START - BEFORE)
        for _ in range(12):
            instant = START + (replay.until - START) * chance.random()
            shown = taping.at(answer["tape"], instant)
            expected = {
                deal_id: taping.shown(state)
                for deal_id, state in states_at(log, replay, instant).items()
                if not state.deleted
            }
            # A deal that was closed before the quarter and is not touched in it is not taped.
            assert shown == {
                i: one
                for i, one in expected.items()
                if i in shown or is_open(stood.get(i) or one)  # type: ignore[arg-type]  # has both
            }


def test_a_difference_is_that_of_the_states_at_its_ends(
    told: tuple[Ledger, Log, Random],
) -> None:
    ledger, log, chance = told
    for replay in replays(ledger, log, chance):
        for _ in range(8):
            a, b = (START + (replay.until - START) * chance.random() for _ in range(2))
            if replay.clock == "as_known":
                ends = [moment_at(log, max(1, position_at(log, at))) for at in (a, b)]
                states = [log.states(end.position) for end in ends]
            else:
                ends = [moment_at(log, log.head, at) for at in (a, b)]
                states = [log.states(replay.moment.position, at) for at in (a, b)]
            found: Any = ledger.quarters.difference(replay, *ends)

            told_apart = {
                i
                for i in {*states[0], *states[1]}
                if taping.shown(states[0].get(i)) != taping.shown(states[1].get(i))
            }
            assert {UUID(one["deal_id"]) for one in found["deals"]} == told_apart
            for one in found["deals"]:
                for side, at in (("before", 0), ("after", 1)):
                    state = states[at].get(UUID(one["deal_id"]))
                    shown = state if state and not state.deleted else None
                    assert (one[side] or {}).get("owner") == (shown.owner if shown else None)


def test_booked_money_of_a_frame_is_what_was_credited_by_then(
    told: tuple[Ledger, Log, Random],
) -> None:
    ledger, log, _ = told
    replay = ledger.replays.replay(QUARTER, moment_at(log, log.head), "as_known")
    found: Any = ledger.quarters.frames(replay, Scope())
    for frame in found["frames"][::15]:
        if not frame["position"]:
            assert frame["booked"] == []
            continue
        then = ledger.figures.quarter(
            moment_at(log, frame["position"], frame["at"]),
            QUARTER,
            ledger.context.known(frame["position"]),
        )
        booked: Any = then["booked"]
        assert [one for one in frame["booked"] if Decimal(one["amount"])] == [
            one for one in booked if Decimal(one["amount"])
        ]
        assert all(Money.model_validate(one) for one in booked)
