"""What each role may do in a ledger: every table and function, and who may do what with it.

What is not said here is not granted. The owner, as whom nobody logs in, owns the log and the
functions; the projector owns the tables that it makes from the log.
"""

from collections.abc import Mapping
from typing import Final, TypeAlias

from api.storage.roles import Role

Rights: TypeAlias = Mapping[Role, frozenset[str]]

_READ: Final = frozenset({"SELECT"})
_KEEP: Final = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE"})
_RUN: Final = frozenset({"EXECUTE"})

OWNED: Final[Mapping[str, Rights]] = {
    "events": dict.fromkeys(Role, _READ),
    "log_head": dict.fromkeys(Role, _READ),
    "migrations": dict.fromkeys(Role, _READ),
    "requests": {Role.APP: _READ, Role.AUDITOR: _READ},
    # Ordinary and erasable: names beside the log.
    "people": {Role.APP: _KEEP, Role.AUDITOR: _READ},
    # Hashes of secrets, which are no auditor's; the count of changes is kept by a trigger.
    "credential_state": {Role.APP: _READ},
    "api_keys": {Role.APP: frozenset({"SELECT", "INSERT", "UPDATE"})},
    "sessions": {Role.APP: _KEEP},
    # Ordinary and erasable too: what was uploaded, and what the rows of a source were rejected for.
    "imports": {Role.APP: frozenset({"SELECT", "INSERT", "UPDATE"}), Role.AUDITOR: _READ},
    "import_rejects": {Role.APP: _KEEP, Role.AUDITOR: _READ},
    "accesses": {Role.APP: frozenset({"SELECT", "INSERT"}), Role.AUDITOR: _READ},
}
"""The tables of the owner."""

PROJECTED: Final = frozenset(
    {
        *("projections", "parked", "rebuilds", "rebuild_progress"),
        *("spans", "hindsight_spans", "slabs", "hindsight_slabs", "deltas", "hindsight_deltas"),
        *("credits", "acts", "stays", "ticks", "plans", "advances"),
        *("commitments", "signs", "claims", "openings", "goals", "contexts"),
        *("audit_visits", "audit_progress", "audit_advances", "audit_commitments", "audit_moves"),
        *("audit_verdicts", "audit_corrections", "audit_quarters", "audit_members"),
    }
)
"""The tables of the projector, which can all be made again from the log."""

PROJECTED_RIGHTS: Final[Rights] = {Role.APP: _READ, Role.AUDITOR: _READ}

FUNCTIONS: Final[Mapping[str, Rights]] = {
    "append_events": {Role.APP: _RUN},
    "append_founding": {Role.APP: _RUN},
    "append_import": {Role.APP: _RUN},
    "founding_refusal": {Role.APP: _RUN},
    "open_import": {Role.APP: _RUN},
    "index_import": {Role.APP: _RUN},
    "swap_projection": {Role.PROJECTOR: _RUN},
}
"""The functions that are called from outside."""

INTERNAL: Final = frozenset(
    {"count_credential_change", "ensure_import_lines", "refuse_change", "take_head"}
)
"""Those that only triggers and other functions call: nobody may."""

SCHEMA: Final[Rights] = dict.fromkeys(Role, frozenset({"USAGE"}))


AUDIT: Final[Mapping[str, Rights]] = {
    "schema": {Role.AUDITOR: frozenset({"USAGE"})},
    "table": {Role.AUDITOR: _READ},
    "function": {Role.AUDITOR: _RUN},
}
"""What may be done with everything in the schema that auditors read, by kind."""


def of_table(name: str) -> Rights:
    """Give the rights in a table; nobody has any in one that is not declared."""
    return PROJECTED_RIGHTS if name in PROJECTED else OWNED.get(name, {})


def of_function(name: str) -> Rights:
    """Give the rights to call a function."""
    return FUNCTIONS.get(name, {})


def next_schema(schema: str) -> str:
    """Give the schema in which projections of a ledger are made anew."""
    return f"{schema}_next"


def previous_schema(schema: str) -> str:
    """Give the schema in which what was live is kept until it is dropped."""
    return f"{schema}_previous"


def audit_schema(schema: str) -> str:
    """Give the schema of the views for auditors, which bears their version.

    That of the ledger `dealtrail` is `audit_v1`; any other ledger has its own name before it, since
    several may lie in one database.
    """
    return "audit_v1" if schema == "dealtrail" else f"{schema}_audit_v1"
