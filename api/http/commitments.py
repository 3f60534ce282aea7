"""The route that lists what both sides said they will do, across deals."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from api.http import contract
from api.http import schemas_commitments as shapes
from api.http.guard import GuardedRoute, does, reach_of
from api.http.lists import Day, Text, day_of, fixed_by, settled_by
from api.http.moments import AskedMoment, moment_of_views
from api.http.reply import link_with, reply
from api.http.services import services_of
from api.identity.permissions import Action
from api.lists import MAX_LIMIT, Cursor
from api.lists_commitments import WAITING, CommitmentFilters
from api.parameters import NUMERAL, pattern_of_some, some_of
from domain.commitments import Side

router: Final = APIRouter(tags=["deals"], route_class=GuardedRoute)


def filters(
    side: Annotated[
        Side | None, Query(description="Who said it: the customer, or the seller who promised.")
    ] = None,
    status: Annotated[
        str | None,
        Query(
            min_length=1,
            description="open, renegotiated (open by another day) or broken (past its day and "
            "grace); several with commas between.",
            json_schema_extra={"pattern": pattern_of_some(WAITING)},
        ),
    ] = None,
    owner: Text = None,
    team: Text = None,
    due_from: Day = None,
    due_to: Day = None,
) -> CommitmentFilters:
    """Take the filters of the list."""
    return CommitmentFilters(
        side=side,
        status=some_of("status", status, WAITING),
        owner=owner,
        team=team,
        due_from=day_of("due_from", due_from),
        due_to=day_of("due_to", due_to),
    )


@router.get("/v1/commitments", response_model=shapes.CommitmentList, responses=contract.reads())
@does(Action.READ_DEALS)
def list_commitments(
    request: Request,
    asked: AskedMoment,
    wanted: Annotated[CommitmentFilters, Depends(filters)],
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT), NUMERAL] = 50,
    cursor: Annotated[
        str | None, Query(min_length=1, max_length=2000, description="Where the page before ended.")
    ] = None,
) -> Response:
    """List what of open deals nobody has settled, by both sides, what is due first first.

    All pages stand on the moment of the first.
    """
    services, reach = services_of(request), reach_of(request)
    after = Cursor.read(cursor) if cursor else None
    moment = settled_by(moment_of_views(services, fixed_by(asked, after)), after)
    page = services.commitments.page(moment, wanted, limit=limit, cursor=after, reach=reach)
    answer = {
        **moment.answer(),
        "total": page.total,
        "counts": page.counts,
        "commitments": page.rows,
        "next": page.next,
    }
    link = link_with(request, cursor=page.next) if page.next else None
    return reply(request, answer, moment, next_link=link)
