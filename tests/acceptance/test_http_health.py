"""Lists of deals by their health over HTTP: filtered, ordered, in pages, as of any instant."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.support.client import client_on, event, open_deal, post

OPENED, DUE = "2025-01-01T00:00:00Z", "2025-02-10"
BEFORE, AFTER = "2025-02-01T00:00:00Z", "2025-03-01T12:00:00Z"


@pytest.fixture
def client(database: str) -> Iterator[TestClient]:
    with client_on(database) as served:
        yield served


@pytest.fixture
def deals(client: TestClient) -> list[str]:
    """Three deals in which the customer breaks its word, and three in which it gives none."""
    word = event(
        "customer_commitment_recorded",
        OPENED,
        commitment_id="budget",
        what="They free the budget",
        kind="budget",
        level=4,
        due=DUE,
    )
    broken = [open_deal(client, word, occurred_at=OPENED) for _ in range(3)]
    return broken + [open_deal(client, occurred_at=OPENED) for _ in range(3)]


def page(client: TestClient, **parameters: Any) -> Any:
    answer = client.get("/v1/deals", params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()


def pages(client: TestClient, **parameters: Any) -> list[Any]:
    found = [page(client, **parameters)]
    while found[-1]["next"]:
        found.append(page(client, **parameters, cursor=found[-1]["next"]))
    return found


def ids(found: Any) -> list[str]:
    return [deal["deal_id"] for deal in found["deals"]]


def test_a_filter_by_health_fills_its_pages(client: TestClient, deals: list[str]) -> None:
    found = pages(client, health="red", limit=2, effective_at=AFTER)

    assert [(len(ids(one)), one["total"]) for one in found] == [(2, 3), (1, 3)]
    assert {i for one in found for i in ids(one)} == set(deals[:3])
    assert ids(page(client, health="red,amber", effective_at=AFTER)) == ids(
        page(client, effective_at=AFTER)
    )


def test_it_reads_as_of_both_clocks(client: TestClient, deals: list[str]) -> None:
    true_then = page(client, health="none", effective_at=BEFORE)
    known_then = page(client, health="red", effective_at=AFTER, as_of="position:2")

    assert set(ids(true_then)) == set(deals[:3])
    assert ids(known_then) == deals[:1]


def test_an_order_by_health_begins_with_the_worst(client: TestClient, deals: list[str]) -> None:
    assert post(client, f"/v1/deals/{deals[0]}/events", event("deal_lost")).status_code == 201

    found = pages(client, sort="health", limit=1)

    assert [ids(one)[0] for one in found] == [*sorted(deals[1:3]), *sorted(deals[3:]), deals[0]]
    assert [one["deals"][0]["health"] is None for one in found] == [False] * 5 + [True]


def test_all_pages_settle_deadlines_by_the_instant_of_the_first(
    client: TestClient, deals: list[str]
) -> None:
    first, *later = pages(client, sort="health", limit=2)

    assert len(later) == 2
    assert {one["effective_at"] for one in later} == {first["effective_at"]}


def test_a_health_that_no_list_tells_is_refused(client: TestClient) -> None:
    answer = client.get("/v1/deals", params={"health": "red,green"})

    assert answer.status_code == 422
    assert "health: 'green' is none of red, amber, none" in answer.text
