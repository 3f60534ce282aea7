"""What somebody may see holds on every way there, and changes with the organisation at once."""

import asyncio
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.support.client import event, opened
from tests.support.ledgers import SCHEMA
from tests.support.organisation import OURS, SINCE, THEIRS, WHO, Company, alike, company_on


@pytest.fixture(scope="module")
def company(postgres_server: Any) -> Iterator[Company]:
    with postgres_server.ledger(SCHEMA) as database, company_on(database) as served:
        yield served


def test_an_act_of_somebody_else_hides_the_pressure_of_a_deal(company: Company) -> None:
    told = opened(SINCE, name="Shared", owner="ann")
    deal = company.post("token", "/v1/deals", told).json()["deal_id"]
    path = f"/v1/deals/{deal}/pressure"
    assert company.get("ann", path).status_code == 200

    offered = event("discount_offered", percent="5")
    assert company.post("ben", f"/v1/deals/{deal}/events", offered).is_success

    assert [company.get(who, path).status_code for who in ("ann", "ben", "mia", "aud")] == [
        403,
        403,
        200,
        200,
    ]


def test_who_left_or_changed_role_sees_nothing_with_the_old_key(company: Company) -> None:
    made = company.ledger.keys.create
    for who, role in (("eve", "rep"), ("fay", "rep")):
        joined = event("member_joined", SINCE, rep=who, role=role, team="north", manager="mia")
        assert company.post("adm", "/v1/teams", joined).status_code == 201
    keys = {
        who: made(
            member=who, role="rep", scopes=None, name="t", lifetime=timedelta(days=1), by="t"
        ).secret
        for who in ("eve", "fay")
    }

    def status(who: str) -> int:
        headers = {"Authorization": f"Bearer {keys[who]}"}
        return int(company.client.get(f"/v1/deals/{company.ours}", headers=headers).status_code)

    assert (status("eve"), status("fay")) == (200, 200)
    assert company.post("adm", "/v1/teams", event("member_left", rep="eve")).is_success
    assert company.post("adm", "/v1/teams", event("member_left", rep="fay")).is_success
    joined = event("member_joined", rep="fay", role="auditor", team="ops")
    assert company.post("adm", "/v1/teams", joined).is_success
    assert (status("eve"), status("fay")) == (403, 403)
    for path in ("/v1/teams", "/v1/deals", "/v1/events", "/v1/customers", "/v1/quotas"):
        headers = {"Authorization": f"Bearer {keys['eve']}"}
        assert company.client.get(path, headers=headers).status_code == 403, path


def test_a_deal_goes_with_its_owner_out_of_a_teams_reach(company: Company) -> None:
    told = opened(SINCE, name="Wanderer", owner="ben")
    deal = company.post("token", "/v1/deals", told).json()["deal_id"]
    before = {who: company.get(who, f"/v1/deals/{deal}").status_code for who in ("ann", "cyd")}

    moved = event("owner_changed", owner="cyd")
    assert company.post("token", f"/v1/deals/{deal}/events", moved).is_success
    company.caught_up()

    after = {who: company.get(who, f"/v1/deals/{deal}").status_code for who in ("ann", "cyd")}
    assert (before, after) == ({"ann": 200, "cyd": 404}, {"ann": 404, "cyd": 200})
    then = company.get("ann", "/v1/deals?as_of=position:99999999")
    assert then.status_code == 422
    past = company.get("ann", f"/v1/deals/{deal}?as_of=position:{len(WHO) + 9}")
    assert past.status_code == 404
    assert deal not in company.get("ann", "/v1/events?limit=1000").text
    assert deal in company.get("cyd", "/v1/events?limit=1000").text


def test_nobody_gives_a_deal_to_whom_they_may_not_see(company: Company) -> None:
    def tried(*events: Any, path: str = "/v1/deals") -> int:
        return int(company.post("ann", path, *events).status_code)

    assert tried(opened(SINCE, owner="cyd")) == 403
    assert tried(opened(SINCE, owner="nobody")) == 403
    assert tried(opened(SINCE, owner="ben")) == 201
    mine = f"/v1/deals/{company.ours}/events"
    assert tried(event("owner_changed", owner="cyd"), path=mine) == 403
    first = company.get("ann", f"/v1/deals/{company.ours}/events").json()["events"][0]
    amended = {"event_id": first["event_id"], "data": first["data"] | {"owner": "cyd"}}
    assert tried(event("event_amended", reason="no", **amended), path=mine) == 403


def test_who_acted_is_told_by_the_credential(company: Company) -> None:
    deal = f"/v1/deals/{company.ours}/events"
    note = event("note_added", text="Called back")

    def last(who: str, **more: str) -> tuple[int, str | None, str | None]:
        status = company.post(who, deal, note | more).status_code
        told = company.get("aud", deal).json()["events"][-1]
        return status, told["actor"], told["on_behalf_of"]

    assert last("ann") == (201, "ann", None)
    assert last("ben", on_behalf_of="ann")[0] == 403
    assert last("mia", on_behalf_of="ann")[0] == 403
    assert last("adm", on_behalf_of="ann")[0] == 403
    assert last("token", on_behalf_of="ann") == (201, "admin", "ann")
    refused = company.post("ben", deal, note | {"on_behalf_of": "ann"}).json()
    assert (refused["code"], refused["field"]) == ("not_permitted", "events[0].on_behalf_of")


def test_each_line_of_a_bulk_is_held_to_the_same(company: Company) -> None:
    note = event("note_added", text="hello")
    lines = [
        {**note, "deal_id": deal, "idempotency_key": f"bulk-{n}"}
        for n, deal in enumerate((company.ours, company.theirs, str(uuid4())))
    ]
    lines.append({**note, "deal_id": company.ours, "idempotency_key": "b", "on_behalf_of": "ben"})
    headers = company.as_("ann", **{"Content-Type": "application/x-ndjson"})
    body = "".join(json.dumps(line) + "\n" for line in lines)
    answer = company.client.post("/v1/events:bulk", content=body, headers=headers)

    told = [json.loads(line) for line in answer.text.splitlines()]
    assert [one["status"] for one in told] == [201, 404, 404, 403]
    foreign, unknown = (
        {k: v for k, v in told[n].items() if k not in {"line", "idempotency_key"}} for n in (1, 2)
    )
    ids = (company.theirs, lines[2]["deal_id"])
    assert json.dumps(foreign).replace(ids[0], "ID") == json.dumps(unknown).replace(ids[1], "ID")


def test_a_repeated_request_is_answered_only_to_who_may_still_see_it(company: Company) -> None:
    deal = company.post("ben", "/v1/deals", opened(SINCE, owner="ben")).json()["deal_id"]
    note = event("note_added", text="hello")
    assert company.post("ben", f"/v1/deals/{deal}/events", note, key="mine").status_code == 201
    assert company.post("ben", f"/v1/deals/{deal}/events", note, key="mine").status_code == 201

    gone = event("owner_changed", owner="cyd")
    assert company.post("token", f"/v1/deals/{deal}/events", gone).is_success

    again = company.post("ben", f"/v1/deals/{deal}/events", note, key="mine")
    assert again.status_code == 404


def test_the_pages_show_what_the_api_shows(company: Company) -> None:
    def page(who: str, path: str) -> Any:
        client = company.client
        client.cookies.clear()
        assert client.post("/sign-in", data={"token": company.secrets[who]}).status_code == 303
        return client.get(path)

    assert OURS in page("ann", "/board").text
    assert THEIRS not in page("ann", "/board").text
    assert THEIRS in page("aud", "/board").text
    unknown = page("ann", f"/deals/{uuid4()}")
    assert alike(page("ann", f"/deals/{company.theirs}"))[:2] == alike(unknown)[:2]
    then = "/board?effective_at=2025-03-28T00:00:00Z"
    shares = {who: "% of $" in page(who, then).text for who in ("ann", "mia", "aud", "pat")}
    assert shares == {"ann": False, "mia": True, "aud": True, "pat": False}
    assert "Quota pressure is not shown here" in page("ben", f"/deals/{company.ours}").text
    assert "Quota pressure is not shown here" not in page("ann", f"/deals/{company.ours}").text
    company.client.cookies.clear()


async def test_the_stream_shows_what_is_in_reach_and_ends_with_the_credential(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asks the application without a network, because a test client waits for streams to end."""
    # One read each, so that what is not shown is all that some reads give.
    monkeypatch.setattr("api.storage.tail.BATCH", 1)
    made = company.ledger.keys.create(
        member="ann", role="rep", scopes=None, name="t", lifetime=timedelta(days=1), by="t"
    )
    received: list[bytes] = []
    asked = iter([{"type": "http.request", "body": b"", "more_body": False}])

    async def receive() -> Any:
        return next(asked, None) or await asyncio.Event().wait()

    async def send(message: Any) -> None:
        received.append(message.get("body", b""))
        if OURS.encode() in message.get("body", b""):
            await asyncio.to_thread(company.ledger.keys.revoke, made.key.id)

    headers = [(b"host", b"localhost"), (b"authorization", f"Bearer {made.secret}".encode())]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/v1/events/stream",
        "raw_path": b"/v1/events/stream",
        "query_string": b"after=0",
        "headers": headers,
        "server": ("localhost", 80),
        "client": ("127.0.0.1", 1),
    }
    await asyncio.wait_for(company.client.app(scope, receive, send), timeout=30)

    text = b"".join(received).decode()
    assert OURS in text
    assert THEIRS not in text
    quotas = [line for line in text.splitlines() if "quota_assigned" in line and "data:" in line]
    assert quotas
    assert all("ann" in line for line in quotas)
