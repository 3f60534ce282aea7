"""The routes of what surrounds the deals: quotas, policy, calendar, people, rates."""

from typing import Annotated, Any, Final, TypeAlias

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response

from api.http import contract, schemas
from api.http import schemas_context as shapes
from api.http.body import read_object
from api.http.context_answers import (
    calendars_json,
    policies_json,
    quarter_at_json,
    rates_json,
    teams_json,
)
from api.http.guard import GuardedRoute, does, reach_of
from api.http.intents import BODIES, read_intents
from api.http.moments import (
    INSTANT_PATTERN,
    AskedMoment,
    instant_named,
    moment_of_log,
    moment_of_views,
)
from api.http.reply import reply
from api.http.services import services_of
from api.http.writes import IdempotencyKey, IfMatch, command, recorded_context, versions_named
from api.identity.permissions import Action
from api.identity.reach import Reach
from api.identity.redaction import without_pressure
from api.lists_figures import QuotaFilters, no_quota
from domain.errors import QuotaRefusedError
from domain.events.base import DomainEvent
from domain.events.context import ForecastCalled, QuotaAssigned
from domain.quota import forecast_stream, quota_stream

router: Final = APIRouter(tags=["context"], route_class=GuardedRoute)
Name: TypeAlias = Annotated[str, Path(min_length=1, max_length=200)]
QuarterName: TypeAlias = Annotated[str, Path(pattern="^FY[0-9]{4}Q[1-4]$")]
Text: TypeAlias = Annotated[str | None, Query(min_length=1, max_length=200)]


async def record(
    request: Request, kind: str, stream_id: str | None, key: str, if_match: str | None
) -> Response:
    """Record events of one stream; that of a quota or a forecast is told by its first event."""
    body, content = await read_object(request)
    intents = read_intents(kind, body, content)
    if stream_id is None:
        stream_id = _stream_named_by(intents[0].data)
    asked_for = command(request, intents, key=key, body=body, if_match=versions_named(if_match))
    recorded = await services_of(request).application.append_to_context(stream_id, asked_for)
    return recorded_context(recorded, location=_LOCATIONS[kind].format(*stream_id.split(":")[1:]))


def _stream_named_by(first: DomainEvent) -> str:
    match first:
        case QuotaAssigned(rep=rep, team=team, quarter=quarter):
            return quota_stream(who=rep or team or "", quarter=quarter)
        case ForecastCalled(rep=rep, team=team, quarter=quarter):
            return forecast_stream(who=rep or team or "", quarter=quarter)
        case _:
            detail = "events[0].type: the first event of a new quota is quota_assigned"
            raise QuotaRefusedError(detail, field="events[0].type")


_LOCATIONS: Final = {
    "forecast": "/v1/quarters/{1}/forecast",
    "quota": "/v1/quotas/{}/{}",
    "policy": "/v1/policies",
    "calendar": "/v1/calendars",
    "organisation": "/v1/teams",
    "rates": "/v1/rates",
}


@router.post(
    "/v1/quotas",
    status_code=201,
    response_model=schemas.RecordedContext,
    responses=contract.writes(),
    openapi_extra=contract.body(BODIES["quota"]),
)
@does(Action.SET_QUOTA)
async def assign_quota(request: Request, key: IdempotencyKey) -> Response:
    """Record events of the quota that the first of them, a `quota_assigned`, names."""
    return await record(request, "quota", None, key, None)


@router.post(
    "/v1/quotas/{who}/{quarter}/events",
    status_code=201,
    response_model=schemas.RecordedContext,
    responses=contract.writes(412),
    openapi_extra=contract.body(BODIES["quota"]),
)
@does(Action.SET_QUOTA)
async def append_to_quota(
    request: Request,
    who: Name,
    quarter: QuarterName,
    key: IdempotencyKey,
    if_match: IfMatch = None,
) -> Response:
    """Assign, revise or withdraw the quota of a rep or a team in a quarter."""
    stream_id = quota_stream(who=who, quarter=quarter)
    return await record(request, "quota", stream_id, key, if_match)


@router.get("/v1/quotas", response_model=shapes.QuotaList, responses=contract.reads())
@does(Action.READ_QUOTAS)
def list_quotas(
    request: Request,
    asked: AskedMoment,
    rep: Text = None,
    team: Text = None,
    quarter: Annotated[str | None, Query(pattern="^FY[0-9]{4}Q[1-4]$")] = None,
) -> Response:
    """List quotas, each with what is booked against it."""
    services = services_of(request)
    moment = moment_of_views(services, asked)
    filters = QuotaFilters(rep=rep, team=team, quarter=quarter)
    reach = reach_of(request)
    quotas = [
        _for_reader(reach, quota)
        for quota in services.figures.quotas(moment, filters)
        if _is_shown(reach, quota)
    ]
    return reply(request, {**moment.answer(), "quotas": quotas}, moment)


@router.get(
    "/v1/quotas/{who}/{quarter}",
    response_model=shapes.QuotaAnswer,
    responses=contract.reads(404),
)
@does(Action.READ_QUOTAS)
def get_quota(request: Request, who: Name, quarter: QuarterName, asked: AskedMoment) -> Response:
    """Give one quota with its history, and where the rep or team stands."""
    services = services_of(request)
    moment = moment_of_views(services, asked)
    quota = services.figures.quota(moment, who=who, quarter=quarter)
    reach = reach_of(request)
    if not _is_shown(reach, quota):
        raise no_quota(who, quarter)
    return reply(request, {**moment.answer(), **_for_reader(reach, quota)}, moment)


def _is_shown(reach: Reach, quota: dict[str, Any]) -> bool:
    return reach.has_figures_of(quota["rep"], quota["team"])


def _for_reader(reach: Reach, quota: dict[str, Any]) -> dict[str, Any]:
    """Leave out the pressure on a person who is not the reader's."""
    if quota["rep"] is None or reach.has_pressure_of([quota["rep"]]):
        return quota
    return without_pressure(quota)


@router.post(
    "/v1/policies",
    status_code=201,
    response_model=schemas.RecordedContext,
    responses=contract.writes(412),
    openapi_extra=contract.body(BODIES["policy"]),
)
@does(Action.PUBLISH_POLICY)
async def publish_policy(
    request: Request, key: IdempotencyKey, if_match: IfMatch = None
) -> Response:
    """Publish the numbers that verdicts are made with, as a new version."""
    return await record(request, "policy", "policy", key, if_match)


@router.get("/v1/policies", response_model=shapes.PolicyAnswer, responses=contract.reads())
@does(Action.READ_CONTEXT)
def get_policies(request: Request, asked: AskedMoment) -> Response:
    """Give the policy in force, and those published so far."""
    services = services_of(request)
    moment = moment_of_log(services, asked)
    known = services.context.known(moment.position)
    return reply(request, {**moment.answer(), **policies_json(known)}, moment)


@router.post(
    "/v1/calendars",
    status_code=201,
    response_model=schemas.RecordedContext,
    responses=contract.writes(412),
    openapi_extra=contract.body(BODIES["calendar"]),
)
@does(Action.ADOPT_CALENDAR)
async def adopt_calendar(
    request: Request, key: IdempotencyKey, if_match: IfMatch = None
) -> Response:
    """Adopt a fiscal calendar from a local day on."""
    return await record(request, "calendar", "calendar", key, if_match)


@router.get("/v1/calendars", response_model=shapes.CalendarAnswer, responses=contract.reads())
@does(Action.READ_CONTEXT)
def get_calendars(request: Request, asked: AskedMoment) -> Response:
    """Give the calendars adopted so far, and the quarters around the moment."""
    services = services_of(request)
    moment = moment_of_log(services, asked)
    known = services.context.known(moment.position)
    return reply(request, {**moment.answer(), **calendars_json(known, moment.effective_at)}, moment)


@router.get(
    "/v1/calendars/quarter",
    response_model=shapes.QuarterOfInstant,
    responses=contract.reads(),
)
@does(Action.READ_CONTEXT)
def get_quarter_of(
    request: Request,
    asked: AskedMoment,
    at: Annotated[
        str,
        Query(
            max_length=64,
            description="An instant with its zone.",
            json_schema_extra={"pattern": f"^{INSTANT_PATTERN}$"},
        ),
    ],
) -> Response:
    """Give the fiscal quarter that an instant lies in."""
    services = services_of(request)
    instant = instant_named("at", at)
    moment = moment_of_log(services, asked)
    known = services.context.known(moment.position)
    return reply(request, {**moment.answer(), **quarter_at_json(known, instant)}, moment)


@router.post(
    "/v1/teams",
    status_code=201,
    response_model=schemas.RecordedContext,
    responses=contract.writes(412),
    openapi_extra=contract.body(BODIES["organisation"]),
)
@does(Action.CHANGE_TEAMS)
async def append_to_teams(
    request: Request, key: IdempotencyKey, if_match: IfMatch = None
) -> Response:
    """Let people join and leave teams."""
    return await record(request, "organisation", "organisation", key, if_match)


@router.get("/v1/teams", response_model=shapes.TeamsAnswer, responses=contract.reads())
@does(Action.READ_CONTEXT)
def get_teams(request: Request, asked: AskedMoment) -> Response:
    """Give the teams at the moment, and everybody's time in teams so far."""
    services = services_of(request)
    moment = moment_of_log(services, asked)
    known = services.context.known(moment.position)
    return reply(request, {**moment.answer(), **teams_json(known, moment.effective_at)}, moment)


@router.post(
    "/v1/rates",
    status_code=201,
    response_model=schemas.RecordedContext,
    responses=contract.writes(412),
    openapi_extra=contract.body(BODIES["rates"]),
)
@does(Action.SET_RATES)
async def set_rates(request: Request, key: IdempotencyKey, if_match: IfMatch = None) -> Response:
    """Set what one unit of a currency counts for in a fiscal year."""
    return await record(request, "rates", "rates", key, if_match)


@router.get("/v1/rates", response_model=shapes.RatesAnswer, responses=contract.reads())
@does(Action.READ_CONTEXT)
def get_rates(request: Request, asked: AskedMoment) -> Response:
    """Give the plan rates in force."""
    services = services_of(request)
    moment = moment_of_log(services, asked)
    known = services.context.known(moment.position)
    return reply(request, {**moment.answer(), "rates": rates_json(known)}, moment)
