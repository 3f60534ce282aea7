"""A refusal tells its client their standing, and the log who and what; and it is counted."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from api.bootstrap import Ledger
from api.bootstrap_server import build_app
from api.http.limits import Limits
from tests.support.client import TOKEN, opened, post
from tests.support.ledgers import SCHEMA
from tests.support.logged import logged
from tests.support.roles import under_one_login

SIGNED_IN = {"Authorization": f"Bearer {TOKEN}"}
WRONG = "dtk_abcd1234_" + "x" * 43
FEW = Limits(wrong_credentials_a_minute=3)


@pytest.fixture
def ledger(database: str) -> Iterator[Ledger]:
    with under_one_login(database, schema=SCHEMA) as opened_ledger:
        yield opened_ledger


def app_of(ledger: Ledger, limits: Limits | None = None) -> Any:
    return build_app(ledger, token=TOKEN, limits=limits)


def from_address(app: Any, address: str) -> TestClient:
    return TestClient(
        app, base_url="http://localhost", client=(address, 40000), follow_redirects=False
    )


def bearer(credential: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {credential}"}


def key_of(ledger: Ledger, role: str = "auditor") -> str:
    made = ledger.keys.create(
        member="sue", role=role, name="t", by="t", scopes=None, lifetime=timedelta(days=1)
    )
    return made.secret


def test_who_is_known_is_told_their_standing_whoever_refuses(ledger: Ledger) -> None:
    with from_address(app_of(ledger), "10.0.0.1") as client:
        refused = [
            client.get("/v1/nothing", headers=SIGNED_IN),
            client.post("/v1/deals", headers=SIGNED_IN | {"Content-Encoding": "gzip"}),
            client.get("/v1/deals?owner=%00", headers=SIGNED_IN),
            client.get("/v1/deals", headers=[*SIGNED_IN.items(), *[("Expect", "x")] * 2]),
        ]
        unknown = [
            client.get("/v1/deals"),
            client.get("/v1/deals", headers=SIGNED_IN | {"Host": "elsewhere"}),
        ]

    assert [one.status_code for one in refused] == [404, 415, 422, 400]
    assert {one.headers.get("ratelimit-policy") for one in refused} == {
        '"credential";q=600000;w=60'
    }
    assert all("ratelimit" in one.headers for one in refused)
    assert [one.status_code for one in unknown] == [401, 400]
    assert not any("ratelimit" in one.headers for one in unknown)


def test_wrong_credentials_are_limited_by_address_and_lock_nobody_out(ledger: Ledger) -> None:
    app, right = app_of(ledger, FEW), key_of(ledger)
    other = from_address(app, "10.0.0.2")
    with from_address(app, "10.0.0.1") as client:
        wrong = [client.get("/v1/policies", headers=bearer(WRONG)) for _ in range(5)]
        form = client.post("/sign-in", data={"token": "wrong"})
        good = [client.get("/v1/policies", headers=bearer(one)) for one in (right, TOKEN)]
        unsigned = client.get("/v1/policies")
        signed_in = client.post("/sign-in", data={"token": right})
        elsewhere = other.get("/v1/policies", headers=bearer(WRONG))

    assert [one.status_code for one in wrong] == [401, 401, 401, 429, 429]
    assert 1 <= int(wrong[-1].headers["retry-after"]) <= 20
    assert wrong[-1].headers["ratelimit-policy"] == '"wrong-credentials";q=3;w=60'
    assert form.status_code == 429
    assert [one.status_code for one in good] == [200, 200]
    assert signed_in.status_code == 303
    assert elsewhere.status_code == 401
    assert unsigned.status_code == 401


def test_wrong_sign_ins_are_limited_too(ledger: Ledger) -> None:
    with from_address(app_of(ledger, FEW), "10.0.0.1") as client:
        statuses = [
            client.post("/sign-in", data={"token": f"wrong-{n}"}).status_code for n in range(4)
        ]
        linked = client.get("/sign-in?token=wrong")
        right = client.post("/sign-in", data={"token": TOKEN})

    assert statuses == [403, 403, 403, 429]
    assert (linked.status_code, right.status_code) == (429, 303)


def test_a_refusal_is_logged_with_who_and_what_and_without_a_secret(ledger: Ledger) -> None:
    auditor, cookie = key_of(ledger), "c" * 43
    with from_address(app_of(ledger), "10.0.0.9") as client, logged() as lines:
        client.get("/v1/policies", headers=bearer(WRONG))
        client.get("/v1/policies", headers=bearer("no-key-at-all"))
        client.get("/v1/policies", headers={"Cookie": f"dealtrail_session={cookie}"})
        client.post("/sign-in", data={"token": "wrong-in-a-form"})
        post(client, "/v1/deals", opened(), **bearer(auditor))
        client.post("/v1/deals", headers=SIGNED_IN | {"Idempotency-Key": "k"}, content=b"{")
        told = lines.told()
        text = lines.getvalue().decode()

    found = [
        (one["level"], one["status"], one["refusal"], one["caller"], one["credential"])
        for one in told
        if one["event"] == "request"
    ]
    assert found == [
        ("warning", 401, "unauthorised", None, "key abcd1234"),
        ("warning", 401, "unauthorised", None, "bearer"),
        ("warning", 401, "unauthorised", None, "session"),
        ("warning", 403, "unauthorised", None, "sign-in"),
        ("warning", 403, "not_permitted", "sue", f"key {auditor[4:12]}"),
        ("info", 415, "unsupported_media_type", "admin", "token"),
    ]
    assert {one["address"] for one in told if one["event"] == "request"} == {"10.0.0.9"}
    for secret in (WRONG[13:], "no-key-at-all", cookie, "wrong-in-a-form", auditor[13:], TOKEN):
        assert secret not in text


def test_refusals_are_counted_by_their_code(ledger: Ledger) -> None:
    with from_address(app_of(ledger), "10.0.0.1") as client:
        for _ in range(2):
            client.get("/v1/policies", headers=bearer(WRONG))
        client.get("/v1/nothing", headers=SIGNED_IN)
        text = client.get("/metrics", headers=SIGNED_IN).text

    counted = {
        sample.labels["code"]: sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "dealtrail_http_refusals_total"
    }
    assert counted == {"unauthorised": 2, "not_found": 1}
