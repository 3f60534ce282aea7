"""Makes the views for auditors, in a schema of their own that documents itself."""

import hashlib
from importlib import resources
from typing import Final

import psycopg
from psycopg import sql

from api.storage.rights import audit_schema

_MADE: Final = "SELECT obj_description(to_regnamespace(quote_ident(%s)), 'pg_namespace')"


def lacks_audit_views(connection: psycopg.Connection, schema: str) -> bool:
    """Say whether the views of a ledger are not those of this version."""
    row = connection.execute(_MADE, (audit_schema(schema),)).fetchone()
    return row != (_comment(),)


def make_audit_views(connection: psycopg.Connection, schema: str) -> None:
    """Make the views of a ledger, or bring them to this version; the caller has a transaction.

    What stands is replaced in place, which PostgreSQL refuses where a column would go or change.
    """
    audit = audit_schema(schema)
    names = {"ledger": sql.Identifier(schema), "audit": sql.Identifier(audit)}
    found = connection.execute("SELECT FROM pg_namespace WHERE nspname = %s", (audit,)).fetchone()
    if found is None:
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(names["audit"]))
    for text in _texts():
        # Only files of this package come here.
        connection.execute(sql.SQL(text).format(**names))
    connection.execute(
        sql.SQL("COMMENT ON SCHEMA {} IS {}").format(names["audit"], sql.Literal(_comment()))
    )


def _texts() -> list[str]:
    folder = resources.files("api.storage") / "audit_v1"
    files = sorted(folder.iterdir(), key=lambda entry: entry.name)
    return [entry.read_text("utf-8") for entry in files if entry.name.endswith(".sql")]


def _comment() -> str:
    digest = hashlib.sha256("".join(_texts()).encode()).hexdigest()
    return f"What auditors may ask (docs/audit-sql.md). {digest[:16]}"
