"""What the API answers about a deal's pressure beside its verdicts, and under other policies."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.support.client import client_on, event, open_deal, post

QUARTER = "FY2025Q1"


@pytest.fixture
def client(database: str) -> Iterator[TestClient]:
    with client_on(database) as client:
        yield client


def usd(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "USD"}


def company(client: TestClient, *, joined: str = "2024-01-01T00:00:00Z") -> str:
    """Two reps under one manager, and a deal whose close date is pulled into the quarter."""
    for rep, since in (("ann", joined), ("bob", "2024-01-01T00:00:00Z")):
        member = {"rep": rep, "team": "north", "manager": "mel", "role": "rep"}
        assert post(client, "/v1/teams", event("member_joined", since, **member)).is_success
        quota = {"rep": rep, "quarter": QUARTER, "amount": usd("1000.00")}
        told = event("quota_assigned", "2025-01-01T00:00:00Z", **quota)
        assert post(client, "/v1/quotas", told).is_success
    deal = open_deal(client, occurred_at="2025-01-02T00:00:00Z")
    asked = {"percent": "10", "requested_by": "manager", "expires_on": "2025-03-31"}
    offered = event("discount_offered", "2025-03-24T00:00:00Z", **asked) | {"on_behalf_of": "ann"}
    assert post(client, f"/v1/deals/{deal}/events", offered).is_success
    return deal


def pressure(client: TestClient, deal: str, **params: str) -> Any:
    answer = client.get(f"/v1/deals/{deal}/pressure", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_an_event_tells_who_asked_and_how_the_managers_team_stood(client: TestClient) -> None:
    deal = company(client)

    (offer,) = pressure(client, deal)["events"]

    # On day 82 of 90, with nothing booked, P = F for each and for both together.
    assert offer["elapsed"] == offer["pressure"] == round(82 / 90, 6)
    assert offer["origin"] == {"who": "manager", "by": "requested_by"}
    assert (offer["manager"]["manager"], offer["manager"]["reps"]) == ("mel", ["ann", "bob"])
    assert offer["manager"]["pressure"] == round(82 / 90, 6)
    assert offer["manager"]["quota"] == usd("2000.00")
    assert len(offer["manager"]["evidence"]) == 2
    assert offer["usual_pace"] is None
    assert ", asked for by a manager" in offer["sentence"]


def test_a_newcomer_is_judged_by_their_own_time_in_the_quarter(client: TestClient) -> None:
    deal = company(client, joined="2025-02-15T00:00:00Z")

    answer = pressure(client, deal, effective_at="2025-04-01T00:00:00Z")

    # 37 of the 45 days that were left have passed.
    offer = answer["events"][0]
    assert offer["elapsed"] == offer["pressure"] == round(37 / 45, 6)
    assert len(offer["facts"][1]["evidence"]) == 2
    assert "in a team for part of the quarter" in offer["sentence"]
    # Behind from a quarter of the 45 days on, of 89 that the deal was open.
    exposed = answer["exposure"]
    assert (exposed["open_days"], exposed["behind_days"]) == (89.0, 33.75)
    assert exposed["share"] == round(33.75 / 89, 6)
    quota = client.get(f"/v1/quotas/ann/{QUARTER}", params={"effective_at": "2025-03-24T00:00:00Z"})
    assert quota.json()["pressure"] == offer["pressure"]
    assert quota.json()["pace"] == usd("822.22")
