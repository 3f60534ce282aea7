"""Servers in processes of their own: ours with one empty endpoint more, and a usual one."""

import asyncio
import multiprocessing
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from secrets import token_urlsafe
from typing import Any, Final, Literal
from uuid import uuid4

import orjson
import uvicorn
from fastapi import FastAPI
from psycopg_pool import ConnectionPool
from pydantic import BaseModel

from api.bench.clients import INSERT, row_of
from api.bench.product import opened
from api.bootstrap_server import build_app
from api.collecting import collect_seldom
from api.http.wire import Wire
from api.logs import configure_logs
from api.storage.connections import conninfo
from api.worker_process import working

EMPTY: Final = "/empty"
_BACKLOG: Final = 256
_START_SECONDS: Final = 120
_STOP_SECONDS: Final = 15


@dataclass(frozen=True, slots=True)
class Served:
    """Where a server listens, and the token that it wants to see."""

    port: int
    token: str


class ServerDownError(Exception):
    """The server ended, or said nothing, before it could be asked."""


@contextmanager
def served(dsn: str, *, schema: str) -> Iterator[Served]:
    """Serve a ledger as `dealtrail serve` does, its views at the head, until the block ends.

    Raises:
        ServerDownError: it did not come up.
    """
    with _process(_serve, dsn, schema) as server:
        yield server


@contextmanager
def served_usually(dsn: str, *, schema: str) -> Iterator[Served]:
    """Serve `raw_events` of a schema as a plain service would: one INSERT a request.

    Raises:
        ServerDownError: it did not come up.
    """
    with _process(_serve_usually, dsn, schema) as server:
        yield server


@contextmanager
def _process(
    serve: Callable[[str, str, str, Pipe], None], dsn: str, schema: str
) -> Iterator[Served]:
    token = token_urlsafe(32)
    # Not forked: this process has threads and connections that the server must not inherit.
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(dsn, schema, token, theirs))
    process.start()
    theirs.close()
    try:
        yield Served(port=_told_port(ours), token=token)
    finally:
        process.terminate()
        process.join(_STOP_SECONDS)
        if process.is_alive():
            process.kill()
            process.join()


def _told_port(pipe: Pipe) -> int:
    try:
        if pipe.poll(_START_SECONDS):
            return int(pipe.recv())
    except EOFError:
        pass
    raise ServerDownError("the server of the benchmark did not come up")


def _serve(dsn: str, schema: str, token: str, pipe: Pipe) -> None:
    collect_seldom()
    # Through the `with` blocks: a worker that outlived us would miss the ledger, which is dropped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    # Logged as ever, for that takes time as well, and where it is in nobody's way.
    with Path(os.devnull).open("wb") as nowhere, opened(dsn, schema=schema) as ledger:
        configure_logs(to=nowhere)
        ledger.worker.catch_up()
        app = build_app(ledger, token=token)
        app.post(EMPTY)(_empty)
        with _listening() as listener, working(dsn, schema=schema):
            _listen(app, listener, pipe, http=Wire)


def _empty() -> dict[str, str]:
    return {}


def _serve_usually(dsn: str, schema: str, _: str, pipe: Pipe) -> None:
    target = conninfo(dsn, schema=schema)
    with (
        ConnectionPool(target, kwargs={"autocommit": True}, min_size=8, max_size=40) as pool,
        _listening() as listener,
    ):
        app = FastAPI()

        def append(deal_id: str, told: _Told) -> dict[str, str]:
            with pool.connection() as connection:
                for event in told.events:
                    stream_id = f"deal:{deal_id}:{uuid4()}"  # so that no version is taken
                    connection.execute(INSERT, row_of(stream_id, orjson.dumps(event["data"])))
            return {"deal_id": deal_id}

        app.post("/v1/deals/{deal_id}/events", status_code=201)(append)
        _listen(app, listener, pipe)


class _Told(BaseModel):
    events: list[dict[str, Any]]


def _listening() -> socket.socket:
    """Give a socket that a client can reach; named as TCP, so that asyncio sends what it has."""
    listener = socket.socket(proto=socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen(_BACKLOG)
    return listener


def _listen(
    app: FastAPI,
    listener: socket.socket,
    pipe: Pipe,
    *,
    http: type[asyncio.Protocol] | Literal["h11"] = "h11",
) -> None:
    pipe.send(listener.getsockname()[1])
    config = uvicorn.Config(app, http=http, log_config=None, access_log=False, server_header=False)
    uvicorn.Server(config).run(sockets=[listener])
