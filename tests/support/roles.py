"""Ledgers of tests as they are served: the log's owner, the application and the projector apart."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final
from urllib.parse import quote

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from api.bootstrap import Ledger, ledger_at
from api.storage.migrate import migrate
from api.storage.roles import Addresses, Login, Role

LOGINS: Final[Mapping[Role, Login]] = {role: Login(f"tests_{role}") for role in Role}
"""One of each for all databases of a test run, so that a copied database has its roles already."""


def migrated(superuser: str, *, schema: str) -> None:
    """Make a ledger whose roles are separate."""
    migrate(superuser, schema=schema, logins=LOGINS)


def address(superuser: str, role: Role) -> str:
    """Where a role reaches the database that a superuser has the address of."""
    return make_conninfo(superuser, user=LOGINS[role].name)


def url(dsn: str) -> str:
    """Give an address as settings take it."""
    given = {name: quote(str(value), safe="") for name, value in conninfo_to_dict(dsn).items()}
    database = given.pop("dbname")
    return f"postgresql:///{database}?{'&'.join(f'{n}={v}' for n, v in given.items())}"


def addresses(superuser: str) -> Addresses:
    """Where each role reaches it."""
    return Addresses(
        migrator=superuser,
        app=address(superuser, Role.APP),
        projector=address(superuser, Role.PROJECTOR),
        auditor=address(superuser, Role.AUDITOR),
        logins=LOGINS,
    )


@contextmanager
def under_roles(superuser: str, *, schema: str) -> Iterator[Ledger]:
    """Open a ledger, each part under its own role."""
    with ledger_at(addresses(superuser), schema=schema) as ledger:
        yield ledger


@contextmanager
def under_one_login(superuser: str, *, schema: str) -> Iterator[Ledger]:
    """Open a ledger under one login for all."""
    with ledger_at(Addresses.shared(superuser), schema=schema) as ledger:
        yield ledger
