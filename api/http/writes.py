"""What all writes have in common: the key, the version named, and the answer of an append."""

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Annotated, Final, TypeAlias
from uuid import UUID

from fastapi import Header, Request
from fastapi.responses import Response

from api.answers import json_bytes
from api.application import Caller, Command, Intent, Recorded
from api.errors import MalformedRequestError, VersionMismatchError
from api.http.body import body_hash
from api.http.guard import identity_of
from api.http.problems import problem, request_id_of
from api.http.schemas import KEY_PATTERN, MAX_KEY
from api.http.services import Services
from api.http.tracing import correlation_of
from domain.events.base import type_name
from domain.replay import Event

_ANY: Final = "[*]"
_ONE_TAG: Final = '(W/)?"[!#-~]*"'
_TAG: Final = re.compile(r'(W/)?"([!#-~]*)"')
_VERSION: Final = re.compile(r"0|[1-9][0-9]{0,8}")

IdempotencyKey: TypeAlias = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=MAX_KEY,
        pattern=KEY_PATTERN,
        description="Your name for this request. Sent again with the same body it gives the "
        "first answer again; with another body it is refused.",
    ),
]
IfMatch: TypeAlias = Annotated[
    str | None,
    Header(
        alias="If-Match",
        max_length=64,
        description='The version that the deal must be at, such as `"7"`.',
        json_schema_extra={"pattern": rf"^({_ANY}|{_ONE_TAG}( *, *{_ONE_TAG})*)$"},
    ),
]


def caller_of(request: Request) -> Caller:
    """Give who writes: whose credential it is, and never what the body says."""
    signed_in = "authorization" not in request.headers
    return Caller(identity=identity_of(request), channel="ui" if signed_in else "api")


def command(
    request: Request,
    intents: tuple[Intent, ...],
    *,
    key: str,
    body: bytes,
    if_match: tuple[int, ...] | None = None,
) -> Command:
    """Give the command that a request is."""
    return Command(
        caller=caller_of(request),
        intents=intents,
        idempotency_key=key,
        body_hash=body_hash(request.method, request.url.path, body),
        correlation_id=correlation_of(request),
        if_match=if_match,
    )


def versions_named(header: str | None) -> tuple[int, ...] | None:
    """Read If-Match; None where any version will do.

    A weak tag, or one that is no version, matches nothing (RFC 9110, section 13.1.1): where there
    is no other, the answer is 0, the version of no deal.

    Raises:
        MalformedRequestError: it is no list of tags in quotes.
    """
    if header is None or header.strip() == "*":
        return None
    tags = [_TAG.fullmatch(one.strip()) for one in header.split(",")]
    if None in tags:
        message = 'If-Match: expected versions in quotes, such as "7"'
        raise MalformedRequestError(message, field="If-Match")
    strong = [tag[2] for tag in tags if tag is not None and not tag[1]]
    return tuple(int(one) for one in strong if _VERSION.fullmatch(one)) or (0,)


def recorded_deal_json(recorded: Recorded) -> dict[str, object]:
    """Give what an append to a deal answers (DESIGN section 6)."""
    return {"deal_id": recorded.stream_id.partition(":")[2], **_recorded_json(recorded)}


def recorded_deal(recorded: Recorded) -> Response:
    """Answer an append to a deal."""
    answer = recorded_deal_json(recorded)
    return _created(recorded, answer, location=f"/v1/deals/{answer['deal_id']}")


def recorded_context(recorded: Recorded, *, location: str) -> Response:
    """Answer an append to a stream of the context."""
    answer = {"stream_id": recorded.stream_id, **_recorded_json(recorded)}
    return _created(recorded, answer, location=location)


def recorded_process(
    recorded: Recorded, warnings: Sequence[Mapping[str, object]], *, location: str
) -> Response:
    """Answer the publication of a process with what it should do without."""
    told = {"stream_id": recorded.stream_id, **_recorded_json(recorded)}
    return _created(recorded, {**told, "warnings": warnings}, location=location)


async def moved_on(
    request: Request, services: Services, deal_id: UUID, versions: tuple[int, ...] | None
) -> Response:
    """Answer a version that is gone with the current one and the events in between."""
    events = await services.store.load(f"deal:{deal_id}")
    seen = max(versions or (0,))
    between = [event for event in events if seen and event.version > seen]
    current = len(events)
    return problem(
        HTTPStatus.PRECONDITION_FAILED,
        VersionMismatchError.code,
        f"the deal is at version {current}; `events` are those since the one you named",
        request_id=request_id_of(request),
        field="If-Match",
        headers={"ETag": f'"{current}"'},
        more={
            "current_version": current,
            "events": [{**_event_json(e), "occurred_at": e.occurred_at} for e in between],
        },
    )


def _created(recorded: Recorded, answer: dict[str, object], *, location: str) -> Response:
    headers = {
        "ETag": f'"{recorded.version}"',
        "X-Position": str(recorded.position),
        "Location": location,
    }
    if recorded.replayed:
        headers["Idempotent-Replayed"] = "true"
    return Response(
        json_bytes(answer), HTTPStatus.CREATED, headers=headers, media_type="application/json"
    )


def _recorded_json(recorded: Recorded) -> dict[str, object]:
    return {
        "version": recorded.version,
        "position": recorded.position,
        "events": [_event_json(event) for event in recorded.events],
    }


def _event_json(event: Event) -> dict[str, object]:
    return {
        "event_id": str(event.event_id),
        "type": type_name(type(event.data)),
        "version": event.version,
        "position": event.position,
        "recorded_at": event.recorded_at,
    }
