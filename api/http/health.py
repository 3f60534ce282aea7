"""The routes that say whether the server lives, and whether it can answer."""

import asyncio
from http import HTTPStatus
from typing import Final, Literal

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel

from api.answers import json_bytes
from api.http import contract
from api.http.guard import GuardedRoute, does
from api.http.services import Services, services_of
from api.identity.permissions import Action
from api.storage.errors import LogUnavailableError
from api.storage.migration_state import MigrationState, migration_state
from api.storage.powers import powers
from api.storage.rehearsal import rehearse_append

READY_SECONDS: Final = 3.0
"""Whoever watches asks often, and takes a late answer for none."""
router: Final = APIRouter(tags=["health"], route_class=GuardedRoute)


class Alive(BaseModel):
    """The process answers; nothing is said of the database."""

    status: str


class Ready(BaseModel):
    """Whether the log can be appended to, and how far behind it the views are.

    `stopping` says that this server was told to end, `clock` whether the clocks can be trusted, so
    that anything may be recorded, `worker` whether the process that keeps the
    views up lives, and `migrations` how the ledger's schema stands to this version: `current`,
    `behind` it, or `ahead`. `lag` counts positions, `lag_seconds` how long the first of them has
    been waiting, and `parked` the deals that some projection holds back. `privileges` is `separate`
    where this server can append to the log and read it and nothing else, `shared` where one login
    may do all.
    """

    ready: bool
    stopping: bool = False
    clock: Literal["steady", "jumped"]
    worker: bool
    migrations: MigrationState | None = None
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
async def readyz(request: Request) -> Response:
    """Say whether this server can do its work, and how far the views are behind the log.

    An append is done and taken back, so that nothing is left out that an append needs. Views that
    lag, a worker that is away and deals that are parked are told and do not make it unready: it
    still records, and answers what it can.
    """
    services = services_of(request)
    if services.stopping.is_set():
        return _answer(_unready(services))
    try:
        async with asyncio.timeout(READY_SECONDS):
            return _answer(await asyncio.to_thread(readiness, services))
    except TimeoutError:
        return _answer(_unready(services))


def _unready(services: Services) -> Ready:
    return Ready(
        ready=False,
        stopping=services.stopping.is_set(),
        clock=_clock(services),
        worker=services.worker_pid() is not None,
    )


def _clock(services: Services) -> Literal["steady", "jumped"]:
    return "jumped" if services.store.timekeeper.refusing else "steady"


def readiness(services: Services) -> Ready:
    """Say what a server can do now; an append is rehearsed."""
    try:
        return _asked(services)
    except LogUnavailableError:
        return _unready(services)


def _asked(services: Services) -> Ready:
    migrations = migration_state(services.store)
    if migrations != "behind":
        rehearse_append(services.store, services.store.timekeeper)
    states = services.states.states(services.now())
    views = min(one.position for one in states.awaited)
    return Ready(
        ready=migrations != "behind",
        clock=_clock(services),
        worker=services.worker_pid() is not None,
        migrations=migrations,
        head=states.head,
        views=views,
        lag=max(0, states.head - views),
        lag_seconds=states.lag_seconds,
        parked=len({one.deal_id for state in states.projections for one in state.parked}),
        privileges="shared" if powers(services.store) else "separate",
    )


def _answer(answer: Ready) -> Response:
    status = HTTPStatus.OK if answer.ready else HTTPStatus.SERVICE_UNAVAILABLE
    return Response(
        json_bytes(answer.model_dump()), status_code=status, media_type="application/json"
    )
