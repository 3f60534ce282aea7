"""The database roles of a ledger, and the address under which each reaches the database."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Self

from psycopg.conninfo import conninfo_to_dict, make_conninfo

_LONGEST_SCHEMA: Final = 40
"""A role's name has 63 bytes at the most; the rest of it takes 19."""


class Role(StrEnum):
    """What is done under a login of its own."""

    APP = "app"
    PROJECTOR = "projector"
    SEALER = "sealer"
    AUDITOR = "auditor"


@dataclass(frozen=True, slots=True)
class Login:
    """Who logs in as a role; the password is used only where the role must be made."""

    name: str
    password: str | None = field(default=None, repr=False, compare=False)

    @classmethod
    def of(cls, dsn: str) -> Self | None:
        """Give the login of an address, None if it names nobody."""
        given = conninfo_to_dict(dsn)
        name, password = given.get("user"), given.get("password")
        return cls(str(name), None if password is None else str(password)) if name else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Where the parts of the program reach one ledger.

    Without `logins` one address serves all and nothing separates. `migrator` is None in a process
    that may not migrate; where auditors have no address of their own, `auditor` is that of the app.
    """

    migrator: str | None
    app: str
    projector: str
    auditor: str
    logins: Mapping[Role, Login] = field(default_factory=dict)
    embedded: bool = False

    @property
    def migrates_at_start(self) -> bool:
        """Whether opening the ledger also migrates it, because nobody else is there to do it."""
        return self.embedded or not self.logins

    @classmethod
    def shared(cls, dsn: str) -> Self:
        """One address for everything."""
        return cls(migrator=dsn, app=dsn, projector=dsn, auditor=dsn)

    @classmethod
    def on_embedded(cls, superuser: str, *, schema: str) -> Self:
        """Those of a server that trusts whoever reaches its socket, so that names suffice."""
        database = str(conninfo_to_dict(superuser)["dbname"])
        names = {role: role_name(role, database=database, schema=schema) for role in Role}
        return cls(
            migrator=superuser,
            app=make_conninfo(superuser, user=names[Role.APP]),
            projector=make_conninfo(superuser, user=names[Role.PROJECTOR]),
            auditor=make_conninfo(superuser, user=names[Role.AUDITOR]),
            logins={role: Login(name) for role, name in names.items()},
            embedded=True,
        )


def role_name(what: str, *, database: str, schema: str) -> str:
    """Give the name of a role that belongs to one ledger of one database and to no other.

    Roles belong to the whole server and ledgers do not, so the name carries a digest of both.
    """
    digest = hashlib.sha256(f"{database}/{schema}".encode()).hexdigest()[:8]
    return f"{schema[:_LONGEST_SCHEMA]}_{what}_{digest}"


def owner_name(*, database: str, schema: str) -> str:
    """Give the name of the role that owns the log, as which nobody logs in."""
    return role_name("owner", database=database, schema=schema)
