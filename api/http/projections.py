"""The route that says where the projections stand."""

from datetime import datetime
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel

from api.answers import json_bytes
from api.http import contract
from api.http.guard import GuardedRoute, does
from api.http.services import services_of
from api.identity.permissions import Action
from api.projection_states import ProjectionState, ProjectionStates

router: Final = APIRouter(tags=["health"], route_class=GuardedRoute)


class ParkedDeal(BaseModel):
    """A deal that a projection holds before `position`, because of the event there."""

    deal_id: str
    position: int
    reason: str


class RebuildState(BaseModel):
    """How far a rebuild beside the live rows has got."""

    phase: str
    done: int
    total: int
    started_at: datetime
    eta_seconds: float | None


class ProjectionAnswer(BaseModel):
    """One projection; its lag counts from the head of the log, whether or not a worker lives."""

    name: str
    position: int
    lag_positions: int
    lag_seconds: float
    parked: list[ParkedDeal]
    rebuilding: RebuildState | None


class UnreadableAnswer(BaseModel):
    """A topic or a stream of the context that this version cannot read, from a position on."""

    what: str
    position: int


class ProjectionsAnswer(BaseModel):
    """All projections at this moment."""

    head: int
    lag_seconds: float
    projections: list[ProjectionAnswer]
    unreadable: list[UnreadableAnswer]


@router.get(
    "/v1/projections",
    response_model=ProjectionsAnswer,
    responses=contract.only(400, 401, 403, 503),
)
@does(Action.SEE_OPERATIONS)
def get_projections(request: Request) -> Response:
    """Say where each projection stands, which deals are parked, and how far rebuilds are.

    It speaks of this moment, and so has no `as_of`.
    """
    services = services_of(request)
    answer = states_json(services.states.states(services.now()))
    return Response(json_bytes(answer), media_type="application/json")


def states_json(states: ProjectionStates) -> dict[str, object]:
    """Give the states as the API and the command line answer them."""
    return {
        "head": states.head,
        "lag_seconds": states.lag_seconds,
        "projections": [_state_json(one) for one in states.projections],
        "unreadable": [{"what": what, "position": at} for what, at in states.unreadable],
    }


def _state_json(state: ProjectionState) -> dict[str, object]:
    rebuilding = state.rebuilding
    return {
        "name": state.name,
        "position": state.position,
        "lag_positions": state.lag_positions,
        "lag_seconds": state.lag_seconds,
        "parked": [
            {"deal_id": str(one.deal_id), "position": one.position, "reason": one.reason}
            for one in state.parked
        ],
        "rebuilding": rebuilding
        and {
            "phase": rebuilding.phase,
            "done": rebuilding.done,
            "total": rebuilding.total,
            "started_at": rebuilding.started_at,
            "eta_seconds": rebuilding.eta_seconds,
        },
    }
