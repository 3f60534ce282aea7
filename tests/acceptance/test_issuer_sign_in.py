"""Browsers sign in with the issuer: who it names gets in, once, and nobody else by any way."""

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Final
from urllib.parse import parse_qsl, urlsplit

import pytest
from fastapi.testclient import TestClient

from api.identity.code_flow import TRY_LIFETIME, CodeFlow, SignInRefusedError, Try
from api.identity.cookies import COOKIE, SIGN_IN_COOKIE, STRICT
from api.identity.tokens import IssuerTokens
from tests.support.client import opened, post
from tests.support.fake_issuer import CLIENT_ID, REDIRECT_URI, FakeIssuer
from tests.support.issuer_visits import (
    OPERATOR,
    back,
    begin,
    cookies_of,
    ensure_refused,
    join,
    signed_in,
    tell,
)
from tests.support.logged import logged
from tests.support.organisation import serving_ledger

HERE: Final = {"Sec-Fetch-Site": "same-origin"}
_PEOPLE: Final = count(1)


def test_the_sign_in_page_leads_to_the_issuer(visitor: TestClient, issuer: FakeIssuer) -> None:
    page = visitor.get("/sign-in?next=/board%3Fowner=ann").text
    assert 'href="/sign-in/issuer?next=%2Fboard%3Fowner%3Dann">Sign in with 127.0.0.1<' in page

    location = begin(visitor)

    assert location.startswith(f"{issuer.address}/authorize?")
    asked = dict(parse_qsl(urlsplit(location).query))
    kept = Try.of_cookie(visitor.cookies[SIGN_IN_COOKIE])
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
    begin(visitor)
    again = Try.of_cookie(visitor.cookies[SIGN_IN_COOKIE])
    assert again is not None
    assert not {kept.state, kept.nonce, kept.verifier} & {again.state, again.nonce, again.verifier}


def test_whom_the_issuer_names_is_signed_in_as_that_member(
    visitor: TestClient, issuer: FakeIssuer
) -> None:
    answer = signed_in(visitor, issuer, "/board?owner=ann")

    assert (answer.status_code, answer.headers["location"]) == (303, "/board?owner=ann")
    assert visitor.get("/board").status_code == 200
    made = post(visitor, "/v1/deals", opened(owner="ann"), **HERE)
    told = visitor.get(f"/v1/deals/{made.json()['deal_id']}/events").json()["events"][0]
    assert (told["actor"], told["channel"]) == ("ann", "ui")
    seen = visitor.get("/v1/sessions").json()["sessions"]
    assert [one["key"] for one in seen if one["current"]] == [None]
    assert visitor.get("/v1/keys").status_code == 403  # a rep, as the organisation says
    assert visitor.get("/v1/sessions", headers=OPERATOR).json()["sessions"] == []
    assert issuer.asked[0].keys() == {
        *("grant_type", "code", "redirect_uri", "code_verifier", "client_id")
    }


def test_the_session_before_ends_with_the_next_sign_in(
    visitor: TestClient, issuer: FakeIssuer
) -> None:
    signed_in(visitor, issuer)
    before = visitor.cookies[COOKIE]
    signed_in(visitor, issuer)

    assert visitor.cookies[COOKIE] != before
    visitor.cookies.clear()
    assert visitor.get("/board", headers={"Cookie": f"{COOKIE}={before}"}).status_code == 303


def test_what_a_browser_keeps_meanwhile_is_short_lived_and_its_own(
    visitor: TestClient, issuer: FakeIssuer
) -> None:
    plain = cookies_of(visitor.get("/sign-in/issuer"))[SIGN_IN_COOKIE]
    assert (plain["secure"], plain["httponly"], plain["max-age"]) == ("", True, "600")
    origin, strict = "https://localhost", f"{STRICT}{SIGN_IN_COOKIE}"
    visitor.cookies.clear()
    begun = visitor.get(f"{origin}/sign-in/issuer")
    kept = cookies_of(begun)[strict]

    assert (kept["secure"], kept["httponly"], kept["samesite"]) == (True, True, "lax")
    assert (kept["path"], kept["domain"], kept["max-age"]) == ("/", "", "600")
    assert begun.headers["cache-control"] == "no-store"
    came = issuer.signs_in(begun.headers["location"])
    visitor.cookies.clear()
    planted = {"Cookie": f"{SIGN_IN_COOKIE}={kept.value}"}  # as another host could over http
    loose = visitor.get(f"{origin}/sign-in/callback", params=came, headers=planted)
    assert loose.status_code == 403
    answer = visitor.get(
        f"{origin}/sign-in/callback", params=came, headers={"Cookie": f"{strict}={kept.value}"}
    )
    assert answer.status_code == 303
    assert cookies_of(answer)[strict]["max-age"] == "0"
    session = cookies_of(answer)[f"{STRICT}{COOKIE}"]
    assert (session["secure"], session["httponly"], session["domain"]) == (True, True, "")


def test_who_did_not_begin_here_is_not_signed_in(visitor: TestClient, issuer: FakeIssuer) -> None:
    attackers = issuer.signs_in(begin(visitor))
    visitor.cookies.clear()
    ensure_refused(back(visitor, attackers), "not begun in this browser")
    for state in (attackers["state"], "", "é", "x" * 43):
        begin(visitor)
        ensure_refused(back(visitor, attackers | {"state": state}), "not begun in this browser")
        assert SIGN_IN_COOKIE not in visitor.cookies
    for planted in ("", "....", "x", f"1.{'a' * 42}.{'b' * 43}.{'c' * 43}."):
        headers = {"Cookie": f"{SIGN_IN_COOKIE}={planted}"}
        answer = visitor.get("/sign-in/callback", params=attackers, headers=headers)
        ensure_refused(answer, "not begun in this browser")

    assert issuer.asked == []


def test_a_sign_in_serves_once(visitor: TestClient, issuer: FakeIssuer) -> None:
    came = issuer.signs_in(begin(visitor))
    kept = visitor.cookies[SIGN_IN_COOKIE]
    assert back(visitor, came).status_code == 303
    visitor.cookies.delete(COOKIE)

    ensure_refused(back(visitor, came), "used already")
    assert len(issuer.asked) == 1
    stolen = {"Cookie": f"{SIGN_IN_COOKIE}={kept}"}
    answer = visitor.get("/sign-in/callback", params=came, headers=stolen)
    ensure_refused(answer, "did not confirm this sign-in")
    # A code of another sign-in does not go with the verifier of this one.
    other = issuer.signs_in(begin(visitor))
    mine = issuer.signs_in(begin(visitor))
    ensure_refused(back(visitor, mine | {"code": other["code"]}), "did not confirm")


def test_a_sign_in_that_takes_too_long_is_over(issuer: FakeIssuer) -> None:
    began = datetime(2026, 9, 30, 12, 0, 0, 900_000, tzinfo=UTC)
    now, settings = [began], issuer.settings()
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


def test_who_is_no_member_is_not_let_in_and_who_has_left_is_not_kept(
    visitor: TestClient, issuer: FakeIssuer
) -> None:
    for stranger in ("nobody-here", "admin'", "a\x00b", "x" * 300):
        issuer.subject = stranger
        answer = signed_in(visitor, issuer)
        ensure_refused(answer, "you are in no team here")
        assert stranger not in answer.text

    issuer.subject = member = f"person-{next(_PEOPLE)}"
    join(visitor, member)
    assert signed_in(visitor, issuer).status_code == 303
    assert visitor.get("/v1/projections").status_code == 403
    tell(visitor, "member_left", rep=member)
    assert visitor.get("/v1/projections").status_code == 401
    tell(visitor, "member_joined", rep=member, role="auditor", team="north")
    assert visitor.get("/v1/projections").status_code == 200  # from the next request on
    tell(visitor, "member_left", rep=member)
    assert visitor.get("/board").status_code == 303


@pytest.mark.parametrize(
    "target",
    [
        *("https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"),
        *("/\n/evil.example", "evil.example", "/" + "x" * 3_000, "/" + "é" * 700),
    ],
)
def test_a_sign_in_with_the_issuer_never_leads_to_another_site(
    visitor: TestClient, issuer: FakeIssuer, target: str
) -> None:
    answer = signed_in(visitor, issuer, target)

    assert (answer.status_code, answer.headers["location"]) == (303, "/")


def test_the_way_back_is_fixed_whatever_a_request_says(
    visitor: TestClient, issuer: FakeIssuer
) -> None:
    query = {"redirect_uri": "https://evil.example/", "client_id": "evil", "scope": "all"}
    hosted = visitor.get("/sign-in/issuer", params=query, headers={"Host": "127.0.0.1:99"})
    forwarded = visitor.get("/sign-in/issuer", headers={"X-Forwarded-Host": "evil.example"})

    for answer in (hosted, forwarded):
        asked = dict(parse_qsl(urlsplit(answer.headers["location"]).query))
        told = asked["redirect_uri"], asked["client_id"], asked["scope"]
        assert told == (REDIRECT_URI, CLIENT_ID, "openid")
    assert visitor.get("/sign-in/issuer", headers={"Host": "evil.example"}).status_code == 400
    # A page of ours that was planted in the cookie is held to the same rule.
    came = issuer.signs_in(begin(visitor))
    kept = Try.of_cookie(visitor.cookies[SIGN_IN_COOKIE])
    assert kept is not None
    visitor.cookies.clear()
    planted = {"Cookie": f"{SIGN_IN_COOKIE}={kept.cookie()}https%3A%2F%2Fevil.example"}
    answer = visitor.get("/sign-in/callback", params=came, headers=planted)
    assert answer.headers["location"] == "/"


def test_the_secret_of_the_client_goes_to_the_issuer_alone(
    issuer: FakeIssuer, database: str
) -> None:
    settings = issuer.settings(secret="hush: +é")
    with serving_ledger(database, issuer=settings) as (client, _), logged("debug") as lines:
        join(client, "ann")
        location = begin(client)
        came = issuer.signs_in(location)
        assert back(client, came).status_code == 303
        cookie, told = client.cookies[COOKIE], lines.told()
    ours = str([one for one in told if not str(one.get("logger")).startswith("httpx")])

    assert issuer.asked[0]["by"] == "Basic ZGVhbHRyYWlsLXdlYjpodXNoJTNBJTIwJTJCJUMzJUE5"
    assert "client_id" not in issuer.asked[0]
    assert "hush" not in location
    assert "/sign-in/callback" in ours
    for secret in ("hush", came["code"], came["state"], cookie, issuer.asked[0]["code_verifier"]):
        assert secret not in ours


def test_without_a_client_there_is_no_such_way_in(issuer: FakeIssuer, database: str) -> None:
    with serving_ledger(database) as (client, _):
        assert "Sign in with" not in client.get("/sign-in").text
        statuses = [client.get(f"/sign-in/{one}").status_code for one in ("issuer", "callback")]

    assert statuses == [404, 404]
    assert issuer.asked == []
