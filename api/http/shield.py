"""What stands before every route: the right host, the token, safe headers, and no crash shown."""

import hmac
import re
from http import HTTPStatus
from typing import Final

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uuid_utils.compat import uuid7

from api.http.problems import RequestRefusedError, problem, problem_of

_HOST: Final = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?", re.IGNORECASE)
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_SAFE_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_GUARDED: Final = ("/v1", "/readyz", "/openapi.json")
_UNAUTHORISED: Final = {"WWW-Authenticate": 'Bearer realm="dealtrail"'}


def is_guarded(path: str) -> bool:
    """Say whether a path belongs to the API and needs its token; pages guard themselves."""
    return any(path == one or path.startswith(f"{one}/") for one in _GUARDED) or path.startswith(
        "/v1"
    )


class Shield:
    """Refuses foreign hosts and requests without the token; names and protects every answer."""

    def __init__(self, app: ASGIApp, *, token: str) -> None:
        self._app = app
        self._token = token.encode()
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
        answer = _Answer(send, request_id, guarded=is_guarded(scope["path"]))
        try:
            self._check(scope, headers)
            await self._app(scope, receive, answer)
        except RequestRefusedError as refusal:
            refused = problem_of(refusal, request_id=request_id)
            if refused is not None:
                await refused(scope, receive, answer)
        except Exception:  # loud in the log, and without a word about our insides to the client
            self._log.exception("request failed", request_id=request_id, path=scope["path"])
            if answer.begun:
                raise
            await _crashed(request_id)(scope, receive, answer)

    def _check(self, scope: Scope, headers: Headers) -> None:
        if len(headers.getlist("host")) != 1 or not _HOST.fullmatch(headers["host"]):
            raise RequestRefusedError(
                HTTPStatus.BAD_REQUEST,
                "foreign_host",
                "the Host header must name localhost, 127.0.0.1 or [::1]",
            )
        if is_guarded(scope["path"]) and not self._knows(headers.get("authorization", "")):
            raise RequestRefusedError(
                HTTPStatus.UNAUTHORIZED,
                "unauthorised",
                "send the token of this server as `Authorization: Bearer <token>`",
                headers=_UNAUTHORISED,
            )

    def _knows(self, authorization: str) -> bool:
        scheme, _, token = authorization.partition(" ")
        return scheme.lower() == "bearer" and hmac.compare_digest(
            token.strip().encode(), self._token
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

    def __init__(self, send: Send, request_id: str, *, guarded: bool) -> None:
        self.begun = False
        self._send = send
        self._request_id = request_id
        self._guarded = guarded

    async def __call__(self, message: Message) -> None:
        """Send one part of the answer."""
        if message["type"] == "http.response.start":
            self.begun = True
            headers = MutableHeaders(scope=message)
            headers["X-Request-ID"] = self._request_id
            for name, value in _SAFE_HEADERS.items():
                headers.setdefault(name, value)
            if self._guarded:
                headers.setdefault("Cache-Control", "no-store")
        await self._send(message)
