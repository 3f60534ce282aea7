"""A run: clients append, things die, and in the end everything is held against the answers."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from threading import Event as Flag
from typing import Final

import psycopg

from api.clock import Deadline
from tests.support.crash.checks import violations
from tests.support.crash.clients import Client, appending, following
from tests.support.crash.kills import KILLS, Survived, survive
from tests.support.crash.requests import Book
from tests.support.crash.server import PATIENCE, Server, held, kill

_HALF_DONE: Final = """
    SELECT max(p.position) >= h.position AND min(p.position) < h.position
      FROM dealtrail.projections p, dealtrail.log_head h GROUP BY h.position
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run came to."""

    acknowledged: int
    events: int
    refused: int
    survived: Sequence[Survived]
    violations: Sequence[str]


def plan(count: int, *, seed: int) -> list[str]:
    """Give so many kills, each kind about as often, in an order that only the seed decides."""
    kinds = list(KILLS)
    chosen = [kinds[n % len(kinds)] for n in range(count)]
    Random(seed).shuffle(chosen)
    return chosen


def crash(
    home: Path,
    *,
    kills: Sequence[str],
    acknowledgements: int,
    clients: int,
    seed: int,
    command: str = "serve",
    told: Callable[[str], None] = lambda _: None,
) -> Outcome:
    """Append until there are so many acknowledgements, with the kills spread over them.

    A request that is acknowledged counts once, whatever it holds; a line of a bulk request is one.
    """
    server, book = Server(home, command=command), Book()
    survived: list[Survived] = []
    with server.running(), following(server, book) as follower:
        with appending(server, book, clients=clients, seed=seed):
            for number, kind in enumerate(kills, start=1):
                _await(book, acknowledgements * number // (len(kills) + 1))
                survived.append(survive(server, kind))
                told(f"{kind}: ready after {survived[-1].ready_seconds:.1f} s")
            _await(book, acknowledgements)
            server.wait_until_worked()
        _leave_the_worker_half_done(server, book, seed)
        told(f"{book.acknowledged} acknowledged; checking")
        found = violations(server, book, follower)
    statuses = Counter(one.status for one in book.asked)
    return Outcome(book.acknowledged, follower.seen, statuses[412], survived, found)


def _leave_the_worker_half_done(server: Server, book: Book, seed: int) -> None:
    """Kill the worker where some views have taken in what others have not.

    What it leaves undone now, no later event of the same deals makes it do.
    """
    deadline, pause = Deadline.after(PATIENCE), Flag()
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        with held(server.worker()):
            Client(server, book, seed=seed * 1000 - 1).write_to_all()
        while connection.execute(_HALF_DONE).fetchone() != (True,):
            if deadline.passed():
                book.complain("the worker was never seen half done")
                break
            pause.wait(0.001)
        kill(server.worker())


def _await(book: Book, acknowledged: int) -> None:
    """Let the clients go on; not one acknowledgement for so long is a fault of its own."""
    pause, seen, deadline = Flag(), book.acknowledged, Deadline.after(PATIENCE)
    while book.acknowledged < acknowledged and not deadline.passed():
        if book.acknowledged > seen:
            seen, deadline = book.acknowledged, Deadline.after(PATIENCE)
        pause.wait(0.02)
    if book.acknowledged < acknowledged:
        book.complain(f"nothing was recorded for {PATIENCE} s")
