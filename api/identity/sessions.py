"""Browser sessions: a random id in a cookie, its hash in the database, with two ends."""

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, LiteralString

from api.identity.keys import sha256
from api.storage.log_reader import LogReader

IDLE: Final = timedelta(hours=1)
"""A session that nobody used for so long is over."""
LIFETIME: Final = timedelta(hours=12)
"""A session is over after so long however much it is used."""
_ID_BYTES: Final = 32

_OPEN: Final[LiteralString] = (
    "INSERT INTO sessions (id_sha256, key_id, opened_at, seen_at, ends_at)"
    " VALUES (%(sha256)s, %(key_id)s, %(now)s, %(now)s, %(ends_at)s) RETURNING 1"
)
_CLOSE: Final[LiteralString] = "DELETE FROM sessions WHERE id_sha256 = %(sha256)s RETURNING 1"
_SWEEP: Final[LiteralString] = (
    "DELETE FROM sessions WHERE ends_at <= %(now)s OR seen_at <= %(idle)s RETURNING 1"
)


class Sessions:
    """Opens and closes sessions; `Authenticator` knows them again."""

    def __init__(self, store: LogReader, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock

    def open(self, key_id: str | None) -> str:
        """Give the cookie of a new session, opened with a key or with the server's token.

        Sessions that are over are forgotten on the way, so that they cannot pile up.
        """
        cookie = secrets.token_urlsafe(_ID_BYTES)
        now = self._clock()
        self._store.rows(_SWEEP, {"now": now, "idle": now - IDLE})
        values = {"sha256": sha256(cookie), "key_id": key_id, "now": now, "ends_at": now + LIFETIME}
        self._store.rows(_OPEN, values)
        return cookie

    def close(self, cookie: str) -> None:
        """End a session; one that is not there is over already."""
        self._store.rows(_CLOSE, {"sha256": sha256(cookie)})
