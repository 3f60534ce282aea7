"""Writes answers: the same bytes for the same question, and 304 for what the client has."""

import hashlib
from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import Response

from api.answers import json_bytes
from api.moment import Moment


def reply(
    request: Request,
    answer: Mapping[str, object],
    moment: Moment,
    *,
    version: int | None = None,
    next_link: str | None = None,
) -> Response:
    """Give the answer to a GET; the ETag is a deal's version, else a hash of the bytes."""
    body = json_bytes(answer)
    etag = f'"{version}"' if version is not None else content_etag(body)
    headers = {"ETag": etag, "X-Position": str(moment.position)}
    if next_link:
        headers["Link"] = f'<{next_link}>; rel="next"'
    if matches(request.headers.get("if-none-match"), etag):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(body, headers=headers, media_type="application/json")


def content_etag(body: bytes) -> str:
    """Give an ETag that changes with the bytes."""
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def matches(header: str | None, etag: str) -> bool:
    """Say whether an If-None-Match header names this ETag."""
    if header is None:
        return False
    named = [one.strip().removeprefix("W/") for one in header.split(",")]
    return "*" in named or etag in named


def link_with(request: Request, **parameters: object) -> str:
    """Give the address of this request with other values of some parameters; None leaves it out."""
    kept = [pair for pair in request.query_params.multi_items() if pair[0] not in parameters]
    given = [(name, value) for name, value in parameters.items() if value is not None]
    return f"{request.url.path}?{urlencode([*kept, *given])}"
