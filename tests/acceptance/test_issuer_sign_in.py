"""Browsers sign in with the issuer: who it names gets in, once, and nobody else by any way."""

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.cookies import SimpleCookie
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from api.bootstrap import Ledger
from api.http.limits import Limits
from api.identity import code_flow
from api.identity.code_flow import MAX_ANSWER_BYTES, TRY_LIFETIME, CodeFlow, SignInRefusedError, Try
from api.identity.cookies import COOKIE, SIGN_IN_COOKIE, STRICT
from api.identity.tokens import IssuerTokens
from tests.support.client import TOKEN, event, opened, post
from tests.support.fake_issuer import CLIENT_ID, REDIRECT_URI, FakeIssuer, fake_issuer
from tests.support.ledgers import SCHEMA
from tests.support.organisation import SINCE, serving_ledger
from tests.support.postgres import PostgresServer

Served = tuple[TestClient, Ledger]
HERE = {"Sec-Fetch-Site": "same-origin"}
OPERATOR = {"Authorization": f"Bearer {TOKEN}"}
_PEOPLE = count(1)


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeIssuer]:
    folder = tmp_path_factory.mktemp("issuer")
    with fake_issuer(folder) as issuer, pytest.MonkeyPatch.context() as environment:
        environment.setenv("SSL_CERT_FILE", str(folder / "certificate.pem"))
        environment.setenv("no_proxy", "*")
        yield issuer


@pytest.fixture
def issuer(serving: FakeIssuer) -> FakeIssuer:
    """The issuer, well again whatever the test before has made of it."""
    fresh = FakeIssuer(serving.address)
    for name in ("subject", "claims", "signer", "answers", "dripping", "asked", "codes"):
        setattr(serving, name, getattr(fresh, name))
    return serving


@pytest.fixture(scope="module")
def shared(serving: FakeIssuer, postgres_server: PostgresServer) -> Iterator[Served]:
    with (
        postgres_server.ledger(SCHEMA) as database,
        serving_ledger(database, issuer=serving.settings()) as (client, ledger),
    ):
        join(client, "ann")
        yield client, ledger


@pytest.fixture
def client(shared: Served, issuer: FakeIssuer) -> TestClient:
    """A browser that was nowhere yet, in front of a server that knows ann."""
    assert issuer.address
    shared[0].cookies.clear()
    return shared[0]


def join(client: TestClient, member: str) -> None:
    tell(client, "member_joined", SINCE, rep=member, role="rep", team="north")


def tell(client: TestClient, what: str, when: str | None = None, **data: Any) -> None:
    """Tell the organisation something, as the operator."""
    assert post(client, "/v1/teams", event(what, when, **data), **OPERATOR).is_success


def begin(client: TestClient, target: str = "", origin: str = "") -> str:
    """Give where a browser is sent that begins to sign in."""
    answer = client.get(f"{origin}/sign-in/issuer", params={"next": target})
    assert answer.status_code == 303
    return str(answer.headers["location"])


def back(client: TestClient, query: dict[str, str], origin: str = "") -> Response:
    return client.get(f"{origin}/sign-in/callback", params=query)


def signed_in(client: TestClient, issuer: FakeIssuer, target: str = "") -> Response:
    return back(client, issuer.signs_in(begin(client, target)))


def cookies_of(answer: Response) -> dict[str, Any]:
    """Give the cookies that an answer sets or drops, by name."""
    return {
        name: morsel
        for line in answer.headers.get_list("set-cookie")
        for name, morsel in SimpleCookie(line).items()
    }


def ensure_refused(answer: Response, words: str, status: int = 403) -> None:
    """Hold that an answer is the sign-in page, with a reason and without a session."""
    assert (answer.status_code, COOKIE in cookies_of(answer)) == (status, False), answer.text
    assert answer.headers["content-type"].startswith("text/html")
    assert words in answer.text
    assert "Sign in with 127.0.0.1" in answer.text
    assert cookies_of(answer)[SIGN_IN_COOKIE]["max-age"] == "0"


def test_the_sign_in_page_leads_to_the_issuer(client: TestClient, issuer: FakeIssuer) -> None:
    page = client.get("/sign-in?next=/board%3Fowner=ann").text
    assert 'href="/sign-in/issuer?next=%2Fboard%3Fowner%3Dann">Sign in with 127.0.0.1<' in page

    location = begin(client)

    assert location.startswith(f"{issuer.address}/authorize?")
    asked = dict(parse_qsl(urlsplit(location).query))
    kept = Try.of_cookie(client.cookies[SIGN_IN_COOKIE])
    assert kept is not None
    assert asked == {
        "response_type": "code",
        "client_id": CLIENT_ID,
        "redirect_uri": REDIRECT_URI,
        "scope": "openid",
        "state": kept.state,
        "nonce": kept.nonce,
        "code_challenge": kept.challenge(),
        "code_challenge_method": "S256",
    }
    assert kept.verifier not in location
    assert len({kept.state, kept.nonce, kept.verifier}) == 3
    assert Try.of_cookie(kept.cookie()) == kept
    begin(client)
    again = Try.of_cookie(client.cookies[SIGN_IN_COOKIE])
    assert again is not None
    assert not {kept.state, kept.nonce, kept.verifier} & {again.state, again.nonce, again.verifier}


def test_whom_the_issuer_names_is_signed_in_as_that_member(
    client: TestClient, issuer: FakeIssuer
) -> None:
    answer = signed_in(client, issuer, "/board?owner=ann")

    assert (answer.status_code, answer.headers["location"]) == (303, "/board?owner=ann")
    assert client.get("/board").status_code == 200
    made = post(client, "/v1/deals", opened(owner="ann"), **HERE)
    told = client.get(f"/v1/deals/{made.json()['deal_id']}/events").json()["events"][0]
    assert (told["actor"], told["channel"]) == ("ann", "ui")
    seen = client.get("/v1/sessions").json()["sessions"]
    assert [one["key"] for one in seen if one["current"]] == [None]
    assert client.get("/v1/keys").status_code == 403  # a rep, as the organisation says
    assert client.get("/v1/sessions", headers=OPERATOR).json()["sessions"] == []
    assert issuer.asked[0].keys() == {
        *("grant_type", "code", "redirect_uri", "code_verifier", "client_id")
    }


def test_the_session_before_ends_with_the_next_sign_in(
    client: TestClient, issuer: FakeIssuer
) -> None:
    signed_in(client, issuer)
    before = client.cookies[COOKIE]
    signed_in(client, issuer)

    assert client.cookies[COOKIE] != before
    client.cookies.clear()
    assert client.get("/board", headers={"Cookie": f"{COOKIE}={before}"}).status_code == 303


def test_what_a_browser_keeps_meanwhile_is_short_lived_and_its_own(
    client: TestClient, issuer: FakeIssuer
) -> None:
    plain = cookies_of(client.get("/sign-in/issuer"))[SIGN_IN_COOKIE]
    assert (plain["secure"], plain["httponly"], plain["max-age"]) == ("", True, "600")
    origin, strict = "https://localhost", f"{STRICT}{SIGN_IN_COOKIE}"
    client.cookies.clear()
    begun = client.get(f"{origin}/sign-in/issuer")
    kept = cookies_of(begun)[strict]

    assert (kept["secure"], kept["httponly"], kept["samesite"]) == (True, True, "lax")
    assert (kept["path"], kept["domain"], kept["max-age"]) == ("/", "", "600")
    assert begun.headers["cache-control"] == "no-store"
    came = issuer.signs_in(begun.headers["location"])
    client.cookies.clear()
    planted = {"Cookie": f"{SIGN_IN_COOKIE}={kept.value}"}  # as another host could over http
    loose = client.get(f"{origin}/sign-in/callback", params=came, headers=planted)
    assert loose.status_code == 403
    answer = client.get(
        f"{origin}/sign-in/callback", params=came, headers={"Cookie": f"{strict}={kept.value}"}
    )
    assert answer.status_code == 303
    assert cookies_of(answer)[strict]["max-age"] == "0"
    session = cookies_of(answer)[f"{STRICT}{COOKIE}"]
    assert (session["secure"], session["httponly"], session["domain"]) == (True, True, "")


def test_who_did_not_begin_here_is_not_signed_in(client: TestClient, issuer: FakeIssuer) -> None:
    attackers = issuer.signs_in(begin(client))
    client.cookies.clear()
    ensure_refused(back(client, attackers), "not begun in this browser")
    for state in (attackers["state"], "", "é", "x" * 43):
        begin(client)
        ensure_refused(back(client, attackers | {"state": state}), "not begun in this browser")
        assert SIGN_IN_COOKIE not in client.cookies
    for planted in ("", "....", "x", f"1.{'a' * 42}.{'b' * 43}.{'c' * 43}."):
        headers = {"Cookie": f"{SIGN_IN_COOKIE}={planted}"}
        answer = client.get("/sign-in/callback", params=attackers, headers=headers)
        ensure_refused(answer, "not begun in this browser")

    assert issuer.asked == []


def test_a_sign_in_serves_once(client: TestClient, issuer: FakeIssuer) -> None:
    came = issuer.signs_in(begin(client))
    kept = client.cookies[SIGN_IN_COOKIE]
    assert back(client, came).status_code == 303
    client.cookies.delete(COOKIE)

    ensure_refused(back(client, came), "used already")
    assert len(issuer.asked) == 1
    stolen = {"Cookie": f"{SIGN_IN_COOKIE}={kept}"}
    answer = client.get("/sign-in/callback", params=came, headers=stolen)
    ensure_refused(answer, "did not confirm this sign-in")
    # A code of another sign-in does not go with the verifier of this one.
    other = issuer.signs_in(begin(client))
    mine = issuer.signs_in(begin(client))
    ensure_refused(back(client, mine | {"code": other["code"]}), "did not confirm")


def test_a_sign_in_that_takes_too_long_is_over(serving: FakeIssuer) -> None:
    began = datetime(2026, 9, 30, 12, 0, 0, 900_000, tzinfo=UTC)
    now, settings = [began], serving.settings()
    assert settings.client is not None
    tokens = IssuerTokens(settings, clock=lambda: now[0])
    flow = CodeFlow(
        settings, settings.client, tokens, clock=lambda: now[0], role_now=lambda _: "rep"
    )
    _, begun = flow.begin("/")

    assert flow.returned(begun.cookie(), begun.state) == begun
    now[0] = began + TRY_LIFETIME - timedelta(seconds=1)
    assert flow.returned(begun.cookie(), begun.state) == begun
    for at in (began + TRY_LIFETIME, began - timedelta(minutes=1)):
        now[0] = at
        with pytest.raises(SignInRefusedError, match="took too long"):
            flow.returned(begun.cookie(), begun.state)


def test_an_id_token_that_is_off_signs_nobody_in(client: TestClient, issuer: FakeIssuer) -> None:
    for claims in (
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "other"},
        {"aud": "dealtrail"},  # good as a bearer token, and not made for this client
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
        answer = signed_in(client, issuer)
        assert answer.status_code == 403, claims
        ensure_refused(answer, "did not confirm this sign-in")
    issuer.claims, issuer.signer = {}, "other"
    ensure_refused(signed_in(client, issuer), "did not confirm this sign-in")
    issuer.signer, issuer.claims = "issuer", {"aud": [CLIENT_ID], "azp": CLIENT_ID}
    assert signed_in(client, issuer).status_code == 303


def test_an_id_token_is_no_bearer_token(client: TestClient, issuer: FakeIssuer) -> None:
    token = issuer.id_token({"client_id": CLIENT_ID, "nonce": "n"})
    bearer = issuer.id_token({"client_id": "dealtrail", "nonce": "n"})

    def status(one: str) -> int:
        return client.get("/v1/teams", headers={"Authorization": f"Bearer {one}"}).status_code

    assert (status(token), status(bearer)) == (401, 200)


def test_an_issuer_that_is_away_or_broken_gives_a_page_that_says_so(
    client: TestClient, issuer: FakeIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    issuer.answers["/elsewhere"] = 200, {}, json.dumps({"id_token": "a.b.c"}).encode()
    for answer in (
        (500, {}, b""),
        (401, {}, b'{"error": "invalid_client"}'),
        (302, {"Location": "/elsewhere"}, b""),
        (307, {"Location": "/elsewhere"}, b""),
        (200, {}, b"x" * (MAX_ANSWER_BYTES + 1)),
        (200, {"Content-Length": "100"}, b"{"),
        (200, {}, b"<html>"),
        (200, {}, b"[" * 5_000),
        (200, {}, b"[]"),
        (200, {}, b'{"id_token": 7}'),
        (200, {}, b"{}"),
    ):
        issuer.answers["/token"] = answer
        ensure_refused(signed_in(client, issuer), "127.0.0.1 cannot be asked now", status=503)
    issuer.answers, issuer.dripping = {}, True
    monkeypatch.setattr(code_flow, "EXCHANGE_SECONDS", 0.3)
    ensure_refused(signed_in(client, issuer), "cannot be asked now", status=503)


def test_an_issuer_that_cannot_be_reached_or_trusted_is_away(
    client: TestClient,
    issuer: FakeIssuer,
    database: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/dev/null")
    ensure_refused(signed_in(client, issuer), "cannot be asked now", status=503)
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


def test_who_is_no_member_is_not_let_in_and_who_has_left_is_not_kept(
    client: TestClient, issuer: FakeIssuer
) -> None:
    for stranger in ("nobody-here", "admin'", "a\x00b", "x" * 300):
        issuer.subject = stranger
        answer = signed_in(client, issuer)
        ensure_refused(answer, "you are in no team here")
        assert stranger not in answer.text

    issuer.subject = member = f"person-{next(_PEOPLE)}"
    join(client, member)
    assert signed_in(client, issuer).status_code == 303
    assert client.get("/v1/projections").status_code == 403
    tell(client, "member_left", rep=member)
    assert client.get("/v1/projections").status_code == 401
    tell(client, "member_joined", rep=member, role="auditor", team="north")
    assert client.get("/v1/projections").status_code == 200  # from the next request on
    tell(client, "member_left", rep=member)
    assert client.get("/board").status_code == 303


@pytest.mark.parametrize(
    "target",
    [
        *("https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"),
        *("/\n/evil.example", "evil.example", "/" + "x" * 3_000, "/" + "é" * 700),
    ],
)
def test_a_sign_in_with_the_issuer_never_leads_to_another_site(
    client: TestClient, issuer: FakeIssuer, target: str
) -> None:
    answer = signed_in(client, issuer, target)

    assert (answer.status_code, answer.headers["location"]) == (303, "/")


def test_the_way_back_is_fixed_whatever_a_request_says(
    client: TestClient, issuer: FakeIssuer
) -> None:
    query = {"redirect_uri": "https://evil.example/", "client_id": "evil", "scope": "all"}
    hosted = client.get("/sign-in/issuer", params=query, headers={"Host": "127.0.0.1:99"})
    forwarded = client.get("/sign-in/issuer", headers={"X-Forwarded-Host": "evil.example"})

    for answer in (hosted, forwarded):
        asked = dict(parse_qsl(urlsplit(answer.headers["location"]).query))
        told = asked["redirect_uri"], asked["client_id"], asked["scope"]
        assert told == (REDIRECT_URI, CLIENT_ID, "openid")
    assert client.get("/sign-in/issuer", headers={"Host": "evil.example"}).status_code == 400
    # A page of ours that was planted in the cookie is held to the same rule.
    came = issuer.signs_in(begin(client))
    kept = Try.of_cookie(client.cookies[SIGN_IN_COOKIE])
    assert kept is not None
    client.cookies.clear()
    planted = {"Cookie": f"{SIGN_IN_COOKIE}={kept.cookie()}https%3A%2F%2Fevil.example"}
    answer = client.get("/sign-in/callback", params=came, headers=planted)
    assert answer.headers["location"] == "/"


def test_nothing_that_comes_back_is_shown(client: TestClient, issuer: FakeIssuer) -> None:
    state = issuer.signs_in(begin(client))["state"]
    told = {
        "error": "<b>evil-words",
        "error_description": "evil-words",
        "error_uri": "//evil-words",
    }
    for query in (told | {"state": state, "code": "code-0"}, told | {"state": "evil-words"}):
        answer = back(client, query)
        assert answer.status_code == 403
        assert "evil-words" not in answer.text + str(answer.headers)
    assert issuer.asked == []
    begun = begin(client)
    ensure_refused(back(client, {"state": issuer.signs_in(begun)["state"]}), "did not sign you in")


def test_the_secret_of_the_client_goes_to_the_issuer_alone(
    issuer: FakeIssuer, database: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with serving_ledger(database, issuer=issuer.settings(secret="hush: +é")) as (client, _):
        join(client, "ann")
        location = begin(client)
        assert back(client, issuer.signs_in(location)).status_code == 303

    assert issuer.asked[0]["by"] == "Basic ZGVhbHRyYWlsLXdlYjpodXNoJTNBJTIwJTJCJUMzJUE5"
    assert "client_id" not in issuer.asked[0]
    assert not [text for text in (location, caplog.text) if "hush" in text]


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


def begun_state(client: TestClient) -> str:
    return dict(parse_qsl(urlsplit(begin(client)).query))["state"]


def test_without_a_client_there_is_no_such_way_in(issuer: FakeIssuer, database: str) -> None:
    with serving_ledger(database) as (client, _):
        assert "Sign in with" not in client.get("/sign-in").text
        statuses = [client.get(f"/sign-in/{one}").status_code for one in ("issuer", "callback")]

    assert statuses == [404, 404]
    assert issuer.asked == []
