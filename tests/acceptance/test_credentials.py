"""Keys, sessions and tokens: who they are, how they end, and what is kept of them."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from fastapi.testclient import TestClient

from api.bootstrap import Ledger
from api.identity.cookies import COOKIE, HOST_COOKIE
from api.identity.keys import KEY, NewKey
from api.storage.roles import Role
from tests.support.client import TOKEN, event, opened, post
from tests.support.ledgers import SCHEMA
from tests.support.organisation import SINCE, serving_ledger
from tests.support.roles import address, url

Served = tuple[TestClient, Ledger]


@pytest.fixture
def served(database: str) -> Iterator[Served]:
    with serving_ledger(database) as (client, ledger):
        joined = event("member_joined", SINCE, rep="ann", role="rep", team="north")
        post(client, "/v1/teams", joined, Authorization=f"Bearer {TOKEN}")
        yield client, ledger


def new_key(ledger: Ledger, member: str = "ann", role: str = "rep", **more: Any) -> NewKey:
    given = {"scopes": None, "lifetime": timedelta(days=1)} | more
    return ledger.keys.create(member=member, role=role, name="test", by="test", **given)


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def status(client: TestClient, secret: str, path: str = "/v1/teams") -> int:
    return int(client.get(path, headers=bearer(secret)).status_code)


def test_a_key_has_256_bits_and_is_kept_as_a_hash_only(served: Served, database: str) -> None:
    client, ledger = served
    made = new_key(ledger)
    client.post("/sign-in", data={"token": made.secret})
    cookie = client.cookies[COOKIE]

    assert KEY.fullmatch(made.secret)
    assert made.secret not in repr(made)
    with psycopg.connect(database) as connection:
        tables = connection.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = %s"
            " AND table_type = 'BASE TABLE'",
            (SCHEMA,),
        ).fetchall()
        connection.execute(f"SET search_path TO {SCHEMA}")
        for (table,) in tables:
            text = str(connection.execute(f'SELECT t::text FROM "{table}" t').fetchall())
            assert made.secret[13:] not in text, table
            assert cookie not in text, table


def test_a_revoked_key_is_refused_at_the_next_request_in_every_process(
    served: Served, database: str
) -> None:
    client, ledger = served
    with serving_ledger(database) as (other, _):
        for _ in range(25):
            made = new_key(ledger)
            assert (status(client, made.secret), status(other, made.secret)) == (200, 200)
            ledger.keys.revoke(made.key.id)
            assert (status(client, made.secret), status(other, made.secret)) == (401, 401)


def test_the_command_line_revokes_for_a_running_server(served: Served, database: str) -> None:
    client, _ = served
    environment = {
        **os.environ,
        "DEALTRAIL_DATABASE_URL": url(database),
        "DEALTRAIL_APP_URL": url(address(database, Role.APP)),
        "DEALTRAIL_PROJECTOR_URL": url(address(database, Role.PROJECTOR)),
    }

    def keys(*arguments: str) -> Any:
        command = [sys.executable, "-c", "from api.cli import main; main()", "keys", *arguments]
        done = subprocess.run(
            [*command, "--json"], env=environment, capture_output=True, text=True, check=True
        )
        return json.loads(done.stdout)

    made = keys("create", "ann", "--name", "laptop", "--scope", "read")
    assert (made["role"], made["scopes"]) == ("rep", ["read"])
    assert status(client, made["secret"]) == 200
    rotated = keys("rotate", made["id"])
    assert (status(client, made["secret"]), status(client, rotated["secret"])) == (401, 200)
    listed = keys("list")["keys"]
    assert [one["id"] for one in listed] == [made["id"]]
    assert "secret" not in listed[0]
    assert keys("revoke", made["id"])["revoked_at"] is not None
    assert status(client, rotated["secret"]) == 401


def test_a_rotated_key_keeps_its_old_secret_for_the_grace_that_is_given(served: Served) -> None:
    client, ledger = served
    first = new_key(ledger)
    assert status(client, first.secret) == 200

    second = ledger.keys.rotate(first.key.id, grace=timedelta(hours=1))
    assert (status(client, first.secret), status(client, second.secret)) == (200, 200)

    third = ledger.keys.rotate(first.key.id, grace=timedelta(0))
    answers = [status(client, one.secret) for one in (first, second, third)]
    assert answers == [401, 401, 200]


def test_what_is_no_good_key_opens_nothing(served: Served) -> None:
    client, ledger = served
    made = new_key(ledger)
    wrong = made.secret[:-1] + ("A" if made.secret[-1] != "A" else "B")
    other = new_key(ledger)
    crossed = made.secret[:12] + other.secret[12:]
    for bad in (wrong, crossed, made.secret[:-1], f"{made.secret}x", f"dtk_{made.key.id}_", "dtk_"):
        assert status(client, bad) == 401
    assert client.get("/v1/teams", headers={"Authorization": made.secret}).status_code == 401
    basic = {"Authorization": f"Basic {made.secret}"}
    assert client.get("/v1/teams", headers=basic).status_code == 401
    assert status(client, made.secret) == 200


def test_a_key_never_goes_into_an_address(served: Served) -> None:
    client, ledger = served
    secret = new_key(ledger).secret

    for path in (f"/v1/teams?as_of={secret}", f"/v1/deals/{secret}", f"/sign-in?token={secret}"):
        answer = client.get(path, headers=bearer(TOKEN))
        assert (answer.status_code, answer.json()["code"]) == (400, "key_in_address")
        assert secret not in answer.text


def test_scopes_narrow_what_a_role_may(served: Served) -> None:
    client, ledger = served
    reads, writes = (new_key(ledger, scopes=[scope]).secret for scope in ("read", "append"))

    def opens(secret: str) -> int:
        return int(post(client, "/v1/deals", opened(owner="ann"), **bearer(secret)).status_code)

    assert (status(client, reads), opens(reads)) == (200, 403)
    assert (status(client, writes), opens(writes)) == (403, 201)


def test_keys_are_managed_over_the_api(served: Served) -> None:
    client, _ = served

    def send(path: str, **body: Any) -> Any:
        return client.post(path, json=body, headers=bearer(TOKEN))

    made = send("/v1/keys", member="ann", name="laptop", scopes=["read"], days=7)
    assert made.status_code == 201, made.text
    key_id, secret = made.json()["id"], made.json()["secret"]
    assert status(client, secret) == 200
    listed = client.get("/v1/keys", headers=bearer(TOKEN))
    assert [one["id"] for one in listed.json()["keys"]] == [key_id]
    assert secret[13:] not in listed.text
    rotated = send(f"/v1/keys/{key_id}/rotate", grace_hours=1).json()["secret"]
    assert (status(client, secret), status(client, rotated)) == (200, 200)
    assert client.post(f"/v1/keys/{key_id}/revoke", headers=bearer(TOKEN)).status_code == 200
    assert (status(client, secret), status(client, rotated)) == (401, 401)
    assert send("/v1/keys/aaaaaaaa/rotate").status_code == 404
    for contrary in ({"member": "ann", "role": "admin"}, {"member": "service"}):
        refused = send("/v1/keys", name="x", **contrary)
        assert (refused.status_code, refused.json()["field"]) == (409, "role")
    for body, field in (
        ({"member": "service", "name": "x", "role": "king"}, "role"),
        ({"member": "ann", "name": "x", "scopes": ["all"]}, "scopes"),
        ({"member": "ann", "name": "x", "days": 9999}, "days"),
        ({"member": "ann"}, "name"),
        ({"member": "ann", "name": "x", "secret": "mine"}, "secret"),
    ):
        refused = send("/v1/keys", **body)
        assert (refused.status_code, refused.json()["field"]) == (422, field)


def test_a_session_is_a_cookie_that_scripts_and_other_sites_cannot_use(served: Served) -> None:
    client, ledger = served
    form = {"token": new_key(ledger).secret}

    plain = client.post("/sign-in", data=form).headers["set-cookie"]
    assert len(client.cookies[COOKIE]) == 43
    client.cookies.clear()
    strict = client.post("https://localhost/sign-in", data=form).headers["set-cookie"]

    assert plain.startswith(f"{COOKIE}=")
    assert strict.startswith(f"{HOST_COOKIE}=")
    for part in ("HttpOnly", "SameSite=lax", "Path=/"):
        assert part in plain
        assert part in strict
    assert "Secure" in strict
    assert "Domain" not in strict


def test_a_session_ends_by_signing_out_and_with_its_key(served: Served, database: str) -> None:
    client, ledger = served
    with serving_ledger(database) as (other, _):

        def signed_in(secret: str) -> str:
            client.cookies.clear()
            client.post("/sign-in", data={"token": secret})
            return str(client.cookies[COOKIE])

        def boards(cookie: str) -> list[int]:
            headers = {"Cookie": f"{COOKIE}={cookie}"}
            client.cookies.clear()
            return [int(one.get("/board", headers=headers).status_code) for one in (client, other)]

        made = new_key(ledger)
        cookie = signed_in(made.secret)
        assert boards(cookie) == [200, 200]
        ledger.keys.revoke(made.key.id)
        assert boards(cookie) == [303, 303]

        cookie = signed_in(TOKEN)
        assert boards(cookie) == [200, 200]
        headers = {"Cookie": f"{COOKIE}={cookie}", "Sec-Fetch-Site": "same-origin"}
        assert client.post("/sign-out", headers=headers).status_code == 303
        assert boards(cookie) == [303, 303]


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({}, False),
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "none"}, False),
        ({"Origin": "http://localhost"}, True),
        ({"Origin": "http://localhost:81"}, False),
        ({"Origin": "https://evil.example"}, False),
        ({"Origin": "null"}, False),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"}, False),
    ],
)
def test_a_write_with_a_session_comes_from_a_page_of_ours(
    served: Served, headers: dict[str, str], *, allowed: bool
) -> None:
    client, ledger = served
    client.post("/sign-in", data={"token": new_key(ledger).secret})

    answer = post(client, "/v1/deals", opened(owner="ann"), **headers)

    assert answer.status_code == (201 if allowed else 403)
    if allowed:
        deal = answer.json()["deal_id"]
        told = client.get(f"/v1/deals/{deal}/events").json()["events"][0]
        assert (told["actor"], told["channel"]) == ("ann", "ui")


def test_another_site_cannot_sign_anybody_in(served: Served) -> None:
    client, ledger = served
    form = {"token": new_key(ledger).secret}

    answer = client.post("/sign-in", data=form, headers={"Sec-Fetch-Site": "cross-site"})

    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


def test_what_auditors_read_and_what_is_exported_is_kept(served: Served, database: str) -> None:
    client, ledger = served
    secret = new_key(ledger, "aud", "auditor").secret
    named = f"read-{uuid4()}"
    client.get("/v1/deals?q=x", headers=bearer(secret) | {"X-Request-ID": named})
    client.get("/v1/events", headers=bearer(secret) | {"Accept": "text/csv"})
    client.get("/v1/events", headers=bearer(TOKEN) | {"Accept": "text/csv"})
    client.get("/v1/deals", headers=bearer(new_key(ledger).secret))
    refused = client.get(
        "/v1/events", headers=bearer(new_key(ledger).secret) | {"Accept": "text/csv"}
    )
    assert refused.status_code == 403

    kept = client.get("/v1/accesses?limit=3", headers=bearer(TOKEN)).json()
    rows = [(one["actor"], one["kind"], one["request"]) for one in kept["accesses"]]
    assert rows == [
        ("admin", "export", "GET /v1/events"),
        ("aud", "export", "GET /v1/events"),
        ("aud", "read", "GET /v1/events"),
    ]
    more = client.get(f"/v1/accesses?before={kept['next']}", headers=bearer(TOKEN)).json()
    assert [one["request_id"] for one in more["accesses"]] == [named]
    with psycopg.connect(database) as connection:
        connection.execute(f"SET search_path TO {SCHEMA}")
        for attack in ("DELETE FROM accesses", "UPDATE accesses SET actor = 'x'"):
            with pytest.raises(psycopg.Error, match="refused"), connection.transaction():
                connection.execute(attack)


def test_the_last_use_of_a_key_is_kept(served: Served) -> None:
    client, ledger = served
    made = new_key(ledger)
    assert made.key.last_used_at is None

    # Written beside the request, and so perhaps after it; the time limit of tests ends the loop.
    while ledger.keys.all()[0].last_used_at is None:
        assert status(client, made.secret) == 200
