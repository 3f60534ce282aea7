"""How the storage connects: every connection stands in the ledger's schema and has deadlines."""

import re
from dataclasses import dataclass
from typing import Final

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from api.storage.rights import audit_schema

_PLAIN_NAME: Final = re.compile(r"[a-z_][a-z0-9_]{0,62}")

CONNECT_SECONDS: Final = 3
"""libpq waits no shorter than 2; a client of the API is answered within 7."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadlines:
    """How long the database may take, in seconds; 0 is for ever."""

    statement: float = 30.0
    lock: float = 5.0
    idle_in_transaction: float = 60.0


def auditing(schema: str) -> dict[str, str]:
    """Give the settings that a session of an auditor begins with, on a ledger's schema.

    What it may do its privileges say; these keep a question from running for ever, or from waiting.
    """
    return {
        "search_path": audit_schema(schema),
        "default_transaction_read_only": "on",
        "statement_timeout": "60s",
        "lock_timeout": "5s",
        "idle_in_transaction_session_timeout": "10min",
        "TimeZone": "UTC",
    }


def audit_conninfo(dsn: str, *, schema: str) -> str:
    """The address at which an auditor asks: its sessions begin as `auditing` says."""
    options = " ".join(f"-c {name}={value}" for name, value in auditing(schema).items())
    given = conninfo_to_dict(dsn)
    return make_conninfo(dsn, options=f"{given.get('options') or ''} {options}".strip())


def conninfo(
    dsn: str, *, schema: str, before: str | None = None, deadlines: Deadlines | None = None
) -> str:
    """The address of a ledger: `dsn` with its schema alone on the path, and with deadlines.

    Tables in the schema `before` are found before those of the ledger: this is how a rebuild
    writes beside it.

    Raises:
        ValueError: if a schema's name is not a plain one.
    """
    path = [name for name in (before, schema) if name is not None]
    for name in path:
        if not _PLAIN_NAME.fullmatch(name):
            message = f"the schema must be named by lower-case letters, digits and _, not {name!r}"
            raise ValueError(message)
    limits = deadlines or Deadlines()
    given = conninfo_to_dict(dsn)
    settings = {
        "search_path": f"{','.join(path)},pg_temp",
        "statement_timeout": round(limits.statement * 1000),
        "lock_timeout": round(limits.lock * 1000),
        "idle_in_transaction_session_timeout": round(limits.idle_in_transaction * 1000),
        "timezone": "UTC",
    }
    options = " ".join(f"-c {name}={value}" for name, value in settings.items())
    return make_conninfo(
        dsn,
        options=f"{given.get('options') or ''} {options}".strip(),
        connect_timeout=given.get("connect_timeout") or CONNECT_SECONDS,
        keepalives_idle=5,
        keepalives_interval=2,
        keepalives_count=3,
        tcp_user_timeout=5000,
        application_name=given.get("application_name") or "dealtrail",
    )
