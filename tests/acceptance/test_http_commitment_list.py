"""What both sides said is listed across deals as each deal tells it, by pages, as of any moment."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.bootstrap import Ledger
from api.bootstrap_server import build_app
from api.lists import Cursor
from tests.support.client import TOKEN
from tests.support.ledgers import SCHEMA
from tests.support.postgres import PostgresServer
from tests.support.roles import under_roles
from tests.support.site import AUDITOR, MANAGER, REP, fill

MOMENTS: list[dict[str, str]] = [
    {"as_of": "2025-10-01T08:00:00Z"},
    {"as_of": "2025-06-18T08:00:00Z"},
    {"as_of": "2025-09-30T18:00:00Z", "effective_at": "2025-04-10T08:00:00Z"},
]
WAITING = ("open", "renegotiated", "broken")
Row = dict[str, Any]


@pytest.fixture(scope="module")
def ledger(postgres_server: PostgresServer) -> Iterator[Ledger]:
    with (
        postgres_server.ledger(SCHEMA, filled_by=fill) as database,
        under_roles(database, schema=SCHEMA) as ledger,
    ):
        yield ledger


@pytest.fixture(scope="module")
def client(ledger: Ledger) -> Iterator[TestClient]:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with TestClient(
        build_app(ledger, token=TOKEN), base_url="http://127.0.0.1", headers=headers
    ) as client:
        yield client


def pages(client: TestClient, path: str, key: str, **asked: str) -> tuple[list[Row], Row]:
    rows: list[Row] = []
    more: dict[str, str] = {}
    while True:
        answer = client.get(path, params={**asked, **more})
        assert answer.status_code == 200, answer.text
        told: Row = answer.json()
        rows += told[key]
        if told["next"] is None:
            return rows, told
        more = {"cursor": told["next"]}


def of_deals(client: TestClient, moment: dict[str, str]) -> list[Row]:
    """Give what waits of open deals, deal by deal."""
    found = []
    deals, _ = pages(client, "/v1/deals", "deals", closed="open", limit="200", **moment)
    for deal in deals:
        told = client.get(f"/v1/deals/{deal['deal_id']}/commitments", params=moment).json()
        both = [("customer", "commitment_id", one) for one in told["commitments"]]
        both += [("seller", "promise_id", one) for one in told["promises"]]
        found += [
            {
                "deal_id": deal["deal_id"],
                "owner": deal["owner"],
                "side": side,
                "id": one[name],
                **{key: one[key] for key in ("what", "due", "overdue_at", "status", "event_id")},
            }
            for side, name, one in both
            if one["status"] in WAITING and one["settled_at"] is None
        ]
    return sorted(
        found, key=lambda one: (one["due"] or "9999", one["deal_id"], one["side"], one["id"])
    )


@pytest.mark.parametrize("moment", MOMENTS)
def test_the_list_is_what_the_deals_tell(client: TestClient, moment: dict[str, str]) -> None:
    expected = of_deals(client, moment)
    assert "customer" in {one["side"] for one in expected}
    assert len(expected) > 2

    rows, told = pages(client, "/v1/commitments", "commitments", limit="2", **moment)
    assert [{key: row[key] for key in expected[0]} for row in rows] == expected
    assert told["total"] == len(expected)
    for side in ("customer", "seller"):
        own = [one["status"] for one in expected if one["side"] == side]
        assert told["counts"][side] == {status: own.count(status) for status in WAITING}


def test_filters_leave_out_what_they_say(client: TestClient) -> None:
    moment = MOMENTS[0]
    everything, told = pages(client, "/v1/commitments", "commitments", **moment)
    owner = next(row["owner"] for row in everything if row["side"] == "seller")
    middle = sorted(row["due"] for row in everything if row["due"])[len(everything) // 2]
    for filters in (
        {"side": "seller"},
        {"status": "broken"},
        {"owner": owner, "status": "open,renegotiated"},
        {"due_to": middle, "side": "customer"},
        {"due_from": middle},
        {"team": "nobody"},
    ):
        rows, some = pages(client, "/v1/commitments", "commitments", **moment, **filters)
        kept = [row for row in everything if holds(row, filters)]
        assert rows == kept, filters
        assert some["total"] == len(kept), filters
        if not filters.keys() & {"owner", "team", "due_to", "due_from"}:
            assert some["counts"] == told["counts"]


def holds(row: Row, filters: dict[str, str]) -> bool:
    due = date.fromisoformat(row["due"]) if row["due"] else None
    first, last = filters.get("due_from"), filters.get("due_to")
    return (
        filters.get("side") in (None, row["side"])
        and row["status"] in (filters.get("status") or row["status"]).split(",")
        and filters.get("owner") in (None, row["owner"])
        and (first is None or (due is not None and due >= date.fromisoformat(first)))
        and (last is None or (due is not None and due <= date.fromisoformat(last)))
        and "team" not in filters
    )


def test_a_page_stands_while_others_append_and_a_forged_cursor_is_refused(
    client: TestClient,
) -> None:
    first = client.get("/v1/commitments", params={"limit": "2"}).json()
    cursor = Cursor.read(first["next"])
    assert cursor.position == first["as_of"]["position"]
    other = client.get(
        "/v1/commitments", params={"limit": "2", "side": "seller", "cursor": first["next"]}
    )
    assert other.status_code == 422
    for value in ("", "x", "[]", '["2025-13-01","seller","p"]', "[1,2,3]", '["infinity"]'):
        forged = Cursor(cursor.position, cursor.at, value, cursor.deal_id, cursor.question).text()
        answer = client.get("/v1/commitments", params={"limit": "2", "cursor": forged})
        assert answer.status_code == 422, value
        assert answer.json()["field"] == "cursor"


@pytest.mark.parametrize(
    ("who", "role"), [(REP, "rep"), (MANAGER, "manager"), (AUDITOR, "auditor")]
)
def test_nobody_is_told_of_deals_out_of_reach(
    ledger: Ledger, client: TestClient, who: str, role: str
) -> None:
    key = ledger.keys.create(
        member=who, role=role, scopes=None, name="t", lifetime=timedelta(days=1), by="t"
    )
    own = {"Authorization": f"Bearer {key.secret}"}
    seen = client.get("/v1/commitments", params={"limit": "200"}, headers=own).json()
    deals = client.get("/v1/deals", params={"limit": "200", "closed": "open"}, headers=own).json()
    rows, _ = pages(client, "/v1/commitments", "commitments", limit="200")
    within = {deal["deal_id"] for deal in deals["deals"]}
    assert seen["commitments"] == [row for row in rows if row["deal_id"] in within]
    assert seen["total"] == sum(sum(one.values()) for one in seen["counts"].values())
