"""Ways to rewrite the log by SQL, and a fingerprint of everything that none of them may change."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, LiteralString

import psycopg

from api.storage.connections import conninfo
from tests.support.log import SCHEMA

Session = psycopg.Connection[tuple[Any, ...]]

_ROW: Final = (
    "INSERT INTO events SELECT position + 100, stream_id, version + 100, gen_random_uuid(), topic,"
    " occurred_at, recorded_at, ingested_at, actor, on_behalf_of, channel, caller, idempotency_key,"
    " correlation_id, caused_by, clock, source_system, external_id, external_stream, file_sha256,"
    " source_recorded_at, data FROM events"
)
_APPEND: Final = "append_events(json, timestamptz, boolean)"
_REPLACE: Final = (
    "CREATE OR REPLACE FUNCTION {} (asked json, sent_at timestamptz, resent boolean)"
    " RETURNS TABLE (ordinal bigint, verdict text, version integer, first_position bigint,"
    " last_position bigint, recorded_at timestamptz, body_hash text, stream_id text)"
    " LANGUAGE sql AS 'SELECT 1::bigint, NULL::text, 1, 1::bigint, 1::bigint, now(), NULL::text,"
    " NULL::text'"
)
_FORGED: Final = (
    'SELECT * FROM append_events(\'[{{"stream_id": "deal:a", "caller": "x", "key": "forged",'
    ' "body_hash": "", "size": 9, "events": {}}}]\', {}, false)'
)
_EVENT: Final = (
    '[{"event_id": "01a20bde-fd37-756f-9d9a-57bd916d3fff", "topic": "deal.activity_ticked.v1",'
    ' "actor": "x", "occurred_at": "2025-01-01T00:00Z", "channel": "api", "data": {}}]'
)

ATTACKS: Final[dict[str, str]] = {
    "update": "UPDATE events SET actor = 'x'",
    "delete": "DELETE FROM events",
    "truncate": "TRUNCATE events CASCADE",
    "insert": _ROW,
    "insert without rows": _ROW + " WHERE false",
    "upsert": _ROW.replace("position + 100", "position")
    + " ON CONFLICT (position) DO UPDATE SET actor = 'x'",
    "merge": "MERGE INTO events e USING events o ON e.position = o.position"
    " WHEN MATCHED THEN UPDATE SET actor = 'x'",
    "copy in": "COPY events FROM STDIN",
    "copy a program in": "COPY events FROM PROGRAM 'echo'",
    "copy to a file": "COPY events TO '/tmp/stolen'",
    "prepared statement": "PREPARE gone AS DELETE FROM events; EXECUTE gone",
    "block": "DO $$ BEGIN EXECUTE 'DELETE FROM events'; END $$",
    "updatable view": "CREATE TEMP VIEW seen AS SELECT * FROM events; UPDATE seen SET actor = 'x'",
    "delete through a cte": "WITH gone AS (DELETE FROM events RETURNING 1) SELECT * FROM gone",
    "drop a trigger": "DROP TRIGGER events_append_only ON events",
    "disable triggers": "ALTER TABLE events DISABLE TRIGGER ALL",
    "change a trigger": "ALTER TRIGGER events_append_only ON events RENAME TO gone",
    "play a replica": "SET session_replication_role = replica; DELETE FROM events",
    "trigger of its own": "CREATE TRIGGER mine BEFORE INSERT ON events"
    " EXECUTE FUNCTION refuse_change()",
    "rule": "CREATE RULE mine AS ON INSERT TO events DO INSTEAD NOTHING",
    "policy": "CREATE POLICY mine ON events USING (false)",
    "row security": "ALTER TABLE events ENABLE ROW LEVEL SECURITY",
    "event trigger": "CREATE EVENT TRIGGER mine ON ddl_command_end"
    " EXECUTE FUNCTION refuse_change()",
    "drop the log": "DROP TABLE events CASCADE",
    "drop the ledger": f"DROP SCHEMA {SCHEMA} CASCADE",
    "rename the ledger": f"ALTER SCHEMA {SCHEMA} RENAME TO gone",
    "move the log": "ALTER TABLE events SET SCHEMA ledger_previous",
    "swap the log": "SELECT swap_projection(ARRAY['events'])",
    "own the log": "ALTER TABLE events OWNER TO CURRENT_USER",
    "change a column": "ALTER TABLE events ALTER recorded_at SET DEFAULT now()",
    "drop a constraint": "ALTER TABLE events DROP CONSTRAINT events_stream_version",
    "inherit": "CREATE TEMP TABLE mine () INHERITS (events)",
    "lock the log": "LOCK TABLE events IN ACCESS EXCLUSIVE MODE",
    "rewrite the table": "CLUSTER events USING events_pkey",
    "skip positions": "UPDATE log_head SET position = position + 100",
    "move the clock": "UPDATE log_head SET recorded_at = '2001-01-01'",
    "second head": "INSERT INTO log_head VALUES (false, 7, now())",
    "hold the head": "SELECT * FROM log_head FOR UPDATE",
    "take the head": "SELECT * FROM take_head()",
    "edit an answer": "UPDATE requests SET body_hash = 'x'",
    "forget an answer": "DELETE FROM requests",
    "forge an answer": "INSERT INTO requests VALUES ('x', 'x', '', 'x', 1, 1, 1, now())",
    "edit the migrations": "UPDATE migrations SET sha256 = 'x'",
    "forget a migration": "DELETE FROM migrations",
    "add a migration": "INSERT INTO migrations VALUES ('9999_x.sql', 'x')",
    "become the owner": "SET ROLE {owner}",
    "be the superuser": "SET SESSION AUTHORIZATION dealtrail",
    "join the owner": "GRANT {owner} TO CURRENT_USER",
    "promote itself": "ALTER ROLE CURRENT_USER SUPERUSER",
    "let the owner log in": "ALTER ROLE {owner} LOGIN",
    "path of the owner": "ALTER ROLE {owner} SET search_path = pg_temp",
    "take all that is owned": "REASSIGN OWNED BY {owner} TO CURRENT_USER",
    "drop all that is owned": "DROP OWNED BY {owner}",
    "grant to itself": "GRANT INSERT ON log_head TO CURRENT_USER; " + _ROW,
    "grant to all": "GRANT EXECUTE ON FUNCTION take_head() TO PUBLIC; SELECT take_head()",
    "default rights": "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} GRANT ALL ON TABLES TO PUBLIC",
    "path of the append": f"ALTER FUNCTION {_APPEND} SET search_path = pg_temp",
    "rights of the append": f"ALTER FUNCTION {_APPEND} SECURITY INVOKER",
    "owner of the append": f"ALTER FUNCTION {_APPEND} OWNER TO CURRENT_USER",
    "replace the append": _REPLACE.format("append_events"),
    "drop the append": f"DROP FUNCTION {_APPEND}",
    "shadow function beside": f"CREATE FUNCTION {SCHEMA}.clock_timestamp() RETURNS timestamptz"
    " LANGUAGE sql AS 'SELECT now()'",
    "shadow operator beside": f"CREATE OPERATOR {SCHEMA}.= (LEFTARG = text, RIGHTARG = text,"
    " FUNCTION = pg_catalog.textne)",
    "shadow table beside": f"CREATE TABLE {SCHEMA}.import_lines ()",
    "shadow type beside": f"CREATE DOMAIN {SCHEMA}.bigint AS text",
    "shadow in public": "CREATE TABLE public.events ()",
    "shadow schema": "CREATE SCHEMA mine",
    "false import": "CREATE TEMP VIEW import_lines AS SELECT 1 AS seq; SELECT founding_refusal()",
    "false founding": "CREATE TEMP TABLE import_lines (seq int); SELECT append_founding('x', 'x')",
    "false window": "CREATE TEMP TABLE import_lines (seq int);"
    " SELECT append_import('x', 'x', now(), 0, '{1}')",
    "false index": "CREATE TEMP TABLE import_lines (external_id text); SELECT index_import()",
    "trigger on the import": "SELECT open_import(); CREATE TRIGGER mine BEFORE INSERT"
    " ON import_lines EXECUTE FUNCTION refuse_change()",
    "exchange the import": "SELECT open_import(); DROP TABLE import_lines",
    "read a file": "SELECT lo_import('/etc/passwd')",
    "write a file": "SELECT lo_export(1, '/tmp/stolen')",
    "edit the catalog": "UPDATE pg_catalog.pg_class SET relacl = NULL",
    "edit a row by its place": "UPDATE ONLY events SET actor = 'x' WHERE ctid = '(0,1)'",
    "setting of the server": "ALTER SYSTEM SET session_replication_role = replica",
    "setting of the database": "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET"
    " session_replication_role = replica', current_database()); END $$",
    "other connection": "CREATE EXTENSION dblink",
    "foreign server": "CREATE EXTENSION postgres_fdw",
    "language": "CREATE FUNCTION pg_temp.mine() RETURNS int LANGUAGE c AS 'libc.so.6', 'getpid'",
    "internal function": "CREATE FUNCTION pg_temp.mine() RETURNS int LANGUAGE internal AS 'now'",
    "replication": "SELECT pg_create_logical_replication_slot('mine', 'pgoutput')",
    "append as of an hour ago": _FORGED.format(_EVENT, "now() - interval '1 hour'"),
    "append without a clock": _FORGED.format(_EVENT, "NULL"),
    "append nothing, and leave a gap": _FORGED.format("[]", "now()"),
    "append a count for a list": _FORGED.format("9", "now()"),
}
"""By name; `{owner}` stands for the owner of the log. Each must end in an error for every role."""

_OURS: Final[LiteralString] = (
    # Roles are the server's, and other tests make and drop theirs at the same time.
    "WITH ours AS (SELECT r.* FROM pg_roles r, pg_namespace n WHERE n.nspname = 'ledger'"
    " AND (r.rolname ~ '^tests_' OR right(r.rolname, 9) = right(n.nspowner::regrole::text, 9))) "
)
_PROTECTED: Final[tuple[LiteralString, ...]] = (
    "SELECT md5(string_agg(e::text, ',' ORDER BY position)) FROM events e",
    "SELECT h::text FROM log_head h",
    "SELECT md5(string_agg(r::text, ',' ORDER BY caller, key)) FROM requests r",
    "SELECT md5(string_agg(m::text, ',' ORDER BY name)) FROM migrations m",
    (
        "SELECT nspname, nspowner, nspacl::text FROM pg_namespace"
        " WHERE nspname !~ '^pg_(toast_)?temp_' ORDER BY 1"
    ),
    (
        "SELECT oid, relname, relnamespace, relowner, relacl::text, relrowsecurity, reloptions"
        " FROM pg_class WHERE relnamespace = 'ledger'::regnamespace ORDER BY oid"
    ),
    (
        "SELECT oid, proname, proowner, proacl::text, proconfig, prosecdef, md5(prosrc)"
        " FROM pg_proc WHERE pronamespace = 'ledger'::regnamespace ORDER BY oid"
    ),
    "SELECT oid, tgname, tgenabled, tgrelid FROM pg_trigger t ORDER BY oid",
    "SELECT count(*) FROM pg_operator WHERE oprnamespace = 'ledger'::regnamespace",
    "SELECT count(*) FROM pg_type WHERE typnamespace = 'ledger'::regnamespace",
    "SELECT oid, conname FROM pg_constraint WHERE connamespace = 'ledger'::regnamespace ORDER BY 1",
    "SELECT ev_class, rulename FROM pg_rewrite WHERE ev_class = 'events'::regclass",
    "SELECT evtname FROM pg_event_trigger",
    "SELECT polname FROM pg_policy",
    _OURS + "SELECT rolname, rolsuper, rolcanlogin, rolcreaterole FROM ours ORDER BY 1",
    _OURS + "SELECT roleid::regrole::text, member::regrole::text FROM pg_auth_members"
    " WHERE member IN (SELECT oid FROM ours)"
    " OR roleid IN (SELECT oid FROM ours WHERE rolname !~ '^tests_') ORDER BY 1, 2",
    _OURS + "SELECT setrole, setconfig FROM pg_db_role_setting"
    " WHERE setrole IN (SELECT oid FROM ours WHERE rolname !~ '^tests_') ORDER BY 1",
)


def fingerprint(superuser: Session) -> list[object]:
    """Give everything that no attack may change: what the log holds, and what guards it."""
    return [superuser.execute(query).fetchall() for query in _PROTECTED]


def owner_of(superuser: Session) -> str:
    """Give the role that owns the log."""
    row = superuser.execute("SELECT tableowner FROM pg_tables WHERE tablename = 'events'")
    return str(row.fetchall()[0][0])


@contextmanager
def session_of(dsn: str) -> Iterator[Session]:
    """A session that does what it is told, in the ledger's schema."""
    with psycopg.connect(conninfo(dsn, schema=SCHEMA), autocommit=True) as connection:
        yield connection


def succeeds(dsn: str, statement: str) -> bool:
    """Say whether an attack runs to its end without an error."""
    with session_of(dsn) as connection, connection.cursor() as cursor:
        try:
            if statement.endswith("FROM STDIN"):
                with cursor.copy(statement.encode()):
                    return True
            cursor.execute(statement.encode())
        except psycopg.Error:
            return False
    return True
