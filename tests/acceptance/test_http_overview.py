"""What changed since an instant: each change once, as it stands, and no one else's."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.support.client import client_on, event, open_deal, post

BEGUN = "2026-01-05T09:00:00Z"


@pytest.fixture
def client(database: str) -> Iterator[TestClient]:
    with client_on(database) as served:
        yield served


def tell(client: TestClient, deal: str, *events: Any) -> list[dict[str, Any]]:
    answer = post(client, f"/v1/deals/{deal}/events", *events)
    assert answer.status_code == 201, answer.text
    told: list[dict[str, Any]] = answer.json()["events"]
    return told


def overview(client: TestClient, since: str = "2020-01-01T00:00:00Z", **more: str) -> Any:
    answer = client.get("/v1/overview", params={"since": since, **more})
    assert answer.status_code == 200, answer.text
    return answer.json()


def kinds(told: Any) -> dict[str, list[str]]:
    return {k: [r["event_id"] for r in rows] for k, rows in told["changes"].items() if rows}


def test_a_change_is_told_once_and_only_after_the_instant(client: TestClient) -> None:
    deal = open_deal(client, occurred_at=BEGUN)
    stages = client.get("/v1/processes/default").json()["versions"][-1]["stages"]
    entered = [event("stage_entered", stage=stage["id"]) for stage in stages[:3]]
    first, move = tell(client, deal, *entered[:2])
    (offered,) = tell(client, deal, event("discount_offered", percent="10"))
    (moved,) = tell(client, deal, entered[2])
    more = {"min_position": str(moved["position"])}

    whole, later, latest, nothing = (
        kinds(overview(client, **at, **more))
        for at in ({}, *({"since": one["recorded_at"]} for one in (move, offered, moved)))
    )

    assert whole["discounts"] == [offered["event_id"]]
    assert whole["moves"] == [moved["event_id"], move["event_id"]]
    assert first["event_id"] not in whole["moves"]
    assert later == {"discounts": [offered["event_id"]], "moves": [moved["event_id"]]}
    assert latest == {"moves": [moved["event_id"]]}
    assert nothing == {}


def test_what_was_taken_back_or_amended_counts_as_it_stands(client: TestClient) -> None:
    deal = open_deal(client, occurred_at=BEGUN)
    kept, gone, moved = tell(
        client,
        deal,
        event("discount_offered", percent="10"),
        event("discount_offered", percent="30"),
        event("close_date_moved", to="2027-03-01"),
    )
    retracted = event("event_retracted", event_id=gone["event_id"], reason="another deal")
    amended = event(
        "event_amended", event_id=kept["event_id"], data={"percent": "7"}, reason="misread"
    )
    last = tell(client, deal, retracted, amended)[-1]

    told = overview(client, min_position=str(last["position"]))

    assert kinds(told)["discounts"] == [kept["event_id"]]
    assert told["changes"]["discounts"][0]["title"] == "Discount of 7% offered"
    assert "pushes" not in kinds(told), "it had no date before"
    assert moved["event_id"] not in kinds(told).get("pull_ins", [])


def test_dates_are_pushed_or_pulled_in_by_the_date_before(client: TestClient) -> None:
    deal = open_deal(client, occurred_at=BEGUN)
    first, later, earlier = tell(
        client,
        deal,
        *(event("close_date_moved", to=day) for day in ("2027-03-01", "2027-04-01", "2027-02-01")),
    )
    told = kinds(overview(client, min_position=str(earlier["position"])))

    assert told["pushes"] == [later["event_id"]]
    assert told["pull_ins"] == [earlier["event_id"]]
    assert first["event_id"] not in told["pushes"]


def test_a_first_stage_and_a_closing_one_are_no_moves(client: TestClient) -> None:
    deal = open_deal(client, occurred_at=BEGUN)
    stages = client.get("/v1/processes/default").json()["versions"][-1]["stages"]
    ids = [stage["id"] for stage in stages]
    events = [event("stage_entered", stage=one) for one in (ids[0], ids[1], "won")]
    net = {"amount": "900.00", "currency": "USD"}
    _, second, _, won = tell(
        client, deal, *events, event("deal_won", net=net, closed_on="2026-02-01")
    )

    told = overview(client, min_position=str(won["position"]))

    assert kinds(told)["moves"] == [second["event_id"]]
    assert kinds(told)["wins"] == [won["event_id"]]
    move = told["changes"]["moves"][0]
    assert (move["from_stage"], move["to_stage"]) == (stages[0]["name"], stages[1]["name"])


def test_a_commitment_is_broken_by_time_alone_in_the_span_in_which_its_grace_ended(
    client: TestClient,
) -> None:
    deal = open_deal(client, occurred_at=BEGUN)
    (made,) = tell(
        client,
        deal,
        event(
            "customer_commitment_recorded",
            BEGUN,
            commitment_id="c1",
            what="Send the figures",
            kind="action",
            level=2,
            due="2026-02-10",
        ),
    )
    more = {"min_position": str(made["position"])}

    def broken(since: str, until: str) -> list[str]:
        told = overview(client, since=since, effective_at=until, **more)
        return kinds(told).get("broken_commitments", [])

    ends = "2026-02-14T00:00:00Z"
    assert broken("2026-02-13T00:00:00Z", ends) == [made["event_id"]]
    assert broken("2026-02-10T00:00:00Z", "2026-02-13T23:59:59Z") == []
    assert broken(ends, "2026-02-20T00:00:00Z") == []


def test_a_span_that_ends_before_it_begins_is_refused(client: TestClient) -> None:
    answer = client.get("/v1/overview", params={"since": "2999-01-01T00:00:00Z"})

    assert (answer.status_code, answer.json()["code"]) == (422, "malformed")
