"""Puts the API together: its routes, its problems, its contract, and what stands before them."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from importlib.metadata import version
from typing import Final, TypeAlias

from fastapi import FastAPI
from starlette.types import Scope

from api.http import (
    bulk,
    commitments,
    context,
    contract,
    customers,
    deals,
    exports,
    forecasts,
    health,
    imports,
    keys,
    lists,
    log,
    metrics,
    overview,
    problems,
    processes,
    projections,
    quarters,
    sessions,
    what_if,
)
from api.http.addresses import methods_of
from api.http.edge import Edge
from api.http.limits import Limits
from api.http.metrics import HttpMetrics, collected
from api.http.observed import Observed
from api.http.rates import RateLimited, WrongCredentials
from api.http.reads import BoundedReads
from api.http.services import Services
from api.http.shield import Shield

Lifespan: TypeAlias = Callable[[FastAPI], AbstractAsyncContextManager[None]]
ROUTERS: Final = (
    log.router,
    exports.router,
    bulk.router,
    deals.router,
    lists.router,
    commitments.router,
    context.router,
    processes.router,
    quarters.router,
    forecasts.router,
    customers.router,
    overview.router,
    health.router,
    metrics.router,
    projections.router,
    what_if.router,
    keys.router,
    sessions.router,
    imports.router,
)


def create_app(
    services: Services, *, lifespan: Lifespan | None = None, limits: Limits | None = None
) -> FastAPI:
    """Give the server of these services; `lifespan` starts and stops what they need."""
    app = FastAPI(
        title="Dealtrail",
        version=version("dealtrail"),
        summary="An event-sourced opportunity tracker for B2B sales teams.",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        redirect_slashes=False,
        # `Observed` counts, traces and logs; with these it would look at every request whether
        # somebody has set up others.
        telemetry={"tracing": False, "metrics": False, "logs": False},
        # As they are: `include_router` would make each of them again, at every start.
        routes=[route for router in ROUTERS for route in router.routes],
    )
    bounds = limits or Limits()
    app.state.services = services
    app.state.metrics = registry = collected(services)
    app.state.wrong_credentials = wrong = WrongCredentials(bounds.wrong_credentials_a_minute)
    problems.install(app)
    contract.describe(app)

    def methods(scope: Scope) -> list[str]:
        return methods_of(app.routes, scope)

    # Each stands before those that were added earlier.
    app.add_middleware(Edge, methods=methods, limits=bounds)
    app.add_middleware(BoundedReads, limits=bounds)
    if bounds.requests_a_minute:
        app.add_middleware(RateLimited, requests_a_minute=bounds.requests_a_minute)
    app.add_middleware(Shield, authenticator=services.authenticator, wrong=wrong)
    app.add_middleware(Observed, metrics=HttpMetrics(registry))
    return app
