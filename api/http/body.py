"""Reads the body of a write: bounded, strict JSON, with no second meaning."""

import hashlib
import json
import math
from collections.abc import Iterator
from http import HTTPStatus
from typing import Final, NoReturn, TypeAlias

from fastapi import Request

from api.errors import MalformedRequestError
from api.http.fields import field_path
from api.http.problems import RequestRefusedError
from api.unique_names import unique_names

MAX_BODY: Final = 1 << 20
"""Bytes of a body: some thousand events, of which a request may hold five hundred."""
MAX_DEPTH: Final = 32
"""Nesting of a body; the deepest event, a published process, needs ten."""

MAX_VALUES: Final = 100_000
"""Values in a body, those inside others included: two hundred for each event of a request."""
_CHARSETS: Final = frozenset({"", "charset=utf-8", 'charset="utf-8"'})

JsonObject: TypeAlias = dict[str, object]
_Steps: TypeAlias = tuple[str | int, ...]


async def read_object(request: Request) -> tuple[bytes, JsonObject]:
    """Give the body of a request as bytes and as the JSON object they say.

    Raises:
        RequestRefusedError: it is too large, not JSON by its type, or not JSON at all.
        MalformedRequestError: it is JSON that no request has.
    """
    ensure_type(request.headers.get("content-type", ""), "application/json")
    body = await read_bytes(request)
    return body, decoded_object(body)


def ensure_type(given: str, expected: str) -> None:
    """Refuse a body of another type, or in another character set than JSON has.

    Raises:
        RequestRefusedError: it is neither the type alone nor the type with `charset=utf-8`.
    """
    kind, _, parameters = given.lower().partition(";")
    if kind.strip() != expected or parameters.strip() not in _CHARSETS:
        raise unsupported(expected)


def unsupported(expected: str) -> RequestRefusedError:
    """Give the refusal of a body of another type."""
    return RequestRefusedError(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "unsupported_media_type",
        f"send the body as Content-Type: {expected}",
        headers={"Accept-Post": expected},
    )


async def read_bytes(request: Request, *, most: int = MAX_BODY) -> bytes:
    """Give the bytes of a body, refused before they are read where their length is stated."""
    stated = request.headers.get("content-length", "")
    if stated.isascii() and stated.isdigit() and int(stated) > most:
        raise too_large(most)
    body = bytearray()
    async for part in request.stream():
        if len(body) + len(part) > most:
            raise too_large(most)
        body += part
    return bytes(body)


def too_large(most: int = MAX_BODY) -> RequestRefusedError:
    """Give the refusal of a body, or of a line, that is too long."""
    return RequestRefusedError(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "too_large",
        f"at most {most} bytes are read",
    )


def body_hash(method: str, path: str, body: bytes) -> str:
    """Give what tells a repeated request from another one under the same key."""
    return hashlib.sha256(f"{method} {path}\n".encode() + body).hexdigest()


def decoded_object(body: bytes) -> JsonObject:
    """Read a JSON object as strictly as the standard allows."""
    try:
        content = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_unique,
            parse_constant=_no_constant,
            parse_float=_finite,
        )
    except UnicodeDecodeError as error:
        raise _not_json(f"the body is not UTF-8: byte {error.start}") from error
    except json.JSONDecodeError as error:
        raise _not_json(
            f"the body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        ) from error
    except RecursionError as error:
        raise MalformedRequestError(_TOO_DEEP) from error
    except ValueError as error:
        raise MalformedRequestError(f"a number of the body is too long: {error}") from error
    if not isinstance(content, dict):
        raise MalformedRequestError("the body must be a JSON object")
    _check_values(content)
    return content


_TOO_DEEP: Final = f"the body is nested more than {MAX_DEPTH} levels deep"


def _check_values(content: JsonObject) -> None:
    """Refuse depth, and texts that cannot be stored, naming where they stand."""
    pending: list[tuple[_Steps, object]] = [((), content)]
    seen = 0
    while pending:
        steps, value = pending.pop()
        seen += len(value) if isinstance(value, dict | list) else 0
        if seen > MAX_VALUES:
            raise MalformedRequestError(f"the body holds more than {MAX_VALUES} values")
        if len(steps) > MAX_DEPTH:
            raise MalformedRequestError(_TOO_DEEP)
        for name, inner in _inside(value):
            if isinstance(name, str):
                _check_text(name, steps)
            pending.append(((*steps, name), inner))
        if isinstance(value, str):
            _check_text(value, steps)


def _inside(value: object) -> Iterator[tuple[str | int, object]]:
    if isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list):
        yield from enumerate(value)


def _check_text(text: str, steps: _Steps) -> None:
    if "\x00" in text or not _encodable(text):
        place = field_path(steps) or "body"
        detail = f"{place}: a text holds a NUL character or half of a surrogate pair"
        raise MalformedRequestError(detail, field=place)


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _unique(pairs: list[tuple[str, object]]) -> JsonObject:
    return unique_names(pairs, _given_twice)


def _given_twice(name: str) -> MalformedRequestError:
    return MalformedRequestError(f"{name}: given twice in one object", field=name)


def _no_constant(name: str) -> NoReturn:
    raise MalformedRequestError(f"{name} is not JSON; leave the field out or give null")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise MalformedRequestError("a number of the body is too large")
    return number


def _not_json(detail: str) -> RequestRefusedError:
    return RequestRefusedError(HTTPStatus.BAD_REQUEST, "not_json", detail)
