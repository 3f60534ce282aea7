"""Builds the server of a ledger: the API and the pages."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from threading import Event as Flag

from fastapi import FastAPI
from starlette.types import Scope

from api import clock
from api.bootstrap import Ledger
from api.bootstrap_pages import add_pages_of
from api.http.app import create_app
from api.http.limits import Limits
from api.http.services import Services
from api.identity.authenticator import Authenticator
from api.identity.code_flow import CodeFlow
from api.identity.issuer import Issuer
from api.identity.tokens import IssuerTokens
from api.imports import NO_UPLOADS, Imports, Uploads
from api.views import Views
from api.web.doors import Doors, IssuerDoors


def build_app(
    ledger: Ledger,
    *,
    token: str,
    uploads: Uploads = NO_UPLOADS,
    issuer: Issuer | None = None,
    worker_pid: Callable[[], int | None] = lambda: None,
    limits: Limits | None = None,
) -> FastAPI:
    """Build the server of a ledger: the API and the pages, appends on the server's own loop."""
    stopping = Flag()
    views = Views(ledger.store, ledger.worker.position, clock.now)
    tokens = IssuerTokens(issuer, clock=clock.now) if issuer else None
    role_now = ledger.access.role
    authenticator = Authenticator(
        ledger.store, token=token, clock=clock.now, role_now=role_now, verifier=tokens
    )
    services = _services(
        ledger,
        views=views,
        authenticator=authenticator,
        stopping=stopping,
        worker_pid=worker_pid,
        uploads=uploads,
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        ledger.store.start(asyncio.get_running_loop())
        yield
        stopping.set()
        await ledger.store.aclose()

    app = create_app(services, lifespan=lifespan, limits=limits)
    refuse = partial(app.state.wrong_credentials.count, shown="sign-in")
    doors = Doors(authenticator, ledger.sessions, refuse=refuse)
    by_issuer = _issuer_doors(ledger, issuer, tokens, refuse)
    add_pages_of(app, services, ledger.places, doors, by_issuer)
    return app


def _issuer_doors(
    ledger: Ledger,
    issuer: Issuer | None,
    tokens: IssuerTokens | None,
    refuse: Callable[[Scope], None],
) -> IssuerDoors | None:
    """Give how browsers sign in with the issuer; None where it only gives bearer tokens."""
    if issuer is None or issuer.client is None or tokens is None:
        return None
    role_now = ledger.access.role
    flow = CodeFlow(issuer, issuer.client, tokens, clock=clock.now, role_now=role_now)
    return IssuerDoors(flow, ledger.sessions, refuse=refuse)


def _services(
    ledger: Ledger,
    *,
    views: Views,
    authenticator: Authenticator,
    stopping: Flag,
    worker_pid: Callable[[], int | None],
    uploads: Uploads,
) -> Services:
    return Services(
        application=ledger.application,
        questions=ledger.questions,
        processes=ledger.processes,
        lists=ledger.lists,
        commitments=ledger.commitments,
        log=ledger.log,
        exports=ledger.exports,
        figures=ledger.figures,
        replays=ledger.replays,
        quarters=ledger.quarters,
        forecasts=ledger.forecasts,
        customers=ledger.customers,
        quarter_figures=ledger.quarter_figures,
        close_patterns=ledger.close_patterns,
        quarter_pressure=ledger.quarter_pressure,
        what_ifs=ledger.what_ifs,
        overviews=ledger.overviews,
        store=ledger.store,
        context=ledger.context,
        views=views,
        states=ledger.states,
        authenticator=authenticator,
        access=ledger.access,
        accesses=ledger.accesses,
        keys=ledger.keys,
        sessions=ledger.sessions,
        imports=Imports(ledger.store, clock.now, uploads),
        stopping=stopping,
        worker_pid=worker_pid,
    )
