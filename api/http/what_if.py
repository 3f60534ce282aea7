"""The route that asks what a draft of a policy would say of a deal or of a quarter."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from api.answers import json_bytes
from api.errors import MalformedRequestError
from api.http import contract
from api.http.body import read_object
from api.http.deals import deal_named
from api.http.guard import GuardedRoute, does, reach_of
from api.http.intents import validated
from api.http.moments import AskedMoment, moment_of_views, position_of_today
from api.http.quarters import Reader
from api.http.schemas_what_if import DraftAnswer, PolicyDraft
from api.http.services import services_of
from api.identity.permissions import Action
from api.what_if import drafted
from projections.quarter.steps import ORGANISATION

router: Final = APIRouter(tags=["context"], route_class=GuardedRoute)


async def draft(request: Request) -> PolicyDraft:
    """Read the body of the question.

    Raises:
        MalformedRequestError: naming each field that is wrong.
    """
    body, _ = await read_object(request)
    return validated(PolicyDraft, body)


@router.post(
    "/v1/policies/what-if",
    response_model=DraftAnswer,
    responses=contract.answers(404, 409),
    openapi_extra=contract.body(PolicyDraft),
)
@does(Action.READ_PRESSURE)
def ask_what_if(
    request: Request, asked: AskedMoment, tried: Annotated[PolicyDraft, Depends(draft)]
) -> Response:
    """Answer about a deal's pressure or a quarter, and what a draft of a policy would change.

    Nothing is recorded, so that no Idempotency-Key is needed. What could not be published is
    refused as it would be then. The draft has the version that it would be published as next.
    """
    services = services_of(request)
    policy = drafted(services.context.known(position_of_today(services)), tried.numbers)
    match tried.deal_id, tried.quarter:
        case str(deal), None:
            named, reach = deal_named(deal), reach_of(request)
            services.access.ensure_deal(reach, named)
            services.access.ensure_pressure(reach, named)
            moment = moment_of_views(services, asked)
            answer = services.what_ifs.deal(services.questions.seen(named, moment), policy)
        case None, str(quarter):
            Reader(request).ensure_whole(ORGANISATION)
            moment = moment_of_views(services, asked)
            known = services.context.known(moment.position)
            answer = services.what_ifs.quarter(moment, quarter, known, None, policy)
        case _:
            message = "quarter: give a quarter or a deal_id, one of the two"
            raise MalformedRequestError(message, field="quarter")
    headers = {"X-Position": str(moment.position)}
    return Response(json_bytes(answer), headers=headers, media_type="application/json")
