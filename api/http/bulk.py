"""The route that takes many independent appends as lines, and gives a verdict for each."""

import asyncio
import json
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Header, Request
from fastapi.responses import Response, StreamingResponse

from api.answers import json_bytes
from api.application import Command, Recorded
from api.errors import MalformedRequestError
from api.http import contract
from api.http.body import JsonObject, body_hash, decoded_object, read_bytes, too_large, unsupported
from api.http.deals import deal_named
from api.http.guard import GuardedRoute, does
from api.http.intents import read_intents
from api.http.problems import problem_of, request_id_of
from api.http.schemas import BulkLine
from api.http.services import Services, services_of
from api.http.tracing import correlation_of
from api.http.writes import caller_of, recorded_deal_json
from api.identity.permissions import Action

router: Final = APIRouter(tags=["deals"], route_class=GuardedRoute)
MEDIA_TYPE: Final = "application/x-ndjson"
MAX_BYTES: Final = 32 << 20
"""Bytes of all lines together: read before the first verdict, so that none waits for another."""
MAX_LINE: Final = 1 << 20
MAX_KEY: Final = 200
AT_ONCE: Final = 64
"""Lines decided together, so that they share commits; lines of one deal keep their order."""
_OF_THE_LINE: Final = ("idempotency_key", "deal_id", "if_match")


@router.post(
    "/v1/events:bulk",
    response_class=StreamingResponse,
    responses=contract.streams(MEDIA_TYPE, 413, writes=True),
    openapi_extra=contract.body(BulkLine, media_type=MEDIA_TYPE),
)
@does(Action.APPEND_DEALS)
async def append_in_bulk(
    request: Request, content_type: Annotated[str, Header(max_length=200)] = ""
) -> Response:
    """Append each line on its own, in the order given, and answer it with a line of its own.

    Sent again, what was recorded is answered as before and the rest goes on.
    """
    if content_type.partition(";")[0].strip().lower() != MEDIA_TYPE:
        raise unsupported(MEDIA_TYPE)
    body = await read_bytes(request, most=MAX_BYTES)
    return StreamingResponse(_verdicts(request, body), media_type=MEDIA_TYPE)


async def _verdicts(request: Request, body: bytes) -> AsyncIterator[bytes]:
    services = services_of(request)
    lines = [(n, line) for n, line in enumerate(body.split(b"\n"), start=1) if line.strip()]
    for start in range(0, len(lines), AT_ONCE):
        for verdict in await _decided(request, services, lines[start : start + AT_ONCE]):
            yield verdict


async def _decided(
    request: Request, services: Services, lines: list[tuple[int, bytes]]
) -> list[bytes]:
    """Decide lines together; those of one deal one after the other."""
    chains: dict[object, list[int]] = {}
    for index, (number, line) in enumerate(lines):
        chains.setdefault(_deal_of(line) or number, []).append(index)
    verdicts: dict[int, bytes] = {}

    async def follow(indexes: list[int]) -> None:
        for index in indexes:
            number, line = lines[index]
            verdicts[index] = await _verdict(request, services, number, line)

    await asyncio.gather(*(follow(indexes) for indexes in chains.values()))
    return [verdicts[index] for index in sorted(verdicts)]


def _deal_of(line: bytes) -> str | None:
    try:
        content = json.loads(line)
    except ValueError:
        return None
    deal_id = content.get("deal_id") if isinstance(content, dict) else None
    return deal_id if isinstance(deal_id, str) else None


async def _verdict(request: Request, services: Services, number: int, line: bytes) -> bytes:
    key: object = None
    try:
        content = _content(line)
        key = content.get("idempotency_key")
        recorded = await _append(request, services, content, line)
    except Exception as error:
        refused = problem_of(error, request_id=request_id_of(request))
        if refused is None:
            raise
        refusal = json.loads(bytes(refused.body))
        return (
            json_bytes(
                {"line": number, "idempotency_key": key, "status": refused.status_code, **refusal}
            )
            + b"\n"
        )
    answer = {
        "line": number,
        "idempotency_key": key,
        "status": int(HTTPStatus.CREATED),
        "replayed": recorded.replayed,
        **recorded_deal_json(recorded),
    }
    return json_bytes(answer) + b"\n"


def _content(line: bytes) -> JsonObject:
    if len(line) > MAX_LINE:
        raise too_large()
    return decoded_object(line)


async def _append(
    request: Request, services: Services, content: JsonObject, line: bytes
) -> Recorded:
    key, deal_id, if_match = (content.pop(name, None) for name in _OF_THE_LINE)
    if not isinstance(key, str) or not key or not key.isprintable() or len(key) > MAX_KEY:
        message = f"idempotency_key: expected 1 to {MAX_KEY} printable characters"
        raise MalformedRequestError(message, field="idempotency_key")
    if if_match is not None and (isinstance(if_match, bool) or not isinstance(if_match, int)):
        message = "if_match: expected the version of the deal, a whole number"
        raise MalformedRequestError(message, field="if_match")
    events: JsonObject = content if "events" in content else {"events": [content]}
    body = json.dumps(events, ensure_ascii=False).encode()
    command = Command(
        caller=caller_of(request),
        intents=read_intents("deal", body, events),
        idempotency_key=key,
        body_hash=body_hash(request.method, request.url.path, line),
        correlation_id=correlation_of(request),
        if_match=if_match,
    )
    if deal_id is None:
        return await services.application.open_deal(command)
    if not isinstance(deal_id, str):
        message = "deal_id: expected the id of a deal"
        raise MalformedRequestError(message, field="deal_id")
    return await services.application.append_to_deal(deal_named(deal_id), command)
