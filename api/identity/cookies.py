"""The session cookie, and the proof that a write with it comes from a page of ours."""

from typing import Final

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.responses import Response

from api.errors import NotPermittedError
from api.identity.sessions import LIFETIME

COOKIE: Final = "dealtrail_session"
HOST_COOKIE: Final = "__Host-dealtrail_session"
"""Over https: a browser takes it from this very host only, over https only."""


def name_of_cookie(scheme: str) -> str:
    """Give the cookie's name; browsers refuse the strict one without https."""
    return HOST_COOKIE if scheme == "https" else COOKIE


def set_cookie(answer: Response, value: str, *, scheme: str) -> None:
    """Give a session to a browser: for this host, out of reach of scripts and of other sites."""
    answer.set_cookie(
        name_of_cookie(scheme),
        value,
        max_age=int(LIFETIME.total_seconds()),
        path="/",
        httponly=True,
        samesite="lax",
        secure=scheme == "https",
    )


def drop_cookie(answer: Response, *, scheme: str) -> None:
    """Take the session back."""
    secure = scheme == "https"
    answer.delete_cookie(
        name_of_cookie(scheme), path="/", httponly=True, samesite="lax", secure=secure
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
