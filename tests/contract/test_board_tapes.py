"""The tape of a quarter's board at any instant is what the application answers of that instant.

Holds `docs/guarantees.md`: a quarter replays exactly.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from random import Random
from typing import Any, Final

import pytest

from api.board import Board
from api.board_tapes import BoardTapes
from api.bootstrap import Ledger
from api.identity.reach import WHOLE
from api.moment import Moment, moment
from api.people import People
from api.replays import ClockName, Replay
from projections.quarter.board_scene import Film
from projections.quarter.board_tape import instant_text
from projections.quarter.steps import ORGANISATION
from projections.quarter.waterfall import INFLOWS, OUTFLOWS
from tests.support.films import assert_figures, instants
from tests.support.ledgers import SCHEMA
from tests.support.postgres import PostgresServer
from tests.support.pressed_logs import QUARTER, pressed_log, reaching_back_log
from tests.support.quarter_logs import ledger_with, quarter_log
from tests.support.roles import under_roles
from tests.support.site import TOLD_ON, fill

CLOCKS: Final[tuple[ClockName, ...]] = ("as_known", "as_happened")
LATER: Final = datetime.fromisoformat("2026-06-01T00:00:00Z")
INSTANTS: Final = 10
MANY: Final = 40


@pytest.fixture(params=range(3), scope="module")
def random_history(
    request: pytest.FixtureRequest, postgres_server: PostgresServer
) -> Iterator[Ledger]:
    with ledger_with(postgres_server, quarter_log(Random(request.param))) as ledger:
        yield ledger


@pytest.fixture(params=[0, 1, 3, "reaching back"], scope="module")
def pressed_history(
    request: pytest.FixtureRequest, postgres_server: PostgresServer
) -> Iterator[Ledger]:
    chance = Random(request.param)
    log = reaching_back_log(chance) if isinstance(request.param, str) else pressed_log(chance)
    with ledger_with(postgres_server, log) as ledger:
        yield ledger


@pytest.fixture(scope="module")
def company(postgres_server: PostgresServer) -> Iterator[Ledger]:
    with (
        postgres_server.ledger(SCHEMA, filled_by=fill) as dsn,
        under_roles(dsn, schema=SCHEMA) as ledger,
    ):
        ledger.worker.catch_up()
        yield ledger


def film_of(ledger: Ledger, replay: Replay) -> Film:
    tapes = BoardTapes(ledger.replays, ledger.context, ledger.places, ledger.access)
    return Film(tapes.tape(replay, WHOLE, {}).tape)


def moment_of(ledger: Ledger, clock: ClockName, at: datetime) -> Moment:
    text = instant_text(at)
    asked = (text, None) if clock == "as_known" else (None, text)
    return moment(ledger.store, as_of=asked[0], effective_at=asked[1], now=LATER)


def ensure_equal(ledger: Ledger, film: Film, quarter: str, clock: ClockName, at: datetime) -> None:
    ensure_same_figures(ledger, film, quarter, clock, at)
    board: Any = Board(
        ledger.store, ledger.context, People(ledger.store), ledger.places, ledger.access
    ).board(moment_of(ledger, clock, at), WHOLE)
    ensure_same_board(film, film.scene(at).deals, board)


def ensure_same_figures(
    ledger: Ledger, film: Film, quarter: str, clock: ClockName, at: datetime
) -> None:
    asked = moment_of(ledger, clock, at)
    known = ledger.context.known(asked.position)
    answer: Any = ledger.quarter_figures.quarter(asked, quarter, known, clock)
    assert_figures(film, at, answer)


def ensure_same_board(film: Film, deals: Any, board: Any) -> None:
    """Hold the columns, and every card that the board shows, against it."""
    columns, ids = film.tape["columns"], [one[0] for one in film.tape["deals"]]
    shown = {ids[deal]: seen for deal, seen in enumerate(deals) if seen is not None}
    counted = {one["stage"]["id"]: one["count"] for one in board["columns"] if one["count"]}
    assert Counter(columns[seen.column][0] for seen in shown.values()) == counted
    for column in board["columns"]:
        for card in column["deals"]:
            seen = shown[card["deal_id"]]
            assert film.tape["labels"][seen.label] == [card["account"]["name"], card["name"]]
            counts = card["counts"]
            assert seen.evidenced == counts["evidenced"] + counts["evidenced_late"]
            assert seen.checkbox_only == counts["asserted_only"] + counts["bare_tick"]
            assert seen.due == counts["pending"]
            assert card["discount"] == (
                None if seen.discount is None else film.tape["discounts"][seen.discount]
            )


@pytest.mark.parametrize("clock", CLOCKS)
def test_any_history_shows_on_the_tape_as_it_is_answered_then(
    random_history: Ledger, clock: ClockName
) -> None:
    now = moment(random_history.store, as_of=None, effective_at=None, now=LATER)
    film = film_of(random_history, random_history.replays.replay("FY2025Q1", now, clock))

    for at in instants(film, Random(7), INSTANTS):
        ensure_equal(random_history, film, "FY2025Q1", clock, at)


@pytest.mark.parametrize("clock", CLOCKS)
def test_whatever_turns_a_verdict_or_a_quota_shows_on_the_tape_as_it_is_answered_then(
    pressed_history: Ledger, clock: ClockName
) -> None:
    now = moment(pressed_history.store, as_of=None, effective_at=None, now=LATER)
    replay = pressed_history.replays.replay(QUARTER, now, clock)
    film = film_of(pressed_history, replay)

    for at in instants(film, Random(7), MANY):
        ensure_equal(pressed_history, film, QUARTER, clock, at)
    ensure_same_waterfall(pressed_history, film, replay)


@pytest.mark.parametrize("clock", CLOCKS)
@pytest.mark.parametrize("quarter", ["FY2026Q1", "FY2026Q2"])
def test_ticks_verdicts_and_quotas_show_on_the_tape_as_they_are_answered_then(
    company: Ledger, quarter: str, clock: ClockName
) -> None:
    now = moment(company.store, as_of=None, effective_at=None, now=LATER)
    film = film_of(company, company.replays.replay(quarter, now, clock))

    assert (film.figure("shaped", len(film.tape["instants"]) - 1) or 0) > 0
    for at in instants(film, Random(quarter), INSTANTS):
        ensure_equal(company, film, quarter, clock, at)


@pytest.mark.parametrize("clock", CLOCKS)
def test_the_waterfall_of_a_tape_is_that_of_the_quarter(company: Ledger, clock: ClockName) -> None:
    asked = moment(company.store, as_of=instant_text(TOLD_ON), effective_at=None, now=LATER)
    replay = company.replays.replay("FY2026Q2", asked, clock)

    ensure_same_waterfall(company, film_of(company, replay), replay)


def ensure_same_waterfall(ledger: Ledger, film: Film, replay: Replay) -> None:
    """Hold every cell from the quarter's beginning to where the tape ends against the answer."""
    answer: Any = ledger.quarters.waterfall(replay, ORGANISATION, None)
    told: dict[str, list[tuple[str, int]]] = {}
    for entry in film.entries(0, len(film.tape["instants"])):
        name = film.tape["cells"][entry.cell]
        told.setdefault(name, []).append((film.tape["deals"][entry.deal][0], entry.position))

    for name in (*INFLOWS, *OUTFLOWS):
        wanted = [(one["deal_id"], one["position"]) for one in answer[name]["entries"]]
        assert sorted(told.get(name, [])) == sorted(wanted), name
    for name, at in (("opening", film.start), ("closing", film.end)):
        scene = film.scene(at)
        standing = [
            film.tape["deals"][d][0] for d, s in enumerate(scene.deals) if s and s.in_pipeline
        ]
        assert standing == sorted(one["deal_id"] for one in answer[name]["entries"]), name


@pytest.mark.parametrize("clock", CLOCKS)
def test_a_quarter_that_has_not_begun_shows_what_stands_now(
    company: Ledger, clock: ClockName
) -> None:
    asked = moment(company.store, as_of=instant_text(TOLD_ON), effective_at=None, now=LATER)
    replay = company.replays.replay("FY2026Q4", asked, clock)
    film = film_of(company, replay)

    assert film.figure("open_deals", 0)
    assert film.end == TOLD_ON < replay.quarter.start_instant
    ensure_same_figures(company, film, "FY2026Q4", clock, TOLD_ON)
