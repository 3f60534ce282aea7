"""What a browser does on its way by the issuer, and what it is answered."""

from http.cookies import SimpleCookie
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from fastapi.testclient import TestClient
from httpx2 import Response

from api.identity.cookies import COOKIE, SIGN_IN_COOKIE
from tests.support.client import TOKEN, event, post
from tests.support.fake_issuer import FakeIssuer
from tests.support.organisation import SINCE

OPERATOR: Final = {"Authorization": f"Bearer {TOKEN}"}


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


def begun_state(client: TestClient) -> str:
    return dict(parse_qsl(urlsplit(begin(client)).query))["state"]


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
