"""Ledgers for the contract tests: migrated, empty, one per test."""

from collections.abc import Iterator

import pytest

from api.storage.event_store import EventStore
from api.storage.log_reader import LogReader
from api.storage.roles import Role
from tests.support.log import SCHEMA
from tests.support.postgres import PostgresServer
from tests.support.roles import address


@pytest.fixture
def ledger_server(postgres_server: PostgresServer) -> PostgresServer:
    """The PostgreSQL that ledgers lie on.

    The files about what PostgreSQL itself does for the log (its functions, locks, triggers and
    rights) put `every_postgres_server` in its place.
    """
    return postgres_server


@pytest.fixture
def ledger_dsn(ledger_server: PostgresServer) -> Iterator[str]:
    """The superuser's address of a database with an empty ledger in the schema `ledger`."""
    with ledger_server.ledger(SCHEMA) as dsn:
        yield dsn


@pytest.fixture
def store(ledger_dsn: str) -> Iterator[EventStore]:
    """A started store on an empty ledger, under the role of the application."""
    with EventStore(address(ledger_dsn, Role.APP), schema=SCHEMA) as store:
        yield store


@pytest.fixture
def projecting(ledger_dsn: str) -> Iterator[LogReader]:
    """What writes the projections of that ledger, under the role of the projector."""
    with LogReader(address(ledger_dsn, Role.PROJECTOR), schema=SCHEMA).closing() as projecting:
        yield projecting
