"""The routes of API keys, and of what was read and exported."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus
from typing import Annotated, Final, TypeAlias, TypeVar

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ValidationError

from api.answers import json_bytes
from api.http import contract
from api.http import schemas_keys as shapes
from api.http.body import read_object
from api.http.fields import field_errors
from api.http.guard import GuardedRoute, does, identity_of, reach_of
from api.http.intents import malformed
from api.http.services import Services, services_of
from api.identity.accesses import MAX_LISTED
from api.identity.issuing import create_key
from api.identity.keys import NewKey, key_json
from api.identity.permissions import Action
from api.parameters import NUMERAL

router: Final = APIRouter(tags=["keys"], route_class=GuardedRoute)
KeyId: TypeAlias = Annotated[str, Path(pattern="^[a-z0-9]{8}$")]
Body = TypeVar("Body", bound=BaseModel)
_REFUSALS: Final = (400, 401, 403, 422, 503)


async def _read(request: Request, model: type[Body]) -> Body:
    _, content = await read_object(request)
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise malformed(field_errors(error.errors())) from error


@router.post(
    "/v1/keys",
    status_code=201,
    response_model=shapes.KeyMade,
    responses=contract.only(*_REFUSALS, 409, 413, 415),
    openapi_extra=contract.body(shapes.CreateKey),
)
@does(Action.MANAGE_KEYS)
async def make_key(request: Request) -> Response:
    """Make a key; its secret is in this answer and nowhere else, so that no request repeats it."""
    wanted = await _read(request, shapes.CreateKey)
    return await asyncio.to_thread(_make, request, wanted)


def _make(request: Request, wanted: shapes.CreateKey) -> Response:
    services, by = services_of(request), identity_of(request)
    reach_of(request)
    made = create_key(
        services.keys,
        services.access,
        member=wanted.member,
        role=wanted.role,
        scopes=wanted.scopes,
        name=wanted.name,
        lifetime=timedelta(days=wanted.days),
        by=by.actor,
    )
    return _made(made, HTTPStatus.CREATED)


@router.get("/v1/keys", response_model=shapes.KeyList, responses=contract.only(*_REFUSALS))
@does(Action.MANAGE_KEYS)
def list_keys(request: Request) -> Response:
    """List every key there was, without secrets."""
    reach_of(request)
    answer = {"keys": [key_json(key) for key in services_of(request).keys.all()]}
    return _plain(answer)


@router.post(
    "/v1/keys/{key_id}/rotate",
    response_model=shapes.KeyMade,
    responses=contract.only(*_REFUSALS, 404, 413, 415),
    openapi_extra=contract.body(shapes.RotateKey),
)
@does(Action.MANAGE_KEYS)
async def rotate_key(request: Request, key_id: KeyId) -> Response:
    """Give a key another secret; the one before is good for `grace_hours` yet."""
    wanted = await _read(request, shapes.RotateKey)
    return await asyncio.to_thread(_rotate, request, key_id, timedelta(hours=wanted.grace_hours))


def _rotate(request: Request, key_id: str, grace: timedelta) -> Response:
    reach_of(request)
    return _made(services_of(request).keys.rotate(key_id, grace=grace), HTTPStatus.OK)


@router.post(
    "/v1/keys/{key_id}/revoke",
    response_model=shapes.KeyAnswer,
    responses=contract.only(*_REFUSALS, 404),
)
@does(Action.MANAGE_KEYS)
def revoke_key(request: Request, key_id: KeyId) -> Response:
    """End a key, and the sessions that were opened with it, from the next request on."""
    reach_of(request)
    return _plain(key_json(services_of(request).keys.revoke(key_id)))


@router.get("/v1/accesses", response_model=shapes.AccessList, responses=contract.only(*_REFUSALS))
@does(Action.READ_ACCESSES)
def list_accesses(
    request: Request,
    before: Annotated[int | None, Query(ge=1, le=2**62), NUMERAL] = None,
    actor: Annotated[str | None, Query(min_length=1, max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_LISTED), NUMERAL] = 100,
) -> Response:
    """List what auditors read and what was exported, the latest first."""
    reach_of(request)
    services: Services = services_of(request)
    rows = services.accesses.page(before=before, actor=actor, limit=limit + 1)
    page = rows[:limit]
    return _plain({"accesses": page, "next": page[-1]["id"] if len(rows) > limit else None})


def _made(made: NewKey, status: HTTPStatus) -> Response:
    return _plain({**key_json(made.key), "secret": made.secret}, status)


def _plain(answer: Mapping[str, object], status: HTTPStatus = HTTPStatus.OK) -> Response:
    return Response(json_bytes(answer), status, media_type="application/json")
