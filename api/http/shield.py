"""What stands before every route: the right host, a credential, safe headers, no crash shown."""

import asyncio
import re
from http import HTTPStatus
from typing import Final

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uuid_utils.compat import uuid7

from api.errors import NotPermittedError
from api.http.notes import Notes, notes_of
from api.http.problems import RequestRefusedError, problem, problem_of
from api.http.rates import WrongCredentials
from api.identity.authenticator import Authenticator
from api.identity.cookies import cookie_of, ensure_same_origin
from api.identity.keys import KEY, PREFIX
from api.identity.permissions import Identity
from api.storage.errors import LogUnavailableError, StorageError

_HOST: Final = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?", re.IGNORECASE)
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_SAFE_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_GUARDED: Final = ("/v1", "/readyz", "/metrics", "/openapi.json")
_OPEN: Final = ("/healthz", "/static")
"""What is the same for everybody, so that no credential is looked at."""
_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_UNAUTHORISED: Final = {"WWW-Authenticate": 'Bearer realm="dealtrail"'}
_LOOK_SECONDS: Final = 5.0
"""How long a request waits to be known, for a thread or for the database."""


def is_guarded(path: str) -> bool:
    """Say whether a path belongs to the API and takes a credential; pages show the way in."""
    return _under(path, _GUARDED) or path.startswith("/v1")


def _under(path: str, roots: tuple[str, ...]) -> bool:
    return any(path == one or path.startswith(f"{one}/") for one in roots)


class Shield:
    """Refuses foreign hosts, and requests without a credential; names and protects every answer.

    Whose the credential is goes on with the request as `identity`, None where a page is asked for
    by nobody known.
    """

    def __init__(
        self, app: ASGIApp, *, authenticator: Authenticator, wrong: WrongCredentials
    ) -> None:
        self._app = app
        self._authenticator = authenticator
        self._wrong = wrong
        self._log = structlog.get_logger("dealtrail.http")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        given = headers.get("x-request-id", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else str(uuid7())
        scope["request_id"] = request_id
        notes = notes_of(scope)
        answer = _Answer(send, request_id, notes, guarded=is_guarded(scope["path"]))
        try:
            _check(scope, headers)
            scope["identity"] = await self._identity(scope, headers)
            await self._app(scope, receive, answer)
        except (RequestRefusedError, NotPermittedError, StorageError) as refusal:
            refused = problem_of(refusal, request_id=request_id)
            if refused is not None:
                await refused(scope, receive, answer)
        except Exception:  # loud in the log, and without a word about our insides to the client
            self._log.exception("request failed", request_id=request_id, path=scope["path"])
            if answer.begun:
                raise
            await _crashed(request_id)(scope, receive, answer)

    async def _identity(self, scope: Scope, headers: Headers) -> Identity | None:
        path = scope["path"]
        if _under(path, _OPEN):
            return None
        if headers.get("authorization") is None and scope["method"] not in _SAFE_METHODS:
            signed_in = cookie_of(headers) is not None
            ensure_same_origin(scope["scheme"], headers, signed_in=signed_in)
        try:
            async with asyncio.timeout(_LOOK_SECONDS):
                found = await authenticated(self._authenticator, headers)
        except TimeoutError:
            message = f"whose the credential is could not be read within {_LOOK_SECONDS:g} seconds"
            raise LogUnavailableError(message) from None
        if found is None and (shown := _shown(headers)):
            self._wrong.count(scope, shown=shown)
        if found is None and is_guarded(path):
            raise RequestRefusedError(
                HTTPStatus.UNAUTHORIZED,
                "unauthorised",
                "send a credential that is good now as `Authorization: Bearer <credential>`",
                headers=_UNAUTHORISED,
            )
        return found


async def authenticated(authenticator: Authenticator, headers: Headers) -> Identity | None:
    """Tell whose the credential of a request is at this moment; None without a good one.

    A cookie counts only where there is no Authorization header.
    """
    authorization = headers.get("authorization")
    if authorization is None:
        cookie = cookie_of(headers)
        return await authenticator.of_cookie(cookie) if cookie is not None else None
    scheme, _, credential = authorization.partition(" ")
    if scheme.lower() != "bearer":
        return None
    return await authenticator.of_bearer(credential.strip())


def _shown(headers: Headers) -> str | None:
    """Name what a request shows as its credential, without what is secret of it."""
    authorization = headers.get("authorization")
    if authorization is None:
        return "session" if cookie_of(headers) is not None else None
    scheme, _, credential = authorization.partition(" ")
    if scheme.lower() != "bearer":
        return "no bearer"
    key = KEY.fullmatch(credential.strip())
    return f"key {key[1]}" if key is not None else "bearer"


def _check(scope: Scope, headers: Headers) -> None:
    if len(headers.getlist("host")) != 1 or not _HOST.fullmatch(headers["host"]):
        raise RequestRefusedError(
            HTTPStatus.BAD_REQUEST,
            "foreign_host",
            "the Host header must name localhost, 127.0.0.1 or [::1]",
        )
    if PREFIX.encode() in scope["query_string"] or PREFIX in scope["path"]:
        raise RequestRefusedError(
            HTTPStatus.BAD_REQUEST,
            "key_in_address",
            "a key never goes into an address, where logs and histories keep it: revoke this one",
        )
    if len(headers.getlist("authorization")) > 1:
        raise RequestRefusedError(
            HTTPStatus.BAD_REQUEST, "two_credentials", "send one Authorization header"
        )


def _crashed(request_id: str) -> ASGIApp:
    return problem(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "internal_error",
        "something went wrong here; the server's log tells more under this request id",
        request_id=request_id,
    )


class _Answer:
    """Sends an answer on with the headers that every answer has."""

    def __init__(self, send: Send, request_id: str, notes: Notes, *, guarded: bool) -> None:
        self.begun = False
        self._send = send
        self._request_id = request_id
        self._notes = notes
        self._guarded = guarded

    async def __call__(self, message: Message) -> None:
        """Send one part of the answer."""
        if message["type"] == "http.response.start":
            self.begun = True
            headers = MutableHeaders(scope=message)
            headers["X-Request-ID"] = self._request_id
            for name, value in (_SAFE_HEADERS | self._notes.standing).items():
                headers.setdefault(name, value)
            if self._guarded:
                headers.setdefault("Cache-Control", "no-store")
        await self._send(message)
