"""What comes back from the issuer is refused unless all of it is as it must be, and never shown."""

import json
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.http.limits import Limits
from api.identity import code_flow
from api.identity.code_flow import MAX_ANSWER_BYTES
from tests.support.fake_issuer import CLIENT_ID, FakeIssuer, fake_issuer
from tests.support.issuer_visits import back, begin, begun_state, ensure_refused, join, signed_in
from tests.support.organisation import serving_ledger


def test_an_id_token_that_is_off_signs_nobody_in(visitor: TestClient, issuer: FakeIssuer) -> None:
    for claims in (
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "other"},
        {"aud": "dealtrail"},  # good as a bearer token, and not made for this visitor
        {"aud": [CLIENT_ID, "other"]},
        {"aud": None},
        {"azp": "other"},
        {"exp": 1_000_000_000},
        {"exp": None},
        {"iat": None},
        {"iat": 3_999_999_999},
        {"iss": "https://evil.example"},
        {"iss": None},
        {"sub": None},
        {"sub": ""},
    ):
        issuer.claims = claims
        answer = signed_in(visitor, issuer)
        assert answer.status_code == 403, claims
        ensure_refused(answer, "did not confirm this sign-in")
    issuer.claims, issuer.signer = {}, "other"
    ensure_refused(signed_in(visitor, issuer), "did not confirm this sign-in")
    issuer.signer, issuer.claims = "issuer", {"aud": [CLIENT_ID], "azp": CLIENT_ID}
    assert signed_in(visitor, issuer).status_code == 303


def test_an_id_token_is_no_bearer_token(visitor: TestClient, issuer: FakeIssuer) -> None:
    token = issuer.id_token({"client_id": CLIENT_ID, "nonce": "n"})
    bearer = issuer.id_token({"client_id": "dealtrail", "nonce": "n"})

    def status(one: str) -> int:
        return visitor.get("/v1/teams", headers={"Authorization": f"Bearer {one}"}).status_code

    assert (status(token), status(bearer)) == (401, 200)


def test_an_issuer_that_is_away_or_broken_gives_a_page_that_says_so(
    visitor: TestClient, issuer: FakeIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    issuer.answers["/elsewhere"] = 200, {}, json.dumps({"id_token": "a.b.c"}).encode()
    for answer in (
        (500, {}, b""),
        (401, {}, b'{"error": "invalid_client"}'),
        (302, {"Location": "/elsewhere"}, b""),
        (307, {"Location": "/elsewhere"}, b""),
        (200, {"Content-Length": "100"}, b"{"),
        (200, {}, b"<html>"),
        (200, {}, b"[" * 5_000),
        (200, {}, b"[]"),
        (200, {}, b'{"id_token": 7}'),
        (200, {}, b"{}"),
    ):
        issuer.answers["/token"] = answer
        ensure_refused(signed_in(visitor, issuer), "127.0.0.1 cannot be asked now", status=503)
    issuer.answers, issuer.padding = {}, MAX_ANSWER_BYTES
    ensure_refused(signed_in(visitor, issuer), "cannot be asked now", status=503)
    issuer.padding, issuer.dripping = 0, True
    monkeypatch.setattr(code_flow, "EXCHANGE_SECONDS", 0.3)
    ensure_refused(signed_in(visitor, issuer), "cannot be asked now", status=503)


def test_an_issuer_that_cannot_be_reached_or_trusted_is_away(
    visitor: TestClient,
    issuer: FakeIssuer,
    database: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/dev/null")
    ensure_refused(signed_in(visitor, issuer), "cannot be asked now", status=503)
    assert issuer.asked == []
    monkeypatch.undo()
    issuer.answers["/keys"] = 500, {}, b""
    with serving_ledger(database, issuer=issuer.settings()) as (other, _):
        join(other, "ann")
        ensure_refused(signed_in(other, issuer), "cannot be asked now", status=503)
    with fake_issuer(tmp_path) as gone:
        pass
    with serving_ledger(database, issuer=gone.settings()) as (other, _):
        ensure_refused(signed_in(other, issuer), "cannot be asked now", status=503)


def test_nothing_that_comes_back_is_shown(visitor: TestClient, issuer: FakeIssuer) -> None:
    state = issuer.signs_in(begin(visitor))["state"]
    told = {
        "error": "<b>evil-words",
        "error_description": "evil-words",
        "error_uri": "//evil-words",
    }
    for query in (told | {"state": state, "code": "code-0"}, told | {"state": "evil-words"}):
        answer = back(visitor, query)
        assert answer.status_code == 403
        assert "evil-words" not in answer.text + str(answer.headers)
    assert issuer.asked == []
    begun = begin(visitor)
    ensure_refused(back(visitor, {"state": issuer.signs_in(begun)["state"]}), "did not sign you in")


def test_wrong_sign_ins_with_the_issuer_are_limited(issuer: FakeIssuer, database: str) -> None:
    few = Limits(wrong_credentials_a_minute=3)
    with serving_ledger(database, issuer=issuer.settings(), limits=few) as (client, _):
        join(client, "ann")
        given_up = [back(client, {"state": begun_state(client), "error": "x"}) for _ in range(5)]
        issuer.claims = {"nonce": "another"}
        wrong = [
            back(client, {"code": "guess", "state": begun_state(client)}),
            signed_in(client, issuer),
            back(client, {"code": "guess", "state": "foreign"}),
            back(client, {"code": "guess", "state": "foreign"}),
        ]
        issuer.claims = {}
        right = signed_in(client, issuer)

    assert {one.status_code for one in given_up} == {403}
    assert [one.status_code for one in wrong] == [403, 403, 403, 429]
    assert right.status_code == 303
