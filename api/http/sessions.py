"""The routes by which members see and end their browser sessions."""

from dataclasses import asdict
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Final, TypeAlias

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from api.answers import json_bytes
from api.http import contract
from api.http.guard import GuardedRoute, does, identity_of, reach_of
from api.http.services import services_of
from api.identity.cookies import cookie_of
from api.identity.permissions import Action

router: Final = APIRouter(tags=["sessions"], route_class=GuardedRoute)
SessionId: TypeAlias = Annotated[str, Path(pattern="^[0-9a-f]{16}$")]
_REFUSALS: Final = (400, 401, 403, 503)


class SessionAnswer(BaseModel):
    """A browser session that is open."""

    id: str = Field(description="Its name here; it opens nothing.")
    key: str | None = Field(
        description="The key that opened it; null for the server's token, and for the issuer."
    )
    opened_at: datetime
    seen_at: datetime = Field(description="When it was last used, to the minute.")
    ends_at: datetime = Field(description="When it ends at the latest.")
    current: bool = Field(description="Whether it is the one that asks.")


class SessionList(BaseModel):
    """Your open sessions, the oldest first."""

    sessions: list[SessionAnswer]


@router.get("/v1/sessions", response_model=SessionList, responses=contract.only(*_REFUSALS))
@does(Action.READ_OWN_SESSIONS)
def list_sessions(request: Request) -> Response:
    """List the browser sessions of whoever asks."""
    reach_of(request)
    cookie = None if "authorization" in request.headers else cookie_of(request.headers)
    found = services_of(request).sessions.of(identity_of(request), cookie=cookie)
    answer = {"sessions": [asdict(session) for session in found]}
    return Response(json_bytes(answer), media_type="application/json")


@router.delete(
    "/v1/sessions/{session_id}",
    status_code=204,
    response_class=Response,
    responses=contract.only(*_REFUSALS, 404, 422),
)
@does(Action.END_OWN_SESSIONS)
def end_session(request: Request, session_id: SessionId) -> Response:
    """End one of your own sessions from the next request on; also the one that asks."""
    reach_of(request)
    services_of(request).sessions.end(identity_of(request), session_id)
    return Response(status_code=HTTPStatus.NO_CONTENT)
