"""The routes of deals: open, append, and every question about one of them."""

from collections.abc import Callable
from typing import Annotated, Final, TypeAlias
from uuid import UUID

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from api.application import Intent
from api.deal_seen import DealSeen
from api.errors import UnknownDealError, VersionMismatchError
from api.http import contract, schemas
from api.http import schemas_process as process_shapes
from api.http import schemas_replay as replay_shapes
from api.http.body import read_object
from api.http.guard import GuardedRoute, does, reach_of
from api.http.intents import BODIES, OpenDeal, UndoEvent, read_intents, read_opening, read_undoing
from api.http.moments import (
    Asked,
    AskedInContext,
    AskedMoment,
    AskedUnderPolicy,
    moment_of_log,
    moment_of_views,
    policy_asked,
    position_of_today,
)
from api.http.reply import reply
from api.http.schemas_commitments import CommitmentsAnswer, ReviewAnswer
from api.http.schemas_history import HistoryAnswer
from api.http.schemas_pressure import PressureAnswer
from api.http.services import Services, services_of
from api.http.writes import (
    IdempotencyKey,
    IfMatch,
    command,
    moved_on,
    recorded_deal,
    versions_named,
)
from api.identity.permissions import Action
from api.identity.redaction import without_gaps, without_verdicts
from api.restatement import restated

router: Final = APIRouter(tags=["deals"], route_class=GuardedRoute)
Answer: TypeAlias = dict[str, object]
Question: TypeAlias = Callable[[DealSeen], Answer]
DealId: TypeAlias = Annotated[str, Path(description="The id of a deal.", max_length=200)]


def deal_named(text: str) -> UUID:
    """Read a deal's id; what is no id names no deal.

    Raises:
        UnknownDealError: it is none in its one spelling.
    """
    try:
        deal_id = UUID(text)
    except ValueError:
        deal_id = None
    if deal_id is None or str(deal_id) != text.lower():
        message = f"there is no deal {text}"
        raise UnknownDealError(message)
    return deal_id


@router.post(
    "/v1/deals",
    status_code=201,
    response_model=schemas.RecordedDeal,
    responses=contract.writes(),
    openapi_extra=contract.body(BODIES["deal"], OpenDeal),
)
@does(Action.APPEND_DEALS)
async def open_deal(request: Request, key: IdempotencyKey) -> Response:
    """Open a deal: its events, the first a `deal_opened`, or the fields of that one alone."""
    services = services_of(request)
    body, content = await read_object(request)
    intents = read_opening(body, content)
    recorded = await services.application.open_deal(command(request, intents, key=key, body=body))
    return recorded_deal(recorded)


@router.post(
    "/v1/deals/{deal_id}/events",
    status_code=201,
    response_model=schemas.RecordedDeal,
    responses=contract.writes(404, 412),
    openapi_extra=contract.body(BODIES["deal"]),
)
@does(Action.APPEND_DEALS)
async def append_to_deal(
    request: Request, deal_id: DealId, key: IdempotencyKey, if_match: IfMatch = None
) -> Response:
    """Record events of a deal, all of them or none; `If-Match` names the version you saw."""
    body, content = await read_object(request)
    intents = read_intents("deal", body, content)
    return await _appended(request, deal_id, intents, key=key, body=body, if_match=if_match)


@router.post(
    "/v1/deals/{deal_id}/events/{event_id}/undo",
    status_code=201,
    response_model=schemas.RecordedDeal,
    responses=contract.writes(404, 412),
    openapi_extra=contract.body(UndoEvent),
)
@does(Action.APPEND_DEALS)
async def undo_event(
    request: Request, deal_id: DealId, event_id: UUID, key: IdempotencyKey, if_match: IfMatch = None
) -> Response:
    """Undo an event of a deal by an `event_retracted`: figures read as if it had not been told.

    Both stay visible. What a later event rests on is undone after that one, and a correction is
    undone like any other event.
    """
    body, _ = await read_object(request)
    intents = (read_undoing(body, event_id),)
    return await _appended(request, deal_id, intents, key=key, body=body, if_match=if_match)


async def _appended(
    request: Request,
    deal_id: str,
    intents: tuple[Intent, ...],
    *,
    key: str,
    body: bytes,
    if_match: str | None,
) -> Response:
    services = services_of(request)
    named = deal_named(deal_id)
    versions = versions_named(if_match)
    asked_for = command(request, intents, key=key, body=body, if_match=versions)
    try:
        recorded = await services.application.append_to_deal(named, asked_for)
    except VersionMismatchError:
        return await moved_on(request, services, named, versions)
    return recorded_deal(recorded)


@router.get(
    "/v1/deals/{deal_id}",
    response_model=schemas.DealAnswer,
    responses=contract.reads(404),
)
@does(Action.READ_DEALS)
def get_deal(request: Request, deal_id: DealId, asked: AskedMoment) -> Response:
    """Give the state of a deal; the ETag is the version to name in `If-Match`."""
    seen = _seen(request, deal_id, asked, judged=False)
    answer = services_of(request).questions.deal(seen)
    return reply(request, answer, seen.moment, version=seen.version)


@router.get(
    "/v1/deals/{deal_id}/events",
    response_model=schemas.DealEventsAnswer,
    responses=contract.reads(404),
)
@does(Action.READ_DEALS)
def get_events(request: Request, deal_id: DealId, asked: AskedMoment) -> Response:
    """Give the raw events of a deal, in the order of versions."""
    seen = _seen(request, deal_id, asked, judged=False)
    return reply(request, services_of(request).questions.events(seen), seen.moment)


@router.get(
    "/v1/deals/{deal_id}/progress",
    response_model=schemas.ProgressAnswer,
    responses=contract.reads(404),
)
@does(Action.READ_DEALS)
def get_progress(request: Request, deal_id: DealId, asked: AskedInContext) -> Response:
    """Give what was ticked and what was shown: checkbox-only beside evidenced progress."""
    services = services_of(request)
    seen = _seen(request, deal_id, asked, judged=False)
    answer = _in_context(services, asked, seen, services.questions.progress)
    return reply(request, answer, seen.moment)


@router.get(
    "/v1/deals/{deal_id}/commitments",
    response_model=CommitmentsAnswer,
    responses=contract.reads(404),
)
@does(Action.READ_DEALS)
def get_commitments(request: Request, deal_id: DealId, asked: AskedInContext) -> Response:
    """Give what the customer committed to, what we promised, and who does the work."""
    services = services_of(request)
    seen = _seen(request, deal_id, asked, judged=False)
    answer = _in_context(services, asked, seen, services.questions.commitments)
    return reply(request, answer, seen.moment)


@router.get(
    "/v1/deals/{deal_id}/review",
    response_model=ReviewAnswer,
    responses=contract.reads(404),
)
@does(Action.READ_DEALS)
def get_review(request: Request, deal_id: DealId, asked: AskedInContext) -> Response:
    """Give the review sheet: six questions, blank ones first, decided gates and health flags."""
    services = services_of(request)
    seen = _seen(request, deal_id, asked, judged=True)
    answer = _in_context(services, asked, seen, services.questions.review)
    return reply(request, answer, seen.moment)


@router.get(
    "/v1/deals/{deal_id}/conformance",
    response_model=process_shapes.ConformanceAnswer,
    responses=contract.reads(404),
)
@does(Action.READ_DEALS)
def get_conformance(request: Request, deal_id: DealId, asked: AskedInContext) -> Response:
    """Give how a deal followed its process, and each place where it did not."""
    services = services_of(request)
    seen = _seen(request, deal_id, asked, judged=False)
    answer = _in_context(services, asked, seen, services.questions.conformance)
    return reply(request, answer, seen.moment)


@router.get(
    "/v1/deals/{deal_id}/history",
    response_model=HistoryAnswer,
    responses=contract.reads(404),
)
@does(Action.READ_DEALS)
def get_history(request: Request, deal_id: DealId, asked: AskedInContext) -> Response:
    """Give the timeline in words, with both clocks, corrections and verdicts."""
    services = services_of(request)
    seen = _seen(request, deal_id, asked, judged=True)
    question = _for_reader(request, seen, services.questions.history, without_verdicts)
    return reply(request, _in_context(services, asked, seen, question), seen.moment)


@router.get(
    "/v1/deals/{deal_id}/pressure",
    response_model=PressureAnswer,
    responses=contract.reads(404),
)
@does(Action.READ_PRESSURE)
def get_pressure(request: Request, deal_id: DealId, asked: AskedUnderPolicy) -> Response:
    """Give which events are consistent with quota pressure, and the facts behind each verdict."""
    services = services_of(request)
    reach, named = reach_of(request), deal_named(deal_id)
    services.access.ensure_deal(reach, named)
    services.access.ensure_pressure(reach, named)
    policy = policy_asked(services, asked)
    seen = _seen(request, deal_id, asked, judged=True)
    if policy is None:
        answer = _in_context(services, asked, seen, services.questions.pressure)
    else:
        answer = services.what_ifs.deal(seen, policy)
    return reply(request, answer, seen.moment)


@router.get(
    "/v1/deals/{deal_id}/movement",
    response_model=replay_shapes.MovementAnswer,
    responses=contract.reads(404),
)
@does(Action.READ_DEALS)
def get_movement(request: Request, deal_id: DealId, asked: AskedInContext) -> Response:
    """Give the visits to stages in order, and how the close date moved and why."""
    services = services_of(request)
    seen = _seen(request, deal_id, asked, judged=True)
    question = _for_reader(request, seen, services.questions.movement, without_gaps)
    return reply(request, _in_context(services, asked, seen, question), seen.moment)


def _for_reader(
    request: Request, seen: DealSeen, question: Question, without: Callable[[Answer], Answer]
) -> Question:
    """Leave out of an answer the pressure on somebody who is not the reader's."""
    if services_of(request).access.pressure_shown(reach_of(request), [seen.deal_id]):
        return question
    return lambda asked: without(question(asked))


def _in_context(services: Services, asked: Asked, seen: DealSeen, question: Question) -> Answer:
    """Answer a question, and again in today's context where that is asked for."""
    answer = question(seen)
    if not asked.restate:
        return answer
    position = position_of_today(services)
    return restated(
        answer, question(services.questions.restated(seen, position)), position=position
    )


def _seen(request: Request, deal_id: str, asked: AskedMoment, *, judged: bool) -> DealSeen:
    """Read a deal; verdicts compare it with others, which the views know."""
    services = services_of(request)
    named = deal_named(deal_id)
    services.access.ensure_deal(reach_of(request), named)
    if judged:
        moment = moment_of_views(services, asked, stream=f"deal:{named}")
    else:
        moment = moment_of_log(services, asked)
    return services.questions.seen(named, moment)
