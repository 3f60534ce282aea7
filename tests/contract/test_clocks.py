"""Clocks that jump: nothing is recorded at a time that was not, and time never goes back.

Holds `docs/guarantees.md`, G5. The clocks are doubles: PostgreSQL's functions that tell the time
are found in a schema of the test first, and the application's is replaced.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random

import pytest

from api import clock
from api.storage.errors import ClockRefusedError, LogUnavailableError
from api.storage.event_store import EventStore
from api.storage.rehearsal import rehearse_append
from tests.support.log import appended, ask, assert_gapless, session

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
        (-90 * 86400, -90 * 86400), (8, 0), (-8, 0), (-8, -8),
    ],
)  # fmt: skip
def test_a_jump_is_refused_and_records_nothing_until_the_clocks_are_right(
    store: EventStore, shift: Shift, database: float, application: float
) -> None:
    before = appended(store.append_blocking(ask("deal:a")))

    shift(database, application)
    with pytest.raises(ClockRefusedError):
        store.append_blocking(ask("deal:a", key="k"))
    with pytest.raises(LogUnavailableError):
        rehearse_append(store)
    assert store.head().position == before.last_position

    shift(0, 0)
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
