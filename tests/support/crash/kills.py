"""Ways to die, and how long it takes until the server can record again."""

import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Event as Flag
from typing import Final

from api.clock import Deadline
from tests.support.crash.server import PATIENCE, Server, held, kill

_HELD_SECONDS: Final = 1.5
_APPENDER: Final = " dealtrail [local]"
"""How PostgreSQL entitles a process that serves our database."""


@dataclass(frozen=True, slots=True)
class Survived:
    """One kill: how long it took to be ready again, and to end where it was asked to end."""

    kind: str
    ready_seconds: float
    exit_seconds: float | None = None
    exit_code: int | None = None


def _kill_server(server: Server) -> None:
    kill(server.process.pid)


def _kill_children(server: Server) -> None:
    kill(*server.children())


def _kill_worker(server: Server) -> None:
    kill(server.worker())


def _kill_postmaster(server: Server) -> None:
    kill(server.postmaster())


def _kill_backend(server: Server) -> None:
    kill(*server.backends(of=_APPENDER)[:1])


def _kill_tree(server: Server) -> None:
    kill(*server.tree())


def _hold_server(server: Server) -> None:
    with held(server.process.pid):
        Flag().wait(_HELD_SECONDS)


def _hold_database(server: Server) -> None:
    with held(server.postmaster(), *server.backends()):
        Flag().wait(_HELD_SECONDS)


def _hold_backends(server: Server) -> None:
    with held(*server.backends(of=_APPENDER)):
        Flag().wait(_HELD_SECONDS)


def _terminate(server: Server) -> None:
    os.kill(server.process.pid, signal.SIGTERM)


KILLS: Final[Mapping[str, Callable[[Server], None]]] = {
    "kill server": _kill_server,
    "kill postmaster": _kill_postmaster,
    "kill backend": _kill_backend,
    "kill tree": _kill_tree,
    "terminate": _terminate,
    "kill worker": _kill_worker,
    "kill children": _kill_children,
    "hold server": _hold_server,
    "hold database": _hold_database,
    "hold backends": _hold_backends,
}
_ENDS_IT: Final = frozenset({"kill server", "kill tree", "terminate"})


def survive(server: Server, kind: str) -> Survived:
    """Do it, start the same command again where it ended, and wait until it can record."""
    begun = Deadline.after(PATIENCE)
    KILLS[kind](server)
    code, ended = None, None
    if kind in _ENDS_IT:
        code = server.process.wait(PATIENCE)
        ended = PATIENCE - begun.seconds_left()
        begun = Deadline.after(PATIENCE)
        server.start()
    elif kind.startswith("hold"):
        begun = Deadline.after(PATIENCE)
    server.wait_until_ready()
    ready = PATIENCE - begun.seconds_left()
    if kind != "terminate":
        return Survived(kind, ready)
    return Survived(kind, ready, ended, code)
