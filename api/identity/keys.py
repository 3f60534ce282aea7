"""API keys: made, listed, rotated and revoked; only the hash of a secret is kept."""

import hashlib
import re
import secrets
import string
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any, Final, LiteralString

from pydantic import TypeAdapter, ValidationError

from api.errors import MalformedRequestError, UnknownThingError
from api.identity.permissions import ROLES, Role, Scope
from api.storage.log_reader import LogReader
from domain.values import Identifier, ShortText

PREFIX: Final = "dtk_"
KEY: Final = re.compile(r"dtk_([a-z0-9]{8})_[A-Za-z0-9_-]{43}")
MAX_LIFETIME: Final = timedelta(days=366)
"""A key that nobody renews ends by itself within about a year."""
MAX_GRACE: Final = timedelta(days=30)
_SECRET_BYTES: Final = 32
_ID_CHARACTERS: Final = string.ascii_lowercase + string.digits
_ID_LENGTH: Final = 8
_MEMBER: Final[TypeAdapter[str]] = TypeAdapter(Identifier)
_NAME: Final[TypeAdapter[str]] = TypeAdapter(ShortText)

_LIST: Final[LiteralString] = """
    SELECT id, member, role, scopes, name, created_by, created_at, expires_at, rotated_at,
           previous_until, revoked_at, last_used_at
      FROM api_keys ORDER BY created_at, id
"""
_CREATE: Final[LiteralString] = """
    INSERT INTO api_keys
        (id, member, role, scopes, name, secret_sha256, created_by, created_at, expires_at)
    VALUES (%(id)s, %(member)s, %(role)s, %(scopes)s, %(name)s, %(sha256)s, %(by)s, %(now)s,
            %(expires_at)s)
    RETURNING id, member, role, scopes, name, created_by, created_at, expires_at, rotated_at,
              previous_until, revoked_at, last_used_at
"""
_ROTATE: Final[LiteralString] = """
    UPDATE api_keys
       SET previous_sha256 = secret_sha256, previous_until = %(until)s,
           secret_sha256 = %(sha256)s, rotated_at = %(now)s
     WHERE id = %(id)s AND revoked_at IS NULL AND expires_at > %(now)s
    RETURNING id, member, role, scopes, name, created_by, created_at, expires_at, rotated_at,
              previous_until, revoked_at, last_used_at
"""
_REVOKE: Final[LiteralString] = """
    UPDATE api_keys SET revoked_at = coalesce(revoked_at, %(now)s) WHERE id = %(id)s
    RETURNING id, member, role, scopes, name, created_by, created_at, expires_at, rotated_at,
              previous_until, revoked_at, last_used_at
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """What is known of a key, which is all but its secret."""

    id: str
    member: str
    role: Role
    scopes: tuple[Scope, ...] | None
    name: str
    created_by: str
    created_at: datetime
    expires_at: datetime
    rotated_at: datetime | None
    previous_until: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key with its secret, which nobody can read again."""

    key: ApiKey
    secret: str = field(repr=False)


class Keys:
    """The keys of a ledger."""

    def __init__(self, store: LogReader, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock

    def create(
        self,
        *,
        member: str,
        role: str,
        scopes: Iterable[str] | None,
        name: str,
        lifetime: timedelta,
        by: str,
    ) -> NewKey:
        """Make a key that acts as a member in a role.

        Raises:
            MalformedRequestError: a role or scope is unknown, or the key would live too long.
        """
        now = self._clock()
        key_id = "".join(secrets.choice(_ID_CHARACTERS) for _ in range(_ID_LENGTH))
        secret = _secret(key_id)
        values = {
            "id": key_id,
            "member": _text("member", member, _MEMBER),
            "role": _role(role),
            "scopes": _scopes(scopes),
            "name": _text("name", name, _NAME),
            "sha256": sha256(secret),
            "by": by,
            "now": now,
            "expires_at": now + _at_most("lifetime", lifetime, MAX_LIFETIME),
        }
        return NewKey(self._one(_CREATE, values, key_id), secret)

    def all(self) -> list[ApiKey]:
        """Give every key there was, the oldest first."""
        rows = self._store.rows(_LIST, {})
        return [_key(row) for row in rows]

    def rotate(self, key_id: str, *, grace: timedelta) -> NewKey:
        """Give a key another secret; the old one is good for a while yet.

        An older secret that was still in its grace ends at once.

        Raises:
            UnknownThingError: there is no such key, or it is revoked or expired.
        """
        now = self._clock()
        if grace > timedelta(0):
            _at_most("grace", grace, MAX_GRACE)
        secret = _secret(key_id)
        values = {"id": key_id, "sha256": sha256(secret), "until": now + grace, "now": now}
        return NewKey(self._one(_ROTATE, values, key_id), secret)

    def revoke(self, key_id: str) -> ApiKey:
        """End a key and the sessions that were opened with it; a second time changes nothing.

        Raises:
            UnknownThingError: there is no such key.
        """
        return self._one(_REVOKE, {"id": key_id, "now": self._clock()}, key_id)

    def _one(self, statement: LiteralString, values: Mapping[str, object], key_id: str) -> ApiKey:
        rows = self._store.rows(statement, values)
        if not rows:
            message = f"there is no key {key_id!r} that could be used"
            raise UnknownThingError(message, field="key")
        return _key(rows[0])


def sha256(text: str) -> bytes:
    """Give what is kept of a secret. It has 256 random bits, so that no salt and no work is due."""
    return hashlib.sha256(text.encode()).digest()


def key_json(key: ApiKey) -> dict[str, object]:
    """Give a key as the API and the command line answer it."""
    return {
        "id": key.id,
        "member": key.member,
        "role": key.role,
        "scopes": None if key.scopes is None else list(key.scopes),
        "name": key.name,
        "created_by": key.created_by,
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "rotated_at": key.rotated_at,
        "previous_until": key.previous_until,
        "revoked_at": key.revoked_at,
        "last_used_at": key.last_used_at,
    }


def _secret(key_id: str) -> str:
    return f"{PREFIX}{key_id}_{secrets.token_urlsafe(_SECRET_BYTES)}"


def _key(row: tuple[Any, ...]) -> ApiKey:
    values = dict(zip((column.name for column in fields(ApiKey)), row, strict=True))
    scopes = values["scopes"]
    values["scopes"] = None if scopes is None else tuple(Scope(one) for one in scopes)
    return ApiKey(**values)


def _text(field_name: str, text: str, kind: TypeAdapter[str]) -> str:
    try:
        return kind.validate_python(text)
    except ValidationError as error:
        reason = error.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")
        raise MalformedRequestError(f"{field_name}: {reason}", field=field_name) from error


def _role(role: str) -> str:
    if role not in ROLES:
        message = f"role: {role[:80]!r} is none of {', '.join(ROLES)}"
        raise MalformedRequestError(message, field="role")
    return role


def _scopes(scopes: Iterable[str] | None) -> list[str] | None:
    if scopes is None:
        return None
    wanted, known = list(scopes), [str(scope) for scope in Scope]
    if not wanted or any(one not in known for one in wanted):
        message = f"scopes: expected some of {', '.join(known)}"
        raise MalformedRequestError(message, field="scopes")
    return [one for one in known if one in wanted]


def _at_most(field_name: str, given: timedelta, most: timedelta) -> timedelta:
    if not timedelta(0) < given <= most:
        message = f"{field_name}: expected more than nothing and at most {most.days} days"
        raise MalformedRequestError(message, field=field_name)
    return given
