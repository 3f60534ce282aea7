"""The cookies of browsers, and the proof that a write with a session comes from a page of ours."""

from datetime import timedelta
from typing import Final

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.responses import Response

from api.errors import NotPermittedError
from api.identity.sessions import LIFETIME

COOKIE: Final = "dealtrail_session"
SIGN_IN_COOKIE: Final = "dealtrail_sign_in"
STRICT: Final = "__Host-"
"""Before a name over https: a browser takes it from this very host only, over https only."""
HOST_COOKIE: Final = f"{STRICT}{COOKIE}"


def name_of_cookie(scheme: str, name: str = COOKIE) -> str:
    """Give a cookie's name; browsers refuse the strict one without https."""
    return f"{STRICT}{name}" if scheme == "https" else name


def set_cookie(answer: Response, value: str, *, scheme: str) -> None:
    """Give a session to a browser."""
    _set(answer, COOKIE, value, lifetime=LIFETIME, scheme=scheme)


def drop_cookie(answer: Response, *, scheme: str) -> None:
    """Take the session back."""
    _drop(answer, COOKIE, scheme=scheme)


def keep_sign_in(answer: Response, value: str, *, lifetime: timedelta, scheme: str) -> None:
    """Let a browser keep what it began at the issuer until it comes back."""
    _set(answer, SIGN_IN_COOKIE, value, lifetime=lifetime, scheme=scheme)


def drop_sign_in(answer: Response, *, scheme: str) -> None:
    """Take back what a browser began, so that it serves once."""
    _drop(answer, SIGN_IN_COOKIE, scheme=scheme)


def sign_in_of(headers: Headers, *, scheme: str) -> str:
    """Give what a browser began at the issuer, empty if it did not; over https the strict one."""
    return cookie_parser(headers.get("cookie", "")).get(name_of_cookie(scheme, SIGN_IN_COOKIE), "")


def _set(answer: Response, name: str, value: str, *, lifetime: timedelta, scheme: str) -> None:
    """Give a browser a cookie for this host, out of reach of scripts and of other sites."""
    answer.set_cookie(
        name_of_cookie(scheme, name),
        value,
        max_age=int(lifetime.total_seconds()),
        path="/",
        httponly=True,
        samesite="lax",  # not strict: the way back from the issuer begins on another site
        secure=scheme == "https",
    )


def _drop(answer: Response, name: str, *, scheme: str) -> None:
    answer.delete_cookie(
        name_of_cookie(scheme, name),
        path="/",
        httponly=True,
        samesite="lax",
        secure=scheme == "https",
    )


def cookie_of(headers: Headers) -> str | None:
    """Give the session that a request shows; the strict cookie counts before the other."""
    cookies = cookie_parser(headers.get("cookie", ""))
    return cookies.get(HOST_COOKIE) or cookies.get(COOKIE) or None


def ensure_same_origin(scheme: str, headers: Headers, *, signed_in: bool) -> None:
    """Refuse a write that another site makes a browser send.

    Browsers say where a request comes from in `Sec-Fetch-Site`, older ones in `Origin`. What says
    neither is no browser; it may sign in, and not use a session.

    Raises:
        NotPermittedError: it comes from elsewhere, or does not say from where.
    """
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None:
        ours = site == "same-origin"
    elif origin is not None:
        ours = origin == f"{scheme}://{headers['host']}"
    else:
        ours = not signed_in
    if not ours:
        raise NotPermittedError("a write with a session must come from a page of this server")
