"""Ledgers for the contract tests: migrated, empty, one per test, on each PostgreSQL in turn."""

from collections.abc import Iterator

import pytest

from api.storage.event_store import EventStore
from tests.support.log import SCHEMA
from tests.support.postgres import PostgresServer


@pytest.fixture
def ledger_dsn(every_postgres_server: PostgresServer) -> Iterator[str]:
    """The address of a database with an empty ledger in the schema `ledger`."""
    with every_postgres_server.ledger(SCHEMA) as dsn:
        yield dsn


@pytest.fixture
def store(ledger_dsn: str) -> Iterator[EventStore]:
    """A started store on an empty ledger."""
    with EventStore(ledger_dsn, schema=SCHEMA) as store:
        yield store
