"""The routes of the log itself: its pages, in several formats, and its stream."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Annotated, Final, TypeAlias

from fastapi import APIRouter, Header, Path, Query, Request
from fastapi.responses import Response, StreamingResponse

from api.answers import event_json, json_bytes, logged_json
from api.errors import BeyondTheLogError, MalformedRequestError, NotPermittedError
from api.exchange.exporting import EXPORTS
from api.http import contract, schemas, schemas_log
from api.http.formats import FORMATS, NAMES
from api.http.guard import GuardedRoute, does, identity_of, note_access, reach_of
from api.http.log_query import JudgedAt, Paged, Position, Wanted
from api.http.moments import (
    Asked,
    AskedMoment,
    instant_named,
    moment_of_log,
    moment_of_views,
)
from api.http.problems import RequestRefusedError
from api.http.reply import link_with, reply
from api.http.services import Services, services_of
from api.http.shield import authenticated
from api.http.slots import SlottedStream
from api.identity.accesses import Exported
from api.identity.permissions import Action, ensure_may
from api.identity.reach import Reach
from api.moment import Moment
from api.parameters import NUMERAL, pattern_of_some, some_of
from api.query.counting import DIMENSIONS, counts_views
from api.query.question import LogQuestion, needs_views
from api.query.tree import render
from api.storage.errors import LogUnavailableError
from domain.events.base import type_name
from domain.replay import Event

router: Final = APIRouter(tags=["log"], route_class=GuardedRoute)
HEARTBEAT_SECONDS: Final = 15.0
_IDLE_SECONDS: Final = 5.0
"""How often a stream that has nothing to tell looks whether its credential is good still."""
_UNWANTED: Final = re.compile(r"q=0(\.0{0,3})?")
_JSON: Final = ("*/*", "application/*", "application/json")
# Not described as a parameter: OpenAPI says it by the types of the answer.
Accept: TypeAlias = Annotated[str, Header(max_length=500, include_in_schema=False)]

LastEventId: TypeAlias = Annotated[
    str | None,
    Header(
        alias="Last-Event-ID",
        max_length=20,
        description="The id of the last event that you have.",
        json_schema_extra={"pattern": "^[0-9]+$"},
    ),
]


@router.get(
    "/v1/events",
    response_model=schemas_log.LogPage,
    responses=contract.reads(404, 406, formats=FORMATS),
)
@does(Action.READ_LOG)
def list_events(
    request: Request,
    wanted: Wanted,
    paged: Paged,
    asked: AskedMoment,
    upto: Position = None,
    judged_at: JudgedAt = None,
    accept: Accept = "application/json",
) -> Response:
    """Give a page of the events that a query holds for, in the order of either clock.

    `as_of` (or `upto`, a position) fixes the end of the range, by default at the head; the next
    page keeps it, and of a query about verdicts the instant that they are told for (`judged_at`),
    so that all pages answer one question while others append and time passes. With `effective_at`
    it holds only what had occurred by then. `after` and `before` name events by position: those
    that come after one and before another in the order. A page of a query about verdicts or rules
    may be short, or empty, though it has a next one.
    """
    services, reach = services_of(request), reach_of(request)
    media_type = _offered(request, accept)
    moment = range_end(services, reach, asked, upto=upto, views=needs_views(wanted))
    if judged_at is not None:
        moment = replace(moment, effective_at=instant_named("judged_at", judged_at))
    question = LogQuestion(query=wanted, moment=moment, sort=paged.sort, reach=reach)
    page = services.log.page(question, limit=paged.limit, bounds=paged.bounds)
    link = _next_page(request, question, page.last)
    if media_type != "application/json":
        since, count = paged.bounds.after or 0, len(page.events)
        given = Exported(NAMES[media_type], after=since, upto=moment.position, events=count)
        body = b"".join(services.exports.shown([page.events], question, given.format))
        return _exported(request, body, given, link)
    correctors = services.log.correctors(page.events, question)
    answer = {
        "upto": moment.position,
        "query": render(wanted),
        "events": [logged_json(event, correctors) for event in page.events],
        "next": link,
    }
    return reply(request, answer, moment, next_link=link)


def _exported(request: Request, body: bytes, given: Exported, link: str | None) -> Response:
    """Give a page in another format than JSON, which is kept as what was taken out."""
    note_access(request, "export", given)
    headers = {"X-Position": str(given.upto)} | ({"Link": f'<{link}>; rel="next"'} if link else {})
    return Response(body, headers=headers, media_type=EXPORTS[given.format].media_type)


@router.get(
    "/v1/events/counts", response_model=schemas_log.LogCounts, responses=contract.reads(404)
)
@does(Action.READ_LOG)
def count_events(
    request: Request,
    wanted: Wanted,
    asked: AskedMoment,
    by: Annotated[
        str | None,
        Query(
            min_length=1,
            max_length=200,
            description=f"One of {', '.join(DIMENSIONS)}; several with commas between.",
            json_schema_extra={"pattern": pattern_of_some(DIMENSIONS)},
        ),
    ] = None,
) -> Response:
    """Count the events that a query holds for, together and in groups, the largest first."""
    services, reach = services_of(request), reach_of(request)
    groups = some_of("by", by, DIMENSIONS)
    views = needs_views(wanted) or counts_views(groups)
    moment = range_end(services, reach, asked, upto=None, views=views)
    question = LogQuestion(query=wanted, moment=moment, reach=reach)
    counts = services.log.counts(question, groups)
    return reply(request, counts.answer(question, groups), moment)


def range_end(
    services: Services, reach: Reach, asked: Asked, *, upto: int | None, views: bool
) -> Moment:
    """Resolve the moment that ends the range of a question about the log; not on the loop.

    Raises:
        MalformedRequestError: its end is given twice.
    """
    if upto is not None and asked.as_of is not None:
        raise MalformedRequestError("upto: it says the same as as_of; give one", field="upto")
    if upto:
        asked = replace(asked, as_of=f"position:{upto}")
    # Whose a deal is the views tell: an answer that went past them would miss new deals for good.
    resolve = moment_of_views if views or not reach.whole else moment_of_log
    return resolve(services, asked)


def _next_page(request: Request, question: LogQuestion, last: int | None) -> str | None:
    if last is None:
        return None
    cursor = {"before" if question.backwards else "after": last}
    at = question.moment.effective_at.isoformat() if question.judged else None
    return link_with(request, upto=question.moment.position, as_of=None, judged_at=at, **cursor)


def _offered(request: Request, accept: str) -> str:
    """Give the format to answer in; all but JSON is an export."""
    media_type = _acceptable(accept)
    if media_type != "application/json":
        ensure_may(identity_of(request), Action.EXPORT)
    return media_type


def _acceptable(accept: str) -> str:
    for part in accept.lower().split(","):
        named, _, weight = part.replace(" ", "").partition(";")
        if _UNWANTED.fullmatch(weight):
            continue
        if named in {*_JSON, ""}:
            return "application/json"
        if named in FORMATS:
            return named
    detail = f"offered here: application/json, {', '.join(FORMATS)}"
    raise RequestRefusedError(406, "not_acceptable", detail)


@router.get(
    "/v1/events/{position}/verdicts",
    response_model=schemas_log.RederivedAnswer,
    responses=contract.reads(404),
)
@does(Action.READ_EFFECTS)
def get_rederived(
    request: Request, position: Annotated[int, Path(ge=1, le=2**62), NUMERAL], asked: AskedMoment
) -> Response:
    """Give which verdicts an event re-derived, why, and which read otherwise since.

    Of a late event these are its own deal, the later events of the reps whose bookings or quota it
    changed, and the events that are held against what it changed; no other verdict can differ.
    """
    services = services_of(request)
    moment = moment_of_views(services, asked)
    return reply(request, services.rederivations.of_event(moment, position), moment)


@router.get(
    "/v1/events/stream",
    response_class=StreamingResponse,
    responses=contract.follows(schemas.Event),
)
@does(Action.READ_LOG)
async def stream_events(
    request: Request,
    after: Position = None,
    last_event_id: LastEventId = None,
) -> Response:
    """Follow the log: each event under its position as id, from `Last-Event-ID` or `after` on.

    Without either the stream begins at the head.
    """
    services = services_of(request)
    field, start = _start(last_event_id, after)
    head = (await asyncio.to_thread(services.store.head)).position
    if start is not None and start > head:
        message = f"{field}: position {start} lies beyond the head of the log, {head}"
        raise BeyondTheLogError(message, field=field)
    await asyncio.to_thread(reach_of, request)  # refused here, and not in the midst of a stream
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return SlottedStream(
        services.streams.take(),
        _followed(services, request, head if start is None else start),
        media_type="text/event-stream",
        headers=headers,
    )


def _start(last_event_id: str | None, after: int | None) -> tuple[str, int | None]:
    """Give where a stream goes on, and which part of the request says so."""
    if last_event_id is None:
        return "after", after
    if not (last_event_id.isascii() and last_event_id.isdigit()):
        message = "Last-Event-ID: expected a position of the log"
        raise MalformedRequestError(message, field="Last-Event-ID")
    return "Last-Event-ID", int(last_event_id)


async def _followed(services: Services, request: Request, position: int) -> AsyncIterator[bytes]:
    """Follow the log until the server stops, or the credential is not good any more.

    While the log is away the stream ends too, and its client comes back for the rest. A client
    that reads slowly holds up this loop, so that no more than one batch waits for it.
    """
    loop = asyncio.get_running_loop()
    said = loop.time()
    yield b"retry: 1000\n\n"
    while not services.stopping.is_set():
        batch = await _batch(services, request, position)
        if batch is None:
            return
        last, shown = batch
        for event in shown:
            yield _message(event)
        if shown:
            said = loop.time()
        elif loop.time() - said >= HEARTBEAT_SECONDS:
            yield b": still here\n\n"
            said = loop.time()
        if last == position and not await _grown(services, position):
            return
        position = last


async def _batch(
    services: Services, request: Request, after: int
) -> tuple[int, list[Event]] | None:
    """Give how far the log was read, and what of it the reader may see at this moment.

    None once the reader may see nothing any more: the credential has ended, the organisation has
    them in another role, or the log is away.
    """
    try:
        if await authenticated(services.authenticator, request.headers) is None:
            return None
        events = await services.store.tail.after(after)
        if not events:
            return after, []
        return events[-1].position, await asyncio.to_thread(_shown, services, request, events)
    except (NotPermittedError, LogUnavailableError):
        return None


async def _grown(services: Services, position: int) -> bool:
    """Wait a while until the log has gone beyond a position; False if the log is away."""
    loop = asyncio.get_running_loop()
    until = loop.time() + min(_IDLE_SECONDS, HEARTBEAT_SECONDS)
    try:
        while not services.stopping.is_set() and loop.time() < until:
            if await services.store.tail.head() > position:
                break
    except LogUnavailableError:
        return False
    return True


def _shown(services: Services, request: Request, events: list[Event]) -> list[Event]:
    return services.access.shown(reach_of(request), events)


def _message(event: Event) -> bytes:
    name = type_name(type(event.data)).encode()
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (
        event.position,
        name,
        json_bytes(event_json(event)),
    )
