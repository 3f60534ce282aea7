"""A generated ledger is one that could have grown: read by every reader, and appended to."""

from collections.abc import Iterator

import pytest

from api.bench.history import History
from api.bench.ledger import make_ledger
from api.bootstrap import build_ledger
from api.storage.errors import LedgerNotEmptyError
from api.storage.event_store import EventStore
from domain.context import decide_context
from domain.deal import decide, replay
from domain.events.catalogue import DealEvent
from domain.known import Known
from domain.replay import Event, view
from domain.stamp import Stamp
from projections.batch import DEAL_PREFIX, deal_of
from projections.spans.fold import DealState, fold
from tests.support.log import SCHEMA, appended, ask, assert_gapless, session
from tests.support.postgres import PostgresServer

EVENTS = 4000
INDEXES = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'ledger' ORDER BY indexdef"


@pytest.fixture(scope="module")
def generated(postgres_server: PostgresServer) -> Iterator[EventStore]:
    """A ledger with a generated history, that nobody changes."""
    with postgres_server.database() as dsn:
        make_ledger(dsn, schema=SCHEMA, history=History(EVENTS))
        with EventStore(dsn, schema=SCHEMA) as store:
            yield store


def stamp_of(event: Event) -> Stamp:
    return Stamp(event.occurred_at, event.recorded_at, event.actor)


def test_its_log_is_gapless_and_every_row_is_read(generated: EventStore) -> None:
    assert assert_gapless(generated) == EVENTS


def test_its_log_says_where_it_comes_from_and_that_it_was_ingested_later(
    generated: EventStore,
) -> None:
    for event in generated.events_at(1, EVENTS):
        assert (event.clock, event.channel) == ("source", "import")
        assert event.occurred_at <= event.recorded_at < event.ingested_at


def test_every_event_of_a_deal_would_have_been_accepted_when_it_was_recorded(
    generated: EventStore,
) -> None:
    known = Known(generated.by_prefix("process:")["process:field-sales"])
    for stream in generated.by_prefix(DEAL_PREFIX).values():
        for told, event in enumerate(stream):
            before = stream[:told]
            assert isinstance(event.data, DealEvent)
            decide(
                replay(before),
                event.data,
                stamp=stamp_of(event),
                processes=known.processes(stream),
                events=before,
            )


def test_every_event_of_the_context_would_have_been_accepted(generated: EventStore) -> None:
    context = [e for e in generated.events_at(1, EVENTS) if not e.stream_id.startswith(DEAL_PREFIX)]
    for event in context:
        known = Known(e for e in context if e.position < event.position)
        stream = [e for e in known.events if e.stream_id == event.stream_id]
        decide_context(event.stream_id, stream, [event.data], stamps=[stamp_of(event)], known=known)


def test_the_worker_brings_every_projection_to_its_head(generated: EventStore) -> None:
    assert build_ledger(generated, generated).worker.catch_up() == EVENTS

    columns = ", ".join(DealState.__annotations__)
    rows = generated.rows(f"SELECT deal_id, {columns} FROM spans WHERE until_position IS NULL", {})
    stands = {row[0]: DealState(*row[1:]) for row in rows}
    for stream_id, events in generated.by_prefix(DEAL_PREFIX).items():
        deal_id = deal_of(stream_id)
        assert deal_id is not None
        assert stands[deal_id] == fold(view(events))


def test_it_has_the_constraints_and_indexes_of_any_ledger(
    generated: EventStore, store: EventStore
) -> None:
    with session(generated.dsn) as ours, session(store.dsn) as theirs:
        assert ours.execute(INDEXES).fetchall() == theirs.execute(INDEXES).fetchall()


def test_it_is_made_in_an_empty_ledger_only(generated: EventStore) -> None:
    with pytest.raises(LedgerNotEmptyError):
        make_ledger(generated.dsn, schema=SCHEMA, history=History(10))


def test_the_log_goes_on_after_it(ledger_dsn: str) -> None:
    make_ledger(ledger_dsn, schema=SCHEMA, history=History(100))

    with EventStore(ledger_dsn, schema=SCHEMA) as store:
        assert appended(store.append_blocking(ask("deal:new"))).first_position == 101
