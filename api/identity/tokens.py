"""Verifies tokens of one issuer: one algorithm, keys from one place, nothing assumed."""

import hmac
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Any, Final

import jwt
import orjson
import structlog

from api.identity.authenticator import Verified
from api.identity.fetching import FetchError, fetch
from api.identity.issuer import Issuer

KEYS_AGE: Final = timedelta(minutes=10)
"""How long fetched keys are used before they are fetched again."""
KEYS_STALE: Final = timedelta(days=1)
"""How long known keys are good while the issuer cannot be reached."""
KEYS_PAUSE: Final = timedelta(minutes=1)
"""How long a fetch is not tried again, whatever unknown keys tokens name meanwhile."""
FETCH_SECONDS: Final = 3
MAX_KEYS_BYTES: Final = 256 << 10
MAX_TOKEN: Final = 8 << 10
_LEEWAY_SECONDS: Final = 30
"""How far the issuer's clock may be from ours."""
_FAR: Final = 1 << 36
"""Seconds since 1970 that a date can still tell; no token is good for so long."""

_BEARER_CLAIMS: Final = ("exp", "iss", "aud")
_ID_CLAIMS: Final = (*_BEARER_CLAIMS, "iat", "sub", "nonce")


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
        """Give whom a bearer token names; None if anything of it is not as it must be."""
        claims = self._claims(token, audience=self._issuer.audience, required=_BEARER_CLAIMS)
        return self._verified(claims) if claims else None

    def verify_id_token(self, token: str, *, client_id: str, nonce: str) -> Verified | None:
        """Give whom an ID token names that was made for this client, and for this one sign-in.

        Raises:
            KeysUnavailableError: nothing can be verified now, good or not.
        """
        claims = self._claims(token, audience=client_id, required=_ID_CLAIMS)
        if claims is None:
            if not self._keys:
                raise KeysUnavailableError("no key of the issuer is known")
            return None
        ours = claims["aud"] in (client_id, [client_id]) and claims.get("azp") in (None, client_id)
        told = str(claims["nonce"]).encode()
        return (
            self._verified(claims) if ours and hmac.compare_digest(told, nonce.encode()) else None
        )

    def _claims(
        self, token: str, *, audience: str, required: Sequence[str]
    ) -> dict[str, Any] | None:
        if len(token) > MAX_TOKEN:
            return None
        try:
            key = self._key(jwt.get_unverified_header(token).get("kid"))
            claims = key and jwt.decode(
                token,
                key,
                algorithms=[self._issuer.algorithm],
                audience=audience,
                issuer=self._issuer.issuer,
                leeway=_LEEWAY_SECONDS,
                options={"require": list(required)},
            )
        except jwt.PyJWTError:
            return None
        return claims or None

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
        content = _fetched(place) if "://" in place else _file(place)
        found = jwt.PyJWKSet.from_dict(orjson.loads(content))
    except (FetchError, OSError, ValueError, AttributeError, TypeError, jwt.PyJWTError) as error:
        raise KeysUnavailableError(str(error)) from error
    return {key.key_id: key for key in found.keys}


def _file(place: str) -> bytes:
    with Path(place).open("rb") as file:
        return file.read(MAX_KEYS_BYTES)


def _fetched(place: str) -> bytes:
    return fetch(place, seconds=FETCH_SECONDS, most=MAX_KEYS_BYTES)
