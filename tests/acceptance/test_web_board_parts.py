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
from tests.support.client import TOKEN, event, post
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
NUMBERS: Final = count(1)


@pytest.fixture(scope="module")
def client(postgres_server: PostgresServer) -> Iterator[TestClient]:
    with (
        postgres_server.ledger(SCHEMA, filled_by=fill) as database,
        serving_ledger(database) as (client, _),
    ):
        client.headers["Authorization"] = f"Bearer {TOKEN}"
        yield client


def loaded(client: TestClient, path: str, *held: str) -> str:
    answer = client.get(path, headers={HELD: ",".join(held)} if held else {})
    assert answer.status_code == 200
    return answer.text


def parts_of(page: str) -> dict[str, str]:
    """The parts of a page in order, by their tags; empty where it says that they are held."""
    return {
        str(found["held"] or found["head"] or found["tag"]): ""
        if found["held"]
        else OF_ITS_LOAD.sub("", found[0])
        for found in PART.finditer(page)
    }


def told(client: TestClient, path: str, *events: Any) -> str:
    answer = client.post(
        path, json={"events": events}, headers={"Idempotency-Key": f"parts-{next(NUMBERS)}"}
    )
    assert answer.status_code == 201, answer.text
    return str(answer.json().get("deal_id", ""))


def opened(account: str, *more: Any, owner: str = REP, close_date: str = "2020-01-01") -> list[Any]:
    deal = {"name": "Parts", "account": {"id": account, "name": account}, "owner": owner}
    return [event("deal_opened", **deal, close_date=close_date), *more]


STEPS: Final[dict[str, tuple[int, Any]]] = {
    "a note that no card shows": (0, event("note_added", text="They called")),
    "a discount": (1, event("discount_offered", percent="7")),
    "an amount, which the head adds up": (2, event("amount_changed", amount={"amount": "1.00", "currency": "USD"})),
    "a tick": (2, event("activity_ticked", activity="check-fit")),
    "a move to another stage": (2, event("stage_entered", stage="discover")),
    "another owner": (1, event("owner_changed", owner="ben")),
    "another close date, by which it comes last": (1, event("close_date_moved", to="2031-01-01")),
    "a win": (3, event("deal_won", net={"amount": "1.00", "currency": "USD"}, closed_on="2025-10-02")),
}
"""What is told of a deal, and how many parts of the board are sent for it at the most."""


@pytest.mark.parametrize("cards", [2, board.MAX_CARDS])
@pytest.mark.parametrize("query", ["", f"?owner={REP}&show=open"])
def test_what_is_held_and_what_is_sent_are_together_what_a_whole_load_shows(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, query: str, cards: int
) -> None:
    for module in (board, board_page):
        monkeypatch.setattr(module, "MAX_CARDS", cards)
    path = f"/board{query}"
    deal = told(client, "/v1/deals", *opened(f"Part {next(NUMBERS)}", event("stage_entered", stage="qualify")))
    has = parts_of(loaded(client, path))

    for name, (most, step) in STEPS.items():
        told(client, f"/v1/deals/{deal}/events", step)
        sent = parts_of(loaded(client, path, *has))
        whole = parts_of(loaded(client, path))

        assert list(sent) == list(whole), name
        assert {tag: part or has[tag] for tag, part in sent.items()} == whole, name
        assert sum(part != "" for part in sent.values()) <= most, name
        has = whole


def test_a_column_that_comes_before_others_sends_these_again_with_their_places(
    client: TestClient,
) -> None:
    has = parts_of(loaded(client, "/board"))
    told(client, "/v1/deals", *opened("Nowhere"))

    sent = parts_of(loaded(client, "/board", *has))

    assert "No stage yet" in "".join(sent.values())
    assert {tag: part or has[tag] for tag, part in sent.items()} == parts_of(loaded(client, "/board"))


def test_a_quota_changes_the_head_alone(client: TestClient) -> None:
    has = parts_of(loaded(client, "/board"))
    amount = {"amount": "98765432.00", "currency": "USD"}
    post(client, "/v1/quotas", event("quota_assigned", rep="new", quarter="FY2027Q3", amount=amount))

    sent = [part for part in parts_of(loaded(client, "/board", *has)).values() if part]

    assert len(sent) <= 1


@pytest.mark.parametrize("held", ["none-of-ours", ",,,", "a" * 6000, "<b>"])
def test_tags_that_are_none_are_as_good_as_no_tags(client: TestClient, held: str) -> None:
    assert parts_of(loaded(client, "/board", held)) == parts_of(loaded(client, "/board"))
