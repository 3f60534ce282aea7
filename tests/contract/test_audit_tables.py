"""The rows of auditors are what the folds say, however they came about, and nobody else's to read.

Holds G4 and G5 of `docs/guarantees.md`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from threading import Event as Flag
from typing import Any, Final, cast

import psycopg
import pytest
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

from api.all_projections import projections
from api.audit import tables
from api.audit.quarters import quarters
from api.audit.rows import TABLES, Row, Told
from api.bootstrap import Ledger
from api.rebuild import drop_previous, rebuild
from api.storage.connections import audit_conninfo
from api.storage.migrate import migrate
from api.storage.rights import audit_schema
from api.storage.roles import Role
from domain.calendars import CalendarHistory
from domain.replay import Event
from tests.support.attacks import session_of
from tests.support.audited import (
    assert_events_told_alike,
    assert_told_alike,
    auditor,
    head_of,
)
from tests.support.calendars import HISTORIES, INSTANTS
from tests.support.ledgers import SCHEMA
from tests.support.many_deals import DEALS, LOGS, Log, Telling, log_of
from tests.support.postgres import PostgresServer
from tests.support.roles import LOGINS, address, under_roles
from tests.support.told import usd

AT: Final = datetime(2026, 11, 26, 4, tzinfo=UTC)
"""After every deadline of a log."""
_LIFE: Final[tuple[tuple[str, dict[str, object]], ...]] = (
    ("deal_opened", {"name": "X", "account": {"id": "a", "name": "A"}, "owner": "ann"}),
    ("stage_entered", {"stage": "qualify"}),
    ("activity_ticked", {"activity": "demo"}),
    ("deal_won", {"net": usd("300"), "closed_on": "2025-03-20"}),
)
BUSY: Final = log_of(
    [Telling(f"deal:{deal_id}", kind, data) for deal_id in DEALS for kind, data in _LIFE]
)
_COLUMNS: Final = (
    "position, stream_id, version, event_id, topic, occurred_at, recorded_at, ingested_at, actor,"
    " caller, caused_by, clock, data, channel, source_system, external_id, source_recorded_at"
)


def store(database: str, log: Log) -> None:
    """Put the events of a log into an empty ledger, past the rules of decisions.

    Every fourth came by an ordinary import, every second of these with a time of its source.
    """
    with session_of(database) as superuser, superuser.cursor() as cursor:
        superuser.execute(f"SET search_path = {SCHEMA}".encode())
        with cursor.copy(f"COPY events ({_COLUMNS}) FROM STDIN".encode()) as copy:
            for one in log.events:
                copy.write_row(
                    (
                        *(one.position, one.stream_id, one.version, one.event_id, one.data.TOPIC),
                        *(one.occurred_at, one.recorded_at, one.ingested_at, one.actor),
                        *(one.actor, one.caused_by, "server", one.data.to_json().decode()),
                        *_source(one),
                    )
                )
        superuser.execute(
            "UPDATE log_head SET position = %s, recorded_at = %s",
            (log.head, log.events[-1].recorded_at),
        )


def _source(one: Event) -> tuple[object, ...]:
    if one.position % 4:
        return ("api", None, None, None)
    told_at = one.occurred_at + timedelta(days=3) if one.position % 8 else None
    return ("import", "crm", str(one.position), told_at)


def rows_of(database: str) -> dict[str, list[Any]]:
    """Give all rows of all tables."""
    with session_of(database) as superuser:
        superuser.execute(f"SET search_path = {SCHEMA}".encode())
        return {
            table: sorted(superuser.execute(f"SELECT * FROM {table}".encode()).fetchall(), key=repr)
            for table in tables.OWN
        }


@contextmanager
def ledger_of(server: PostgresServer, log: Log) -> Iterator[tuple[str, Ledger]]:
    with server.ledger(SCHEMA) as database:
        store(database, log)
        with under_roles(database, schema=SCHEMA) as ledger:
            yield database, ledger


@settings(max_examples=5, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(log=LOGS, share=st.floats(0.3, 0.95))
def test_any_history_is_told_as_the_api_tells_it_however_it_was_followed(
    postgres_server: PostgresServer, log: Log, share: float
) -> None:
    assume(log.head > 2)
    with ledger_of(postgres_server, log) as (database, ledger):
        for upto in (round(log.head * share), log.head):
            ledger.worker.catch_up(upto=upto)
            assert ledger.audit.catch_up() == upto
        followed = rows_of(database)
        with auditor(database) as session:
            assert_told_alike(session, ledger, head_of(ledger, AT))
            assert_events_told_alike(session, ledger, head_of(ledger, AT))
        with session_of(database) as superuser:
            superuser.execute(f"DELETE FROM {SCHEMA}.projections WHERE name = 'audit'".encode())
        ledger.audit.catch_up()

        assert rows_of(database) == followed


def test_a_ledger_without_events_has_no_rows(postgres_server: PostgresServer) -> None:
    with postgres_server.ledger(SCHEMA) as database, under_roles(database, schema=SCHEMA) as ledger:
        assert ledger.audit.catch_up() == 0
        assert not any(rows_of(database).values())


def test_a_late_win_changes_what_is_told_of_another_deal_of_its_rep(
    postgres_server: PostgresServer,
) -> None:
    quota = {"rep": "ann", "quarter": "FY2025Q1", "amount": usd("1000")}
    one, other = (f"deal:{deal_id}" for deal_id in DEALS[:2])
    late_win = log_of(
        [
            Telling("quota:ann:FY2025Q1", "quota_assigned", quota, lag=timedelta(days=15)),
            Telling(one, "deal_opened", _LIFE[0][1], lag=timedelta(days=10)),
            Telling(other, "deal_opened", _LIFE[0][1], lag=timedelta(days=10)),
            Telling(one, "discount_offered", {"percent": "25"}),
            Telling(other, "deal_won", _LIFE[3][1], lag=timedelta(days=5)),
        ]
    )
    with ledger_of(postgres_server, late_win) as (database, ledger), auditor(database) as session:
        attained = []
        for upto in (late_win.head - 1, late_win.head):
            ledger.worker.catch_up(upto=upto)
            ledger.audit.catch_up()
            rows = session.execute("SELECT attained FROM pressure_verdicts").fetchall()
            attained.append([row["attained"] for row in rows])

    assert attained == [[0], [300]]


def test_a_rebuild_changes_nothing_for_auditors(postgres_server: PostgresServer) -> None:
    with ledger_of(postgres_server, BUSY) as (database, ledger), auditor(database) as session:
        ledger.worker.catch_up()
        ledger.audit.catch_up()
        asked = "SELECT (SELECT count(*) FROM {}), (SELECT count(*) FROM deals_as_of(now()))"
        views = ("deals", "bookings", "ticks")
        before = [session.execute(asked.format(view).encode()).fetchone() for view in views]

        for name in ("spans", "attainment", "progress"):
            assert rebuild(ledger.projecting, name, projections, processes=1).swapped
            drop_previous(ledger.projecting, name, projections)

        after = [session.execute(asked.format(view).encode()).fetchone() for view in views]
        assert after == before
        assert all(before)


def test_deals_as_of_an_instant_that_nobody_knows_are_refused(
    postgres_server: PostgresServer,
) -> None:
    with ledger_of(postgres_server, BUSY) as (database, ledger), auditor(database) as session:
        with pytest.raises(psycopg.Error, match=r"stand at position 0, and at .* stood at"):
            session.execute("SELECT * FROM deals_as_of(now())")
        ledger.worker.catch_up()
        with pytest.raises(psycopg.Error, match="nothing is known yet"):
            session.execute("SELECT * FROM deals_as_of(now() + interval '1 minute')")
        early = session.execute("SELECT * FROM deals_as_of('2001-01-01')").fetchall()

        assert early == []
        assert session.execute("SELECT * FROM deals_as_of(now())").fetchall()


def test_a_deal_that_cannot_be_told_is_parked_and_named(
    postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def poisoned(told: Told) -> Iterator[Row]:
        if told.deal_id == DEALS[0]:
            raise ValueError("poison")
        yield from ()

    with ledger_of(postgres_server, BUSY) as (database, ledger), auditor(database) as session:
        ledger.worker.catch_up()
        with monkeypatch.context() as patched:
            patched.setitem(cast("dict[str, object]", TABLES), "audit_visits", poisoned)
            ledger.audit.catch_up()
        parked = session.execute("SELECT * FROM parked").fetchall()
        told = session.execute("SELECT DISTINCT deal_id FROM progress").fetchall()

        assert [(one["projection"], one["deal_id"]) for one in parked] == [("audit", DEALS[0])]
        assert "poison" in parked[0]["reason"]
        assert {row["deal_id"] for row in told} == set(DEALS[1:])


def test_standing_tells_how_far_behind_everything_is(postgres_server: PostgresServer) -> None:
    with ledger_of(postgres_server, BUSY) as (database, ledger), auditor(database) as session:
        ledger.worker.catch_up(upto=BUSY.head - 2)
        ledger.audit.catch_up()
        rows = session.execute("SELECT name, position, behind, waiting FROM standing").fetchall()

        standing = {row["name"]: row for row in rows}
        assert standing["log"]["position"] == BUSY.head
        assert (standing["audit"]["position"], standing["audit"]["behind"]) == (BUSY.head - 2, 2)
        assert standing["audit"]["waiting"] is not None
        assert standing["spans"]["behind"] == 2


ASKED: Final = ("SELECT * FROM {audit}.events", "SELECT {audit}.deals_as_of(now())")
ATTACKS: Final = (
    "UPDATE {audit}.events SET actor = 'x'",
    "INSERT INTO {audit}.people VALUES ('x', 'x')",
    "DELETE FROM {audit}.members",
    "CREATE VIEW {audit}.mine AS SELECT 1",
    "CREATE OR REPLACE VIEW {audit}.parked AS SELECT 1",
    "DROP VIEW {audit}.parked",
    "ALTER VIEW {audit}.parked SET (security_invoker = false)",
    "CREATE FUNCTION {audit}.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "COMMENT ON VIEW {audit}.events IS 'x'",
    "DELETE FROM {ledger}.audit_verdicts",
    "TRUNCATE {ledger}.audit_verdicts",
    "SELECT * FROM {ledger}.api_keys",
    "SELECT * FROM {ledger}.sessions",
)


def refused(database: str, role: Role, statement: str) -> bool:
    """Say whether a role is refused, even when it asks for a session that may write."""
    with psycopg.connect(address(database, role), autocommit=True) as session:
        session.execute("SET default_transaction_read_only = off")
        names = {"audit": audit_schema(SCHEMA), "ledger": SCHEMA}
        try:
            session.execute(statement.format(**names).encode())
        except (psycopg.errors.InsufficientPrivilege, psycopg.errors.ObjectNotInPrerequisiteState):
            return True
    return False


def test_nobody_else_reads_the_views_and_nobody_changes_them(
    every_postgres_server: PostgresServer,
) -> None:
    with every_postgres_server.ledger(SCHEMA) as database:
        assert not any(refused(database, Role.AUDITOR, asked) for asked in ASKED)
        for role in set(Role) - {Role.AUDITOR}:
            assert all(refused(database, role, asked) for asked in ASKED), role
        for attack in ATTACKS:
            assert refused(database, Role.AUDITOR, attack), attack
            if "{audit}" in attack:
                others = set(Role) - {Role.AUDITOR}
                assert all(refused(database, role, attack) for role in others), attack


def test_sessions_of_auditors_begin_read_only_in_utc_and_with_a_deadline(
    postgres_server: PostgresServer,
) -> None:
    names = ("default_transaction_read_only", "statement_timeout", "TimeZone", "search_path")
    with postgres_server.database() as database:
        migrate(database, schema=SCHEMA, logins=LOGINS)
        plain = address(database, Role.AUDITOR)
        for dsn in (plain, audit_conninfo(plain, schema=SCHEMA)):
            with psycopg.connect(dsn) as session:
                settings = [session.execute(f"SHOW {n}".encode()).fetchone() for n in names]
            assert settings == [("on",), ("1min",), ("UTC",), ("audit_v1",)]
        with psycopg.connect(address(database, Role.APP)) as session:
            assert session.execute("SHOW default_transaction_read_only").fetchone() == ("off",)


def test_the_views_of_two_ledgers_lie_beside_each_other(postgres_server: PostgresServer) -> None:
    with postgres_server.database() as database:
        for schema in ("dealtrail", "north"):
            assert migrate(database, schema=schema)[-1] == audit_schema(schema)
            assert migrate(database, schema=schema) == []
        with session_of(database) as superuser:
            found = superuser.execute("SELECT behind FROM north_audit_v1.standing").fetchall()

        assert found == [(0,)]


@given(history=HISTORIES, instant=INSTANTS)
def test_every_instant_lies_in_the_one_row_of_its_quarter(
    history: CalendarHistory, instant: datetime
) -> None:
    first, last = datetime(2024, 9, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
    rows: list[Any] = list(quarters(history, first, last))

    found = [row["name"] for row in rows if row["from_instant"] <= instant < row["to_instant"]]
    quarter = history.quarter_at(instant)
    assert found == ([quarter.name] if quarter else [])


def test_a_stop_is_heeded_and_leaves_the_rows_as_they_were(postgres_server: PostgresServer) -> None:
    stop = Flag()
    stop.set()
    with ledger_of(postgres_server, BUSY) as (database, ledger):
        ledger.worker.catch_up()
        with pytest.raises(tables.StoppedError):
            ledger.audit.catch_up(stop=stop)
        ledger.audit.run(stop)

        assert not any(rows_of(database).values())
