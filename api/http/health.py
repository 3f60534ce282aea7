"""The routes that say whether the server lives, and whether it can answer."""

from http import HTTPStatus
from typing import Final, Literal

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel

from api.answers import json_bytes
from api.http import contract
from api.http.guard import GuardedRoute, does
from api.http.services import services_of
from api.identity.permissions import Action
from api.storage.errors import LogUnavailableError
from api.storage.powers import powers

router: Final = APIRouter(tags=["health"], route_class=GuardedRoute)


class Alive(BaseModel):
    """The process answers; nothing is said of the database."""

    status: str


class Ready(BaseModel):
    """Whether the log can be read, and how far behind it the views are.

    `lag` counts positions, `lag_seconds` how long the first of them has been waiting, and
    `parked` the deals that some projection holds back. `privileges` is `separate` where this
    server can append to the log and read it and nothing else, `shared` where one login may do all.
    """

    ready: bool
    head: int | None = None
    views: int | None = None
    lag: int | None = None
    lag_seconds: float | None = None
    parked: int | None = None
    privileges: Literal["separate", "shared"] | None = None


@router.get("/healthz", response_model=Alive)
@does(Action.ANSWER_ANYBODY)
async def healthz() -> dict[str, str]:
    """Say that the process answers, without asking the database."""
    return {"status": "ok"}


@router.get(
    "/readyz", response_model=Ready, responses={503: {"model": Ready}, **contract.only(400, 401)}
)
@does(Action.SEE_READINESS)
def readyz(request: Request) -> Response:
    """Say whether the log can be read, and how far the views are behind it."""
    services = services_of(request)
    try:
        states = services.states.states(services.now())
        shared = bool(powers(services.store))
    except LogUnavailableError:
        answer, status = Ready(ready=False), HTTPStatus.SERVICE_UNAVAILABLE
    else:
        views = min(one.position for one in states.projections)
        answer = Ready(
            ready=True,
            head=states.head,
            views=views,
            lag=max(0, states.head - views),
            lag_seconds=states.lag_seconds,
            parked=len({one.deal_id for state in states.projections for one in state.parked}),
            privileges="shared" if shared else "separate",
        )
        status = HTTPStatus.OK
    return Response(
        json_bytes(answer.model_dump()), status_code=status, media_type="application/json"
    )
