"""Cases of the projections: how fast they follow the log."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Final

from api.bench import product
from api.bench.clients import our_clients
from api.bench.grounds import Grounds
from api.bench.harness import ROUNDS_OF_LONG_ONES, Case, Goal, Sides, at_least, timed

_EVENTS: Final = 200_000
"""The log before the backlog; what follows costs the same behind a longer one."""
_BACKLOG: Final = 10_000
_REQUESTS: Final = 1024


@contextmanager
def _live(grounds: Grounds) -> Iterator[Sides]:
    events = min(grounds.events, _EVENTS)
    stretch = min(_BACKLOG, events // (2 * ROUNDS_OF_LONG_ONES + 2))
    schema = grounds.own_ledger(events)
    ends = count(events - stretch * ROUNDS_OF_LONG_ONES, stretch)
    with (
        product.opened(grounds.dsn, schema=schema) as ledger,
        our_clients(grounds, clients=64, requests=_REQUESTS) as clients,
    ):
        ledger.worker.catch_up(upto=events - stretch * (ROUNDS_OF_LONG_ONES + 1))
        yield Sides(
            timed(lambda: ledger.worker.catch_up(upto=next(ends)), units=stretch),
            timed(clients, units=_REQUESTS),
        )


@contextmanager
def _verdicts(grounds: Grounds) -> Iterator[Sides]:
    schema = grounds.own_ledger(grounds.events)
    with product.opened(grounds.dsn, schema=schema) as ledger:
        yield Sides(
            timed(lambda: product.derive_verdicts(ledger), units=grounds.events),
            timed(lambda: product.read_whole_log(ledger), units=grounds.events),
        )


CASES: Final = (
    Case(
        name="verdicts",
        what="every verdict from the log: facts at all positions, then judged as known now",
        against="reading the log and decoding its events",
        unit="event",
        goal=Goal(of="rate"),
        prepare=_verdicts,
        rounds=ROUNDS_OF_LONG_ONES,
    ),
    Case(
        name="live-projections",
        what="all projections following the log, folds included",
        against="append by 64 clients",
        unit="event",
        goal=at_least(2),
        prepare=_live,
        rounds=ROUNDS_OF_LONG_ONES,
    ),
)
