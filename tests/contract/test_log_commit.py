"""What group commit promises when clients, connections and the database go away."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from psycopg.sql import SQL, Identifier

from api.clock import Deadline
from api.storage import group_commit, link
from api.storage.committer import Committer
from api.storage.errors import LogUnavailableError
from api.storage.event_store import EventStore
from api.storage.requests import Appended, Duplicate
from api.storage.wire import CHANNEL
from tests.support.chaos import ChaosProxy
from tests.support.log import SCHEMA, appended, ask, assert_gapless, fresh_key, session

KILL = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND query LIKE '%append_events%'"
    " AND pid <> pg_backend_pid()"
)


@pytest.fixture
def proxy(ledger_dsn: str) -> Iterator[ChaosProxy]:
    with ChaosProxy(ledger_dsn).listening() as proxy:
        yield proxy


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same deadlines in the same order, all shorter."""
    monkeypatch.setattr(group_commit, "WAIT_SECONDS", 1.0)
    monkeypatch.setattr(link, "CALL_SECONDS", 0.7)
    monkeypatch.setattr(link, "CONNECT_SECONDS", 0.5)


async def test_a_cancelled_client_disturbs_no_other(ledger_dsn: str) -> None:
    committer = Committer(ledger_dsn, schema=SCHEMA).start(asyncio.get_running_loop())
    try:
        tasks = [asyncio.create_task(committer.append(ask(f"deal:{n}"))) for n in range(40)]
        await asyncio.sleep(0)
        for task in tasks[::2]:
            task.cancel()
        answers = await asyncio.gather(*tasks, return_exceptions=True)

        assert all(isinstance(answer, asyncio.CancelledError) for answer in answers[::2])
        assert all(appended(answer) for answer in answers[1::2])
        appended(await committer.append(ask("deal:after")))
    finally:
        await committer.aclose()


@pytest.mark.usefixtures("impatient")
def test_a_client_that_gives_up_leaves_the_log_usable(store: EventStore, ledger_dsn: str) -> None:
    with session(ledger_dsn) as other, other.transaction():
        other.execute("SELECT FROM log_head FOR UPDATE")
        with pytest.raises(LogUnavailableError) as gone:
            store.append_blocking(ask("deal:a", key="k"))
    assert not gone.value.outcome_known

    again = store.append_blocking(ask("deal:a", key="k"))

    assert isinstance(again, Appended | Duplicate)
    assert assert_gapless(store) == 1


def test_a_shorter_timeout_of_the_caller_holds(store: EventStore, ledger_dsn: str) -> None:
    deadline = Deadline.after(2)
    with session(ledger_dsn) as other, other.transaction():
        other.execute("SELECT FROM log_head FOR UPDATE")
        with pytest.raises(LogUnavailableError):
            store.append_blocking(ask("deal:a"), timeout=0.1)

    assert not deadline.passed()


async def test_a_full_queue_refuses_at_once(
    ledger_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "MAX_QUEUE", 10)
    committer = Committer(ledger_dsn, schema=SCHEMA).start(asyncio.get_running_loop())
    try:
        answers = await asyncio.gather(
            *(committer.append(ask(f"deal:{n}")) for n in range(15)), return_exceptions=True
        )
        assert [isinstance(answer, Appended) for answer in answers] == [True] * 10 + [False] * 5
        assert all(isinstance(answer, LogUnavailableError) for answer in answers[10:])
    finally:
        await committer.aclose()


def test_killed_connections_lose_and_double_nothing(store: EventStore, ledger_dsn: str) -> None:
    stop = threading.Event()

    def kill() -> None:
        # Only after an append came through: on a busy machine nobody could connect between kills.
        seen = -1
        with session(ledger_dsn) as killer:
            while not stop.wait(0.02):
                row = killer.execute("SELECT position FROM log_head").fetchone()
                if row is not None and row[0] > seen:
                    seen = row[0]
                    killer.execute(KILL)

    def write(writer: int) -> list[int]:
        return [
            appended(store.append_blocking(ask(f"deal:{writer}", expected=n))).last_position
            for n in range(40)
        ]

    killing = threading.Thread(target=kill)
    killing.start()
    with ThreadPoolExecutor(8) as pool:
        positions = [each for written in pool.map(write, range(8)) for each in written]
    stop.set()
    killing.join()

    assert sorted(positions) == list(range(1, 321))
    assert assert_gapless(store) == 320


def test_a_lost_commit_reply_is_answered_and_stored_once(proxy: ChaosProxy) -> None:
    with EventStore(proxy.dsn, schema=SCHEMA) as store:
        store.append_blocking(ask("deal:a"))
        for n in range(1, 101):
            proxy.cut_next_reply()
            key = fresh_key() if n % 2 else None
            verdict = appended(store.append_blocking(ask("deal:a", expected=n, key=key)))
            assert (verdict.version, verdict.last_position) == (n + 1, n + 1)

        assert assert_gapless(store) == 101


@pytest.mark.usefixtures("impatient")
def test_a_silent_network_ends_in_time_and_the_log_comes_back(proxy: ChaosProxy) -> None:
    with EventStore(proxy.dsn, schema=SCHEMA) as store:
        store.append_blocking(ask("deal:a"))
        proxy.fall_silent()
        deadline = Deadline.after(2)
        with ThreadPoolExecutor(4) as pool:
            asked = [pool.submit(store.append_blocking, ask(f"deal:{n}")) for n in range(4)]
        assert all(isinstance(each.exception(), LogUnavailableError) for each in asked)
        assert not deadline.passed()

        proxy.speak_again()

        appended(store.append_blocking(ask("deal:a", expected=1)))


@pytest.mark.usefixtures("impatient")
def test_a_database_that_is_away_is_told_in_time_and_found_again(proxy: ChaosProxy) -> None:
    proxy.refuse()
    with EventStore(proxy.dsn, schema=SCHEMA) as store:
        deadline = Deadline.after(2)
        with pytest.raises(LogUnavailableError) as away:
            store.append_blocking(ask("deal:a"))
        assert away.value.outcome_known
        assert not deadline.passed()

        proxy.accept()
        appended(store.append_blocking(ask("deal:a")))


def test_a_ledger_that_was_not_migrated_is_told_at_once(ledger_dsn: str) -> None:
    with (
        EventStore(ledger_dsn, schema="nothing_here") as store,
        pytest.raises(LogUnavailableError, match="migrated"),
    ):
        store.append_blocking(ask("deal:a"))


async def test_a_blocking_append_on_the_committers_loop_is_refused(ledger_dsn: str) -> None:
    committer = Committer(ledger_dsn, schema=SCHEMA).start(asyncio.get_running_loop())
    try:
        with pytest.raises(RuntimeError, match="wait for itself"):
            committer.append_blocking(ask("deal:a"))
    finally:
        await committer.aclose()


async def test_closing_lets_what_is_queued_finish(ledger_dsn: str) -> None:
    committer = Committer(ledger_dsn, schema=SCHEMA).start(asyncio.get_running_loop())
    asked = [asyncio.create_task(committer.append(ask(f"deal:{n}"))) for n in range(300)]
    await asyncio.sleep(0)

    await committer.aclose()
    await asyncio.wait(asked)

    assert all(appended(each.result()) for each in asked)
    with pytest.raises(LogUnavailableError):
        await committer.append(ask("deal:late"))


def test_a_store_can_be_closed_twice_and_without_a_start(ledger_dsn: str) -> None:
    with closing(EventStore(ledger_dsn, schema=SCHEMA)) as store:
        assert store.head().position == 0
        with pytest.raises(LogUnavailableError):
            store.append_blocking(ask("deal:a"))
        store.close()


def test_many_requests_on_one_stream_keep_their_order(store: EventStore) -> None:
    requests = [ask("deal:a", expected=n) for n in range(50)]

    outcomes = store.append_many_blocking(requests)

    assert [appended(outcome).version for outcome in outcomes] == list(range(1, 51))
    assert [e.event_id for e in store.stream("deal:a")] == [r.events[0].event_id for r in requests]


def test_followers_are_told_of_the_last_append_of_a_run_and_not_of_each(
    store: EventStore, ledger_dsn: str
) -> None:
    with session(ledger_dsn) as follower:
        follower.execute(SQL("LISTEN {}").format(Identifier(CHANNEL)))
        answers = [appended(store.append_blocking(ask(f"deal:{n}"))) for n in range(60)]
        told = []
        for hint in follower.notifies(timeout=10):
            told.append(hint.payload)
            if hint.payload == f"{SCHEMA}:{answers[-1].last_position}":
                break

    assert told[-1] == f"{SCHEMA}:60"
    assert len(told) < 60
