"""What the API answers about a deal's pressure beside its verdicts, and under other policies."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.support.client import client_on, event, open_deal, post

QUARTER = "FY2025Q1"
ENDED = "2025-04-01T00:00:00Z"


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

    answer = pressure(client, deal, effective_at=ENDED)

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


def publish(client: TestClient, version: int, **numbers: object) -> None:
    told = event("policy_published", version=version, numbers=numbers)
    assert post(client, "/v1/policies", told).is_success


def test_another_policy_is_asked_about_and_nothing_is_recorded(client: TestClient) -> None:
    deal = company(client)
    publish(client, 1, theta="0.95")
    plain = pressure(client, deal, effective_at=ENDED)

    answer = pressure(client, deal, effective_at=ENDED, policy="0")

    # Nine tenths of what is missing would not come by itself: behind by .25, not by .95.
    assert answer["events"] == plain["events"]
    assert answer["events"][0]["verdict"] == "not_pressure_shaped"
    under = answer["what_if"]
    assert under["policy"]["version"] == under["policy_version"] == 0
    assert under["events"][0]["verdict"] == "pressure_shaped"
    assert under["verdict_changes"] == [
        {
            "event_id": plain["events"][0]["event_id"],
            "deal_id": deal,
            "type": "discount_offered",
            "rep": "ann",
            "before": "not_pressure_shaped",
            "after": "pressure_shaped",
        }
    ]
    places = {one["at"]: (one["then"], one["now"]) for one in answer["difference"]}
    assert places["policy_version"] == (1, 0)
    assert places["shares.shaped"] == (0, 1)
    assert pressure(client, deal, effective_at=ENDED) == plain


def test_what_a_policy_would_say_is_what_it_says_once_it_is_in_force(client: TestClient) -> None:
    deal = company(client)
    numbers = {"window_days": 5, "theta": "0.5"}
    publish(client, 1, **numbers)
    publish(client, 2, theta="0.95")
    under = pressure(client, deal, effective_at=ENDED, policy="1")["what_if"]
    ended = {"effective_at": ENDED}
    quarter = client.get(f"/v1/quarters/{QUARTER}", params={"policy": "1", **ended}).json()
    publish(client, 3, **numbers)

    told = pressure(client, deal, effective_at=ENDED)

    for name in ("events", "shares", "money", "counterfactual", "exposure", "recording_coverage"):
        assert under[name] == told[name]
    figures = client.get(f"/v1/quarters/{QUARTER}", params=ended).json()
    assert quarter["what_if"]["pressure"] == figures["pressure"]


def test_the_pressure_of_a_quarter_under_another_policy(client: TestClient) -> None:
    deal = company(client)
    publish(client, 1, theta="0.95")

    answer = client.get(f"/v1/quarters/{QUARTER}", params={"policy": "0"}).json()

    assert answer["pressure"]["shaped"] == 0
    assert answer["what_if"]["pressure"]["shaped"] == 1
    changes = answer["what_if"]["verdict_changes"]
    assert [(one["deal_id"], one["after"]) for one in changes] == [(deal, "pressure_shaped")]
    assert {one["at"] for one in answer["difference"]} == {
        "pressure.shaped",
        "pressure.reps[ann].shaped",
        "off_fit_opened.policy_version",
        "off_fit_opened.theta",
    }


@pytest.mark.parametrize(
    ("params", "status", "field"),
    [
        ({"policy": "9"}, 404, "policy"),
        ({"policy": "-1"}, 422, "policy"),
        ({"policy": "0", "restate": "true"}, 422, "policy"),
    ],
)
def test_a_policy_that_was_never_published_is_refused(
    client: TestClient, params: dict[str, str], status: int, field: str
) -> None:
    deal = company(client)
    for path in (f"/v1/deals/{deal}/pressure", f"/v1/quarters/{QUARTER}"):
        answer = client.get(path, params=params)

        assert answer.status_code == status
        assert answer.json()["field"] == field


def test_below_the_coverage_gate_no_count_calls_an_event_pressure_shaped(
    client: TestClient,
) -> None:
    deal = company(client)
    before = client.get("/v1/deals").json()["deals"][0]["verdicts"]
    publish(client, 1, coverage_gate="0.5")

    offer = pressure(client, deal)["events"][0]
    listed = client.get("/v1/deals").json()["deals"][0]["verdicts"]
    quarter = client.get(f"/v1/quarters/{QUARTER}").json()["pressure"]

    assert before["shaped"] == 1
    assert offer["verdict"] == "pressure_consistent"
    assert offer["facts"][2]["coverage"] == {"share": None, "of": 0, "gate": 0.5, "caps": True}
    assert (listed["shaped"], listed["consistent"]) == (0, 1)
    assert (quarter["shaped"], quarter["consistent"]) == (0, 1)
