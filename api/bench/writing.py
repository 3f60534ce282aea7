"""Cases of the way in and out: appends by many clients, long appends, the log read in order."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from statistics import quantiles
from typing import Final
from uuid import uuid4

from api import clock
from api.bench.clients import (
    NOTE,
    Round,
    new_note,
    our_clients,
    raw_clients,
    raw_table,
    request_of,
    stock_clients,
)
from api.bench.grounds import Grounds
from api.bench.harness import Case, Goal, Measure, Sides, at_least, at_most, timed
from api.bench.ledger import connected
from api.bench.references import read_log
from api.storage.committer import Committer
from api.storage.log_reader import LogReader
from api.storage.requests import new_event_id

_REQUESTS: Final = 1024
_REQUESTS_OF_ONE: Final = 200
_STOCK_REQUESTS: Final = 192
"""Fewer, because the stock library needs about as long for them."""
_READ_EVENTS: Final = 100_000
_COPY: Final = """
    COPY raw_events (stream_id, version, event_id, topic, occurred_at, recorded_at, ingested_at,
        actor, channel, caller, clock, data) FROM STDIN
"""


@contextmanager
def _against_stock(grounds: Grounds, *, clients: int, slow: bool) -> Iterator[Sides]:
    with (
        our_clients(grounds, clients=clients, requests=_REQUESTS, slow=slow) as ours,
        stock_clients(grounds, clients=clients, requests=_STOCK_REQUESTS, slow=slow) as theirs,
    ):
        yield Sides(timed(ours, units=_REQUESTS), timed(theirs, units=_STOCK_REQUESTS))


@contextmanager
def _against_raw(
    grounds: Grounds, *, clients: int, measure: Callable[[Round, int], Measure]
) -> Iterator[Sides]:
    requests = _REQUESTS if clients > 1 else _REQUESTS_OF_ONE
    with (
        our_clients(grounds, clients=clients, requests=requests) as ours,
        raw_clients(grounds, clients=clients, requests=requests) as theirs,
    ):
        yield Sides(measure(ours, requests), measure(theirs, requests))


def _mean(clients: Round, requests: int) -> Measure:
    return timed(clients, units=requests)


def _slowest_percent(clients: Round, _requests: int) -> Measure:
    """Give the time that 99 of 100 requests of a round are answered in."""
    return lambda: quantiles(clients(), n=100)[-1]


@contextmanager
def _long_call(grounds: Grounds, *, events: int) -> Iterator[Sides]:
    schema = raw_table(grounds)
    with ExitStack() as stack:
        committer = Committer(grounds.dsn, schema=schema).start()
        stack.callback(committer.close)
        connection = stack.enter_context(connected(grounds.dsn, schema=schema))

        def append() -> float:
            request = request_of(f"deal:{uuid4()}", [new_note() for _ in range(events)])
            return timed(lambda: committer.append_blocking(request), units=events)()

        def copy() -> float:
            lines = _lines(events)

            def send() -> None:
                with connection.cursor() as cursor, cursor.copy(_COPY) as rows:
                    rows.write(lines)

            return timed(send, units=events)()

        yield Sides(append, copy)


def _lines(events: int) -> str:
    """Give the rows of one new deal, ready for `COPY`."""
    stream, now, note = f"deal:{uuid4()}", clock.now().isoformat(), NOTE.to_json().decode()
    rest = f"{NOTE.TOPIC}\t{now}\t{now}\t{now}\tbench\tapi\tbench\tserver\t{note}\n"
    return "".join(
        f"{stream}\t{version}\t{new_event_id()}\t{rest}" for version in range(1, events + 1)
    )


@contextmanager
def _log_read(grounds: Grounds) -> Iterator[Sides]:
    schema, events = grounds.shared_ledger(), min(grounds.events, _READ_EVENTS)
    with ExitStack() as stack:
        reader = LogReader(grounds.dsn, schema=schema)
        stack.callback(reader.pool.close)
        connection = stack.enter_context(connected(grounds.dsn, schema=schema))

        def read() -> None:
            for _ in reader.log(upto=events):
                pass

        yield Sides(
            timed(read, units=events),
            timed(lambda: read_log(connection, upto=events), units=events),
        )


def _stock_case(clients: int, factor: float, *, slow: bool = False) -> Case:
    return Case(
        name=f"append-{clients}{'-slow-commit' if slow else ''}",
        what=f"append by {clients} clients{', a commit takes 2 ms more' if slow else ''}",
        against="save of the stock eventsourcing library",
        unit="event",
        goal=at_least(factor),
        prepare=partial(_against_stock, clients=clients, slow=slow),
    )


def _raw_case(clients: int, factor: float) -> Case:
    return Case(
        name=f"append-{clients}-raw",
        what=f"append by {clients} client{'s' if clients > 1 else ''}",
        against="INSERT, one a transaction, no lock, same indexes",
        unit="event",
        goal=at_least(factor),
        prepare=partial(_against_raw, clients=clients, measure=_mean),
    )


def _long_case(events: int) -> Case:
    return Case(
        name=f"append-long-{events}",
        what=f"one call of {events} events",
        against="COPY into a table with the same indexes",
        unit="event",
        goal=at_most(2.5),
        prepare=partial(_long_call, events=events),
    )


CASES: Final = (
    _stock_case(16, 7),
    _stock_case(64, 12),
    _stock_case(16, 10, slow=True),
    _stock_case(64, 25, slow=True),
    _raw_case(1, 0.6),
    _raw_case(16, 1.0),
    _raw_case(64, 1.3),
    Case(
        name="append-64-raw-p99",
        what="99 of 100 appends by 64 clients",
        against="99 of 100 INSERTs, one a transaction, no lock, same indexes",
        unit="request",
        goal=at_most(0.6),
        prepare=partial(_against_raw, clients=64, measure=_slowest_percent),
    ),
    _long_case(1000),
    _long_case(10_000),
    Case(
        name="log-read",
        what="the log read as events, in order",
        against="COPY of its rows, in order",
        unit="event",
        goal=Goal(of="rate"),
        prepare=_log_read,
    ),
)
