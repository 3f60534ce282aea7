"""Browser sessions: a random id in a cookie, its hash in the database, with two ends."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, LiteralString

from api.errors import UnknownThingError
from api.identity.keys import sha256
from api.identity.permissions import Identity
from api.storage.log_reader import LogReader
from api.storage.rows import Row

IDLE: Final = timedelta(hours=1)
"""A session that nobody used for so long is over."""
LIFETIME: Final = timedelta(hours=12)
"""A session is over after so long however much it is used."""
_ID_BYTES: Final = 32

_OPEN: Final[LiteralString] = (
    "INSERT INTO sessions (id_sha256, key_id, member, opened_at, seen_at, ends_at)"
    " VALUES (%(sha256)s, %(key_id)s, %(member)s, %(now)s, %(now)s, %(ends_at)s) RETURNING 1"
)
_CLOSE: Final[LiteralString] = "DELETE FROM sessions WHERE id_sha256 = %(sha256)s RETURNING 1"
_SWEEP: Final[LiteralString] = (
    "DELETE FROM sessions WHERE ends_at <= %(now)s OR seen_at <= %(idle)s RETURNING 1"
)
_NAME_LENGTH: Final = 16
_OWN: Final[LiteralString] = (
    "SELECT s.id_sha256, s.key_id, s.opened_at, s.seen_at, s.ends_at"
    " FROM sessions s LEFT JOIN api_keys k ON k.id = s.key_id"
    " WHERE coalesce(s.member, k.member) IS NOT DISTINCT FROM %(member)s"
    " AND s.ends_at > %(now)s AND s.seen_at > %(idle)s"
    " AND (s.key_id IS NULL OR (k.revoked_at IS NULL AND k.expires_at > %(now)s))"
    " ORDER BY s.opened_at, s.id_sha256"
)


@dataclass(frozen=True, slots=True)
class Session:
    """A session that is open. `id` is from the hash of its cookie, and opens nothing.

    `key` is the one that it was opened with; None for the server's token, which is the operator's,
    and for a sign-in with the issuer. `current` is the one that asks.
    """

    id: str
    key: str | None
    opened_at: datetime
    seen_at: datetime
    ends_at: datetime
    current: bool


class Sessions:
    """Opens and closes sessions; `Authenticator` knows them again."""

    def __init__(self, store: LogReader, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock

    def open(self, key_id: str | None) -> str:
        """Give the cookie of a new session, opened with a key or with the server's token."""
        return self._opened(key_id=key_id, member=None)

    def open_for(self, member: str) -> str:
        """Give the cookie of a new session of a member whom the issuer has named."""
        return self._opened(key_id=None, member=member)

    def _opened(self, *, key_id: str | None, member: str | None) -> str:
        """Open a session; those that are over are forgotten on the way, so that none pile up."""
        cookie = secrets.token_urlsafe(_ID_BYTES)
        now = self._clock()
        self._store.rows(_SWEEP, {"now": now, "idle": now - IDLE})
        values = {
            "sha256": sha256(cookie),
            "key_id": key_id,
            "member": member,
            "now": now,
            "ends_at": now + LIFETIME,
        }
        self._store.rows(_OPEN, values)
        return cookie

    def close(self, cookie: str) -> None:
        """End a session; one that is not there is over already."""
        self._store.rows(_CLOSE, {"sha256": sha256(cookie)})

    def of(self, identity: Identity, *, cookie: str | None) -> list[Session]:
        """Give the open sessions of a member, or of the operator; `cookie` is the one that asks."""
        shown = None if cookie is None else sha256(cookie)
        return [
            Session(_name(digest), key, opened, seen, ends, current=digest == shown)
            for digest, key, opened, seen, ends in self._own(identity)
        ]

    def end(self, identity: Identity, session_id: str) -> None:
        """End one of somebody's own sessions.

        Raises:
            UnknownThingError: there is none of that name among theirs.
        """
        named = [row[0] for row in self._own(identity) if _name(row[0]) == session_id]
        if not named:
            message = f"there is no session {session_id!r} of yours"
            raise UnknownThingError(message, field="session_id")
        self._store.rows(_CLOSE, {"sha256": named[0]})

    def _own(self, identity: Identity) -> list[Row]:
        now = self._clock()
        member = None if identity.operator else identity.actor
        return self._store.rows(_OWN, {"now": now, "idle": now - IDLE, "member": member})


def _name(digest: bytes) -> str:
    return digest.hex()[:_NAME_LENGTH]
