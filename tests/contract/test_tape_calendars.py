"""A calendar that moves the bounds of a quarter while it lasts, on the tape of its board."""

from collections.abc import Iterator
from datetime import UTC, datetime
from random import Random
from typing import Any, Final

import pytest

from api.board_tapes import BoardTapes
from api.bootstrap import Ledger
from api.identity.reach import WHOLE
from api.moment import moment
from api.replays import ClockName
from projections.quarter.board_scene import Film
from projections.quarter.board_tape import instant_text
from tests.support.films import assert_figures, instants
from tests.support.postgres import PostgresServer
from tests.support.pressed_logs import KINDS, QUARTER, WEIGHTS
from tests.support.quarter_logs import Streamed, ledger_with, membership, quarter_log
from tests.support.spans import Log

LATER: Final = datetime(2026, 6, 1, tzinfo=UTC)
ADOPTED_AFTER: Final = 80
"""Events of the log: in the middle of the quarter."""
WEEKS: Final = {
    "zone": "America/New_York",
    "kind": "weeks",
    "parameters": {"weekday": "SAT", "month": 12, "rule": "last", "pattern": "4-4-5"},
    "effective_from": "2024-12-01",
}
"""By which FY2025Q1 ends two days sooner than in the built-in calendar, and begins three sooner."""


def around(chance: Random, log: Log) -> Streamed:
    told = {event.stream_id for event in log.events}
    if log.head > ADOPTED_AFTER and "calendar" not in told:
        return "calendar", ("calendar_adopted", WEEKS)
    if "quota:ann:FY2025Q1" not in told:
        amount = {"amount": "9000.00", "currency": "USD"}
        assigned = {"rep": "ann", "quarter": QUARTER, "amount": amount}
        return "quota:ann:FY2025Q1", ("quota_assigned", assigned)
    return membership(chance, log)


@pytest.fixture(params=range(3), scope="module")
def moved(
    request: pytest.FixtureRequest, postgres_server: PostgresServer
) -> Iterator[tuple[Ledger, datetime]]:
    """A ledger whose calendar was changed, and when that was told."""
    log = quarter_log(
        Random(request.param), size=220, pace=1.5, kinds=KINDS, weights=WEIGHTS, around=around
    )
    (told,) = (event for event in log.events if event.stream_id == "calendar")
    with ledger_with(postgres_server, log) as ledger:
        yield ledger, told.recorded_at


@pytest.mark.parametrize("clock", ["as_known", "as_happened"])
def test_the_bounds_are_those_of_the_calendar_that_is_known_where_the_log_is_cut(
    moved: tuple[Ledger, datetime], clock: ClockName
) -> None:
    ledger, told_at = moved
    now = moment(ledger.store, as_of=None, effective_at=None, now=LATER)
    replay = ledger.replays.replay(QUARTER, now, clock)
    tapes = BoardTapes(ledger.replays, ledger.context, ledger.places, ledger.access)
    film = Film(tapes.tape(replay, WHOLE, {}).tape)

    assert str(replay.quarter.start) == "2024-12-29"
    assert film.start < told_at < film.end
    seen = 0
    for at in instants(film, Random(5), 40):
        if clock == "as_happened":
            asked = moment(ledger.store, as_of=None, effective_at=instant_text(at), now=LATER)
        else:
            asked = moment(ledger.store, as_of=instant_text(at), effective_at=None, now=LATER)
        known = ledger.context.known(asked.position)
        if clock == "as_known" and at < told_at:
            continue
        answer: Any = ledger.quarter_figures.quarter(asked, QUARTER, known, clock)
        assert_figures(film, at, answer)
        seen += 1
    assert seen > 5
