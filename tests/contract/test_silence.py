"""Reading over a network that breaks: every wait ends, and what comes back is found again.

Holds `docs/guarantees.md`, G21.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event as Flag

import psycopg_pool.base
import pytest

from api.clock import Deadline
from api.storage import reading_connection
from api.storage.errors import LogUnavailableError
from api.storage.log_reader import LogReader
from api.storage.reading_connection import ReadingConnection
from api.storage.rehearsal import rehearse_append
from api.storage.timekeeper import Timekeeper
from tests.support.chaos import ChaosProxy
from tests.support.log import SCHEMA, session

PATIENCE = 30.0


@pytest.fixture
def proxy(ledger_dsn: str) -> Iterator[ChaosProxy]:
    with ChaosProxy(ledger_dsn).listening() as proxy:
        yield proxy


@pytest.fixture
def reader(proxy: ChaosProxy) -> Iterator[LogReader]:
    with LogReader(proxy.dsn, schema=SCHEMA).closing() as reader:
        reader.head()
        yield reader
        proxy.speak_again()
        proxy.drop_all()  # else the pool would wait for connections that it is making


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading_connection, "_SILENCE_SECONDS", 0.3)
    monkeypatch.setattr(reading_connection, "_CHECK_SECONDS", 0.3)


def sleep(reader: LogReader, seconds: float) -> object:
    with reader.connection() as connection:
        return connection.execute("SELECT 7 FROM pg_sleep(%s)", [seconds]).fetchone()


@pytest.mark.usefixtures("impatient")
def test_a_long_question_is_waited_for(reader: LogReader) -> None:
    assert sleep(reader, 1.5) == (7,)


@pytest.mark.usefixtures("impatient")
def test_an_answer_that_comes_while_the_server_is_asked_for_it_is_taken(
    reader: LogReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    told_at_once = ReadingConnection._state_told_elsewhere
    told = []

    def told_late(connection: ReadingConnection) -> str | None:
        Flag().wait(1.0)
        told.append(told_at_once(connection))
        return told[-1]

    monkeypatch.setattr(ReadingConnection, "_state_told_elsewhere", told_late)

    assert sleep(reader, 0.8) == (7,)
    assert told == ["idle"]


@pytest.mark.usefixtures("impatient")
def test_a_question_ends_when_the_network_falls_silent(
    reader: LogReader, proxy: ChaosProxy
) -> None:
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(sleep, reader, 0.5)
        Flag().wait(0.2)
        proxy.fall_silent()
        with pytest.raises(LogUnavailableError, match="silent"):
            asked.result(PATIENCE)


@pytest.mark.usefixtures("impatient")
def test_an_answer_that_was_lost_is_not_waited_for(reader: LogReader, proxy: ChaosProxy) -> None:
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(sleep, reader, 0.5)
        Flag().wait(0.2)
        proxy.fall_silent()
        proxy.speak_again()
        with pytest.raises(LogUnavailableError, match="lost on the way"):
            asked.result(PATIENCE)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("broken", ["muted", "half-open", "cut"])
def test_a_connection_that_broke_while_idle_is_replaced(
    reader: LogReader, proxy: ChaosProxy, broken: str
) -> None:
    if broken == "muted":
        proxy.fall_silent()
        proxy.speak_again()
    elif broken == "half-open":
        proxy.forget_all()
    else:
        proxy.drop_all()

    assert reader.head().position == 0


def test_a_database_that_comes_back_after_long_is_found_by_the_next_who_asks(
    reader: LogReader, proxy: ChaosProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    # After an hour away the pool would pause for minutes; here it would after a second.
    monkeypatch.setattr(psycopg_pool.base.AttemptWithBackoff, "DELAY_BACKOFF", 100.0)
    proxy.refuse()
    with pytest.raises(LogUnavailableError):
        reader.head()
    proxy.accept()

    assert reader.head().position == 0


def test_a_rehearsed_append_leaves_nothing(ledger_dsn: str) -> None:
    with LogReader(ledger_dsn, schema=SCHEMA).closing() as reader:
        for _ in range(3):
            rehearse_append(reader, Timekeeper())

        assert reader.head().position == 0
        for table in ("events", "requests"):
            with session(ledger_dsn) as other:
                assert other.execute(f"SELECT count(*) FROM {table}".encode()).fetchone() == (0,)


@pytest.mark.parametrize(
    "broken",
    [
        "ALTER TABLE events ADD CHECK (version < 0)",
        "ALTER FUNCTION append_events RENAME TO elsewhere",
        "UPDATE log_head SET recorded_at = now() + interval '1 hour'",
    ],
)
def test_what_an_append_would_fail_at_a_rehearsal_fails_at(ledger_dsn: str, broken: str) -> None:
    with session(ledger_dsn) as other:
        other.execute(broken.encode())
    with (
        LogReader(ledger_dsn, schema=SCHEMA).closing() as reader,
        pytest.raises(LogUnavailableError, match="cannot be appended to"),
    ):
        rehearse_append(reader, Timekeeper())


def test_a_rehearsal_waits_for_no_lock_for_long(ledger_dsn: str) -> None:
    deadline = Deadline.after(PATIENCE)
    with session(ledger_dsn) as other, other.transaction():
        other.execute("SELECT FROM log_head FOR UPDATE")
        with (
            LogReader(ledger_dsn, schema=SCHEMA).closing() as reader,
            pytest.raises(LogUnavailableError),
        ):
            rehearse_append(reader, Timekeeper())

    assert not deadline.passed()
