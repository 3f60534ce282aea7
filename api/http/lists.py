"""The route that lists deals."""

from dataclasses import replace
from datetime import date
from typing import Annotated, Final, TypeAlias
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from api.errors import MalformedRequestError
from api.http import contract, schemas
from api.http.guard import GuardedRoute, does, reach_of
from api.http.moments import DAY_PATTERN, Asked, AskedMoment, moment_of_views
from api.http.reply import link_with, reply
from api.http.services import Services, services_of
from api.identity.permissions import Action
from api.identity.reach import Reach
from api.lists import CLOSED, MAX_LIMIT, Cursor, DealFilters, Sort
from api.lists_health import RANKS
from api.moment import Moment
from api.parameters import NUMERAL, pattern_of_some, some_of
from domain.values import local_date

router: Final = APIRouter(tags=["deals"], route_class=GuardedRoute)
Text: TypeAlias = Annotated[str | None, Query(min_length=1, max_length=500)]
Day: TypeAlias = Annotated[
    str | None,
    Query(
        description="YYYY-MM-DD",
        max_length=10,
        json_schema_extra={"pattern": f"^{DAY_PATTERN}$"},
    ),
]

ClosedText: TypeAlias = Annotated[
    str | None,
    Query(
        min_length=1,
        description="open, won, lost or disqualified; several with commas between.",
        json_schema_extra={"pattern": pattern_of_some(CLOSED)},
    ),
]
HealthText: TypeAlias = Annotated[
    str | None,
    Query(
        min_length=1,
        description="The colour of open deals: red, amber, or none where no flag holds; several "
        "with commas between. As a list tells it, without the age in the stage.",
        json_schema_extra={"pattern": pattern_of_some(tuple(RANKS))},
    ),
]
ExternalId: TypeAlias = Annotated[
    str | None,
    Query(
        min_length=1,
        max_length=500,
        description="The deal's id in the system that it was imported from; "
        "15-character Salesforce ids are found too.",
    ),
]


def filters(
    owner: Text = None,
    team: Text = None,
    stage: Text = None,
    closed: ClosedText = None,
    account: Text = None,
    external_id: ExternalId = None,
    process: Text = None,
    q: Annotated[
        str | None,
        Query(min_length=1, max_length=200, description="Part of a deal's or account's name."),
    ] = None,
    close_date_from: Day = None,
    close_date_to: Day = None,
    health: HealthText = None,
    deleted: Annotated[
        bool, Query(description="The deals that their source deleted, instead of the others.")
    ] = False,
) -> DealFilters:
    """Take the filters of a list."""
    return DealFilters(
        owner=owner,
        team=team,
        stage=stage,
        closed=some_of("closed", closed, CLOSED),
        account=account,
        external_id=external_id,
        process=process,
        q=q,
        close_date_from=day_of("close_date_from", close_date_from),
        close_date_to=day_of("close_date_to", close_date_to),
        health=some_of("health", health, tuple(RANKS)),
        deleted=deleted,
    )


@router.get("/v1/deals", response_model=schemas.DealList, responses=contract.reads())
@does(Action.READ_DEALS)
def list_deals(
    request: Request,
    asked: AskedMoment,
    wanted: Annotated[DealFilters, Depends(filters)],
    sort: Annotated[Sort, Query(description="A minus sign turns the order round.")] = "name",
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT), NUMERAL] = 50,
    cursor: Annotated[
        str | None, Query(min_length=1, max_length=2000, description="Where the page before ended.")
    ] = None,
) -> Response:
    """List deals as known and as true at a moment, each with its progress and verdicts.

    All pages stand on the moment of the first. An order by health begins with the worst.
    """
    services, reach = services_of(request), reach_of(request)
    after = Cursor.read(cursor) if cursor else None
    moment = settled_by(moment_of_views(services, fixed_by(asked, after)), after)
    page = services.lists.page(
        moment,
        services.context.known(moment.position),
        wanted,
        sort=sort,
        limit=limit,
        cursor=after,
        reach=reach,
    )
    rows = _for_reader(services, reach, page.rows)
    answer = {**moment.answer(), "total": page.total, "deals": rows, "next": page.next}
    link = link_with(request, cursor=page.next) if page.next else None
    return reply(request, answer, moment, next_link=link)


def _for_reader(
    services: Services, reach: Reach, rows: list[dict[str, object]]
) -> list[dict[str, object]]:
    """Leave out the verdicts of deals on which the pressure was not on the reader's people."""
    ids = [UUID(str(row["deal_id"])) for row in rows]
    told = services.access.pressure_shown(reach, ids)
    pairs = zip(rows, ids, strict=True)
    return [row if deal_id in told else {**row, "verdicts": None} for row, deal_id in pairs]


def fixed_by(asked: Asked, after: Cursor | None) -> Asked:
    """Keep the position of the first page, whatever was recorded since."""
    if after is None or asked.as_of is not None:
        return asked
    return Asked(f"position:{after.position}", asked.effective_at, asked.min_position)


def settled_by(moment: Moment, after: Cursor | None) -> Moment:
    """Settle deadlines by the instant of the first page, however long it takes to read on."""
    if after is None or moment.cut is not None:
        return moment
    return replace(moment, effective_at=after.at)


def day_of(name: str, text: str | None) -> date | None:
    """Read a day that a filter names.

    Raises:
        MalformedRequestError: there is no such day.
    """
    if text is None:
        return None
    try:
        return local_date(text)
    except ValueError as error:
        raise MalformedRequestError(f"{name}: {error}", field=name) from error
