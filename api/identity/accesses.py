"""Who read what as an auditor, and who exported what: kept beside the log, and never changed."""

from collections.abc import Callable
from datetime import datetime
from typing import Final, Literal, LiteralString, TypeAlias

from api.identity.permissions import Identity
from api.storage.log_reader import LogReader

Kind: TypeAlias = Literal["read", "export"]
MAX_LISTED: Final = 1_000
_NOTE: Final[LiteralString] = (
    "INSERT INTO accesses (at, actor, role, credential, kind, request, request_id) VALUES"
    " (%(at)s, %(actor)s, %(role)s, %(credential)s, %(kind)s, %(request)s, %(request_id)s)"
    " RETURNING 1"
)
_LIST: Final[LiteralString] = (
    "SELECT id, at, actor, role, credential, kind, request, request_id FROM accesses"
    " WHERE id < %(before)s AND (%(actor)s::text IS NULL OR actor = %(actor)s)"
    " ORDER BY id DESC LIMIT %(limit)s"
)
_LAST: Final = 2**63 - 1


class Accesses:
    """The access table of a ledger."""

    def __init__(self, store: LogReader, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock

    def note(self, identity: Identity, kind: Kind, *, request: str, request_id: str) -> None:
        """Keep that somebody reads or exports something; before it is answered."""
        values = {
            "at": self._clock(),
            "actor": identity.actor,
            "role": identity.role,
            "credential": identity.credential,
            "kind": kind,
            "request": request,
            "request_id": request_id,
        }
        self._store.rows(_NOTE, values)

    def page(self, *, before: int | None, actor: str | None, limit: int) -> list[dict[str, object]]:
        """Give accesses, the latest first, those before an id if one is given."""
        values = {"before": before or _LAST, "actor": actor, "limit": limit}
        names = ("id", "at", "actor", "role", "credential", "kind", "request", "request_id")
        rows = self._store.rows(_LIST, values)
        return [dict(zip(names, row, strict=True)) for row in rows]
