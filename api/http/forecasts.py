"""The routes of forecasts: what a quarter will bring, and what people call for it."""

from typing import Annotated, Final, TypeAlias
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from api.forecasts import MAX_DEALS, called, calls_of
from api.http import contract, schemas
from api.http import schemas_forecast as shapes
from api.http.context import record
from api.http.guard import GuardedRoute, does, reach_of
from api.http.intents import BODIES
from api.http.moments import AskedInContext, AskedMoment, moment_of_log, moment_of_views
from api.http.quarters import ClockOf, QuarterName, Reader, ScopeOf, in_context
from api.http.reply import link_with, reply
from api.http.services import services_of
from api.http.writes import IdempotencyKey
from api.identity.permissions import Action
from api.parameters import NUMERAL
from domain.known import Known

router: Final = APIRouter(tags=["forecasts"], route_class=GuardedRoute)
Text: TypeAlias = Annotated[str | None, Query(min_length=1, max_length=200)]


@router.get(
    "/v1/quarters/{quarter}/forecast",
    response_model=shapes.ForecastAnswer,
    responses=contract.reads(404),
)
@does(Action.READ_FIGURES)
def get_forecast(
    request: Request,
    quarter: QuarterName,
    asked: AskedInContext,
    whose: ScopeOf,
    clock: ClockOf = None,
    cursor: Annotated[
        UUID | None, Query(description="The deal that the page before ended with.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_DEALS), NUMERAL] = MAX_DEALS,
) -> Response:
    """Give what the open deals will probably bring by the end of a quarter.

    Sums are of all deals in scope; only the list of deals comes in pages.
    """
    services, reader = services_of(request), Reader(request)
    scope = reader.scope(whose)
    moment = moment_of_views(services, asked)

    def answer(known: Known) -> dict[str, object]:
        replay = services.replays.replay(quarter, moment, clock, known=known)
        return services.forecasts.forecast(replay, scope, after=cursor, limit=limit)

    told = in_context(services, asked, moment, reader.within(answer))
    link = None
    if told["next"]:
        place = f"position:{moment.position}"
        link = link_with(request, as_of=asked.as_of or place, cursor=told["next"])
    return reply(request, told, moment, next_link=link)


@router.post(
    "/v1/forecasts",
    status_code=201,
    response_model=schemas.RecordedContext,
    responses=contract.writes(),
    openapi_extra=contract.body(BODIES["forecast"]),
)
@does(Action.CALL_FORECAST)
async def call_forecast(request: Request, key: IdempotencyKey) -> Response:
    """Record what a rep or a team calls for the quarter that the first event names."""
    return await record(request, "forecast", None, key, None)


@router.get("/v1/forecasts", response_model=shapes.CallList, responses=contract.reads())
@does(Action.READ_FIGURES)
def list_calls(
    request: Request,
    asked: AskedMoment,
    rep: Text = None,
    team: Text = None,
    quarter: Annotated[str | None, Query(pattern="^FY[0-9]{4}Q[1-4]$")] = None,
) -> Response:
    """List what was called, in the order in which it was."""
    services, reach = services_of(request), reach_of(request)
    moment = moment_of_log(services, asked)
    known = services.context.known(moment.position)
    calls = [
        {"quarter": call[1].quarter, **called(call)}
        for call in calls_of(known, rep=rep, team=team, quarter=quarter)
        if (moment.cut is None or call[0].occurred_at <= moment.cut)
        and reach.has_figures_of(call[1].rep, call[1].team)
    ]
    return reply(request, {**moment.answer(), "calls": calls}, moment)
