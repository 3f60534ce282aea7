"""The server in a process of its own, as `dealtrail serve` has it, with one empty endpoint more."""

import multiprocessing
import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from secrets import token_urlsafe
from typing import Final

import uvicorn

from api.bench.product import opened
from api.bootstrap import build_app
from api.collecting import collect_seldom
from api.logs import configure_logs
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
    """Serve a ledger, its views at the head, until the block ends.

    Raises:
        ServerDownError: it did not come up.
    """
    token = token_urlsafe(32)
    # Not forked: this process has threads and connections that the server must not inherit.
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(dsn, schema, token, theirs))
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
        config = uvicorn.Config(app, log_config=None, access_log=False, server_header=False)
        with socket.socket() as listener, working(dsn, schema=schema):
            listener.bind(("127.0.0.1", 0))
            listener.listen(_BACKLOG)
            pipe.send(listener.getsockname()[1])
            uvicorn.Server(config).run(sockets=[listener])


def _empty() -> dict[str, str]:
    return {}
