"""Clocks that jump: nothing is recorded at a time that was not, and time never goes back.

Holds `docs/guarantees.md`, G5. The clocks are doubles: PostgreSQL's functions that tell the time
are found in a schema of the test first, and the application's is replaced. What a machine keeps by
itself, and nobody sets, is as it is.
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from random import Random
from threading import Event as Flag

import pytest
from structlog.testing import capture_logs

from api import clock
from api.application import Caller, Command, Intent
from api.bootstrap import build_ledger
from api.clock import Deadline
from api.identity.permissions import OPERATOR
from api.storage.errors import ClockRefusedError
from api.storage.event_store import EventStore
from api.storage.rehearsal import rehearse_append
from api.storage.requests import AppendRequest, Verdict
from api.storage.roles import Role
from tests.support.client import client_on, event, open_deal, post
from tests.support.log import SCHEMA, appended, ask, assert_gapless, said, session
from tests.support.roles import address

DOUBLES = """
CREATE SCHEMA skewed;
CREATE TABLE skewed.by (amount interval NOT NULL);
INSERT INTO skewed.by VALUES ('0');
CREATE FUNCTION skewed.clock_timestamp() RETURNS timestamptz LANGUAGE sql
    AS 'SELECT pg_catalog.clock_timestamp() + amount FROM skewed.by';
CREATE FUNCTION skewed.statement_timestamp() RETURNS timestamptz LANGUAGE sql
    AS 'SELECT pg_catalog.statement_timestamp() + amount FROM skewed.by';
GRANT USAGE ON SCHEMA skewed TO PUBLIC;
GRANT SELECT ON skewed.by TO PUBLIC;
ALTER FUNCTION take_head() SET search_path = skewed, pg_catalog, ledger, pg_temp;
ALTER FUNCTION append_events(json, timestamptz, boolean)
    SET search_path = skewed, pg_catalog, ledger, pg_temp;
"""
Shift = Callable[[float, float], None]
"""Moves the database's clock and the application's by so many seconds from the right time."""


@pytest.fixture
def shift(ledger_dsn: str, monkeypatch: pytest.MonkeyPatch) -> Shift:
    right = clock.now
    with session(ledger_dsn) as connection:
        connection.execute(DOUBLES.encode())

    def moved(database: float, application: float) -> None:
        with session(ledger_dsn) as connection:
            connection.execute("UPDATE skewed.by SET amount = %s", [timedelta(seconds=database)])
        monkeypatch.setattr(clock, "now", lambda: right() + timedelta(seconds=application))

    return moved


def last_told(store: EventStore) -> datetime:
    told = store.head().recorded_at
    assert told is not None
    return told


@pytest.mark.parametrize(
    ("database", "application"),
    [
        (90 * 86400, 0), (-90 * 86400, 0), (0, 90 * 86400), (0, -90 * 86400),
        (-90 * 86400, -90 * 86400), (90 * 86400, 90 * 86400), (366 * 86400, 366 * 86400),
        (8, 0), (-8, 0), (0, 8), (-8, -8), (8, 8),
    ],
)  # fmt: skip
def test_a_jump_is_refused_and_records_nothing_until_the_clocks_are_right(
    store: EventStore, shift: Shift, database: float, application: float
) -> None:
    before = appended(store.append_blocking(ask("deal:a")))

    shift(database, application)
    with pytest.raises(ClockRefusedError):
        store.append_blocking(ask("deal:a", key="k"))
    with pytest.raises(ClockRefusedError):
        rehearse_append(store, store.timekeeper)
    assert store.head().position == before.last_position

    shift(0, 0)
    rehearse_append(store, store.timekeeper)
    after = appended(store.append_blocking(ask("deal:a", key="k")))
    assert timedelta(0) <= after.recorded_at - before.recorded_at < timedelta(minutes=2)


def test_clocks_that_wander_never_take_the_log_back(store: EventStore, shift: Shift) -> None:
    chance = Random(9)
    recorded = refused = 0
    begun = clock.now()
    for _ in range(60):
        shift(chance.uniform(-4, 4), chance.choice([0.0, -3.0, 3.0, 3600.0]))
        try:
            appended(store.append_blocking(ask("deal:a")))
        except ClockRefusedError:
            refused += 1
        else:
            recorded += 1

    assert refused > 5
    assert assert_gapless(store) == recorded > 5
    assert last_told(store) < begun + timedelta(minutes=2)


def test_whoever_begins_after_the_clocks_were_set_takes_them_for_right(
    store: EventStore, ledger_dsn: str, shift: Shift
) -> None:
    appended(store.append_blocking(ask("deal:a")))

    shift(3600, 3600)
    with EventStore(address(ledger_dsn, Role.APP), schema=SCHEMA) as restarted:
        later = appended(restarted.append_blocking(ask("deal:a")))

    assert later.recorded_at > clock.now() - timedelta(minutes=2)
    shift(0, 0)
    with (
        EventStore(address(ledger_dsn, Role.APP), schema=SCHEMA) as restarted,
        pytest.raises(ClockRefusedError, match="was already told"),
    ):
        restarted.append_blocking(ask("deal:a"))


def test_a_machine_that_slept_is_right(
    store: EventStore, shift: Shift, monkeypatch: pytest.MonkeyPatch
) -> None:
    appended(store.append_blocking(ask("deal:a")))
    awake, night = time.clock_gettime, 10 * 3600.0

    shift(night, night)
    with monkeypatch.context() as patch:
        asleep = {time.CLOCK_BOOTTIME: night}  # a monotonic clock stands still meanwhile
        patch.setattr(time, "clock_gettime", lambda which: awake(which) + asleep.get(which, 0.0))
        appended(store.append_blocking(ask("deal:a")))


def test_small_steps_are_followed(store: EventStore, shift: Shift) -> None:
    for step in range(4):
        shift(4 * step, 4 * step)
        appended(store.append_blocking(ask("deal:a")))

    shift(0, 0)
    with pytest.raises(ClockRefusedError):
        store.append_blocking(ask("deal:a"))


@pytest.mark.parametrize("seconds", [366 * 86400, -366 * 86400])
def test_a_clock_that_is_set_while_an_append_waits_is_noticed(
    store: EventStore, ledger_dsn: str, shift: Shift, seconds: float
) -> None:
    with ThreadPoolExecutor(1) as pool, session(ledger_dsn) as other:
        with other.transaction():
            other.execute("SELECT FROM log_head FOR UPDATE")
            asked = pool.submit(store.append_blocking, ask("deal:a"))
            until_it_waits(ledger_dsn)
            shift(seconds, seconds)
        with pytest.raises(ClockRefusedError):
            asked.result()

    assert store.head().position == 0


def test_what_was_decided_under_a_wrong_clock_is_not_recorded_when_it_is_right(
    ledger_dsn: str, shift: Shift
) -> None:
    class SetRight(EventStore):
        """The clocks are set right between a decision and its append."""

        async def append(self, request: AppendRequest) -> Verdict:
            shift(0, 0)
            return await super().append(request)

    async def asked() -> None:
        store = SetRight(address(ledger_dsn, Role.APP), schema=SCHEMA)
        store.start(asyncio.get_running_loop())
        try:
            door = build_ledger(store, store).application
            shift(3600, 3600)
            await door.open_deal(opening)
        finally:
            await store.aclose()

    account = {"id": "acme", "name": "Acme"}
    opened = Intent(data=said("deal_opened", name="Fleet", account=account, owner="ann"))
    opening = Command(
        caller=Caller(identity=OPERATOR), intents=(opened,), idempotency_key="k", body_hash=""
    )

    with pytest.raises(ClockRefusedError):
        asyncio.run(asked())


def until_it_waits(dsn: str) -> None:
    """Wait until some statement waits for the head of the log."""
    deadline, pause = Deadline.after(30), Flag()
    waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    with session(dsn) as other:
        while other.execute(waits).fetchone() == (0,):
            assert not deadline.passed()
            pause.wait(0.01)


def test_a_client_is_told_and_the_log_has_it_once(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = clock.now
    with client_on(database) as client, capture_logs() as logs:
        deal = open_deal(client)
        note, path = event("note_added", text="so"), f"/v1/deals/{deal}/events"
        monkeypatch.setattr(clock, "now", lambda: right() + timedelta(days=366))
        refused = [post(client, path, note, key="k") for _ in range(2)]
        unready, metrics = client.get("/readyz"), client.get("/metrics").text
        monkeypatch.setattr(clock, "now", right)
        recorded = post(client, path, note, key="k")
        ready = client.get("/readyz")

    for answer in refused:
        assert (answer.status_code, answer.json()["code"]) == (503, "clock_refused")
        assert int(answer.headers["retry-after"]) > 0
    assert (unready.status_code, unready.json()["clock"]) == (503, "jumped")
    assert "dealtrail_clock_refused 1.0" in metrics
    assert recorded.status_code == 201
    assert (ready.status_code, ready.json()["clock"]) == (200, "steady")
    told = [(line["log_level"], line["event"]) for line in logs if "clock" in line["event"]]
    assert told == [
        ("critical", "nothing is recorded: a clock is wrong"),
        ("warning", "the clocks agree again"),
    ]
