"""Nobody but the log's owner can change what it says, and nobody logs in as its owner.

Holds G4 of `docs/guarantees.md`.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from api.all_projections import projections
from api.audit.tables import OWN
from api.storage import rights
from api.storage.event_store import EventStore
from api.storage.log_reader import LogReader
from api.storage.migrate import migrate
from api.storage.powers import powers
from api.storage.roles import Addresses, Role
from tests.support.attacks import ATTACKS, fingerprint, owner_of, session_of, succeeds
from tests.support.log import SCHEMA, ask, assert_gapless, new_event
from tests.support.postgres import PostgresServer
from tests.support.roles import LOGINS, address, migrated

PLANTED = {
    "GRANT INSERT ON events TO {app}": "insert",
    "GRANT UPDATE ON log_head TO {app}": "move the clock",
    "GRANT UPDATE (position) ON log_head TO {app}": "skip positions",
    "GRANT INSERT ON requests TO PUBLIC": "forge an answer",
    "GRANT CREATE ON SCHEMA ledger TO {app}": "shadow table beside",
    "GRANT TRIGGER ON events TO {app}; GRANT EXECUTE ON FUNCTION refuse_change TO {app}": (
        "trigger of its own"
    ),
    "ALTER TABLE events OWNER TO {app}": "disable triggers",
    "ALTER FUNCTION append_events OWNER TO {app}": "path of the append",
    "ALTER FUNCTION take_head SECURITY DEFINER; GRANT EXECUTE ON FUNCTION take_head TO PUBLIC": (
        "take the head"
    ),
}
"""Rights that nobody should have, and an attack that one of them lets through."""


@dataclass(frozen=True, slots=True)
class Attacked:
    """A ledger in which something was recorded."""

    superuser: str
    owner: str

    def attack(self, role: Role, name: str) -> bool:
        return succeeds(address(self.superuser, role), ATTACKS[name].replace("{owner}", self.owner))


@pytest.fixture
def ledger_server(every_postgres_server: PostgresServer) -> PostgresServer:
    """Each: rights are kept by the database."""
    return every_postgres_server


@pytest.fixture(scope="module")
def attacked(every_postgres_server: PostgresServer) -> Iterator[Attacked]:
    """One for all attacks, since none of them leaves anything behind."""
    with every_postgres_server.ledger(SCHEMA) as dsn:
        with EventStore(address(dsn, Role.APP), schema=SCHEMA) as store:
            store.append_blocking(ask("deal:a", new_event(), new_event(), key="k"))
        with session_of(dsn) as superuser:
            owner = owner_of(superuser)
        yield Attacked(dsn, owner)


@pytest.mark.parametrize("role", list(Role))
def test_every_attack_is_refused(attacked: Attacked, role: Role) -> None:
    with session_of(attacked.superuser) as superuser:
        before = fingerprint(superuser)
        for attack in ATTACKS:
            assert not attacked.attack(role, attack), attack
            assert fingerprint(superuser) == before, attack


@pytest.mark.parametrize(("planted", "attack"), PLANTED.items())
def test_a_right_too_many_is_found_by_its_attack_and_taken_back_by_migrating(
    ledger_dsn: str, planted: str, attack: str
) -> None:
    with EventStore(address(ledger_dsn, Role.APP), schema=SCHEMA) as store:
        store.append_blocking(ask("deal:a", key="k"))
    with session_of(ledger_dsn) as superuser:
        attacked = Attacked(ledger_dsn, owner_of(superuser))
        superuser.execute(planted.format(app=LOGINS[Role.APP].name).encode())

        let_through = attacked.attack(Role.APP, attack)
        migrated(ledger_dsn, schema=SCHEMA)

        assert let_through
        assert not attacked.attack(Role.APP, attack)


@pytest.mark.parametrize(
    "attack",
    ["update", "delete", "truncate", "upsert", "merge", "edit an answer", "updatable view"],
)
def test_a_right_to_change_the_log_is_not_enough(ledger_dsn: str, attack: str) -> None:
    with EventStore(address(ledger_dsn, Role.APP), schema=SCHEMA) as store:
        store.append_blocking(ask("deal:a", key="k"))
    with session_of(ledger_dsn) as superuser:
        superuser.execute(f"GRANT ALL ON events, requests TO {LOGINS[Role.APP].name}".encode())
        attacked = Attacked(ledger_dsn, owner_of(superuser))
        before = fingerprint(superuser)

        assert not attacked.attack(Role.APP, attack)
        assert fingerprint(superuser) == before


def test_a_login_that_may_act_as_the_owner_is_told(ledger_dsn: str, store: EventStore) -> None:
    separate = powers(store)
    with session_of(ledger_dsn) as superuser:
        names = {"owner": owner_of(superuser), "app": LOGINS[Role.APP].name}
        superuser.execute("GRANT {owner} TO {app}".format(**names).encode())
        try:
            joined = powers(store)
        finally:
            superuser.execute("REVOKE {owner} FROM {app}".format(**names).encode())

    assert separate == []
    assert "may act as the owner of the log" in joined


def test_one_login_for_all_is_told(ledger_dsn: str) -> None:
    with LogReader(ledger_dsn, schema=SCHEMA).closing() as store:
        assert "is a superuser" in powers(store)


def test_forged_places_and_times_are_not_taken(ledger_dsn: str, store: EventStore) -> None:
    store.append_blocking(ask("deal:a", new_event(), new_event()))
    forged = {"position": 99, "version": 7, "recorded_at": "2001-01-01", "clock": "source"}
    event = {
        "event_id": "01a20bde-fd37-756f-9d9a-57bd916d3fff",
        "topic": "deal.activity_ticked.v1",
        "actor": "x",
        "occurred_at": "2025-01-01T00:00Z",
        "channel": "api",
        "data": {"activity": "demo"},
    }
    asked = {"stream_id": "deal:a", "caller": "x", "size": 9, "events": [event | forged]}

    with session_of(address(ledger_dsn, Role.APP)) as app:
        app.execute(
            "SELECT append_events(%s, now(), false)", [json.dumps([asked | forged, asked_of(3)])]
        )

    assert assert_gapless(store) == 4
    assert [e.version for e in store.stream("deal:a")] == [1, 2, 3]
    assert {e.clock for e in store.stream("deal:a")} == {"server"}


def asked_of(count: int) -> dict[str, object]:
    """A request that says it holds more events than it does."""
    event = {
        "event_id": "01a20bde-fd37-756f-9d9a-57bd916d3ffe",
        "topic": "deal.activity_ticked.v1",
        "actor": "x",
        "occurred_at": "2025-01-01T00:00Z",
        "channel": "api",
        "data": {"activity": "demo"},
    }
    return {"stream_id": "deal:b", "caller": "x", "size": count, "events": [event]}


SHADOWS = """
    CREATE TEMP TABLE events (LIKE ledger.events);
    CREATE TEMP TABLE log_head AS SELECT true AS only_row, 41::bigint AS position,
        '2001-01-01'::timestamptz AS recorded_at;
    CREATE TEMP TABLE requests (LIKE ledger.requests)
"""
HIJACK = """
    GRANT ALL ON SCHEMA ledger_next TO PUBLIC;
    CREATE FUNCTION ledger_next.take_head(OUT last_position bigint, OUT instant timestamptz)
        LANGUAGE sql AS $$ SELECT 41::bigint, '2001-01-01'::timestamptz $$;
    CREATE FUNCTION ledger_next.clock_timestamp() RETURNS timestamptz
        LANGUAGE sql AS $$ SELECT '2001-01-01'::timestamptz $$;
    CREATE FUNCTION ledger_next.never(text, text) RETURNS boolean
        LANGUAGE sql AS $$ SELECT false $$;
    CREATE OPERATOR ledger_next.= (LEFTARG = text, RIGHTARG = text,
        FUNCTION = ledger_next.never);
    CREATE TABLE ledger_next.events (LIKE ledger.events)
"""


def test_what_the_session_puts_before_the_log_is_not_found_by_the_append(
    ledger_dsn: str, store: EventStore
) -> None:
    store.append_blocking(ask("deal:b"))
    with session_of(address(ledger_dsn, Role.PROJECTOR)) as projector:
        projector.execute(HIJACK)
    with session_of(address(ledger_dsn, Role.APP)) as app:
        app.execute(SHADOWS)
        app.execute("SET search_path = pg_temp, ledger_next, pg_catalog, ledger")
        app.execute(
            "SELECT ledger.append_events(%s, pg_catalog.now(), false)", [json.dumps([asked_of(1)])]
        )
        row = app.execute("SELECT count(*) FROM pg_temp.events").fetchone()

    assert row == (0,)
    assert assert_gapless(store) == 2
    assert [e.version for e in store.stream("deal:b")] == [1, 2]


FALSE_IMPORT = """
    CREATE FUNCTION pg_temp.mine() RETURNS text LANGUAGE plpgsql AS $$
        BEGIN UPDATE ledger.log_head SET position = 41; RETURN NULL; END $$;
    CREATE TEMP VIEW import_lines AS
        SELECT now() - interval '1 day' AS recorded_at, pg_temp.mine() AS fate;
    GRANT ALL ON import_lines TO PUBLIC
"""


def test_a_founding_import_never_runs_what_its_caller_put_in_place_of_the_lines(
    ledger_dsn: str, store: EventStore
) -> None:
    with session_of(address(ledger_dsn, Role.APP)) as app:
        app.execute(FALSE_IMPORT)

        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="open_import"):
            app.execute("SELECT founding_refusal()")

    assert store.head().position == 0


def test_a_founding_import_is_not_recorded_in_the_future(ledger_dsn: str) -> None:
    with session_of(address(ledger_dsn, Role.APP)) as app:
        app.execute("SELECT open_import()")
        app.execute(
            "INSERT INTO import_lines (seq, stream_id, is_deal, external_id, event_id, topic, data,"
            " occurred_at, actor, file, row, recorded_at) VALUES (1, 'deal:a', true, 'x',"
            " gen_random_uuid(), 'deal.activity_ticked.v1', '{}', now(), 'x', 'x', 1,"
            " now() + interval '1 day')"
        )

        with pytest.raises(psycopg.Error, match="future"):
            app.execute("SELECT append_founding('crm', 'import:crm')")


def test_what_a_role_may_is_declared_for_every_table_and_function(ledger_dsn: str) -> None:
    with session_of(ledger_dsn) as superuser:
        tables = superuser.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'ledger'")
        functions = superuser.execute(
            "SELECT DISTINCT proname FROM pg_proc WHERE pronamespace = 'ledger'::regnamespace"
        )

        assert {name for (name,) in tables} == {*rights.OWNED, *rights.PROJECTED}
        assert {name for (name,) in functions} == {*rights.FUNCTIONS, *rights.INTERNAL}
    own = {table for projection in projections() for table in projection.tables} | {*OWN}
    assert own == rights.PROJECTED - {"projections", "parked", "rebuilds", "rebuild_progress"}


def test_functions_with_the_rights_of_the_owner_look_into_the_ledger_alone(ledger_dsn: str) -> None:
    with session_of(ledger_dsn) as superuser:
        rows = superuser.execute(
            "SELECT proname, proconfig FROM pg_proc WHERE pronamespace = 'ledger'::regnamespace"
            " AND prosecdef"
        ).fetchall()

    assert {name for name, _ in rows} >= set(rights.FUNCTIONS)
    assert all("search_path=ledger,pg_temp" in kept for _, kept in rows)


def test_the_logins_of_one_ledger_have_no_rights_in_another(
    every_postgres_server: PostgresServer,
) -> None:
    with every_postgres_server.database() as first, every_postgres_server.database() as second:
        ledgers = [(first, "one"), (first, "two"), (second, "one")]
        found = [Addresses.on_embedded(dsn, schema=schema) for dsn, schema in ledgers]
        for (dsn, schema), one in zip(ledgers, found, strict=True):
            migrate(dsn, schema=schema, logins=one.logins)
        own = found[0]

        for role in Role:
            name = own.logins[role].name
            assert _may_use(make_conninfo(first, user=name), "one")
            assert not _may_use(make_conninfo(first, user=name), "two")
            assert not _may_use(make_conninfo(second, user=name), "one")


def _may_use(dsn: str, schema: str) -> bool:
    with psycopg.connect(dsn) as connection:
        found = connection.execute(
            "SELECT has_schema_privilege(oid, 'USAGE') FROM pg_namespace WHERE nspname = %s",
            [schema],
        ).fetchone()
    return found == (True,)
