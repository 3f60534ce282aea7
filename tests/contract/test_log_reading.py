"""What reading the log promises: streams, ranges and instants, as known at any position."""

import asyncio
import threading
from datetime import timedelta

import pytest

from api.storage.errors import UnreadableEventError
from api.storage.event_store import EventStore
from api.storage.requests import Head
from api.storage.upcasts import UnknownTopicError, read_payload
from domain.stamp import Source
from tests.support.log import NOON, appended, ask, new_event, said, session

STAGE = said("stage_entered", stage="discovery")
FOREIGN = """[{"stream_id": "deal:b", "caller": "c", "events": [{
    "event_id": "01a20bde-fd37-756f-9d9a-57bd916d3000", "topic": "os:getcwd", "actor": "a",
    "occurred_at": "2025-01-01T00:00Z", "channel": "api", "data": {}}]}]"""


def test_an_empty_log_has_position_zero(store: EventStore) -> None:
    assert store.head() == Head(position=0, recorded_at=None)
    assert store.position_at(NOON) == 0
    assert store.recorded_at_of(0) is None
    assert list(store.log()) == []


def test_a_stream_is_read_as_known_at_a_position(store: EventStore) -> None:
    for _ in range(3):
        store.append_blocking(ask("deal:a"))

    assert [e.version for e in store.stream("deal:a", upto=2)] == [1, 2]
    assert store.streams(["deal:a", "deal:b"], upto=1).keys() == {"deal:a", "deal:b"}
    assert len(store.streams(["deal:a"], upto=1)["deal:a"]) == 1


def test_streams_are_found_by_their_kind_alone(store: EventStore) -> None:
    for stream in ("quota:bo:FY2025Q1", "quota:ana:FY2025Q1", "quotas", "policy", "deal:quota:"):
        store.append_blocking(ask(stream))

    assert list(store.by_prefix("quota:")) == ["quota:ana:FY2025Q1", "quota:bo:FY2025Q1"]
    assert list(store.by_prefix("quota:", upto=1)) == ["quota:bo:FY2025Q1"]


@pytest.mark.parametrize("batch", [1, 3, 100])
def test_the_log_is_read_whole_in_batches_of_any_size(store: EventStore, batch: int) -> None:
    store.append_many_blocking([ask(f"deal:{n}") for n in range(10)])

    batches = list(store.log(batch=batch))

    assert [e.position for events in batches for e in events] == list(range(1, 11))
    assert max(map(len, batches)) == min(batch, 10)
    assert [e.position for events in store.log(after=3, upto=5) for e in events] == [4, 5]
    assert [e.position for e in store.events_at(2, 4)] == [2, 3, 4]


def test_the_log_can_be_read_for_some_topics(store: EventStore) -> None:
    for n in range(4):
        store.append_blocking(ask("deal:a", new_event(), new_event(STAGE)))
        assert len(store.readable_topics([STAGE.TOPIC], after=0, upto=100)[0]) == n + 1

    read = [e.position for events in store.log(topics=[STAGE.TOPIC], batch=2) for e in events]

    assert read == [2, 4, 6, 8]
    assert store.readable_topics([STAGE.TOPIC], after=2, upto=6)[0][-1].position == 6


def test_an_instant_and_a_position_name_the_same_place(store: EventStore) -> None:
    told = [appended(store.append_blocking(ask("deal:a", new_event(), new_event()))) for _ in "abc"]

    for verdict in told:
        assert store.position_at(verdict.recorded_at) == verdict.last_position
        assert store.recorded_at_of(verdict.first_position) == verdict.recorded_at
    just_before = told[1].recorded_at - timedelta(microseconds=1)
    assert store.position_at(just_before) == told[0].last_position
    assert store.recorded_at_of(7) is None


def test_imported_events_are_found_by_the_ids_of_their_source(store: EventStore) -> None:
    source = Source(system="crm", external_id="H1", stream="D01")
    store.append_blocking(ask("deal:a", new_event(source=source)))

    assert store.by_external_ids("crm", ["H1", "H2"]).keys() == {"H1"}
    assert store.by_external_ids("erp", ["H1"]) == {}
    assert store.stream_ids_of("D01") == ["deal:a"]
    assert store.stream_ids_of("D01", system="erp") == []


def test_a_row_that_cannot_be_read_says_where_it_is(store: EventStore, ledger_dsn: str) -> None:
    store.append_blocking(ask("deal:a"))
    with session(ledger_dsn) as connection:
        connection.execute("SELECT append_events(%s, now(), false)", [FOREIGN])

    with pytest.raises(UnreadableEventError, match="os:getcwd") as unreadable:
        store.stream("deal:b")

    assert unreadable.value.position == 2
    assert len(store.stream("deal:a")) == 1


def test_a_former_topic_is_read_through_every_step_up() -> None:
    steps = {
        "deal.entered.v1": ("deal.entered.v2", lambda data: {"to": data["stage_name"]}),
        "deal.entered.v2": (STAGE.TOPIC, lambda data: {"stage": data["to"]}),
    }

    read = read_payload("deal.entered.v1", b'{"stage_name": "discovery"}', upcasts=steps)

    assert read == STAGE
    with pytest.raises(UnknownTopicError):
        read_payload("deal.entered.v1", b"{}")


def test_waiting_ends_when_the_log_gets_there(store: EventStore) -> None:
    later = threading.Timer(0.1, store.append_blocking, [ask("deal:a")])
    later.start()

    head = store.wait_for(1, timeout=10)

    later.join()
    assert head.position == 1
    assert store.wait_for(2, timeout=0.05).position == 1


@pytest.mark.timeout(20)
def test_waiting_ends_when_told_to(store: EventStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.storage.log_reader._POLL_SECONDS", 600)
    stop = threading.Event()
    threading.Timer(0.1, stop.set).start()

    head = store.wait_for(1, timeout=600, stopped=stop.is_set)

    assert stop.is_set()
    assert head.position == 0


async def test_a_loop_reads_as_a_thread_does(ledger_dsn: str) -> None:
    store = EventStore(ledger_dsn, schema="ledger").start(asyncio.get_running_loop())
    try:
        await store.append(ask("deal:a", key="k"))
        loaded = await store.load("deal:a")
        answered = await store.find_request_async("tests", "k")

        assert loaded == await asyncio.to_thread(store.stream, "deal:a")
        assert answered == await asyncio.to_thread(store.find_request, "tests", "k")
        assert await store.find_request_async("tests", "other") is None
    finally:
        await store.aclose()


async def test_a_loop_that_is_not_the_committers_may_append_and_read(store: EventStore) -> None:
    appended(await store.append(ask("deal:a", key="k")))

    assert len(await store.load("deal:a")) == 1
    assert await store.find_request_async("tests", "k")
