"""Whoever runs the server sees how it does: readiness, metrics, and traces from call to event.

Holds `docs/guarantees.md`, G51, G52 and G53.
"""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from api.bootstrap import Ledger
from api.bootstrap_server import build_app
from tests.support.chaos import ChaosProxy
from tests.support.client import TOKEN, client_on, event, open_deal, opened, post
from tests.support.ledgers import SCHEMA
from tests.support.roles import under_one_login

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"
LABELS = {"code", "route", "method", "status", "projection", "outcome", "le"}


@pytest.fixture
def client(database: str) -> Iterator[TestClient]:
    with client_on(database) as served:
        yield served


def served(ledger: Ledger) -> TestClient:
    """A client of a server that has no worker."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    return TestClient(build_app(ledger, token=TOKEN), base_url="http://localhost", headers=headers)


def metrics(client: TestClient) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Each series with its value."""
    answer = client.get("/metrics")
    assert (answer.status_code, answer.headers["content-type"]) == (
        200,
        "text/plain; version=0.0.4; charset=utf-8",
    )
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def value(client: TestClient, name: str, **labels: str) -> float | None:
    return metrics(client).get((f"dealtrail_{name}", frozenset(labels.items())))


def correlations(client: TestClient) -> list[str | None]:
    return [one["correlation_id"] for one in client.get("/v1/events").json()["events"]]


def test_the_events_of_a_request_keep_its_trace(client: TestClient) -> None:
    own = {**event("note_added", text="Called back"), "correlation_id": "ours"}

    answer = post(client, "/v1/deals", opened(), own, traceparent=PARENT)

    assert answer.headers["traceresponse"].startswith(f"00-{TRACE}-")
    assert correlations(client) == [TRACE, "ours"]


def test_lines_in_bulk_keep_the_trace_of_their_request(client: TestClient) -> None:
    deal = open_deal(client)
    line = f'{{"idempotency_key":"b","deal_id":"{deal}","type":"note_added","data":{{"text":"x"}}}}'
    headers = {"content-type": "application/x-ndjson", "traceparent": PARENT}

    assert '"status":201' in client.post("/v1/events:bulk", content=line, headers=headers).text

    assert correlations(client) == [None, TRACE]


def test_a_malformed_trace_is_as_if_it_was_not_there(client: TestClient) -> None:
    answer = post(client, "/v1/deals", opened(), traceparent=f"00-{TRACE}-{'0' * 16}-01")

    assert answer.status_code == 201
    assert "traceresponse" not in answer.headers
    assert correlations(client) == [None]


def test_a_refusal_before_any_route_answers_the_trace_as_well(client: TestClient) -> None:
    headers = {"Authorization": "Bearer wrong", "traceparent": PARENT}

    answer = client.get("/v1/deals", headers=headers)

    assert answer.status_code == 401
    assert answer.headers["traceresponse"].startswith(f"00-{TRACE}-")


def test_a_retry_under_another_trace_changes_nothing(client: TestClient) -> None:
    first = post(client, "/v1/deals", opened(), key="one", traceparent=PARENT)
    again = post(client, "/v1/deals", opened(), key="one", traceparent=PARENT.replace("4b", "5c"))

    assert again.content == first.content
    assert correlations(client) == [TRACE]


def test_metrics_need_the_token(client: TestClient) -> None:
    assert client.get("/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 401


def test_metrics_count_what_was_done(client: TestClient) -> None:
    deal = open_deal(client, event("note_added", text="Called back"))
    stale = post(client, f"/v1/deals/{deal}/events", event("deal_lost"), **{"If-Match": '"9"'})
    assert stale.status_code == 412

    asked = {"route": "/v1/deals", "method": "POST"}
    assert value(client, "events_appended_total") == 2
    assert value(client, "log_position") == 2
    assert value(client, "appends_total", outcome="appended") == 1
    assert value(client, "http_requests_total", **asked, status="201") == 1
    assert value(client, "http_request_seconds_count", **asked) == 1
    assert value(client, "http_requests_in_flight") == 1
    assert value(client, "projection_parked", projection="spans") == 0
    assert value(client, "database_up") == 1
    assert ("process_resident_memory_bytes", frozenset()) in metrics(client)


def test_lag_is_told_by_projection(database: str) -> None:
    with under_one_login(database, schema=SCHEMA) as ledger, served(ledger) as client:
        open_deal(client, event("note_added", text="Called back"))

        assert value(client, "projection_lag_positions", projection="spans") == 2
        assert (value(client, "projection_lag_seconds", projection="spans") or 0) > 0
        ledger.worker.catch_up()
        assert value(client, "projection_lag_positions", projection="spans") == 0
        assert value(client, "projection_lag_seconds", projection="spans") == 0

        assert value(client, "projection_lag_positions", projection="audit") == 2
        ledger.audit.catch_up()
        assert value(client, "projection_lag_positions", projection="audit") == 0


def test_series_do_not_grow_with_deals_paths_methods_or_keys(client: TestClient) -> None:
    def ask(name: str) -> None:
        deal = open_deal(client)
        client.get(f"/v1/deals/{deal}")
        client.get(f"/v1/deals/{name}")
        client.get(f"/{name}")
        client.request(name.upper(), "/v1/deals")
        client.get("/v1/deals", headers={"Authorization": f"Bearer {name}", "X-Request-ID": name})

    ask("first")
    metrics(client)  # which counts itself
    before = metrics(client).keys()
    for number in range(20):
        ask(f"other{number}")

    assert metrics(client).keys() == before
    assert {name for _, labels in before for name, _ in labels} <= LABELS


def test_metrics_hold_no_secret_and_no_name(client: TestClient) -> None:
    deal = open_deal(client)
    client.get(f"/sign-in?token={TOKEN}", follow_redirects=False)

    told = client.get("/metrics").text

    for name in (deal, TOKEN, "Fleet renewal", "Acme", "ann"):
        assert name not in told


def test_a_server_that_can_work_is_ready(client: TestClient) -> None:
    open_deal(client)

    answer = client.get("/readyz")

    assert answer.status_code == 200
    told = answer.json()
    assert (told["ready"], told["stopping"], told["migrations"]) == (True, False, "current")
    assert told["head"] == 1


def test_a_server_that_was_told_to_stop_is_not_ready_and_lives(client: TestClient) -> None:
    app: Any = client.app
    app.state.services.stopping.set()

    answer = client.get("/readyz")

    assert (answer.status_code, answer.json()["ready"]) == (503, False)
    assert answer.json()["stopping"] is True
    assert client.get("/healthz").status_code == 200


@pytest.mark.parametrize(
    ("change", "status", "state"),
    [
        ("DELETE FROM {}.migrations WHERE name LIKE '0015%'", 503, "behind"),
        ("INSERT INTO {}.migrations (name, sha256) VALUES ('9999_later.sql', 'x')", 200, "ahead"),
    ],
)
def test_readiness_tells_how_the_schema_stands(
    client: TestClient, database: str, change: Any, status: int, state: str
) -> None:
    with psycopg.connect(database) as connection:
        connection.execute(change.format(SCHEMA))

    answer = client.get("/readyz")

    assert (answer.status_code, answer.json()["migrations"]) == (status, state)


def test_without_the_database_the_server_lives_tells_so_and_is_not_ready(database: str) -> None:
    with (
        ChaosProxy(database).listening() as network,
        under_one_login(network.dsn, schema=SCHEMA) as ledger,
        served(ledger) as client,
    ):
        assert value(client, "database_up") == 1
        network.refuse()

        assert client.get("/healthz").json() == {"status": "ok"}
        assert client.get("/readyz").status_code == 503
        told = metrics(client)
        assert told["dealtrail_database_up", frozenset()] == 0
        assert ("dealtrail_log_position", frozenset()) not in told
        assert ("process_resident_memory_bytes", frozenset()) in told
