"""Members see and end their own browser sessions, and nobody else's."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.bootstrap import Ledger
from api.identity.cookies import COOKIE
from api.identity.permissions import Scope
from tests.support.client import TOKEN, event, post
from tests.support.organisation import SINCE, serving_ledger

Served = tuple[TestClient, Ledger]
HERE = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def served(database: str) -> Iterator[Served]:
    with serving_ledger(database) as (client, ledger):
        for rep in ("ann", "bob"):
            joined = event("member_joined", SINCE, rep=rep, role="rep", team="north")
            post(client, "/v1/teams", joined, Authorization=f"Bearer {TOKEN}")
        yield client, ledger


def key_of(ledger: Ledger, member: str, *scopes: Scope) -> str:
    made = ledger.keys.create(
        member=member,
        role="rep",
        name="test",
        by="test",
        scopes=scopes or None,
        lifetime=timedelta(days=1),
    )
    return made.secret


def signed_in(client: TestClient, credential: str) -> dict[str, str]:
    """Give what a browser sends in a new session."""
    client.cookies.clear()
    assert client.post("/sign-in", data={"token": credential}).status_code in {200, 303}
    cookie = client.cookies[COOKIE]
    client.cookies.clear()
    return {"Cookie": f"{COOKIE}={cookie}", **HERE}


def bearer(credential: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {credential}"}


def listed(client: TestClient, headers: dict[str, str]) -> list[dict[str, Any]]:
    answer = client.get("/v1/sessions", headers=headers)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["sessions"]
    return found


def end(client: TestClient, headers: dict[str, str], session: str) -> int:
    return int(client.delete(f"/v1/sessions/{session}", headers=headers).status_code)


def test_a_member_sees_the_open_sessions_of_all_keys_of_theirs(served: Served) -> None:
    client, ledger = served
    first, second = key_of(ledger, "ann"), key_of(ledger, "ann")
    browsers = [signed_in(client, first), signed_in(client, second)]
    signed_in(client, key_of(ledger, "bob"))
    signed_in(client, TOKEN)

    seen = [listed(client, browser) for browser in browsers]

    assert [one["key"] for one in seen[0]] == [first[4:12], second[4:12]]
    assert [[one["current"] for one in told] for told in seen] == [[True, False], [False, True]]
    assert not any(one["current"] for one in listed(client, bearer(first)))
    ledger.keys.revoke(first[4:12])
    assert [one["key"] for one in listed(client, bearer(second))] == [second[4:12]]


def test_an_ended_session_opens_nothing_from_the_next_request_on(served: Served) -> None:
    client, ledger = served
    key = key_of(ledger, "ann")
    here, elsewhere = signed_in(client, key), signed_in(client, key)
    other = next(one["id"] for one in listed(client, here) if not one["current"])

    assert end(client, here, other) == 204
    assert client.get("/v1/sessions", headers=elsewhere).status_code == 401
    assert len(listed(client, here)) == 1
    assert end(client, here, other) == 404
    own = listed(client, here)[0]["id"]
    assert end(client, here, own) == 204
    assert client.get("/v1/sessions", headers=here).status_code == 401


def test_nobody_ends_the_session_of_somebody_else(served: Served) -> None:
    client, ledger = served
    browser = signed_in(client, key_of(ledger, "ann"))
    session = listed(client, browser)[0]["id"]
    token = listed(client, signed_in(client, TOKEN))[0]["id"]

    assert end(client, bearer(key_of(ledger, "bob")), session) == 404
    assert end(client, bearer(TOKEN), session) == 404
    assert end(client, browser, token) == 404
    assert end(client, bearer(key_of(ledger, "ann", Scope.READ)), session) == 403
    assert len(listed(client, browser)) == 1


def test_another_site_ends_no_session(served: Served) -> None:
    client, ledger = served
    browser = signed_in(client, key_of(ledger, "ann"))
    session = listed(client, browser)[0]["id"]

    assert end(client, browser | {"Sec-Fetch-Site": "cross-site"}, session) == 403
    assert len(listed(client, browser)) == 1
