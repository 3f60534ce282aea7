"""A run: fill, load at a fixed rate while looking, stop, and measure what is left."""

from collections.abc import Callable
from dataclasses import dataclass
from threading import Event as Flag
from typing import Final

from api.clock import Deadline
from api.storage.embedded import EmbeddedServer
from tests.support.crash.server import PATIENCE, Server
from tests.support.soak.load import Seen, fill, loading
from tests.support.soak.samples import Sample, look, tables
from tests.support.soak.verdict import Soaked

_LOOKS: Final = 240
"""How often a run looks in all, but not more often than every second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How a server is soaked: rates are of all clients together, a second."""

    minutes: float
    filled: int = 0
    appends: float = 30
    reads: float = 10
    clients: int = 6
    followers: int = 4
    seed: int = 1


def soak(server: Server, plan: Plan, *, told: Callable[[str], None] = lambda _: None) -> Soaked:
    """Load a server for so many minutes."""
    seen = Seen()
    with server.running():
        fill(server, seen, events=plan.filled, seed=plan.seed)
        server.wait_until_worked()
        told(f"filled to position {seen.head}")
        samples = _loaded(server, seen, plan, told)
        begun = Deadline.after(PATIENCE)
        server.wait_until_worked()
        caught_up = PATIENCE - begun.seconds_left()
        with EmbeddedServer(server.home) as database:
            return Soaked(seen, samples, tables(database.dsn()), caught_up)


def _loaded(server: Server, seen: Seen, plan: Plan, told: Callable[[str], None]) -> list[Sample]:
    samples: list[Sample] = []
    seconds, pause = 60 * plan.minutes, Flag()
    end = Deadline.after(seconds)
    with loading(
        server,
        seen,
        appends=plan.appends,
        reads=plan.reads,
        clients=plan.clients,
        followers=plan.followers,
        seed=plan.seed,
    ):
        while not end.passed():
            pause.wait(min(max(1.0, seconds / _LOOKS), end.seconds_left()))
            samples.append(look(server, minute=(seconds - end.seconds_left()) / 60))
            told(_line(samples[-1], seen))
    return samples


def _line(sample: Sample, seen: Seen) -> str:
    memory = ", ".join(f"{part} {size:.1f} MB" for part, size in sample.own.items())
    return (
        f"{sample.minute:5.1f} min: {memory}; lag {sample.lag_seconds:.1f} s; head {seen.head};"
        f" {seen.count(least=500)} x 5xx"
    )
