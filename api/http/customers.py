"""The routes of customers: who came back, and who reached what they wanted."""

from typing import Annotated, Final, TypeAlias

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response

from api.customers import MAX_CUSTOMERS
from api.http import contract
from api.http import schemas_customers as shapes
from api.http.guard import GuardedRoute, does, reach_of
from api.http.moments import AskedMoment, moment_of_views
from api.http.reply import link_with, reply
from api.http.services import services_of
from api.identity.permissions import Action
from api.parameters import NUMERAL

router: Final = APIRouter(tags=["customers"], route_class=GuardedRoute)
Account: TypeAlias = Annotated[str, Path(min_length=1, max_length=200)]


@router.get("/v1/customers", response_model=shapes.CustomerList, responses=contract.reads())
@does(Action.READ_DEALS)
def list_customers(
    request: Request,
    asked: AskedMoment,
    cursor: Annotated[
        str | None,
        Query(min_length=1, max_length=200, description="The account that a page ended with."),
    ] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_CUSTOMERS), NUMERAL] = 200,
) -> Response:
    """List customers, with how many won again with us and how many of their goals were reached.

    The rates are of all customers; only the list comes in pages.
    """
    services = services_of(request)
    moment = moment_of_views(services, asked)
    told = services.customers.customers(moment, after=cursor, limit=limit, reach=reach_of(request))
    link = None
    if told["next"]:
        place = f"position:{moment.position}"
        link = link_with(request, as_of=asked.as_of or place, cursor=told["next"])
    return reply(request, told, moment, next_link=link)


@router.get(
    "/v1/customers/{account}",
    response_model=shapes.CustomerAnswer,
    responses=contract.reads(404),
)
@does(Action.READ_DEALS)
def get_customer(request: Request, account: Account, asked: AskedMoment) -> Response:
    """Give a customer with its deals and its goals, each with the events that say so."""
    services = services_of(request)
    moment = moment_of_views(services, asked)
    told = services.customers.customer(moment, account, reach_of(request))
    return reply(request, told, moment)
