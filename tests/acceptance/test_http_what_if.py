"""What a draft of a policy would say over HTTP: as if it had been in force all along."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.support.client import client_on, event, open_deal, opened, post

QUARTER = "FY2025Q1"
ENDED = "2025-04-01T00:00:00Z"
STANDING = frozenset({"as_of", "effective_at"})
BESIDE = frozenset({"policy", "verdict_changes", "effect", "what_if", "difference"})
NUMBERS = {"lookback_days": 14, "window_days": 10, "grace_days": 2, "late_hours": 1}


@pytest.fixture
def client(database: str) -> Iterator[TestClient]:
    with client_on(database) as client:
        yield client


def tell(client: TestClient, deal: str, *events: dict[str, Any]) -> list[str]:
    """Record events of a deal and give their ids."""
    answer = post(client, f"/v1/deals/{deal}/events", *events)
    assert answer.is_success, answer.text
    return [one["event_id"] for one in answer.json()["events"]]


def request(at: str) -> dict[str, Any]:
    return event("customer_request_received", at, topic="discount", level=4)


def offer(at: str, percent: str, **more: Any) -> dict[str, Any]:
    return event("discount_offered", at, percent=percent, **more) | {"on_behalf_of": "ann"}


def usd(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "USD"}


def company(client: TestClient) -> str:
    """A rep with a quota, a discount asked for ten days before, and one at the quarter's end."""
    quota = {"rep": "ann", "quarter": QUARTER, "amount": usd("100000.00")}
    told = event("quota_assigned", "2025-01-01T00:00:00Z", **quota)
    assert post(client, "/v1/quotas", told).is_success
    other = open_deal(client, occurred_at="2025-01-02T00:00:00Z")
    tell(client, other, request("2025-02-01T00:00:00Z"), offer("2025-02-11T00:00:00Z", "5"))
    deal = open_deal(client, occurred_at="2025-01-02T00:00:00Z")
    pushed = offer("2025-03-24T00:00:00Z", "10", list=usd("500.00"), expires_on="2025-03-31")
    won = event("deal_won", "2025-03-25T00:00:00Z", net=usd("450.00"), closed_on="2025-03-25")
    tell(client, deal, pushed, won)
    return deal


def ask(client: TestClient, body: dict[str, Any], **params: str) -> Any:
    return client.post("/v1/policies/what-if", json=body, params=params)


def answered(client: TestClient, body: dict[str, Any], **params: str) -> Any:
    answer = ask(client, body, **params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def publish(client: TestClient, version: int, numbers: dict[str, Any]) -> None:
    told = event("policy_published", version=version, numbers=numbers)
    assert post(client, "/v1/policies", told).is_success


def got(client: TestClient, path: str, **params: str) -> Any:
    answer = client.get(path, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def head(client: TestClient) -> int:
    position: int = got(client, "/v1/policies")["as_of"]["position"]
    return position


def plain(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name not in STANDING | BESIDE}


def test_a_draft_is_asked_about_and_nothing_is_recorded(client: TestClient) -> None:
    deal = company(client)
    before = head(client)

    answer = answered(client, {"numbers": {"theta": "1"}, "deal_id": deal}, effective_at=ENDED)

    assert head(client) == before
    assert plain(answer) == plain(got(client, f"/v1/deals/{deal}/pressure", effective_at=ENDED))
    under = answer["what_if"]
    assert (answer["events"][0]["verdict"], under["events"][0]["verdict"]) == (
        "pressure_shaped",
        "not_pressure_shaped",
    )
    assert (under["policy"]["version"], under["policy"]["theta"]) == (1, "1")
    (changed,) = under["verdict_changes"]
    assert (changed["before"], changed["after"]) == ("pressure_shaped", "not_pressure_shaped")
    counts = under["effect"]["counts"]
    assert (counts["then"]["pressure_shaped"], counts["now"]["pressure_shaped"]) == (1, 0)
    money = under["effect"]["money"]
    assert (money["then"]["realised"], money["now"]["realised"]) == (usd("50.00"), usd("0.00"))
    assert {"shares.shaped", "policy_version"} <= {one["at"] for one in answer["difference"]}


@pytest.mark.parametrize("effective_at", [ENDED, "2025-03-26T00:00:00Z"])
def test_a_draft_says_what_the_ledger_says_once_it_is_in_force(
    client: TestClient, effective_at: str
) -> None:
    deal = company(client)
    ticked = event("activity_ticked", "2025-03-01T00:00:00Z", activity="check_fit")
    shown = event(
        "outcome_evidenced", "2025-03-05T00:00:00Z", outcome="problem_is_ours_to_solve", level=3
    )
    tell(client, open_deal(client, occurred_at="2025-02-20T00:00:00Z"), ticked, shown)
    draft = answered(client, {"numbers": NUMBERS, "deal_id": deal}, effective_at=effective_at)
    quarter = answered(client, {"numbers": NUMBERS, "quarter": QUARTER}, effective_at=effective_at)
    publish(client, 1, NUMBERS)

    told = got(client, f"/v1/deals/{deal}/pressure", effective_at=effective_at)
    figures = got(client, f"/v1/quarters/{QUARTER}", effective_at=effective_at)
    cost = got(client, f"/v1/quarters/{QUARTER}/pressure", effective_at=effective_at)["cost"]

    assert (draft["recording_coverage"], told["recording_coverage"]) == (0, 1)
    assert told["events"][0]["facts"][2]["base_rate"]["without_customer_action"] == 0
    assert quarter["progress"] != figures["progress"]
    assert plain(draft["what_if"]) == plain(told)
    assert plain(quarter["what_if"]) == plain(figures)
    assert quarter["what_if"]["effect"]["money"]["now"] == cost


def test_a_draft_is_asked_about_as_of_any_position(client: TestClient) -> None:
    deal = company(client)
    body = {"numbers": NUMBERS, "deal_id": deal}
    then = answered(client, body, effective_at=ENDED)
    other = open_deal(client, occurred_at="2025-01-02T00:00:00Z")
    tell(client, other, offer("2025-02-11T00:00:00Z", "5"))
    position = f"position:{then['as_of']['position']}"

    again = answered(client, body, as_of=position, effective_at=ENDED)

    assert again == then
    assert plain(answered(client, body, effective_at=ENDED)) != plain(then)


def test_hindsight_counts_the_causes_that_events_had_by_then(client: TestClient) -> None:
    """A request explains the first discount until a later one names it as its own cause."""
    deal = company(client)
    other = open_deal(client, occurred_at="2025-01-02T00:00:00Z")
    (asked,) = tell(client, other, request("2025-02-01T00:00:00Z"))
    tell(client, other, offer("2025-02-02T00:00:00Z", "5"))
    then = {"effective_at": "2025-03-26T00:00:00Z"}
    before = got(client, f"/v1/deals/{deal}/pressure", **then)
    tell(client, other, offer("2025-03-27T00:00:00Z", "6") | {"caused_by": asked})

    after = got(client, f"/v1/deals/{deal}/pressure", **then)
    now = got(client, f"/v1/deals/{deal}/pressure", effective_at=ENDED)

    assert plain(after) == plain(before)
    assert (after["recording_coverage"], now["recording_coverage"]) == (0.5, 0.0)
    rates = [one["events"][0]["facts"][2]["base_rate"] for one in (after, now)]
    assert [one["without_customer_action"] for one in rates] == [1, 2]


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"numbers": {"theta": "2"}, "quarter": QUARTER}, 409, "numbers.theta"),
        ({"numbers": {"thetas": "1"}, "quarter": QUARTER}, 409, "numbers.thetas"),
        ({"numbers": {"version": 4}, "quarter": QUARTER}, 409, "numbers.version"),
        ({"quarter": QUARTER}, 422, "numbers"),
        ({"numbers": {}, "quarter": "2025"}, 422, "quarter"),
        ({"numbers": {}, "quarter": QUARTER, "rep": "ann"}, 422, "rep"),
        ({"numbers": {}, "quarter": "FY9998Q1"}, 404, None),
        ({"numbers": {}, "deal_id": "4"}, 404, None),
        ({"numbers": {}}, 422, "quarter"),
        ({"numbers": {}, "quarter": QUARTER, "deal_id": "4"}, 422, "quarter"),
    ],
)
def test_a_draft_that_could_not_be_published_or_asks_nothing_is_refused(
    client: TestClient, body: dict[str, Any], status: int, field: str | None
) -> None:
    post(client, "/v1/deals", opened())

    answer = ask(client, body)

    assert answer.status_code == status, answer.text
    assert answer.json().get("field") == field
    assert answer.json()["detail"]


def test_the_contract_describes_the_question_and_its_answer(client: TestClient) -> None:
    described = client.get("/openapi.json").json()
    asked = described["paths"]["/v1/policies/what-if"]["post"]

    assert {one["name"] for one in asked["parameters"]} == {
        "as_of",
        "effective_at",
        "min_position",
    }
    body = asked["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    fields = described["components"]["schemas"][body.rpartition("/")[2]]["properties"]
    assert set(fields) == {"numbers", "deal_id", "quarter"}
    assert {"200", "404", "409", "422"} <= asked["responses"].keys()
