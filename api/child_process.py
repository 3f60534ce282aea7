"""Work in a process of its own, which ends when the process that asked for it does."""

import multiprocessing
import os
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection as Pipe
from multiprocessing.connection import wait
from threading import Event as Flag
from threading import Thread
from typing import Any, Final

from api.collecting import collect_seldom
from api.logs import LogLevel, configure_logs

PAUSE_SECONDS: Final = 1.0
"""How long after its end a child is started anew; one that cannot start must not spin."""
_STOP_SECONDS: Final = 2.0
"""How long a child may take to end; what it does is safe from a kill."""
_NICENESS: Final = 5


def run_child(
    target: Callable[..., None],
    arguments: tuple[Any, ...],
    *,
    name: str,
    stop: Flag,
    born: Callable[[int | None], None] = lambda _: None,
) -> int | None:
    """Run a function in a new process until it ends; None where `stop` ended it before.

    Its last argument will be what `begin_child` takes. `born` is told its id, and None at its end.
    """
    # Not forked: this process has threads and connections that the child must not inherit.
    context = multiprocessing.get_context("spawn")
    theirs, ours = context.Pipe(duplex=False)
    process = context.Process(target=target, args=(*arguments, theirs), name=name)
    process.start()
    born(process.pid)
    theirs.close()
    while not stop.is_set() and not wait([process.sentinel], timeout=PAUSE_SECONDS):
        pass
    born(None)
    stopped = stop.is_set()
    ours.close()
    process.join(_STOP_SECONDS)
    if process.is_alive():
        process.kill()
        process.join()
    return None if stopped else process.exitcode


def begin_child(told: Pipe, *, log_level: LogLevel) -> Flag:
    """Make this process a child: give the flag that is set when its parent wants it to end."""
    # Whoever started us decides when to stop: a terminal sends its signals to both of us.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    configure_logs(log_level)
    collect_seldom()
    # Where cores are few, who asks goes before what can be done a little later.
    os.nice(_NICENESS)
    stop = Flag()
    Thread(target=_await_end, args=(told, stop), daemon=True).start()
    return stop


def _await_end(told: Pipe, stop: Flag) -> None:
    """Set the flag when the other end is closed, by its owner or by its owner's death."""
    told.poll(None)
    stop.set()
