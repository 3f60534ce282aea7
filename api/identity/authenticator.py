"""Knows who asks: the server's token, API keys, bearer tokens of an issuer, and session cookies."""

import asyncio
import hmac
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, LiteralString, Protocol

from api.identity.keys import KEY, PREFIX, sha256
from api.identity.permissions import OPERATOR, Identity, Role, Scope
from api.identity.sessions import IDLE
from api.identity.version_watch import VersionWatch
from api.storage.log_reader import LogReader

USED_EVERY: Final = timedelta(minutes=1)
"""How fine `last_used_at` and a session's idle time are kept: one write a minute, not a request."""
MOST_REMEMBERED: Final = 10_000
"""Credentials remembered at a time; the oldest give way, and are read again when they come."""
_NO_HASH: Final = bytes(32)

_VERSION: Final[LiteralString] = "SELECT version FROM credential_state"
_KEY: Final[LiteralString] = (
    "SELECT c.version, k.secret_sha256, k.previous_sha256, k.previous_until,"
    " k.member, k.role, k.scopes, k.expires_at, k.revoked_at, k.last_used_at"
    " FROM credential_state c LEFT JOIN api_keys k ON k.id = %(id)s"
)
_SESSION: Final[LiteralString] = (
    "SELECT c.version, s.seen_at, s.ends_at, s.key_id,"
    " coalesce(s.member, k.member), k.role, k.scopes, k.expires_at, k.revoked_at"
    " FROM credential_state c LEFT JOIN (sessions s LEFT JOIN api_keys k ON k.id = s.key_id)"
    " ON s.id_sha256 = %(sha256)s"
)
_KEY_USED: Final[LiteralString] = (
    "UPDATE api_keys SET last_used_at = %(now)s WHERE id = %(key)s"
    " AND coalesce(last_used_at, '-infinity') < %(now)s RETURNING 1"
)
_SESSION_USED: Final[LiteralString] = (
    "UPDATE sessions SET seen_at = %(now)s WHERE id_sha256 = %(key)s AND seen_at < %(now)s"
    " RETURNING 1"
)


@dataclass(frozen=True, slots=True)
class Verified:
    """Whom a token of an issuer names, and until when it does."""

    member: str
    until: datetime


class TokenVerifier(Protocol):
    """Verifies bearer tokens of an issuer."""

    def verify(self, token: str) -> Verified | None:
        """Give whom a token names; None if it is not good."""
        ...


@dataclass(frozen=True, slots=True)
class _Remembered:
    """A credential that was good at a version of all of them, and until when it is at most.

    It is of `who`: by name alone where the role is what the organisation says at each request.
    `used` is when its use was last written down, with the statement and the name it has there;
    after `idle` without use it is over too.
    """

    who: Identity | str
    version: int
    until: datetime
    idle: timedelta | None
    used: datetime
    statement: LiteralString
    name: str | bytes

    def over(self, at: datetime) -> bool:
        """Say whether it has ended by itself, as far as is remembered."""
        return self.until <= at or (self.idle is not None and self.used + self.idle <= at)


class Authenticator:
    """Tells whose a credential is; None if it is nobody's, or not any more.

    What was found is remembered, and asked about again in one look that all requests of the
    moment share, so that what was revoked anywhere holds nowhere from the next request on.
    """

    def __init__(
        self,
        store: LogReader,
        *,
        token: str,
        clock: Callable[[], datetime],
        role_now: Callable[[str], Role | None],
        verifier: TokenVerifier | None = None,
    ) -> None:
        self._store = store
        self._token = token.encode()
        self._clock = clock
        self._role_now = role_now
        self._verifier = verifier
        self._watch = VersionWatch(self._version)
        self._remembered: dict[bytes, _Remembered] = {}
        self._writing: set[asyncio.Task[None]] = set()

    def is_token(self, given: str) -> bool:
        """Say whether a text is the token of the server."""
        return hmac.compare_digest(given.encode(), self._token)

    async def of_bearer(self, given: str) -> Identity | None:
        """Tell whose a bearer credential is."""
        if self.is_token(given):
            return OPERATOR
        if given.startswith(PREFIX):
            return await self._of_key(given)
        if self._verifier is not None and given.count(".") == 2:  # noqa: PLR2004  # of a JWT
            return await asyncio.to_thread(self._of_token, given, self._verifier)
        return None

    async def of_cookie(self, cookie: str) -> Identity | None:
        """Tell whose a session is."""
        digest = sha256(cookie)
        known = await self._still_good(digest)
        if known is None:
            rows = await asyncio.to_thread(self._store.rows, _SESSION, {"sha256": digest})
            known = _session_of(rows[0], digest, self._clock())
        return await self._welcome(digest, known)

    async def _of_key(self, given: str) -> Identity | None:
        named = KEY.fullmatch(given)
        if named is None:
            return None
        digest = sha256(given)
        known = await self._still_good(digest)
        if known is None:
            rows = await asyncio.to_thread(self._store.rows, _KEY, {"id": named[1]})
            known = _key_of(rows[0], named[1], digest, self._clock())
        return await self._welcome(digest, known)

    async def _still_good(self, digest: bytes) -> _Remembered | None:
        known = self._remembered.get(digest)
        if known is None or known.over(self._clock()):
            return None
        return known if await self._watch.version() == known.version else None

    async def _welcome(self, digest: bytes, known: _Remembered | None) -> Identity | None:
        if known is None:
            self._remembered.pop(digest, None)
            return None
        now = self._clock()
        if now - known.used >= USED_EVERY:
            known = self._used(known, now)
        self._remembered[digest] = known
        while len(self._remembered) > MOST_REMEMBERED:
            del self._remembered[next(iter(self._remembered))]
        if isinstance(known.who, Identity):
            return known.who
        return await asyncio.to_thread(self._member, known.who, credential="session of oidc")

    def _used(self, known: _Remembered, now: datetime) -> _Remembered:
        """Write down that a credential was used, beside the request that it was used for."""
        values = {"now": now, "key": known.name}
        writing = asyncio.create_task(self._write(known.statement, values))
        self._writing.add(writing)
        writing.add_done_callback(self._writing.discard)
        return replace(known, used=now)

    async def _write(self, statement: LiteralString, values: dict[str, Any]) -> None:
        await asyncio.to_thread(self._store.rows, statement, values)

    def _of_token(self, given: str, verifier: TokenVerifier) -> Identity | None:
        verified = verifier.verify(given)
        if verified is None or verified.until <= self._clock():
            return None
        return self._member(verified.member, credential="oidc")

    def _member(self, member: str, *, credential: str) -> Identity | None:
        """Tell who a member is: the role is what the organisation says of them now."""
        role = self._role_now(member)
        return None if role is None else Identity(actor=member, role=role, credential=credential)

    async def _version(self) -> int:
        rows = await asyncio.to_thread(self._store.rows, _VERSION, {})
        return int(rows[0][0])


def _key_of(row: tuple[Any, ...], key_id: str, digest: bytes, now: datetime) -> _Remembered | None:
    version, current, previous, previous_until, member, role, scopes, expires, revoked, used = row
    fits = hmac.compare_digest(digest, current or _NO_HASH)
    fitted = hmac.compare_digest(digest, previous or _NO_HASH)
    if member is None or revoked is not None or not (fits or fitted):
        return None
    until = expires if fits else min(expires, previous_until)
    if until <= now:
        return None
    identity = _identity(member, role, scopes, f"key {key_id}")
    last = used or now - USED_EVERY
    return _Remembered(identity, version, until, None, last, _KEY_USED, key_id)


def _session_of(row: tuple[Any, ...], digest: bytes, now: datetime) -> _Remembered | None:
    version, seen, ends, key_id, member, role, scopes, expires, revoked = row
    if seen is None or revoked is not None:
        return None
    who: Identity | str = member or replace(OPERATOR, credential="session of the token")
    if key_id is not None:
        who = _identity(member, role, scopes, f"session of key {key_id}")
    until = min(ends, expires or ends)
    found = _Remembered(who, version, until, IDLE, seen, _SESSION_USED, digest)
    return None if found.over(now) else found


def _identity(member: str, role: Role, scopes: list[str] | None, credential: str) -> Identity:
    allowed = None if scopes is None else frozenset(Scope(one) for one in scopes)
    return Identity(actor=member, role=role, credential=credential, scopes=allowed)
