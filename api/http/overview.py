"""The routes of the first page: what changed and what is hollow, and a rep's working day."""

from datetime import datetime, timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from api.errors import MalformedRequestError
from api.http import contract
from api.http import schemas_overview as shapes
from api.http.guard import GuardedRoute, does, identity_of, reach_of
from api.http.moments import INSTANT_PATTERN, AskedMoment, instant_named, moment_of_views
from api.http.reply import reply
from api.http.services import services_of
from api.identity.permissions import Action
from api.moment import Moment

router: Final = APIRouter(tags=["overview"], route_class=GuardedRoute)
A_DAY: Final = timedelta(days=1)


@router.get("/v1/overview", response_model=shapes.OverviewAnswer, responses=contract.reads())
@does(Action.READ_DEALS)
def get_overview(
    request: Request,
    asked: AskedMoment,
    since: Annotated[
        str | None,
        Query(
            max_length=64,
            description="What was recorded after this instant. Default: a day before.",
            json_schema_extra={"pattern": f"^{INSTANT_PATTERN}$"},
        ),
    ] = None,
) -> Response:
    """Give what changed since an instant, and where the progress of open deals is hollow."""
    services = services_of(request)
    moment = moment_of_views(services, asked)
    answer = services.overviews.overview(moment, since_of(since, moment), reach_of(request))
    return reply(request, answer, moment)


@router.get("/v1/today", response_model=shapes.TodayAnswer, responses=contract.reads(404))
@does(Action.READ_DEALS)
def get_today(
    request: Request,
    asked: AskedMoment,
    rep: Annotated[
        str | None,
        Query(min_length=1, max_length=200, description="Whose deals. Default: those of who asks."),
    ] = None,
) -> Response:
    """Give what the open deals of a rep wait for, without any figure of a quota."""
    services = services_of(request)
    moment = moment_of_views(services, asked)
    whose = rep or identity_of(request).actor
    return reply(request, services.overviews.today(moment, whose, reach_of(request)), moment)


def since_of(text: str | None, moment: Moment) -> datetime:
    """Read where the changes begin.

    Raises:
        MalformedRequestError: it is no instant, or comes after the moment.
    """
    if text is None:
        return moment.effective_at - A_DAY
    since = instant_named("since", text)
    if since > moment.effective_at:
        raise MalformedRequestError("since: it comes after the moment", field="since")
    return since
