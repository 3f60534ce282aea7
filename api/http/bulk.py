"""The route that takes many independent appends as lines, and gives a verdict for each."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator
from http import HTTPStatus
from itertools import islice
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response, StreamingResponse

from api.answers import json_bytes
from api.application import Command, Recorded
from api.errors import MalformedRequestError
from api.http import contract
from api.http.body import (
    JsonObject,
    body_hash,
    decoded_object,
    ensure_type,
    read_bytes,
    too_large,
)
from api.http.deals import deal_named
from api.http.guard import GuardedRoute, does
from api.http.intents import read_intents
from api.http.problems import RequestRefusedError, problem_of, request_id_of
from api.http.schemas import KEY_PATTERN, MAX_KEY, BulkLine
from api.http.services import services_of
from api.http.slots import SlottedStream
from api.http.tracing import correlation_of
from api.http.writes import caller_of, recorded_deal_json
from api.identity.permissions import Action
from api.storage.errors import LogUnavailableError

router: Final = APIRouter(tags=["deals"], route_class=GuardedRoute)
MEDIA_TYPE: Final = "application/x-ndjson"
MAX_BYTES: Final = 32 << 20
"""Bytes of all lines together: read before the first verdict, so that none waits for another."""
MAX_LINES: Final = 100_000
MAX_LINE: Final = 1 << 20
AT_ONCE: Final = 64
"""Lines decided together, so that they share commits; lines of one deal keep their order."""
_OF_THE_LINE: Final = ("idempotency_key", "deal_id", "if_match")
_KEY: Final = re.compile(KEY_PATTERN)
_LINE: Final = re.compile(rb"\S[^\n]*")


@router.post(
    "/v1/events:bulk",
    response_class=StreamingResponse,
    responses=contract.verdicts(MEDIA_TYPE),
    openapi_extra=contract.lines(BulkLine, media_type=MEDIA_TYPE),
)
@does(Action.APPEND_DEALS)
async def append_in_bulk(request: Request) -> Response:
    """Append each line on its own, in the order given, and answer it with a line of its own.

    Sent again, what was recorded is answered as before and the rest goes on.
    """
    ensure_type(request.headers.get("content-type", ""), MEDIA_TYPE)
    slot = services_of(request).bulks.take()
    try:
        body = await _read(request)
    except BaseException:
        slot.release()
        raise
    return SlottedStream(slot, _Bulk(request).verdicts(body), media_type=MEDIA_TYPE)


async def _read(request: Request) -> bytes:
    body = await read_bytes(request, most=MAX_BYTES)
    if body.count(b"\n") > MAX_LINES:
        detail = f"at most {MAX_LINES} lines are read; send the rest in another request"
        raise RequestRefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large", detail)
    return body


def _lines(body: bytes) -> Iterator[tuple[int, bytes]]:
    """Give the lines that say something, with their numbers, one by one."""
    number, seen = 1, 0
    for found in _LINE.finditer(body):
        number += body.count(b"\n", seen, found.start())
        seen = found.start()
        yield number, found[0]


class _Bulk:
    """One bulk request: once the log is away, or the server stops, no further line is tried."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._services = services_of(request)
        self._away = False

    async def verdicts(self, body: bytes) -> AsyncIterator[bytes]:
        """Give the verdicts, in the order of the lines."""
        lines = _lines(body)
        while batch := list(islice(lines, AT_ONCE)):
            self._away = self._away or self._services.stopping.is_set()
            for verdict in await self._decided(batch):
                yield verdict

    async def _decided(self, lines: list[tuple[int, bytes]]) -> list[bytes]:
        """Decide lines together; those of one deal one after the other."""
        chains: dict[object, list[_Line]] = {}
        read = [_Line(number, text) for number, text in lines]
        for line in read:
            chains.setdefault(line.deal_id or line.number, []).append(line)
        verdicts: dict[int, bytes] = {}

        async def follow(chain: list[_Line]) -> None:
            for line in chain:
                verdicts[line.number] = await self._verdict(line)

        await asyncio.gather(*(follow(chain) for chain in chains.values()))
        return [verdicts[line.number] for line in read]

    async def _verdict(self, line: "_Line") -> bytes:
        try:
            recorded = await self._append(line)
        except Exception as error:
            self._away = self._away or isinstance(error, LogUnavailableError)
            refused = problem_of(error, request_id=request_id_of(self._request))
            if refused is None:
                raise
            answer = {**json.loads(bytes(refused.body)), "status": refused.status_code}
        else:
            answer = {
                "status": int(HTTPStatus.CREATED),
                "replayed": recorded.replayed,
                **recorded_deal_json(recorded),
            }
        told = {"line": line.number, "idempotency_key": line.key}
        return json_bytes({**told, **answer}) + b"\n"

    async def _append(self, line: "_Line") -> Recorded:
        if self._away:
            raise LogUnavailableError("an earlier line found the log away")
        command = line.command(self._request)
        application = self._services.application
        if line.deal_id is None:
            return await application.open_deal(command)
        return await application.append_to_deal(deal_named(line.deal_id), command)


class _Line:
    """A line as it was read; what is wrong with it is said when it comes to be decided."""

    def __init__(self, number: int, text: bytes) -> None:
        self.number = number
        self._text = text
        self._content: JsonObject = {}
        self._fault: Exception | None = None
        try:
            if len(text) > MAX_LINE:
                raise too_large(MAX_LINE)
            self._content = decoded_object(text)
        except (MalformedRequestError, RequestRefusedError) as error:
            self._fault = error
        given = (self._content.pop(name, None) for name in _OF_THE_LINE)
        self.key, self._deal_id, self._if_match = given

    @property
    def deal_id(self) -> str | None:
        """The deal that the line names, None where it names none, or not with a text."""
        return self._deal_id if isinstance(self._deal_id, str) else None

    def command(self, request: Request) -> Command:
        """Give the command that the line is.

        Raises:
            MalformedRequestError: a field of it is wrong.
            RequestRefusedError: it is too long, or no JSON.
        """
        if self._fault is not None:
            raise self._fault
        key, if_match = self._checked()
        told: JsonObject = (
            self._content if "events" in self._content else {"events": [self._content]}
        )
        body = json.dumps(told, ensure_ascii=False).encode()
        return Command(
            caller=caller_of(request),
            intents=read_intents("deal", body, told),
            idempotency_key=key,
            body_hash=body_hash(request.method, request.url.path, self._text),
            correlation_id=correlation_of(request),
            if_match=None if if_match is None else (if_match,),
        )

    def _checked(self) -> tuple[str, int | None]:
        key, if_match = self.key, self._if_match
        if not isinstance(key, str) or len(key) > MAX_KEY or not _KEY.fullmatch(key):
            message = f"idempotency_key: expected 1 to {MAX_KEY} printable ASCII characters"
            raise MalformedRequestError(message, field="idempotency_key")
        if if_match is not None and (isinstance(if_match, bool) or not isinstance(if_match, int)):
            message = "if_match: expected the version of the deal, a whole number"
            raise MalformedRequestError(message, field="if_match")
        if self._deal_id is not None and self.deal_id is None:
            raise MalformedRequestError("deal_id: expected the id of a deal", field="deal_id")
        return key, if_match
