"""What an error is called over HTTP: one table of statuses, and the RFC 9457 answer."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from api import errors as application
from api.answers import json_bytes
from api.http.addresses import methods_of
from api.http.fields import field_errors
from api.http.notes import notes_of
from api.query.errors import QueryError
from api.storage import errors as storage
from domain import errors as domain

MEDIA_TYPE: Final = "application/problem+json"
RETRY_SECONDS: Final = 1
"""When a client should ask again after a 503: the views and the log are seldom away for long."""

STATUSES: Final[Mapping[type[Exception], int]] = {
    domain.DealExistsError: 409,
    domain.DealNotOpenedError: 409,
    domain.DealClosedError: 409,
    domain.DealNotClosedError: 409,
    domain.DealDeletedError: 409,
    domain.UnknownStageError: 409,
    domain.UnknownActivityError: 409,
    domain.UnknownOutcomeError: 409,
    domain.UnknownReferenceError: 409,
    domain.AlreadySoError: 409,
    domain.ContradictionError: 409,
    domain.StillNeededError: 409,
    domain.PayloadRefusedError: 422,
    domain.OccurredInFutureError: 409,
    domain.UnknownProcessError: 409,
    domain.ProcessRefusedError: 409,
    domain.QuotaRefusedError: 409,
    domain.OrganisationRefusedError: 409,
    domain.CalendarRefusedError: 409,
    domain.PolicyRefusedError: 409,
    domain.MisplacedEventError: 409,
    application.UnknownDealError: 404,
    application.UnknownThingError: 404,
    application.NotPermittedError: 403,
    application.MalformedRequestError: 422,
    application.KeyReusedError: 422,
    application.BeyondTheLogError: 422,
    application.VersionMismatchError: 412,
    application.TooManyWaitingError: 503,
    application.ViewsBehindError: 503,
    application.ContendedError: 409,
    storage.LogUnavailableError: 503,
    storage.AppendRefusedError: 409,
}
"""Every error that a client can cause or has to live with; any other is a 500."""

_STORAGE_CODES: Final[Mapping[type[Exception], str]] = {
    storage.ClockRefusedError: "clock_refused",
    storage.LogUnavailableError: "log_unavailable",
    storage.AppendRefusedError: "append_refused",
}
_STORAGE_DETAILS: Final[Mapping[str, str]] = {
    "clock_refused": "a clock jumped, so nothing is recorded until the clocks agree again",
    "log_unavailable": "the log cannot be reached; send the request again, a write with its key",
    "append_refused": "the log refuses these events; nothing of the request is recorded",
}
"""Said in place of the database's own words, which may name what is nobody's business."""


class RequestRefusedError(Exception):
    """The request is refused before any use case sees it."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        field: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.field = field
        self.headers = dict(headers or {})


class Problem(Response):
    """A refusal as it is answered; its code is noted for who counts and logs."""

    media_type = MEDIA_TYPE

    def __init__(self, code: str, content: bytes, status: int, headers: dict[str, str]) -> None:
        super().__init__(content, status, headers=headers)
        self._code = code

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer."""
        notes_of(scope).refusal = self._code
        await super().__call__(scope, receive, send)


def problem(
    status: int,
    code: str,
    detail: str,
    *,
    request_id: str,
    field: str | None = None,
    errors: Sequence[Mapping[str, str]] = (),
    headers: Mapping[str, str] | None = None,
    more: Mapping[str, object] | None = None,
) -> Response:
    """Give a problem as an answer."""
    body = {
        "type": f"urn:dealtrail:problem:{code}",
        "title": code.replace("_", " ").capitalize(),
        "status": status,
        "detail": printable(detail),
        "code": code,
        "field": None if field is None else printable(field),
        "errors": [{name: printable(text) for name, text in one.items()} for one in errors],
        "request_id": request_id,
        **(more or {}),
    }
    retry = {"Retry-After": str(RETRY_SECONDS)} if status == HTTPStatus.SERVICE_UNAVAILABLE else {}
    return Problem(code, json_bytes(body), status, {**retry, **(headers or {})})


def printable(text: str) -> str:
    """Replace what no JSON can carry: a message may quote a lone surrogate of the request."""
    return text.encode("utf-8", "replace").decode()


def problem_of(error: Exception, *, request_id: str) -> Response | None:
    """Give the problem that an error is, None for one that only a bug can cause."""
    if isinstance(error, RequestRefusedError):
        return problem(
            error.status,
            error.code,
            error.detail,
            request_id=request_id,
            field=error.field,
            errors=[{"field": error.field, "detail": error.detail}] if error.field else (),
            headers=error.headers,
        )
    known = next((kind for kind in type(error).__mro__ if kind in STATUSES), None)
    if known is None:
        return None
    status = STATUSES[known]
    if isinstance(error, storage.StorageError):
        code = next(_STORAGE_CODES[k] for k in type(error).__mro__ if k in _STORAGE_CODES)
        return problem(status, code, _STORAGE_DETAILS[code], request_id=request_id)
    return _named(error, status, request_id)


def _named(error: Exception, status: int, request_id: str) -> Response | None:
    if not isinstance(error, domain.DomainError | application.ApplicationError):
        return None
    errors: Sequence[Mapping[str, str]] = ()
    if isinstance(error, application.MalformedRequestError):
        errors = error.errors
    if not errors and error.field:
        errors = [{"field": error.field, "detail": error.detail}]
    more: dict[str, object] = {}
    headers: dict[str, str] = {}
    if isinstance(error, QueryError):
        more |= {"column": error.column, "expected": error.expected, "meant": error.meant}
    if isinstance(error, application.VersionMismatchError):
        more["current_version"] = error.current_version
        headers["ETag"] = f'"{error.current_version}"'
    return problem(
        status,
        error.code,
        error.detail,
        request_id=request_id,
        field=error.field or (errors[0]["field"] if errors else None),
        errors=errors,
        headers=headers,
        more=more,
    )


def request_id_of(request: Request) -> str:
    """Give the id by which the client and the server's log name a request."""
    return str(request.scope.get("request_id", ""))


async def on_expected(request: Request, error: Exception) -> Response:
    """Answer an error of the table."""
    answer = problem_of(error, request_id=request_id_of(request))
    if answer is None:
        raise error
    return answer


async def on_http(request: Request, error: Exception) -> Response:
    """Answer what the framework refuses: no such path, no such method."""
    if not isinstance(error, HTTPException):
        raise error
    phrase = HTTPStatus(error.status_code).phrase
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(methods_of(request.app.routes, request.scope))
    return problem(
        error.status_code,
        phrase.lower().replace(" ", "_").replace("-", "_"),
        f"{request.method} {request.url.path}: {phrase.lower()}",
        request_id=request_id_of(request),
        headers=headers,
    )


async def on_invalid(request: Request, error: Exception) -> Response:
    """Answer a parameter or header that has the wrong form."""
    if not isinstance(error, RequestValidationError):
        raise error
    errors = field_errors(error.errors(), skip=1)
    keyless = any(
        fault["type"] == "missing" and str(fault["loc"][-1]).lower() == "idempotency-key"
        for fault in error.errors()
    )
    return problem(
        HTTPStatus.BAD_REQUEST if keyless else HTTPStatus.UNPROCESSABLE_ENTITY,
        "idempotency_key_missing" if keyless else application.MalformedRequestError.code,
        "; ".join(f"{one['field']}: {one['detail']}" for one in errors),
        request_id=request_id_of(request),
        field=errors[0]["field"],
        errors=errors,
    )


def install(app: FastAPI) -> None:
    """Make the application answer every expected error as a problem."""
    for kind in (
        domain.DomainError,
        application.ApplicationError,
        storage.StorageError,
        RequestRefusedError,
    ):
        app.add_exception_handler(kind, on_expected)
    app.add_exception_handler(HTTPException, on_http)
    app.add_exception_handler(RequestValidationError, on_invalid)
