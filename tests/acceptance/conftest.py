"""Servers that take uploads, for the tests of imports over HTTP."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.ledgers import SCHEMA
from tests.support.postgres import PostgresServer
from tests.support.uploads import TESTS, Importing, importing_on


@pytest.fixture(scope="module")
def shared_door(
    postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Importing]:
    with (
        postgres_server.ledger(SCHEMA) as database,
        importing_on(database, tmp_path_factory.mktemp("home")) as served,
    ):
        yield served


@pytest.fixture
def door(shared_door: Importing) -> Iterator[Importing]:
    """A server whose ledger other tests wrote to as well; it leaves nothing that waits."""
    next(TESTS)
    yield shared_door
    shared_door.run()


@pytest.fixture
def empty_door(database: str, tmp_path: Path) -> Iterator[Importing]:
    next(TESTS)
    with importing_on(database, tmp_path) as served:
        yield served
