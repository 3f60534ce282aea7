"""What is kept of a deal that was read never says other than the log does."""

import gc
import random
import threading
import weakref
from uuid import UUID, uuid4

import pytest

from api.deal_seen import DealTold
from api.deals_told import KEPT_CONTEXTS, DealsTold
from api.storage.event_store import EventStore
from domain.events.base import DomainEvent
from domain.known import Known
from domain.policy import policy_from
from tests.support.log import NOON, ask, new_event, said

CHANCE = random.Random(56)
KNOWN = Known([])
OPENED = said("deal_opened", name="Fleet", account={"id": "a", "name": "A"}, owner="ann")
STAGE = said("stage_entered", stage="discovery")


def told_to(store: EventStore, deal: UUID, data: DomainEvent = STAGE) -> int:
    """Tell an event of a deal and give its position."""
    store.append_blocking(ask(f"deal:{deal}", new_event(data)))
    return store.head().position


def versions(told: DealTold | None) -> list[int]:
    return [event.version for event in told.stream] if told else []


def test_what_was_told_since_is_read_and_what_was_not_known_then_is_not(store: EventStore) -> None:
    deals, kept = [uuid4() for _ in range(3)], DealsTold(store)
    for deal in deals:
        told_to(store, deal, OPENED)
    for _ in range(60):
        head = told_to(store, CHANCE.choice(deals))
        deal, position = CHANCE.choice(deals), CHANCE.choice([head, CHANCE.randint(1, head)])

        found = kept.upto(deal, position, KNOWN, None)

        stream = store.stream(f"deal:{deal}", upto=position)
        assert (list(found.stream) if found else []) == stream
        assert not found or found.state() == DealTold.of(stream, KNOWN).state()


def test_a_deal_is_folded_again_only_where_something_follows(store: EventStore) -> None:
    deal, kept = uuid4(), DealsTold(store)
    first = told_to(store, deal, OPENED)
    before = kept.upto(deal, first, KNOWN, None)
    head = told_to(store, uuid4(), OPENED)

    assert before is not None
    assert kept.upto(deal, head, KNOWN, None) is before
    assert before.progress() is before.progress()
    assert versions(kept.upto(deal, told_to(store, deal), KNOWN, None)) == [1, 2]
    assert versions(kept.upto(deal, first, KNOWN, None)) == [1]


def test_another_context_and_a_cut_read_a_deal_anew(store: EventStore) -> None:
    deal, kept = uuid4(), DealsTold(store)
    head = told_to(store, deal, OPENED)
    before = kept.upto(deal, head, KNOWN, None)
    other = KNOWN.under(policy_from(1, {"grace_days": 3}))

    under = kept.upto(deal, head, other, None)
    cut = kept.upto(deal, head, other, NOON.replace(year=1999))

    assert before is not None
    assert under is not None
    assert under.known is other
    assert cut is not None
    assert (cut.events, cut.state(), versions(cut)) == ([], None, [1])
    assert kept.upto(deal, head, other, None) is under


@pytest.mark.parametrize(("kept_bytes", "is_kept"), [(0, False), (1_000_000, True)])
def test_what_is_kept_is_bounded_by_bytes(
    store: EventStore, kept_bytes: int, *, is_kept: bool
) -> None:
    deal, kept = uuid4(), DealsTold(store, kept_bytes=kept_bytes)
    head = told_to(store, deal, OPENED)

    first = kept.upto(deal, head, KNOWN, None)

    assert versions(first) == [1]
    assert (kept.upto(deal, head, KNOWN, None) is first) == is_kept


def test_contexts_of_long_ago_are_not_kept_with_the_deals_that_were_read_in_them(
    store: EventStore,
) -> None:
    kept, contexts = DealsTold(store), []
    for number in range(2 * KEPT_CONTEXTS):
        known = KNOWN.under(policy_from(number + 1, {"grace_days": 3}))
        deal = uuid4()
        kept.upto(deal, told_to(store, deal, OPENED), known, None)
        contexts.append(weakref.ref(known))
    del known
    gc.collect()

    assert [one() is not None for one in contexts] == [False] * KEPT_CONTEXTS + [
        True
    ] * KEPT_CONTEXTS


def test_a_thread_asks_over_one_connection_where_it_wants_to(store: EventStore) -> None:
    def elsewhere() -> None:
        with store.connection() as connection:
            others.append(connection.info.backend_pid)

    others: list[int] = []
    with store.one_connection(), store.connection() as connection:
        own = connection.info.backend_pid
        with store.one_connection(), store.snapshot() as same:
            assert same.info.backend_pid == own
        with store.connection() as again:
            assert again is connection
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()

    assert others != [own]
    with store.connection() as one, store.connection() as another:
        assert one is not another


def test_who_asks_over_one_connection_leaves_connections_to_others(store: EventStore) -> None:
    asked, done = threading.Barrier(11), threading.Event()
    heads: list[int] = []

    def hold() -> None:
        with store.one_connection():
            heads.append(store.head().position)
            asked.wait(10)
            done.wait(10)

    threads = [threading.Thread(target=hold) for _ in range(10)]
    for thread in threads:
        thread.start()
    asked.wait(10)
    try:
        with store.connection(timeout=1) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
    finally:
        done.set()
        for thread in threads:
            thread.join()
    assert heads == [0] * 10
