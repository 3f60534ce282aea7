"""What a manager asks of customers after the win."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.support.client import client_on, event, open_deal, post
from tests.support.thirty import usd

WON = {"net": usd("900.00"), "closed_on": "2026-03-01"}


@pytest.fixture
def client(database: str) -> Iterator[TestClient]:
    with client_on(database) as served:
        yield served


def ask(client: TestClient, path: str, **parameters: Any) -> Any:
    answer = client.get(path, params=parameters or None)
    assert answer.status_code == 200, answer.text
    return answer.json()


def tell(client: TestClient, deal: str, *events: Any) -> None:
    answer = post(client, f"/v1/deals/{deal}/events", *events)
    assert answer.status_code == 201, answer.text


def company(client: TestClient) -> list[str]:
    """Let one customer win twice and reach a goal in between, and another one look around."""
    first, second = (
        open_deal(client, occurred_at=f"2026-0{month}-01T09:00:00Z") for month in (1, 4)
    )
    tell(
        client,
        first,
        event("customer_goal_recorded", "2026-01-05T09:00:00Z", goal="On time", level=3),
        event("deal_won", "2026-03-01T09:00:00Z", **WON),
        event("customer_goal_achieved", "2026-03-31T09:00:00Z", goal="On time", level=4),
    )
    tell(client, second, event("deal_won", "2026-05-01T09:00:00Z", **WON))
    other = {"name": "Other", "account": {"id": "bolt", "name": "Bolt"}, "owner": "ben"}
    post(client, "/v1/deals", event("deal_opened", "2026-02-01T09:00:00Z", **other))
    return [first, second]


def test_customers_show_who_came_back_and_what_was_reached(client: TestClient) -> None:
    first, second = company(client)

    found = ask(client, "/v1/customers")

    assert [one["account_id"] for one in found["accounts"]] == ["acme", "bolt"]
    assert found["accounts"][0]["repeat_wins"] == [second]
    assert (found["came_back"]["count"], found["came_back"]["n"]) == (1, 1)
    assert (found["goals_achieved"]["count"], found["goals_achieved"]["n"]) == (1, 1)
    assert found["median_days_to_goal"] == 30

    one = ask(client, "/v1/customers/acme")
    assert [deal["deal_id"] for deal in one["history"]] == [first, second]
    (goal,) = one["history"][0]["goals"]
    assert (goal["goal"], goal["days_after_win"]) == ("On time", 30)


def test_what_had_not_happened_or_was_not_known_is_not_shown(client: TestClient) -> None:
    head = ask(client, "/v1/projections")["head"]
    first, _ = company(client)

    before = ask(client, "/v1/customers/acme", effective_at="2026-03-15T00:00:00Z")
    assert before["won"] == 1
    assert before["repeat_wins"] == []
    assert before["history"][0]["goals"][0]["achieved_at"] is None
    assert [deal["deal_id"] for deal in before["history"]] == [first]
    unknown = client.get(f"/v1/customers/acme?as_of=position:{head}")
    assert unknown.status_code == 404


def test_pages_follow_each_other(client: TestClient) -> None:
    company(client)

    page = client.get("/v1/customers", params={"limit": 1})
    following = client.get(page.links["next"]["url"]).json()

    assert [one["account_id"] for one in following["accounts"]] == ["bolt"]
    assert following["next"] is None
    assert following["came_back"] == page.json()["came_back"]


def test_a_list_says_of_each_customer_what_is_said_of_it_alone(client: TestClient) -> None:
    _, second = company(client)
    tell(client, second, event("win_reversed", "2026-06-01T09:00:00Z"))

    for when in (
        {},
        {"effective_at": "2026-05-15T00:00:00Z"},
        {"effective_at": "2026-03-15T00:00:00Z"},
    ):
        listed = ask(client, "/v1/customers", **when)["accounts"]
        for one in listed:
            alone = ask(client, f"/v1/customers/{one['account_id']}", **when)
            assert one == {name: alone[name] for name in one}
            won = [deal["deal_id"] for deal in alone["history"] if deal["closed"] == "won"]
            assert (one["deals"], one["won"]) == (len(alone["history"]), len(won))
            assert one["open"] == sum(deal["closed"] is None for deal in alone["history"])
