"""Who read what as an auditor, and who exported what: kept beside the log, and never changed."""

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from datetime import datetime
from typing import Final, Literal, LiteralString, TypeAlias

from api.identity.permissions import Identity
from api.storage.log_reader import LogReader

Kind: TypeAlias = Literal["read", "export", "exported"]
MAX_LISTED: Final = 1_000
_MAX_REQUEST: Final = 2_000
"""Characters of a request that are kept."""
_NOTE: Final[LiteralString] = (
    "INSERT INTO accesses (at, actor, role, credential, kind, request, request_id, format,"
    " after_position, upto_position, events) VALUES (%(at)s, %(actor)s, %(role)s, %(credential)s,"
    " %(kind)s, %(request)s, %(request_id)s, %(format)s, %(after)s, %(upto)s, %(events)s)"
    " RETURNING 1"
)
_LIST: Final[LiteralString] = (
    "SELECT id, at, actor, role, credential, kind, request, request_id, format, after_position,"
    " upto_position, events FROM accesses"
    " WHERE id < %(before)s AND (%(actor)s::text IS NULL OR actor = %(actor)s)"
    " ORDER BY id DESC LIMIT %(limit)s"
)
_LAST: Final = 2**63 - 1
_NAMES: Final = (
    *("id", "at", "actor", "role", "credential", "kind", "request", "request_id"),
    *("format", "after", "upto", "events"),
)


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export gives: its format, the positions after one and up to another, how many events.

    How many it will be nobody knows before its end.
    """

    format: str
    _: KW_ONLY
    after: int
    upto: int
    events: int | None = None


class Accesses:
    """The access table of a ledger."""

    def __init__(self, store: LogReader, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock

    def note(
        self,
        identity: Identity,
        kind: Kind,
        *,
        request: str,
        request_id: str,
        exported: Exported | None = None,
    ) -> None:
        """Keep that somebody reads or exports something, before it is answered.

        What was `exported` is kept once more at the end, with what was given out by then.
        """
        values = {
            "at": self._clock(),
            "actor": identity.actor,
            "role": identity.role,
            "credential": identity.credential,
            "kind": kind,
            "request": request[:_MAX_REQUEST],
            "request_id": request_id,
            "format": exported.format if exported else None,
            "after": exported.after if exported else None,
            "upto": exported.upto if exported else None,
            "events": exported.events if exported else None,
        }
        self._store.rows(_NOTE, values)

    def page(self, *, before: int | None, actor: str | None, limit: int) -> list[dict[str, object]]:
        """Give accesses, the latest first, those before an id if one is given."""
        values = {"before": before or _LAST, "actor": actor, "limit": limit}
        rows = self._store.rows(_LIST, values)
        return [dict(zip(_NAMES, row, strict=True)) for row in rows]
