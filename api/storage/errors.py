"""What the storage cannot do, one class for each thing that a caller may want to tell apart."""

from collections.abc import Sequence
from typing import Final

CLOCK_STATES: Final = frozenset({"DT001", "DT002"})
"""What the database calls it if a clock is behind the log, or two clocks are apart."""


class StorageError(Exception):
    """The storage did not do what was asked; the message says what and why."""


class LogUnavailableError(StorageError):
    """The log cannot be reached in time.

    If `outcome_known` is false the request may still be stored: ask again with the same key.
    """

    def __init__(self, detail: str, *, outcome_known: bool = True) -> None:
        super().__init__(detail)
        self.outcome_known = outcome_known


class ClockRefusedError(LogUnavailableError):
    """A clock jumped: ours and the log's, or ours and the database's, are too far apart."""


class AppendRefusedError(StorageError):
    """The database refuses this one request whatever is tried; nothing of it is stored."""


class ExternalIdTakenError(AppendRefusedError):
    """An event with this source and external id is in the log already."""


class LedgerNotEmptyError(StorageError):
    """A founding import needs a ledger without deals, whose log is older than the import."""


class MigrationError(StorageError):
    """The database and the migrations of this version do not belong together."""


class RolesMissingError(MigrationError):
    """Roles are missing and this login may not make them; `statements` are what would."""

    def __init__(self, statements: Sequence[str], reason: str) -> None:
        super().__init__(
            f"the roles of the ledger cannot be made ({reason}); have somebody who may run the"
            " statements above, then migrate again"
        )
        self.statements = tuple(statements)


class UnreadableEventError(StorageError):
    """A stored event has a topic or a payload that this version cannot read."""

    def __init__(self, detail: str, *, position: int) -> None:
        super().__init__(detail)
        self.position = position
