"""Who is signed in on the pages: short-lived sessions of this process, opened with the token."""

import hashlib
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock
from typing import Final

LIFETIME: Final = timedelta(hours=12)
MOST: Final = 1000
"""Sessions kept at a time; the oldest give way, so that sign-ins cannot fill the memory."""


class Sessions:
    """Hands out session cookies for a good token and knows them again until they expire.

    Only digests are kept, so that nothing in memory can be used as a cookie.
    """

    def __init__(
        self, *, accepts_token: Callable[[str], bool], now: Callable[[], datetime]
    ) -> None:
        self._accepts_token = accepts_token
        self._now = now
        self._expiry: dict[bytes, datetime] = {}
        self._lock = Lock()

    def open(self, token: str) -> str | None:
        """A new cookie's value; None if the token is not the one."""
        if not self._accepts_token(token):
            return None
        cookie = secrets.token_urlsafe(32)
        now = self._now()
        with self._lock:
            alive = {key: until for key, until in self._expiry.items() if until > now}
            newest = list(alive.items())[-(MOST - 1) :]
            self._expiry = {**dict(newest), _digest(cookie): now + LIFETIME}
        return cookie

    def holds(self, cookie: str | None) -> bool:
        with self._lock:
            until = self._expiry.get(_digest(cookie)) if cookie else None
        return until is not None and until > self._now()

    def close(self, cookie: str | None) -> None:
        with self._lock:
            self._expiry.pop(_digest(cookie or ""), None)


def _digest(cookie: str) -> bytes:
    return hashlib.sha256(cookie.encode()).digest()
