"""Verifies bearer tokens of one issuer: one algorithm, keys from one place, nothing assumed."""

import json
import ssl
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Any, Final

import jwt
import structlog

from api.clock import Deadline
from api.identity.authenticator import Verified
from api.identity.issuer import Issuer

KEYS_AGE: Final = timedelta(minutes=10)
"""How long fetched keys are used before they are fetched again."""
KEYS_STALE: Final = timedelta(days=1)
"""How long known keys are good while the issuer cannot be reached."""
KEYS_PAUSE: Final = timedelta(minutes=1)
"""How long a fetch is not tried again, whatever unknown keys tokens name meanwhile."""
FETCH_SECONDS: Final = 3
MAX_KEYS_BYTES: Final = 256 << 10
_PART_BYTES: Final = 16 << 10
MAX_TOKEN: Final = 8 << 10
_LEEWAY_SECONDS: Final = 30
"""How far the issuer's clock may be from ours."""
_FAR: Final = 1 << 36
"""Seconds since 1970 that a date can still tell; no token is good for so long."""


class KeysUnavailableError(Exception):
    """The keys of the issuer cannot be read."""


class IssuerTokens:
    """Verifies tokens of an issuer; its keys are kept, and fetched again once in a while."""

    def __init__(self, issuer: Issuer, *, clock: Callable[[], datetime]) -> None:
        self._issuer = issuer
        self._clock = clock
        self._lock = Lock()
        self._keys: dict[str | None, jwt.PyJWK] = {}
        self._fetched: datetime | None = None
        self._tried: datetime | None = None
        self._log = structlog.get_logger("dealtrail.identity")

    def verify(self, token: str) -> Verified | None:
        """Give whom a token names; None if anything of it is not as it must be."""
        if len(token) > MAX_TOKEN:
            return None
        try:
            key = self._key(jwt.get_unverified_header(token).get("kid"))
            claims = key and jwt.decode(
                token,
                key,
                algorithms=[self._issuer.algorithm],
                audience=self._issuer.audience,
                issuer=self._issuer.issuer,
                leeway=_LEEWAY_SECONDS,
                options={"require": ["exp", "iss", "aud"]},
            )
        except jwt.PyJWTError:
            return None
        return self._verified(claims) if claims else None

    def _verified(self, claims: dict[str, Any]) -> Verified | None:
        member = claims.get(self._issuer.member_claim)
        if not isinstance(member, str) or not member:
            return None
        until = datetime.fromtimestamp(min(int(claims["exp"]), _FAR) + _LEEWAY_SECONDS, UTC)
        return Verified(member, until)

    def _key(self, name: object) -> jwt.PyJWK | None:
        """Give the key that a token names; where there is one only, a token may name none."""
        with self._lock:
            if self._due(name):
                self._refresh()
            if name is None and len(self._keys) == 1:
                return next(iter(self._keys.values()))
            return self._keys.get(name) if isinstance(name, str) else None

    def _due(self, name: object) -> bool:
        now = self._clock()
        if self._tried is not None and now - self._tried < KEYS_PAUSE:
            return False
        old = self._fetched is None or now - self._fetched >= KEYS_AGE
        return old or (isinstance(name, str) and name not in self._keys)

    def _refresh(self) -> None:
        """Fetch the keys; those that were known stay good a day while the issuer is away."""
        self._tried = self._clock()
        try:
            self._keys = _read_keys(self._issuer.keys)
            self._fetched = self._tried
        except KeysUnavailableError as error:
            self._log.warning("the keys of the issuer cannot be read", reason=str(error))
            if self._fetched is None or self._tried - self._fetched >= KEYS_STALE:
                self._keys = {}


def _read_keys(place: str) -> dict[str | None, jwt.PyJWK]:
    try:
        content = json.loads(_fetched(place) if "://" in place else _file(place))
        found = jwt.PyJWKSet.from_dict(content)
    except (OSError, ValueError, AttributeError, TypeError, jwt.PyJWTError) as error:
        raise KeysUnavailableError(str(error)) from error
    return {key.key_id: key for key in found.keys}


def _file(place: str) -> bytes:
    with Path(place).open("rb") as file:
        return file.read(MAX_KEYS_BYTES)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Keys come from the address that is set, and from nowhere it points to."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _fetched(place: str) -> bytes:
    https = urllib.request.HTTPSHandler(context=ssl.create_default_context())
    opener = urllib.request.build_opener(_NoRedirect, https)
    deadline, body = Deadline.after(FETCH_SECONDS), b""
    with opener.open(place, timeout=FETCH_SECONDS) as answer:
        while part := answer.read1(_PART_BYTES):
            body += part
            if len(body) > MAX_KEYS_BYTES or deadline.passed():
                message = "they are too many, or come too slowly"
                raise KeysUnavailableError(message)
    return body
