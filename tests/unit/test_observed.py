"""What stands around the routes sees every request, and tells it without a name or a secret."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from starlette.types import Message, Receive, Scope, Send

from api.http.metrics import HttpMetrics
from api.http.observed import Observed
from api.identity.permissions import Identity
from tests.support.logged import Lines, logged

KEY = "dtk_8f3kd92l_bV2_x8Zr0cQkT-9sLw4mYh1NfJ6pDgAeUoRiXtCvB3q"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


class Application:
    """Answers as it is told, as the routes and what stands before them would."""

    def __init__(self, status: int = 200, media_type: bytes = b"text/plain", **scope: Any) -> None:
        self.status, self.media_type, self.scope = status, media_type, scope
        self.fails = False
        self.meanwhile: Any = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope.update(self.scope)
        if self.fails:
            raise ValueError("broken")
        headers = [(b"content-type", self.media_type)]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        if self.meanwhile:
            self.meanwhile()
        await send({"type": "http.response.body", "body": b"abc", "more_body": True})
        await send({"type": "http.response.body", "body": b"de"})


@pytest.fixture
def lines() -> Iterator[Lines]:
    with logged() as found:
        yield found


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


async def ask(
    application: Application,
    registry: CollectorRegistry,
    method: str = "GET",
    headers: tuple[tuple[bytes, bytes], ...] = (),
) -> list[Message]:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        raise AssertionError

    scope = {"type": "http", "method": method, "path": "/v1/deals/secret", "headers": headers}
    await Observed(application, metrics=HttpMetrics(registry))(scope, receive, send)
    return sent


def route(path: str) -> SimpleNamespace:
    return SimpleNamespace(path=path)


async def test_a_request_is_one_line(lines: Lines, registry: CollectorRegistry) -> None:
    application = Application(
        201,
        route=route("/v1/deals/{deal_id}"),
        request_id="r-1",
        identity=Identity(actor="ann", role="rep", credential="8f3kd92l"),
    )
    traced = ((b"traceparent", f"00-{TRACE}-00f067aa0ba902b7-01".encode()),)

    sent = await ask(application, registry, "POST", traced)

    (line,) = lines.told()
    assert line["ms"] >= 0
    answered = dict(sent[0]["headers"])[b"traceresponse"].decode()
    assert answered == f"00-{TRACE}-{line['span_id']}-01"
    kept = {name: line[name] for name in line.keys() - {"ms", "timestamp", "span_id"}}
    assert kept == {
        "event": "request",
        "level": "info",
        "method": "POST",
        "route": "/v1/deals/{deal_id}",
        "status": 201,
        "bytes": 5,
        "request_id": "r-1",
        "caller": "ann",
        "credential": "8f3kd92l",
        "address": None,
        "refusal": None,
        "trace_id": TRACE,
    }


async def test_without_a_trace_none_is_made_up(lines: Lines, registry: CollectorRegistry) -> None:
    sent = await ask(Application(), registry)

    assert b"traceresponse" not in dict(sent[0]["headers"])
    assert (lines.told()[0]["trace_id"], lines.told()[0]["caller"]) == (None, None)


async def test_neither_path_nor_method_of_a_client_becomes_a_label(
    lines: Lines, registry: CollectorRegistry
) -> None:
    await ask(Application(404), registry, "BREW")

    labels = {"route": "unrouted", "method": "other", "status": "404"}
    assert registry.get_sample_value("dealtrail_http_requests_total", labels) == 1
    assert b"secret" not in lines.getvalue()
    assert b"BREW" not in lines.getvalue()


@pytest.mark.parametrize("request_id", [KEY, KEY[-43:]])
async def test_a_secret_sent_as_the_request_id_is_masked(
    lines: Lines, registry: CollectorRegistry, request_id: str
) -> None:
    await ask(Application(request_id=request_id), registry)

    assert lines.told()[0]["request_id"] == "***"


async def test_a_request_that_gets_no_answer_is_told_as_a_failure(
    lines: Lines, registry: CollectorRegistry
) -> None:
    application = Application()
    application.fails = True

    with pytest.raises(ValueError, match="broken"):
        await ask(application, registry)

    assert (lines.told()[0]["status"], lines.told()[0]["level"]) == (0, "warning")
    assert registry.get_sample_value("dealtrail_http_requests_in_flight") == 0


async def test_a_probe_is_told_when_it_fails(lines: Lines, registry: CollectorRegistry) -> None:
    await ask(Application(200, route=route("/readyz")), registry)
    assert lines.told() == []

    await ask(Application(503, route=route("/readyz")), CollectorRegistry())
    assert lines.told()[0]["level"] == "warning"


async def test_a_stream_is_counted_while_it_lasts_and_not_timed(
    lines: Lines, registry: CollectorRegistry
) -> None:
    meanwhile: list[float | None] = []
    application = Application(media_type=b"text/event-stream", route=route("/v1/events/stream"))
    application.meanwhile = lambda: meanwhile.extend(
        registry.get_sample_value(f"dealtrail_http_{name}")
        for name in ("streams", "requests_in_flight")
    )

    await ask(application, registry)

    timed = {"route": "/v1/events/stream", "method": "GET"}
    assert meanwhile == [1, 1]
    assert registry.get_sample_value("dealtrail_http_streams") == 0
    assert registry.get_sample_value("dealtrail_http_request_seconds_count", timed) is None
    assert len(lines.told()) == 1
