"""What both sides said is listed across deals as each deal tells it, by pages, as of any moment."""

from base64 import urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from fastapi.testclient import TestClient

from api.bootstrap import Ledger
from api.bootstrap_server import build_app
from api.lists import Cursor
from api.page_reads import reviewing
from tests.support.client import TOKEN
from tests.support.ledgers import SCHEMA
from tests.support.postgres import PostgresServer
from tests.support.roles import under_roles
from tests.support.site import AUDITOR, MANAGER, REP, Read, fill

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


DAY = '["2025-10-09","seller",'
FORGED = [
    *(("/v1/deals", sort, "\0") for sort in ("name", "close_date", "-amount", "health")),
    *(("/v1/deals", sort, "\ud800") for sort in ("name", "close_date", "position")),
    *(("/v1/deals", sort, "x") for sort in ("close_date", "-amount", "opened_at", "position")),
    ("/v1/deals", "position", "9" * 20),
    ("/v1/deals", "-close_date", "2025-02-30"),
    *(("/v1/commitments", None, DAY + name) for name in ('"\\u0000"]', '"\\ud800"]')),
    *(("/v1/commitments", None, text) for text in ('["x","seller","p"]', "[" * 1000)),
]


@pytest.mark.parametrize(("path", "sort", "value"), FORGED)
def test_a_cursor_that_no_page_ended_with_is_refused(
    client: TestClient, path: str, sort: str | None, value: str
) -> None:
    asked = {"limit": "2"} | ({"sort": sort} if sort else {})
    given = Cursor.read(client.get(path, params=asked).json()["next"])
    forged = replace(given, value=value).text()
    answer = client.get(path, params={**asked, "cursor": forged})
    assert (answer.status_code, answer.json()["field"]) == (422, "cursor")


def test_a_cursor_without_end_is_refused(client: TestClient) -> None:
    endless = urlsafe_b64encode(b"[" * 1400).decode().rstrip("=")
    for path in ("/v1/deals", "/v1/commitments"):
        answer = client.get(path, params={"cursor": endless})
        assert (answer.status_code, answer.json()["field"]) == (422, "cursor")
    assert client.get("/review", params={"cursor": endless}).status_code == 422


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


FIGURES = ("Customers are late", "We are late", "Customers will", "We will")


def test_a_later_page_leads_to_what_stood_at_the_same_instant(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reviewing, "COMMITMENTS", 2)
    first = Read(client.get("/commitments").text)
    onward = next(link for link in first.links if "cursor=" in link)
    later = Read(client.get(onward).text)
    back = next(link for link in later.links if link.startswith("/commitments?as_of="))
    again = Read(client.get(back).text)

    figures = [{name: one.pairs[name] for name in FIGURES} for one in (first, later, again)]
    assert figures == [figures[0]] * 3
    assert figures[0]["Customers are late"] != "0"
    linked = [urlsplit(link) for link in later.links if "#e-" in link]
    assert linked
    for link in linked:
        asked = {name: text for name, text in parse_qsl(link.query) if name != "all"}
        told = client.get(f"/v1{link.path}/commitments", params=asked).json()
        said = {one["event_id"]: one["status"] for one in told["commitments"] + told["promises"]}
        assert said[link.fragment.removeprefix("e-")] == "broken"


@pytest.mark.parametrize("path", ["/commitments", "/review"])
def test_a_list_of_somebody_who_left_is_not_said_to_be_of_everybody(
    client: TestClient, path: str
) -> None:
    for whose, name in (("rep:who-left", "who-left"), ("team:gone", "Team Gone")):
        page = client.get(path, params={"whose": whose}).text
        assert f'<option value="{whose}" selected>{name}</option>' in page
        assert page.count("Everybody") == 1
