"""What clients read of a deal's commitments, as of any instant."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.support.client import client_on, event, open_deal, post

MADE, KEPT, LATER = "2025-01-05T00:00:00Z", "2025-01-09T00:00:00Z", "2025-02-20T00:00:00Z"


@pytest.fixture
def client(database: str) -> Iterator[TestClient]:
    with client_on(database) as served:
        yield served


@pytest.fixture
def path(client: TestClient) -> str:
    deal = open_deal(client, occurred_at="2025-01-01T00:00:00Z")
    commits = event(
        "customer_commitment_recorded",
        MADE,
        commitment_id="pilot",
        what="They run the pilot",
        kind="people",
        level=3,
        due="2025-02-15",
        role="Economic buyer",
    )
    kept = event("commitment_kept", KEPT, commitment_id="pilot")
    for said in (commits, kept):
        assert post(client, f"/v1/deals/{deal}/events", said).status_code == 201
    return f"/v1/deals/{deal}/commitments"


def customer(client: TestClient, path: str, **parameters: Any) -> Any:
    answer = client.get(path, params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()["customer"]


def test_the_vector_is_told_with_the_events_behind_it(client: TestClient, path: str) -> None:
    said = client.get(path, params={"effective_at": KEPT}).json()

    vector = said["customer"]
    assert (vector["level"], vector["kept"], vector["kept_ratio"]) == (3, 1, 1.0)
    assert vector["kept_ci"] == [0.206549, 1.0]
    assert vector["economic_buyer"]
    events = client.get(path.replace("commitments", "events")).json()["events"]
    [commitment] = said["commitments"]
    assert commitment["event_ids"] == [e["event_id"] for e in events[1:]]


def test_it_reads_as_it_was_known_and_as_it_was_true(client: TestClient, path: str) -> None:
    known_open = customer(client, path, as_of="position:2", effective_at=KEPT)
    known_overdue = customer(client, path, as_of="position:2", effective_at=LATER)
    true_open = customer(client, path, effective_at=MADE)
    now = customer(client, path, effective_at=LATER)

    assert (known_open["level"], known_open["kept_n"]) == (3, 0)
    assert (known_overdue["level"], known_overdue["broken"]) == (0, 1)
    assert (true_open["level"], true_open["kept"]) == (3, 0)
    assert (now["level"], now["kept"], now["days_since_customer_act"]) == (3, 1, 42)


def test_another_grace_is_a_question_and_changes_no_answer_of_then(
    client: TestClient, path: str
) -> None:
    asked = {"as_of": "position:2", "effective_at": "2025-02-16T00:00:00Z"}
    before = client.get(path, params=asked).content
    published = event("policy_published", version=1, numbers={"commitment_grace_days": 0})
    assert post(client, "/v1/policies", published).status_code == 201

    assert client.get(path, params=asked).content == before
    restated = client.get(path, params=asked | {"restate": "true"}).json()
    assert (restated["customer"]["broken"], restated["restated"]["customer"]["broken"]) == (0, 1)
    assert {"at": "customer.broken", "then": 0, "now": 1} in restated["difference"]


def test_a_deal_that_nobody_knows_is_not_found(client: TestClient) -> None:
    assert client.get("/v1/deals/nothing/commitments").status_code == 404
