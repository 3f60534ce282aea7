"""The review sheet over HTTP: questions, gates and flags, as of any instant."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.support.client import client_on, event, open_deal, post

OPENED = "2025-01-01T00:00:00Z"
THEN, NOW = "2025-01-20T00:00:00Z", "2025-03-01T12:00:00Z"


@pytest.fixture
def client(database: str) -> Iterator[TestClient]:
    with client_on(database) as served:
        yield served


def entered(client: TestClient, day: str, *more: Any) -> str:
    """Open a deal that entered its first stage on a day; give its path."""
    stage = event("stage_entered", f"{day}T00:00:00Z", stage=first_stage(client))
    deal = open_deal(client, stage, *more, occurred_at="2025-01-01T00:00:00Z")
    return f"/v1/deals/{deal}"


def first_stage(client: TestClient) -> Any:
    processes = client.get("/v1/processes").json()["processes"]
    return client.get(f"/v1/processes/{processes[0]['id']}").json()["versions"][0]["stages"][0][
        "id"
    ]


def asked(client: TestClient, path: str, **parameters: Any) -> Any:
    answer = client.get(f"{path}/review", params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()


def question(said: Any, name: str) -> Any:
    return next(one for one in said["questions"] if one["name"] == name)


def flag(said: Any, name: str) -> Any:
    return next(one for one in said["health"]["flags"] if one["flag"] == name)


def test_the_sheet_reads_as_of_both_clocks(client: TestClient) -> None:
    path = entered(client, "2025-01-01")
    goal = event("customer_goal_recorded", "2025-01-10T00:00:00Z", goal="Faster", level=3)
    later = event("customer_goal_recorded", "2025-02-10T00:00:00Z", goal="Cheaper", level=2)
    for said in (goal, later):
        assert post(client, f"{path}/events", said).status_code == 201

    now = question(asked(client, path, effective_at=NOW), "goal")
    true_then = question(asked(client, path, effective_at=THEN), "goal")
    known_then = question(asked(client, path, as_of="position:2", effective_at=NOW), "goal")

    assert [one["age_days"] for one in now["answers"]] == [19, 50]
    assert now["latest_by_customer"] == now["answers"][1]["event_id"]
    assert [one["title"] for one in true_then["answers"]] == ["Customer goal: Faster"]
    assert known_then["state"] == "blank"


def test_pushes_are_those_that_the_movement_counts(client: TestClient) -> None:
    moves = [
        event("close_date_moved", f"2025-01-{day:02}T00:00:00Z", to=to)
        for day, to in enumerate(["2025-03-31", "2025-06-30", "2025-05-31", "2025-09-30"], start=2)
    ]
    path = entered(client, "2025-01-01", *moves)

    found = flag(asked(client, path, effective_at=NOW), "pushes")
    moved = client.get(f"{path}/movement", params={"effective_at": NOW}).json()

    assert (found["value"], found["holds"]) == (2, False)
    assert found["event_ids"] == moved["close_date"]["counters"]["push"]["event_ids"]


def test_age_in_the_stage_is_compared_once_there_are_enough_stays(client: TestClient) -> None:
    old = entered(client, "2025-01-01")
    for day in range(2, 12):
        left = event("deal_lost", f"2025-01-{day + 5:02}T00:00:00Z")
        entered(client, f"2025-01-{day:02}", left)
    few = flag(asked(client, old, effective_at=NOW), "age_in_stage")
    numbers = {"n_dwell": 11}
    post(client, "/v1/policies", event("policy_published", version=1, numbers=numbers))

    enough = flag(asked(client, old, effective_at=NOW), "age_in_stage")
    young = flag(asked(client, old, effective_at="2025-01-11T00:00:00Z"), "age_in_stage")

    assert (few["holds"], few["value"], few["n"]) == (None, None, 11)
    assert (enough["holds"], enough["value"], enough["n"]) == (True, 0.909091, 11)
    assert (young["holds"], young["n"]) == (None, 10)


def test_a_closed_deal_has_no_health(client: TestClient) -> None:
    path = entered(client, "2025-01-01", event("deal_lost", "2025-01-05T00:00:00Z"))

    then, now = (asked(client, path, effective_at=at)["health"] for at in (OPENED, NOW))

    assert (then["colour"], len(then["flags"])) == ("amber", 8)
    assert now == {"colour": None, "flags": []}


def test_lists_tell_the_flags_of_the_review_but_the_age(client: TestClient) -> None:
    commit = event(
        "customer_commitment_recorded",
        "2025-01-05T00:00:00Z",
        commitment_id="budget",
        what="They free the budget",
        kind="budget",
        level=4,
        due="2025-02-15",
    )
    people = [
        event("contact_identified", f"2025-01-0{day}T00:00:00Z", contact=name, role="User")
        for day, name in ((6, "kim"), (8, "lee"))
    ]
    moves = [
        event("close_date_moved", f"2025-01-{day:02}T00:00:00Z", to=to)
        for day, to in (
            *((3, "2025-02-10"), (9, "2025-02-12"), (12, "2025-02-20")),
            (14, "2025-02-25"),
        )
    ]
    path = entered(client, "2025-01-01", commit, *people, *moves)
    entered(client, "2025-01-01", event("deal_lost", "2025-01-05T00:00:00Z"))

    for at in (OPENED, THEN, "2025-02-18T00:00:00Z", "2025-02-19T00:00:00Z", NOW):
        for clock in ({"effective_at": at}, {"effective_at": at, "as_of": "position:4"}):
            rows = client.get("/v1/deals", params=clock).json()["deals"]
            health = {row["deal_id"]: row["health"] for row in rows}
            flags = asked(client, path, **clock)["health"]["flags"]
            found = health[path.rpartition("/")[2]]
            assert found["holds"] == [f["flag"] for f in flags if f["holds"]], at
            assert found["untold"] == [f["flag"] for f in flags if f["holds"] is None], at
    now = client.get("/v1/deals", params={"effective_at": NOW}).json()["deals"]
    closed, told = ([r["health"] for r in now if bool(r["closed"]) is is_] for is_ in (True, False))
    assert closed == [None]
    assert (told[0]["colour"], "pushes" in told[0]["holds"]) == ("red", True)


def test_a_gate_that_was_overridden_stays_unmet_in_the_answer(client: TestClient) -> None:
    stage = first_stage(client)
    gate = event(
        "gate_decided",
        "2025-01-05T00:00:00Z",
        stage=stage,
        decision="go",
        unmet=["criteria"],
        overridden=True,
    )
    path = entered(client, "2025-01-01", gate)

    [found] = asked(client, path, effective_at=NOW)["gates"]

    assert (found["stage"], found["still_unmet"], found["unmet_from"]) == (
        stage,
        ["criteria"],
        "stated",
    )
    assert found["decided_by"]


def test_a_restated_sheet_names_the_flags_that_differ(client: TestClient) -> None:
    commit = event(
        "customer_commitment_recorded",
        "2025-01-05T00:00:00Z",
        commitment_id="budget",
        what="They free the budget",
        kind="budget",
        level=4,
        due="2025-02-27",
    )
    path = entered(client, "2025-01-01", commit)
    before = asked(client, path)["as_of"]["position"]
    numbers = {"commitment_grace_days": 0}
    post(client, "/v1/policies", event("policy_published", version=1, numbers=numbers))

    said = asked(client, path, as_of=f"position:{before}", effective_at=NOW, restate="true")

    places = {one["at"]: (one["then"], one["now"]) for one in said["difference"]}
    assert places["health.flags[broken_commitment].holds"] == (False, True)
    assert places["health.colour"] == ("amber", "red")
