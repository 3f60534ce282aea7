"""Those who look at the board of now share it, and nobody is shown what is not theirs."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

import pytest
from fastapi.testclient import TestClient

from api.board import Board, BoardWish
from api.bootstrap import Ledger
from api.bootstrap_server import build_app
from api.identity.permissions import OPERATOR, Identity, Role
from api.moment import Moment, moment
from api.people import People
from tests.support.client import TOKEN, event, post
from tests.support.ledgers import SCHEMA
from tests.support.postgres import PostgresServer
from tests.support.roles import under_roles
from tests.support.site import AUDITOR, MANAGER, OWNER, REP, fill

LATER: Final = datetime.fromisoformat("2025-10-02T12:00:00Z")
SOON: Final = timedelta(milliseconds=300)
ROLES: Final[dict[str, Role]] = {
    REP: "rep",
    MANAGER: "manager",
    AUDITOR: "auditor",
    OWNER: "process_owner",
}
WISHES: Final = (BoardWish(), BoardWish(show="pressure"), BoardWish(owner=REP, show="open"))


@pytest.fixture
def ledger(postgres_server: PostgresServer) -> Iterator[Ledger]:
    with (
        postgres_server.ledger(SCHEMA, filled_by=fill) as dsn,
        under_roles(dsn, schema=SCHEMA) as ledger,
    ):
        ledger.worker.catch_up()
        yield ledger


@pytest.fixture
def client(ledger: Ledger) -> Iterator[TestClient]:
    """A client of the ledger, whose views stand still."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    app = build_app(ledger, token=TOKEN)
    with TestClient(app, base_url="http://localhost", headers=headers) as client:
        yield client


def board_of(ledger: Ledger) -> Board:
    return Board(ledger.store, ledger.context, People(ledger.store), ledger.places, ledger.access)


def identity(who: str) -> Identity:
    return Identity(actor=who, role=ROLES[who], credential=f"key of {who}")


def now(ledger: Ledger, *, after: timedelta = timedelta(0)) -> Moment:
    return moment(ledger.store, as_of=None, effective_at=None, now=LATER + after)


def test_everybody_is_shown_what_they_would_be_shown_alone(ledger: Ledger) -> None:
    shared, alone = board_of(ledger), board_of(ledger)
    asking = [OPERATOR, *map(identity, ROLES)]
    for turn in range(2):
        asked = now(ledger, after=turn * SOON)
        for one in asking:
            for wish in WISHES:
                reach = ledger.access.reach(one)
                answer: Any = shared.now(asked, reach, wish)
                at = replace(asked, effective_at=answer["effective_at"])

                assert answer == alone.board(at, reach, wish), (one.actor, wish)
                assert asked.effective_at - at.effective_at <= SOON


def test_who_may_see_the_same_shares_one_instant(ledger: Ledger) -> None:
    board = board_of(ledger)
    one, other = (replace(identity(AUDITOR), actor=who) for who in ("ines", "noor"))
    first: Any = board.now(now(ledger), ledger.access.reach(one))
    second: Any = board.now(now(ledger, after=SOON), ledger.access.reach(other))

    assert first["effective_at"] == second["effective_at"] == LATER


def test_an_event_is_shown_as_soon_as_the_views_have_it(ledger: Ledger, client: TestClient) -> None:
    board, reach = board_of(ledger), ledger.access.reach(OPERATOR)
    asked = now(ledger)
    before: Any = board.now(asked, reach)
    deal = change_owner(client, before, to=REP)
    behind: Any = board.now(asked, reach)
    ledger.worker.catch_up()

    assert behind["as_of"] == before["as_of"]

    after: Any = board.now(now(ledger), reach)
    assert after["as_of"]["position"] == before["as_of"]["position"] + 1
    assert card(after, deal)["owner"]["id"] == REP


def test_pressure_on_somebody_else_is_untold_before_the_views_have_the_event(
    ledger: Ledger, client: TestClient
) -> None:
    board, asked = board_of(ledger), now(ledger)
    reach = ledger.access.reach(identity(MANAGER))
    before: Any = board.now(asked, reach)
    deal = change_owner(client, before, to="somebody-else")

    assert card(before, deal)["pressure_shaped"] is not None
    assert card(board.now(asked, reach), deal)["pressure_shaped"] is None


def card(answer: Any, deal_id: str) -> Any:
    cards = (one for column in answer["columns"] for one in column["deals"])
    return next(one for one in cards if one["deal_id"] == deal_id)


def change_owner(client: TestClient, board: Any, *, to: str) -> str:
    """Give an open deal of the board whose pressure is told to somebody else; give its id."""
    told = (
        one["deal_id"]
        for column in board["columns"]
        for one in column["deals"]
        if not column["closed"] and one["pressure_shaped"] is not None
    )
    deal: str = next(told)
    answer = post(client, f"/v1/deals/{deal}/events", event("owner_changed", owner=to))
    assert answer.status_code == 201, answer.text
    return deal
