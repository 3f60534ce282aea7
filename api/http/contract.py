"""Writes the OpenAPI description: every route with its bodies, answers, headers and problems."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final, TypeAlias

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from api.http import problems
from api.http.intents import BODIES, OpenDeal, UndoEvent
from api.http.schemas import BulkLine, Problem
from api.http.schemas_keys import CreateKey, RotateKey
from api.http.schemas_what_if import PolicyDraft
from api.identity.cookies import COOKIE

Responses: TypeAlias = dict[int | str, dict[str, Any]]

_MEANINGS: Final[Mapping[int, str]] = {
    400: "The request cannot be read: not JSON, no Idempotency-Key, or a foreign host.",
    401: "The credential is missing, or not good, or not any more.",
    403: "Your role, or the scopes of your key, do not allow this; or it comes from another site.",
    404: "There is no such thing, or none that you may see.",
    406: "None of the formats that you accept is offered here.",
    408: "The request, or its body, comes in too slowly.",
    409: "The model refuses: what is asked cannot be, and `detail` says why.",
    412: "Somebody was first: the deal is not at the version of `If-Match`.",
    413: "The body is larger than this route reads.",
    414: "The address is too long.",
    415: "The body is not of the content type that this route reads, or it is compressed.",
    417: "`Expect` says something else than `100-continue`.",
    422: "The request is malformed; `errors` names each field and what is wrong with it.",
    429: "This credential has asked too often; ask again after `Retry-After` seconds.",
    431: "The headers are too long, or too many.",
    503: "The log or the projections cannot answer in time; ask again after `Retry-After` seconds.",
}
_READ: Final = (400, 401, 403, 422, 503)
_WRITE: Final = (400, 401, 403, 409, 413, 415, 422, 503)
_ANYWHERE: Final = (400, 414, 417, 431)
"""What any address may answer: refused before its route is reached."""
_WITH_BODY: Final = (408, 413, 415)
_UNLIMITED: Final = ("/healthz",)
"""Addresses that need no credential and count for no rate limit."""
_SECONDS: Final = {
    "Retry-After": {"description": "Seconds.", "schema": {"type": "integer", "minimum": 1}}
}
_STANDING: Final = {
    "RateLimit-Policy": {
        "description": "The quota `q` of the credential in `w` seconds.",
        "schema": {"type": "string"},
    },
    "RateLimit": {
        "description": "The `r` requests that are left, and the `t` seconds until all are again.",
        "schema": {"type": "string"},
    },
}
_POSITION: Final = {
    "X-Position": {
        "description": "The position of the log that the answer stands on.",
        "schema": {"type": "integer"},
    }
}
_ETAG: Final = {"ETag": {"description": "Names this state.", "schema": {"type": "string"}}}
_BODY_MODELS: Final[tuple[type[BaseModel], ...]] = (
    *BODIES.values(),
    OpenDeal,
    BulkLine,
    PolicyDraft,
    UndoEvent,
    CreateKey,
    RotateKey,
)
_REF: Final = "#/components/schemas/{model}"


def reads(*more: int, formats: Mapping[str, Any] | None = None) -> Responses:
    """Describe the answers of a GET beside its model: not modified, and the problems."""
    described: Responses = {
        200: {"description": "The answer.", "headers": {**_POSITION, **_ETAG}},
        304: {"description": "You have this answer: it is the one that `If-None-Match` names."},
        **_problems(*_READ, *more),
    }
    if formats:
        described[200]["content"] = dict(formats)
    return described


def answers(*more: int) -> Responses:
    """Describe the answers of a question that is asked with a body, and records nothing."""
    return {
        200: {"description": "The answer.", "headers": {**_POSITION}},
        **_problems(*_READ, 413, 415, *more),
    }


def verdicts(media_type: str) -> Responses:
    """Describe an answer that goes on line by line, as the lines of its request are recorded."""
    return {
        200: {
            "description": "The answer, line by line.",
            "content": {media_type: {"schema": {"type": "string"}}},
        },
        **_problems(400, 401, 403, 415, 422, 503),
    }


def follows(model: type[BaseModel]) -> Responses:
    """Describe server-sent events, whose data is a model as JSON, under their position as id.

    `itemSchema` is what OpenAPI 3.2 calls it; to 3.1 the whole stream is one text.
    """
    item = {
        "type": "object",
        "required": ["id", "event", "data"],
        "properties": {
            "id": {"type": "string", "pattern": "^[1-9][0-9]*$"},
            "event": {"type": "string", "minLength": 1},
            "data": {
                "type": "string",
                "contentMediaType": "application/json",
                "contentSchema": {"$ref": _REF.format(model=model.__name__)},
            },
        },
    }
    return {
        200: {
            "description": "The events, each as soon as it is in the log; it never ends.",
            "content": {"text/event-stream": {"itemSchema": item}},
        },
        **_problems(*_READ),
    }


def exports(formats: Mapping[str, Any]) -> Responses:
    """Describe a file that is written as it is read."""
    attachment = {"description": "The name of the file.", "schema": {"type": "string"}}
    return {
        200: {
            "description": "The file, as long as it takes.",
            "content": dict(formats),
            "headers": {**_POSITION, "Content-Disposition": attachment},
        },
        **_problems(*_READ, 404),
    }


def writes(*more: int) -> Responses:
    """Describe the answers of an append beside its model."""
    return {
        201: {
            "description": "Recorded, or recorded before under the same key.",
            "headers": {
                **_POSITION,
                **_ETAG,
                "Location": {
                    "description": "Where to read what was written.",
                    "schema": {"type": "string"},
                },
                "Idempotent-Replayed": {
                    "description": "`true` where this answers a repeated request.",
                    "schema": {"type": "string"},
                },
            },
        },
        **_problems(*_WRITE, *more),
    }


def only(*statuses: int) -> Responses:
    """Describe nothing but these problems."""
    return _problems(*statuses)


def body(*models: type[BaseModel], media_type: str = "application/json") -> dict[str, Any]:
    """Describe the body of a request that the route reads itself."""
    refs = [{"$ref": _REF.format(model=model.__name__)} for model in models]
    schema = refs[0] if len(refs) == 1 else {"anyOf": refs}
    return {"requestBody": {"required": True, "content": {media_type: {"schema": schema}}}}


def file(media_type: str) -> dict[str, Any]:
    """Describe a body that is a file, of whatever bytes."""
    schema = {"type": "string", "format": "binary"}
    return {"requestBody": {"required": True, "content": {media_type: {"schema": schema}}}}


def lines(model: type[BaseModel], *, media_type: str) -> dict[str, Any]:
    """Describe a body of lines, each of which is one object.

    `itemSchema` is what OpenAPI 3.2 calls it; a reader of 3.1 takes the body for a text.
    """
    item = {"$ref": _REF.format(model=model.__name__)}
    content = {media_type: {"schema": {"type": "string"}, "itemSchema": item}}
    return {"requestBody": {"required": True, "content": content}}


def describe(app: FastAPI) -> None:
    """Make the application answer `/openapi.json` with the whole contract."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _described(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # the documented way to extend it


def _problems(*statuses: int) -> Responses:
    reference = {"$ref": _REF.format(model=Problem.__name__)}
    described: Responses = {}
    for status in sorted(set(statuses)):
        described[status] = {
            "description": _MEANINGS[status],
            "content": {problems.MEDIA_TYPE: {"schema": reference}},
        }
        if status == HTTPStatus.SERVICE_UNAVAILABLE:
            described[status]["headers"] = _SECONDS
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            described[status]["headers"] = {**_SECONDS, **_STANDING}
    return described


def _described(app: FastAPI) -> dict[str, Any]:
    schema = get_openapi(
        title=app.title,
        version=app.version,
        summary=app.summary,
        description=app.description,
        routes=app.routes,
        tags=app.openapi_tags,
    )
    components = schema.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    _, told = models_json_schema(
        [(model, "validation") for model in _BODY_MODELS], ref_template=_REF
    )
    _, answered = models_json_schema([(Problem, "serialization")], ref_template=_REF)
    schemas.update(answered["$defs"], **_apart(told["$defs"], schemas))
    components["securitySchemes"] = {
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "description": "An API key (`dtk_...`), a token of the configured issuer, or the token "
            "of this server.",
        },
        "session": {"type": "apiKey", "in": "cookie", "name": COOKIE},
    }
    schema["security"] = [{"bearer": []}, {"session": []}]
    for path in _UNLIMITED:
        schema["paths"][path]["get"]["security"] = []
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            _add_everywhere(path, method, operation)
            for parameter in operation.get("parameters", ()):
                parameter["schema"] = _said(parameter["schema"])
    return schema


def _said(schema: dict[str, Any]) -> dict[str, Any]:
    """Leave out null, since no parameter says it: `owner=null` names an owner called null."""
    said = [one for one in schema.get("anyOf", ()) if one != {"type": "null"}]
    if len(said) != 1:
        return schema
    return {**said[0], **{name: value for name, value in schema.items() if name != "anyOf"}}


def _apart(told: dict[str, Any], others: Mapping[str, Any]) -> dict[str, Any]:
    """Name what clients send apart from what they are answered under the same name."""
    names = {name for name, one in told.items() if others.get(name, one) != one}

    def renamed(value: Any) -> Any:
        if isinstance(value, list):
            return [renamed(one) for one in value]
        if not isinstance(value, dict):
            return value
        return {
            key: _REF.format(model=f"{one.rpartition('/')[2]}Told")
            if key == "$ref" and one.rpartition("/")[2] in names
            else renamed(one)
            for key, one in value.items()
        }

    return {f"{name}Told" if name in names else name: renamed(one) for name, one in told.items()}


def _add_everywhere(path: str, method: str, operation: dict[str, Any]) -> None:
    """Add the problems that come from before the routes."""
    limited = () if path in _UNLIMITED else (HTTPStatus.TOO_MANY_REQUESTS,)
    bodies = _WITH_BODY if method == "post" else ()
    for status, described in _problems(*_ANYWHERE, *limited, *bodies).items():
        operation["responses"].setdefault(str(int(status)), described)
