"""What API clients rely on: appends that are safe to repeat, and answers at any instant."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from api.http.problems import STATUSES
from domain.errors import DomainError
from tests.support.client import client_on, event, open_deal, opened, post


@pytest.fixture
def client(database: str) -> Iterator[TestClient]:
    with client_on(database) as served:
        yield served


def test_an_append_answers_its_ids_versions_and_position(client: TestClient) -> None:
    answer = post(client, "/v1/deals", opened(), event("note_added", text="They called us"))

    assert answer.status_code == 201
    told = answer.json()
    assert told["version"] == 2
    assert told["position"] == 2
    assert [e["type"] for e in told["events"]] == ["deal_opened", "note_added"]
    assert set(told["events"][0]) == {"event_id", "type", "version", "position", "recorded_at"}
    assert answer.headers["etag"] == '"2"'
    assert client.get(answer.headers["location"]).json()["version"] == 2


def test_the_short_form_opens_a_deal_too(client: TestClient) -> None:
    body = opened()["data"]
    answer = client.post("/v1/deals", json=body, headers={"Idempotency-Key": "short"})

    assert answer.status_code == 201
    assert answer.json()["events"][0]["type"] == "deal_opened"


def test_a_repeated_request_is_answered_as_before_and_recorded_once(client: TestClient) -> None:
    deal = open_deal(client)
    path = f"/v1/deals/{deal}/events"
    won = event("deal_won", net={"amount": "10.00", "currency": "USD"}, closed_on="2026-01-01")
    first = post(client, path, won, key="win")
    again = post(client, path, won, key="win")

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again.headers["idempotent-replayed"] == "true"
    assert client.get(f"/v1/deals/{deal}").json()["version"] == 2


def test_a_key_used_for_another_body_is_refused(client: TestClient) -> None:
    deal = open_deal(client)
    post(client, f"/v1/deals/{deal}/events", event("note_added", text="one"), key="k")
    other = post(client, f"/v1/deals/{deal}/events", event("note_added", text="two"), key="k")

    assert other.status_code == 422
    assert other.json()["code"] == "idempotency_key_reused"


def test_a_write_without_a_key_is_refused(client: TestClient) -> None:
    answer = client.post("/v1/deals", json={"events": [opened()]})

    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"


def test_the_version_named_by_if_match_must_be_current(client: TestClient) -> None:
    deal = open_deal(client)
    path = f"/v1/deals/{deal}/events"
    right = post(client, path, event("note_added", text="a"), **{"If-Match": '"1"'})
    stale = post(client, path, event("note_added", text="b"), **{"If-Match": '"1"'})

    assert right.status_code == 201
    assert stale.status_code == 412
    assert stale.json()["current_version"] == 2
    assert [e["type"] for e in stale.json()["events"]] == ["note_added"]


def test_of_many_with_one_version_one_wins(client: TestClient) -> None:
    deal = open_deal(client)

    def append(number: int) -> int:
        note = event("note_added", text=f"note {number}")
        path = f"/v1/deals/{deal}/events"
        code: int = post(client, path, note, **{"If-Match": '"1"'}).status_code
        return code

    with ThreadPoolExecutor(8) as pool:
        codes = sorted(pool.map(append, range(20)))

    assert codes == [201] + [412] * 19


def test_without_a_version_named_all_are_recorded(client: TestClient) -> None:
    deal = open_deal(client)

    def append(number: int) -> int:
        note = event("note_added", text=f"note {number}")
        code: int = post(client, f"/v1/deals/{deal}/events", note).status_code
        return code

    with ThreadPoolExecutor(4) as pool:
        codes = set(pool.map(append, range(8)))

    assert codes == {201}
    assert client.get(f"/v1/deals/{deal}").json()["version"] == 9


@pytest.mark.parametrize(
    ("told", "status", "field"),
    [
        (event("no_such_event"), 422, "events[0].type"),
        ({"type": "note_added"}, 422, "events[0].data"),
        (event("note_added", text=3), 422, "events[0].data.text"),
        (event("note_added", text="x", more=1), 422, "events[0].data.more"),
        (event("discount_offered", percent="101"), 422, "events[0].data.percent"),
        (event("discount_offered", percent=10), 422, "events[0].data.percent"),
        (event("stage_entered", stage="procurement"), 409, "events[0].data.stage"),
        (event("activity_ticked", activity="nothing"), 409, "events[0].data.activity"),
        (event("note_added", "2999-01-01T00:00:00Z", text="x"), 409, "events[0].occurred_at"),
        (event("quota_revised", amount={"amount": "1", "currency": "USD"}), 422, "events[0].type"),
        (event("win_reversed"), 409, None),
    ],
)
def test_a_refusal_names_the_field_and_records_nothing(
    client: TestClient, told: dict[str, object], status: int, field: str | None
) -> None:
    deal = open_deal(client)

    answer = post(client, f"/v1/deals/{deal}/events", told)

    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    if field is not None:
        assert answer.json()["field"] == field
    assert client.get(f"/v1/deals/{deal}").json()["version"] == 1


def test_a_closed_deal_takes_evidence_and_no_discount(client: TestClient) -> None:
    deal = open_deal(client, event("deal_lost", reason="No decision"))
    path = f"/v1/deals/{deal}/events"

    refused = post(client, path, event("discount_offered", percent="5"))
    taken = post(client, path, event("note_added", text="They may come back"))

    assert (refused.status_code, refused.json()["code"]) == (409, "deal_closed")
    assert taken.status_code == 201


def test_every_question_about_a_deal_is_the_same_at_the_same_instant(client: TestClient) -> None:
    deal = open_deal(client, event("note_added", text="first"))
    head = client.get("/v1/events").json()["upto"]
    query = f"as_of=position:{head}&effective_at=2026-12-01T00:00:00Z"
    paths = [
        f"/v1/deals/{deal}{rest}?{query}"
        for rest in ("", "/events", "/history", "/progress", "/conformance", "/pressure")
    ]
    before = [client.get(path) for path in paths]
    post(client, f"/v1/deals/{deal}/events", event("note_added", text="second"))
    after = [client.get(path) for path in paths]

    assert {answer.status_code for answer in before} == {200}
    assert [a.content for a in before] == [a.content for a in after]
    assert before[0].json()["as_of"]["position"] == head
    etag = after[0].headers["etag"]
    assert client.get(paths[0], headers={"If-None-Match": etag}).status_code == 304


def test_a_deal_has_no_state_before_it_was_opened(client: TestClient) -> None:
    deal = open_deal(client)

    before = client.get(f"/v1/deals/{deal}?effective_at=1970-01-01T00:00:00Z")

    assert (before.status_code, before.json()["code"]) == (404, "unknown_deal")
    assert "not opened yet" in before.json()["detail"]


def test_a_parameter_is_described_as_what_can_be_sent(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    parameters = [
        (operation["operationId"], parameter["name"], parameter)
        for methods in paths.values()
        for operation in methods.values()
        for parameter in operation.get("parameters", ())
    ]
    followed = paths["/v1/events/stream"]["get"]["responses"]["200"]["content"]

    assert parameters
    assert [
        name for *name, one in parameters if {"type": "null"} in one["schema"].get("anyOf", ())
    ] == []
    # OpenAPI ignores a parameter of these names.
    assert not {"accept", "authorization", "content-type"} & {n.lower() for _, n, _ in parameters}
    assert set(followed["text/event-stream"]) == {"itemSchema"}


def test_a_question_about_the_future_is_refused(client: TestClient) -> None:
    deal = open_deal(client)

    for as_of in ("2999-01-01T00:00:00Z", "position:99"):
        answer = client.get(f"/v1/deals/{deal}", params={"as_of": as_of})
        assert (answer.status_code, answer.json()["code"]) == (422, "beyond_the_log")


def test_what_was_just_written_can_be_read(client: TestClient) -> None:
    deal = open_deal(client)
    told = post(client, f"/v1/deals/{deal}/events", event("discount_offered", percent="5")).json()

    answer = client.get(
        f"/v1/deals/{deal}/pressure", params={"min_position": told["position"]}
    ).json()
    listed = client.get("/v1/deals", params={"min_position": told["position"]}).json()

    assert [e["type"] for e in answer["events"]] == ["discount_offered"]
    assert listed["deals"][0]["discount"] == "5"


def test_the_log_in_pages_and_formats(client: TestClient) -> None:
    open_deal(client, *(event("note_added", text=f"={n}") for n in range(5)))
    first = client.get("/v1/events", params={"limit": 4}).json()
    open_deal(client)
    second = client.get(first["next"]).json()

    positions = [e["position"] for e in first["events"] + second["events"]]
    assert positions == [1, 2, 3, 4, 5, 6]
    assert second["next"] is None
    lines = client.get("/v1/events", headers={"Accept": "application/x-ndjson"}).text.splitlines()
    assert [json.loads(line) for line in lines] == client.get("/v1/events").json()["events"]
    table = client.get("/v1/events", headers={"Accept": "text/csv"}).text
    assert table.startswith("position,event_id")
    batch = client.get("/v1/events", headers={"Accept": "application/cloudevents-batch+json"})
    assert {e["specversion"] for e in batch.json()} == {"1.0"}
    assert client.get("/v1/events", headers={"Accept": "image/png"}).status_code == 406
    notes = client.get("/v1/events", params={"type": "note_added"}).json()
    assert len(notes["events"]) == 5


def test_bulk_gives_a_verdict_for_each_line_and_resumes(client: TestClient) -> None:
    deal = open_deal(client)
    lines = [
        {"idempotency_key": "a", "deal_id": deal, "type": "note_added", "data": {"text": "one"}},
        {"idempotency_key": "b", "deal_id": deal, "type": "note_added", "data": {}},
        {"idempotency_key": "c", **opened()},
        {"idempotency_key": "d", "deal_id": deal, "type": "note_added", "data": {"text": "two"}},
    ]
    body = "".join(json.dumps(line) + "\n" for line in lines) + "not json\n"
    headers = {"Content-Type": "application/x-ndjson"}

    first = client.post("/v1/events:bulk", content=body, headers=headers).text.splitlines()
    again = client.post("/v1/events:bulk", content=body, headers=headers).text.splitlines()

    statuses = [json.loads(line)["status"] for line in first]
    assert statuses == [201, 422, 201, 201, 400]
    assert [json.loads(line).get("replayed") for line in again] == [True, None, True, True, None]
    assert client.get(f"/v1/deals/{deal}").json()["version"] == 3


def test_context_is_set_and_shown(client: TestClient) -> None:
    usd = {"amount": "1000.00", "currency": "USD"}
    calendar = {
        "zone": "America/New_York",
        "kind": "months",
        "parameters": {"start_month": 2},
        "effective_from": "2000-01-01",
    }
    assert post(client, "/v1/calendars", event("calendar_adopted", **calendar)).status_code == 201
    quota = event(
        "quota_assigned", "2025-05-01T12:00:00Z", rep="ann", quarter="FY2026Q2", amount=usd
    )
    assert post(client, "/v1/quotas", quota).status_code == 201
    revised = event("quota_revised", amount=usd | {"amount": "2000.00"})
    assert post(client, "/v1/quotas/ann/FY2026Q2/events", revised).status_code == 201
    joined = event("member_joined", rep="ann", team="north", role="rep")
    assert post(client, "/v1/teams", joined).status_code == 201
    rate = event("plan_rate_set", fiscal_year=2026, currency="EUR", rate="1.08")
    assert post(client, "/v1/rates", rate).status_code == 201
    policy = event("policy_published", version=1, numbers={"window_days": 10})
    assert post(client, "/v1/policies", policy).status_code == 201

    shown = client.get("/v1/quotas/ann/FY2026Q2").json()
    assert [step["amount"]["amount"] for step in shown["history"]] == ["1000.00", "2000.00"]
    assert client.get("/v1/policies").json()["in_force"]["window_days"] == 10
    assert client.get("/v1/rates").json()["rates"][0]["rate"] == "1.08"
    assert client.get("/v1/teams").json()["teams"][0]["members"][0]["rep"] == "ann"
    at = {"at": "2025-05-01T03:30:00Z"}
    quarter = client.get("/v1/calendars/quarter", params=at).json()["in_quarter"]
    assert (quarter["quarter"], quarter["days_left"]) == ("FY2026Q1", 0)
    assert client.get("/v1/quarters/FY2026Q2").json()["reps"][0]["rep"] == "ann"
    assert client.get("/v1/processes").json()["processes"][0]["id"] == "default"
    assert client.get("/v1/processes/default/lint").json()["warnings"] == []


def test_a_process_without_purposes_is_refused(client: TestClient) -> None:
    stage = {"id": "q", "name": "Q", "goal": "g", "activities": [{"id": "a", "name": "A"}]}
    told = event(
        "process_published", version=1, name="P", stages=[stage], closing={"won": "w", "lost": "l"}
    )

    answer = post(client, "/v1/processes/p/events", told)

    assert answer.status_code == 422
    assert answer.json()["field"].startswith("events[0].data.stages[0].activities[0]")


def test_no_route_is_open_without_the_token(client: TestClient) -> None:
    assert isinstance(client.app, FastAPI)
    paths = client.app.openapi()["paths"]
    assert len(paths) > 20
    for path, methods in paths.items():
        for method in methods:
            url = path.replace("{", "").replace("}", "")
            answer = client.request(method, url, headers={"Authorization": "Bearer wrong"})
            assert answer.status_code == (200 if path == "/healthz" else 401), (method, path)


def test_a_foreign_host_is_refused(client: TestClient) -> None:
    assert client.get("/healthz", headers={"Host": "evil.example"}).status_code == 400


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b'{"events":[]}',
        b'{"events":[{"type":"deal_opened","data":NaN}]}',
        b'{"events":1,"events":2}',
        b'{"a":' * 5000,
        b'{"events":[{"type":"note_added","data":{"text":"\\u0000"}}]}',
        b'{"events":[{"type":"note_added","data":{"text":"\\ud800"}}]}',
        b"\xff\xfe{}",
    ],
)
def test_hostile_bodies_are_refused_as_problems(client: TestClient, body: bytes) -> None:
    deal = open_deal(client)
    headers = {"Idempotency-Key": "hostile", "Content-Type": "application/json"}

    answer = client.post(f"/v1/deals/{deal}/events", content=body, headers=headers)

    assert 400 <= answer.status_code < 500
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_body_over_the_limit_is_refused(client: TestClient) -> None:
    headers = {"Idempotency-Key": "large", "Content-Type": "application/json"}
    answer = client.post("/v1/deals", content=b" " * (1 << 20) + b"{}", headers=headers)

    assert answer.status_code == 413


def test_every_refusal_of_the_model_has_a_status() -> None:
    assert set(DomainError.__subclasses__()) <= set(STATUSES)


def test_an_empty_list_is_an_answer(client: TestClient) -> None:
    for query in ({"stage": "nothing"}, {"deleted": "true"}, {"owner": "nobody"}):
        answer = client.get("/v1/deals", params=query)
        assert (answer.status_code, answer.json()["deals"]) == (200, [])


def test_a_position_that_nobody_was_told_of_is_refused(client: TestClient) -> None:
    for path in ("/v1/deals", "/v1/policies", "/v1/quotas"):
        answer = client.get(path, params={"min_position": 99})
        assert (answer.status_code, answer.json()["code"]) == (422, "beyond_the_log")


def test_an_unknown_deal_is_not_found(client: TestClient) -> None:
    for deal in ("nothing", "01a20c1e-dadf-724a-a461-d623f4f2ae79"):
        assert client.get(f"/v1/deals/{deal}").status_code == 404
        assert post(client, f"/v1/deals/{deal}/events", opened()).status_code == 404
