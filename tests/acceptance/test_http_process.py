"""What processes answer over HTTP: how deals follow them, and what they are worth."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.processes import ProcessQuestions
from api.storage.errors import LogUnavailableError
from tests.support.client import client_on, event, open_deal, opened, post


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


def published(version: int, *stages: str) -> dict[str, Any]:
    """Give the publication of a process of which only the stage `meeting` asks for something."""
    meeting = {
        "id": "meet",
        "name": "Meet",
        "purpose": "To learn who decides",
        "outcomes": [{"id": "criteria", "name": "Who decides"}],
    }
    return event(
        "process_published",
        version=version,
        name="Lean",
        stages=[
            {"id": s, "name": s, "goal": "Know", "activities": [meeting] if s == "meeting" else []}
            for s in stages
        ],
        closing={"won": "won", "lost": "lost"},
    )


def sell(client: TestClient, *, version: int, shown: bool = False, won: bool = True) -> str:
    """Let a deal go through the first stage of a process with a tick, to a win or a loss."""
    ended = (
        event(
            "deal_won",
            "2025-01-09T00:00:00Z",
            net={"amount": "10.00", "currency": "USD"},
            closed_on="2025-01-09",
        )
        if won
        else event("deal_lost", "2025-01-09T00:00:00Z")
    )
    told = [
        opened("2025-01-01T00:00:00Z", process={"id": "lean", "version": version}),
        event("stage_entered", "2025-01-02T00:00:00Z", stage="meeting"),
        event("activity_ticked", "2025-01-03T00:00:00Z", activity="meet"),
        event("step_feedback_given", "2025-01-04T00:00:00Z", activity="meet", statement="Long"),
        event("stage_entered", "2025-01-05T00:00:00Z", stage="closing"),
        ended,
    ]
    if shown:
        level = event("outcome_evidenced", "2025-01-04T00:00:00Z", outcome="criteria", level=3)
        told.insert(3, level)
    answer = post(client, "/v1/deals", *told)
    assert answer.status_code == 201, answer.text
    deal_id: str = answer.json()["deal_id"]
    return deal_id


def test_a_process_answers_what_its_activities_go_with(client: TestClient) -> None:
    path = "/v1/processes/lean"
    post(client, f"{path}/events", published(1, "meeting", "closing"))
    shown = [sell(client, version=1, shown=True) for _ in range(6)]
    bare = [sell(client, version=1, won=number < 1) for number in range(5)]
    position = client.get("/v1/events").json()["upto"]
    then = client.get(f"{path}/effectiveness?as_of=position:{position}")
    open_deal(client, occurred_at="2025-01-01T00:00:00Z")
    post(client, f"{path}/events", published(2, "meeting", "closing"))
    sell(client, version=2)

    told = then.json()
    (activity,) = told["activities"]
    assert activity["evidenced"]["count"] == activity["evidenced"]["n"] == 6
    assert (activity["ticked_only"]["count"], activity["ticked_only"]["n"]) == (1, 5)
    assert activity["outcome_value"]["difference"] == 0.8
    assert activity["outcome_value"]["verdict"] is None
    assert activity["tick_value"] is None
    assert (activity["feedback"]["n"], activity["feedback"]["reps"]) == (11, 1)
    assert told["stages"][0] == {
        "stage": "meeting",
        "n": 11,
        "over": 11,
        "median_days": 3,
        "restricted_mean_days": 3,
    }
    assert (told["fitness"]["mean"], told["comparison"]) == (1, None)
    assert "not cause" in told["note"]
    again = client.get(f"{path}/effectiveness?as_of=position:{position}")
    assert again.content == then.content

    now = client.get(f"{path}/effectiveness").json()
    assert now["process"]["version"] == 2
    assert now["comparison"]["version"] == 1
    assert now["comparison"]["win_rate"]["other"]["n"] == 11
    before = client.get(f"{path}/effectiveness?version=1&effective_at=2025-01-08T00:00:00Z").json()
    # The deal that names no process is judged by the one in force when it was opened.
    assert before["deals"] == {"n": 12, "won": 0, "not_won": 0, "open": 12}

    behind = client.get(f"{path}/effectiveness/meet?version=1").json()
    groups = {one["deal_id"]: one["group"] for one in behind["deals"]}
    assert groups == dict.fromkeys(shown, "evidenced") | dict.fromkeys(bare, "ticked_only")
    for missing in (
        f"{path}/effectiveness/nothing",
        f"{path}/effectiveness?version=3",
        f"{path}/effectiveness?against=3",
        "/v1/processes/none/effectiveness",
    ):
        assert client.get(missing).status_code == 404


def test_a_process_is_published_also_when_its_deals_cannot_be_read(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise LogUnavailableError("the database went away")

    monkeypatch.setattr(ProcessQuestions, "warnings", fail)
    told = post(client, "/v1/processes/lean/events", published(1, "meeting", "closing"))

    assert told.status_code == 201
    assert [w["rule"] for w in told.json()["warnings"]] == ["stage_without_outcomes"]


def test_publishing_says_what_the_process_should_do_without(client: TestClient) -> None:
    path = "/v1/processes/lean"
    first = post(client, f"{path}/events", published(1, "meeting", "closing"))
    for _ in range(20):
        sell(client, version=1)
    stages = ("meeting", "a", "b", "c", "d", "closing")
    second = post(client, f"{path}/events", published(2, *stages), key="again")
    sell(client, version=1, shown=True)
    again = post(client, f"{path}/events", published(2, *stages), key="again")

    assert [w["rule"] for w in first.json()["warnings"]] == ["stage_without_outcomes"]
    rules = [w["rule"] for w in second.json()["warnings"]]
    assert rules[0] == "too_many_stages"
    assert rules[-2:] == ["outcome_never_evidenced", "ritual"]
    assert again.content == second.content
    linted = client.get(f"{path}/lint").json()["warnings"]
    assert [w["rule"] for w in linted][-1:] == ["ritual"]
    assert "outcome_never_evidenced" not in [w["rule"] for w in linted]


def test_an_outcome_shown_without_a_tick_is_not_called_never_evidenced(client: TestClient) -> None:
    path = "/v1/processes/lean"
    post(client, f"{path}/events", published(1, "meeting", "closing"))
    deals = [sell(client, version=1) for _ in range(20)]

    def never() -> list[str]:
        return [
            w["outcome"]
            for w in client.get(f"{path}/lint").json()["warnings"]
            if w["rule"] == "outcome_never_evidenced"
        ]

    assert never() == ["criteria"]
    told = event("outcome_evidenced", "2025-02-04T00:00:00Z", outcome="criteria", level=2)
    post(client, f"/v1/deals/{deals[0]}/events", told)
    assert never() == ["criteria"]
    told = event("outcome_evidenced", "2025-02-04T00:00:00Z", outcome="criteria", level=3)
    post(client, f"/v1/deals/{deals[0]}/events", told)
    assert never() == []
    assert (
        client.get(f"{path}/lint?effective_at=2025-02-03T00:00:00Z").json()["warnings"][-2][
            "outcome"
        ]
        == "criteria"
    )
