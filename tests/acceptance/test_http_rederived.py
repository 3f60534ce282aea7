"""What an auditor asks of one event: which verdicts read otherwise because of it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.support.client import client_on, event, post
from tests.support.ledgers import import_lines, ledger_on
from tests.support.thirty import thirty_lines, usd


@pytest.fixture
def client(database: str, tmp_path: Path) -> Iterator[TestClient]:
    with ledger_on(database) as ledger:
        lines = [{"recorded_at": line["occurred_at"], **line} for line in thirty_lines()]
        import_lines(ledger, tmp_path, lines, founding=True)
    with client_on(database) as served:
        yield served


def revise_quota(client: TestClient, amount: str) -> int:
    """Revise the quota after the quarter, as of its second day; give the event's position."""
    path = "/v1/quotas/ann/FY2025Q1/events"
    told = post(client, path, event("quota_revised", "2025-01-02T00:00:00Z", amount=usd(amount)))
    assert told.status_code == 201, told.text
    position: int = told.json()["position"]
    return position


def verdicts(client: TestClient, as_of: int) -> dict[str, str]:
    """Give the verdicts on the deal of the example, as known at a position."""
    found = client.get("/v1/deals", params={"external_id": "D1"}).json()["deals"]
    path = f"/v1/deals/{found[0]['deal_id']}/pressure"
    answer = client.get(path, params={"as_of": f"position:{as_of}"}).json()
    return {one["event_id"]: one["verdict"] for one in answer["events"]}


def test_a_quota_lowered_afterwards_names_the_verdicts_that_it_turned(client: TestClient) -> None:
    position = revise_quota(client, "300000")

    found: Any = client.get(f"/v1/events/{position}/verdicts").json()

    before, after = verdicts(client, position - 1), verdicts(client, position)
    turned = {key: (before[key], after[key]) for key in before if before[key] != after[key]}
    assert {one["event_id"]: (one["before"], one["after"]) for one in found["changed"]} == turned
    assert len(turned) == 3
    assert found["reasons"] == {"quota": found["rederived"]}
    assert found["event"]["type"] == "quota_revised"
    assert {one["rep"] for one in found["changed"]} == {"ann"}


def test_a_quota_that_changes_nothing_names_what_was_looked_at(client: TestClient) -> None:
    found = client.get(f"/v1/events/{revise_quota(client, '1000001')}/verdicts").json()

    assert found["changed"] == []
    assert found["rederived"] > 3


def test_what_cannot_be_asked_is_refused_by_name(client: TestClient) -> None:
    published = {"version": 1, "numbers": {"theta": "0.5"}}
    told = post(client, "/v1/policies", event("policy_published", **published))
    position = told.json()["position"]

    refused = client.get(f"/v1/events/{position}/verdicts")
    assert refused.status_code == 422
    assert "policy_published" in refused.json()["detail"]
    beyond = client.get(f"/v1/events/{position}/verdicts?as_of=position:{position - 1}")
    assert beyond.status_code == 404
    assert client.get("/v1/events/0/verdicts").status_code == 422
