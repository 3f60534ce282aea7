"""What is counted of requests, and `/metrics`, which tells it with what the ledger tells."""

from collections.abc import Iterator, Mapping
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from api.http import contract
from api.http.guard import GuardedRoute, does
from api.http.services import Services
from api.identity.permissions import Action
from api.projection_states import ProjectionStates
from api.storage.errors import LogUnavailableError

router: Final = APIRouter(tags=["health"], route_class=GuardedRoute)
_SECONDS: Final = (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class HttpMetrics:
    """Counts and times requests, by the template of their route and never by their path."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "dealtrail_http_requests",
            "Requests answered; status 0 got no answer, 429 was limited.",
            ("route", "method", "status"),
            registry=registry,
        )
        self._refusals = Counter(
            "dealtrail_http_refusals",
            "Requests refused, by the code of the problem.",
            ("code",),
            registry=registry,
        )
        self._seconds = Histogram(
            "dealtrail_http_request_seconds",
            "Time from a request to the end of its answer, without streams of events.",
            ("route", "method"),
            buckets=_SECONDS,
            registry=registry,
        )
        self.in_flight = Gauge(
            "dealtrail_http_requests_in_flight",
            "Requests under way, streams of events among them.",
            registry=registry,
        )
        self.streams = Gauge(
            "dealtrail_http_streams", "Clients that follow the log.", registry=registry
        )

    def finished(
        self, *, route: str, method: str, status: int, refusal: str | None, seconds: float | None
    ) -> None:
        """Count a request; one without seconds is not timed."""
        self._requests.labels(route, method, status).inc()
        if refusal is not None:
            self._refusals.labels(refusal).inc()
        if seconds is not None:
            self._seconds.labels(route, method).observe(seconds)


class LedgerCollector(Collector):
    """Asks, when it is asked, where the projections stand and how the readers' pool does."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def collect(self) -> Iterator[Metric]:
        """Give what the database tells; without it only that it is away."""
        services = self._services
        try:
            states = services.states.states(services.now())
        except LogUnavailableError:
            states = None
        yield _gauge("database_up", "Whether the log could be read just now.", states is not None)
        if states is not None:
            yield from _of_states(states)
        refusing = services.store.timekeeper.refusing
        yield _gauge("clock_refused", "Whether nothing is recorded for a clock.", refusing)
        yield _gauge("worker_up", "Whether the worker lives.", services.worker_pid() is not None)
        yield from _of_pool(services.store.pool.get_stats())


def _of_states(states: ProjectionStates) -> Iterator[Metric]:
    yield _gauge("log_position", "The head of the log.", states.head)
    yield _gauge("unreadable_topics", "Topics that nobody can read.", len(states.unreadable))
    behind = _by_projection("lag_positions", "Events that a projection has not taken in.")
    waiting = _by_projection("lag_seconds", "How long the first of them has been waiting.")
    parked = _by_projection("parked", "Deals that a projection holds back.")
    for one in states.projections:
        behind.add_metric([one.name], one.lag_positions)
        waiting.add_metric([one.name], one.lag_seconds)
        parked.add_metric([one.name], len(one.parked))
    yield from (behind, waiting, parked)


def _of_pool(stats: Mapping[str, int]) -> Iterator[Metric]:
    yield _gauge("pool_size", "Connections of the readers' pool.", stats["pool_size"])
    yield _gauge("pool_available", "Those of them that are idle.", stats["pool_available"])
    yield _gauge("pool_waiting", "Readers that wait for one.", stats["requests_waiting"])
    # What did not happen yet, the pool does not tell.
    told = {
        "requests": ("Times that a reader asked for a connection.", stats.get("requests_num", 0)),
        "queued": ("Times that it had to wait.", stats.get("requests_queued", 0)),
        "errors": ("Times that it got none in time.", stats.get("requests_errors", 0)),
        "wait_seconds": ("Time waited in all.", stats.get("requests_wait_ms", 0) / 1000),
    }
    for name, (meaning, value) in told.items():
        yield CounterMetricFamily(f"dealtrail_pool_{name}", meaning, value=value)


def _gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(f"dealtrail_{name}", meaning, value=value)


def _by_projection(name: str, meaning: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"dealtrail_projection_{name}", meaning, labels=["projection"])


def collected(services: Services) -> CollectorRegistry:
    """Give a registry of what the log, the ledger, this process and its worker tell."""
    # When each series began would double their number and helps nobody.
    disable_created_metrics()  # type: ignore[no-untyped-call]  # the library's has no annotations
    registry = CollectorRegistry()
    for metric in services.store.metrics.collectors():
        registry.register(metric)
    registry.register(LedgerCollector(services))
    ProcessCollector(registry=registry)
    # A process that is not there, as pid -1 never is, is left out.
    worker = ProcessCollector(namespace="dealtrail_worker", pid=lambda: services.worker_pid() or -1)
    registry.register(worker)
    return registry


@router.get(
    "/metrics",
    response_class=Response,
    responses={
        200: {"description": "Prometheus text.", "content": {"text/plain": {}}},
        **contract.only(400, 401),
    },
)
@does(Action.SEE_READINESS)
def metrics(request: Request) -> Response:
    """Tell what is counted and measured, as Prometheus text; nothing in it names a deal."""
    registry = request.app.state.metrics
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_PLAIN_0_0_4)
