"""A board that says which parts it has is sent the others, and has then what a whole load shows."""

import re
from collections.abc import Iterator
from itertools import count
from typing import Any, Final

import pytest
from fastapi.testclient import TestClient

from api import board
from api.web import board_page
from api.web.routes.board import HELD
from tests.support.client import TOKEN, event
from tests.support.ledgers import SCHEMA
from tests.support.organisation import serving_ledger
from tests.support.postgres import PostgresServer
from tests.support.site import REP, fill

PART: Final = re.compile(
    r'<div data-held="(?P<held>\w+)"></div>'
    r'|<div class="head" data-part="head" data-tag="(?P<head>\w+)".*?(?=<form class="filters")'
    r'|<section class="column[^>]* data-tag="(?P<tag>\w+)".*?</section>',
    re.DOTALL,
)
OF_ITS_LOAD: Final = re.compile(
    r'<input type="hidden"[^>]*>|<(span|a) data-moment.*?</\1>', re.DOTALL
)
"""What each load says otherwise, and no part is replaced for."""
LIVE: Final = re.compile(r'data-live="(\d+)"')
NUMBERS: Final = count(1)


@pytest.fixture(scope="module")
def client(postgres_server: PostgresServer) -> Iterator[TestClient]:
    with (
        postgres_server.ledger(SCHEMA, filled_by=fill) as database,
        serving_ledger(database) as (client, _),
    ):
        client.headers["Authorization"] = f"Bearer {TOKEN}"
        yield client


class Board:
    """The board at an address, as far as the last event that was told."""

    def __init__(self, client: TestClient, path: str) -> None:
        self._client = client
        self._path = path
        self._told = 0

    def told(self, path: str, *events: Any) -> str:
        answer = self._client.post(
            path, json={"events": events}, headers={"Idempotency-Key": f"parts-{next(NUMBERS)}"}
        )
        assert answer.status_code == 201, answer.text
        self._told = answer.json()["position"]
        return str(answer.json()["deal_id"])

    def parts(self, *held: str) -> dict[str, str]:
        """The parts of the page in order, by their tags; empty where it says that they are held."""
        while True:  # the views may be behind for longer than the page waits for them
            answer = self._client.get(self._path, headers={HELD: ",".join(held)} if held else {})
            assert answer.status_code == 200
            if int(LIVE.findall(answer.text)[0]) >= self._told:
                return parts_of(answer.text)


def parts_of(page: str) -> dict[str, str]:
    return {
        str(found["held"] or found["head"] or found["tag"]): ""
        if found["held"]
        else OF_ITS_LOAD.sub("", found[0])
        for found in PART.finditer(page)
    }


def opened(account: str, *more: Any, owner: str = REP, close_date: str = "2020-01-01") -> list[Any]:
    deal = {"name": "Parts", "account": {"id": account, "name": account}, "owner": owner}
    return [event("deal_opened", **deal, close_date=close_date), *more]


ONE: Final = {"amount": "1.00", "currency": "USD"}
STEPS: Final[dict[str, Any]] = {
    "a discount": event("discount_offered", percent="7"),
    "an amount, which the head adds up": event("amount_changed", amount=ONE),
    "a tick": event("activity_ticked", activity="check-fit"),
    "a move to another stage": event("stage_entered", stage="discover"),
    "another owner": event("owner_changed", owner="ben"),
    "another close date, by which it comes last": event("close_date_moved", to="2031-01-01"),
    "a win": event("deal_won", net=ONE, closed_on="2025-10-02"),
}
MOST: Final = 3
"""Parts that one event changes: the head, and a column or two."""


@pytest.mark.parametrize(
    ("query", "cards"), [("", 2), (f"?owner={REP}&show=open", board.MAX_CARDS)]
)
def test_what_is_held_and_what_is_sent_are_together_what_a_whole_load_shows(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, query: str, cards: int
) -> None:
    for module in (board, board_page):
        monkeypatch.setattr(module, "MAX_CARDS", cards)
    shown = Board(client, f"/board{query}")
    stage = event("stage_entered", stage="qualify")
    deal = shown.told("/v1/deals", *opened(f"Part {next(NUMBERS)}", stage))
    has = shown.parts()
    note = event("note_added", text="of what no card shows")
    shown.told(f"/v1/deals/{deal}/events", note)
    assert not any(shown.parts(*has).values())

    for name, step in STEPS.items():
        shown.told(f"/v1/deals/{deal}/events", step)
        sent = shown.parts(*has)
        whole = shown.parts()

        assert list(sent) == list(whole), name
        assert {tag: part or has[tag] for tag, part in sent.items()} == whole, name
        assert sum(part != "" for part in sent.values()) <= MOST < len(whole), name
        has = whole


def test_a_column_that_comes_before_others_sends_these_again_with_their_places(
    client: TestClient,
) -> None:
    shown = Board(client, "/board")
    has = shown.parts()
    shown.told("/v1/deals", *opened("Nowhere"))

    sent = shown.parts(*has)

    assert "No stage yet" in "".join(sent.values())
    assert {tag: part or has[tag] for tag, part in sent.items()} == shown.parts()


@pytest.mark.parametrize("held", ["none-of-ours", ",,,", "a" * 6000, "<b>"])
def test_tags_that_are_none_are_as_good_as_no_tags(client: TestClient, held: str) -> None:
    assert Board(client, "/board").parts(held) == Board(client, "/board").parts()
