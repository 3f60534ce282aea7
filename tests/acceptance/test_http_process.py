"""What processes answer over HTTP: how deals follow them, and what they are worth."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from tests.support.client import client_on, event, open_deal


@pytest.fixture
def client(database: str) -> Iterator[TestClient]:
    with client_on(database) as served:
        yield served


def test_a_deal_answers_how_it_followed_its_process_at_any_instant(client: TestClient) -> None:
    deal = open_deal(
        client,
        event("stage_entered", "2025-01-02T00:00:00Z", stage="qualification"),
        event("activity_ticked", "2025-01-03T00:00:00Z", activity="check_fit"),
        event("stage_entered", "2025-01-04T00:00:00Z", stage="solution"),
        occurred_at="2025-01-01T00:00:00Z",
    )
    path = f"/v1/deals/{deal}/conformance"

    now = client.get(path).json()
    before = client.get(path, params={"effective_at": "2025-01-03T12:00:00Z"}).json()
    known = client.get(path, params={"as_of": "position:2"}).json()

    assert now["alignment"] == {"cost": 1, "fitness": 0.8}
    told = [(d["category"], d["stage"], d["activity"]) for d in now["deviations"]]
    assert told == [
        ("skipped", "discovery", None),
        ("hollow", "qualification", None),
        ("hollow", "qualification", "check_fit"),
    ]
    assert before["deviations"] == known["deviations"] == []
    assert before["trace"] == ["qualification"]
    assert client.get(path, params={"restate": "true"}).json()["difference"] == []


def test_a_tick_answers_what_it_taught(client: TestClient) -> None:
    deal = open_deal(
        client,
        event("activity_ticked", "2025-01-03T00:00:00Z", activity="meet_decision_makers"),
        event("contact_identified", "2025-01-04T00:00:00Z", contact="mia", role="buyer"),
        event("activity_ticked", "2025-03-03T00:00:00Z", activity="check_fit"),
        occurred_at="2025-01-01T00:00:00Z",
    )

    activities = client.get(f"/v1/deals/{deal}/progress").json()["activities"]

    told = {a["activity"]: a for a in activities if a["ticked_at"]}
    learned = [(f["kind"], f["value"]) for f in told["meet_decision_makers"]["learned"]]
    assert learned == [("person", "mia"), ("role", "mia: buyer")]
    assert told["meet_decision_makers"]["changed"] is False
    assert (told["check_fit"]["learned"], told["check_fit"]["changed"]) == ([], None)
