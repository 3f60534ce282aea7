"""The plainer ways say what the folds say, or they would be nothing to compare with."""

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from api.bench import references
from api.bench.history import History
from api.bench.ledger import Connection, connected, make_ledger
from api.bench.working_time import CALENDAR
from api.context import ContextReader
from api.storage.event_store import EventStore
from api.worker import Worker
from domain.fiscal import local_day
from domain.replay import Event, view
from projections.batch import DEAL_PREFIX, deal_of
from projections.spans.fold import DealState, fold
from projections.spans.projection import SpansProjection
from tests.support.log import SCHEMA
from tests.support.postgres import PostgresServer

EVENTS = 3000
Streams = dict[UUID, list[Event]]
States = dict[UUID, DealState]


@pytest.fixture(scope="module")
def store(postgres_server: PostgresServer) -> Iterator[EventStore]:
    """A ledger with a generated history, its spans and what is made from them."""
    with postgres_server.database() as dsn:
        make_ledger(dsn, schema=SCHEMA, history=History(EVENTS))
        with EventStore(dsn, schema=SCHEMA) as store:
            Worker(store, ContextReader(store), [SpansProjection()]).catch_up()
            with connected(dsn, schema=SCHEMA) as connection:
                references.make_history(connection)
            yield store


@pytest.fixture(scope="module")
def connection(store: EventStore) -> Iterator[Connection]:
    with connected(store.dsn, schema=SCHEMA) as connection:
        yield connection


@pytest.fixture(scope="module")
def streams(store: EventStore) -> Streams:
    return {
        deal_id: events
        for name, events in store.by_prefix(DEAL_PREFIX).items()
        if (deal_id := deal_of(name))
    }


def states_at(streams: Streams, position: int) -> States:
    states = {deal_id: fold(view(events, as_of=position)) for deal_id, events in streams.items()}
    return {deal_id: state for deal_id, state in states.items() if state}


def open_at(streams: Streams, position: int) -> States:
    return {
        deal_id: state
        for deal_id, state in states_at(streams, position).items()
        if state.closed is None and not state.deleted
    }


def totals(deals: States) -> set[tuple[Any, ...]]:
    counts: Counter[tuple[Any, ...]] = Counter()
    amounts: Counter[tuple[Any, ...]] = Counter()
    for state in deals.values():
        key = (state.stage, state.owner, state.currency)
        counts[key] += 1
        amounts[key] += state.amount or Decimal(0)  # type: ignore[assignment]  # sums, not counts
    return {(*key, counts[key], amounts[key]) for key in counts}


@pytest.mark.parametrize("position", [700, 1500, EVENTS])
def test_totals_are_those_of_the_folds(
    connection: Connection, streams: Streams, position: int
) -> None:
    references.make_snapshot(connection, position=position)
    expected = totals(open_at(streams, position))

    assert expected
    assert set(references.snapshot_totals(connection, position=position)) == expected
    assert set(references.history_totals(connection, position=position)) == expected


def test_the_snapshot_is_the_list_of_open_deals(connection: Connection, streams: Streams) -> None:
    references.make_snapshot(connection, position=2000)

    rows = references.snapshot_list(connection, position=2000)

    assert {row[0]: DealState(*row[1:]) for row in rows} == open_at(streams, 2000)


def test_the_difference_names_every_deal_that_changed(
    connection: Connection, streams: Streams
) -> None:
    before, after = states_at(streams, 1200), states_at(streams, 2100)

    rows = references.history_difference(connection, earlier=1200, later=2100)

    changed = {deal for deal, state in after.items() if state != before.get(deal)}
    assert 0 < len(changed) < len(after)
    assert {row[0] for row in rows} == changed


def test_a_frame_is_what_was_known_at_the_end_of_its_day(
    connection: Connection, streams: Streams
) -> None:
    quarter = CALENDAR.quarter_on(date(2022, 8, 1))
    first, last = quarter.start, quarter.end
    recorded = [
        (event.position, local_day(event.recorded_at, CALENDAR.zone))
        for events in streams.values()
        for event in events
    ]

    rows = references.history_frames(connection, quarter)

    assert {row[0] for row in rows} == {first + timedelta(days=day) for day in range(92)}
    for day in (first, date(2022, 9, 10), last):
        position = max(position for position, on in recorded if on <= day)
        standing: Counter[tuple[str | None, str | None]] = Counter(
            (state.stage, state.forecast_category) for state in open_at(streams, position).values()
        )
        framed: Counter[tuple[str | None, str | None]] = Counter()
        for on, stage, category, _, deals, _ in rows:
            if on == day:
                framed[stage or None, category or None] += deals
        assert framed == standing
