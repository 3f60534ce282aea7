"""How the schema of a ledger stands to the version of the program that serves it."""

from typing import Final, Literal, LiteralString, TypeAlias

from api.storage.log_reader import LogReader
from api.storage.migrate import shipped

MigrationState: TypeAlias = Literal["current", "behind", "ahead"]
_APPLIED: Final[LiteralString] = "SELECT name FROM migrations WHERE name <> ''"


def migration_state(store: LogReader) -> MigrationState:
    """Say whether a ledger lacks what this version needs, or has what only a newer one knows.

    Raises:
        LogUnavailableError: the ledger cannot be read.
    """
    applied = {name for (name,) in store.rows(_APPLIED, {})}
    known = {step.name for step in shipped()}
    if known - applied:
        return "behind"
    return "ahead" if applied - known else "current"
