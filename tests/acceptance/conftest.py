"""What tests of acceptance share: a browser, commands run in this process, and servers."""

import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.cli import main
from api.storage.event_store import EventStore
from api.storage.roles import Role
from tests.support.browser import CHROMIUM, Site, Windows, launched
from tests.support.commands import Run
from tests.support.fake_issuer import FakeIssuer, fake_issuer
from tests.support.issuer_visits import join
from tests.support.ledgers import SCHEMA
from tests.support.organisation import serving_ledger
from tests.support.postgres import PostgresServer
from tests.support.roles import address, url
from tests.support.site import site_on
from tests.support.uploads import TESTS, Importing, importing_on
from tests.support.work import Work


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Windows]:
    """One for all; tests look through its windows, one after the other."""
    if CHROMIUM is None:
        pytest.skip("Debian's chromium is not installed")
    async with launched() as browser:
        yield Windows(browser)


@pytest.fixture
def store(database: str) -> Iterator[EventStore]:
    """The log of an empty ledger, opened as the application opens it."""
    with EventStore(address(database, Role.APP), schema=SCHEMA) as store:
        yield store


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


@pytest.fixture(scope="module")
def shared_issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeIssuer]:
    folder = tmp_path_factory.mktemp("issuer")
    with fake_issuer(folder) as issuer, pytest.MonkeyPatch.context() as environment:
        environment.setenv("SSL_CERT_FILE", str(folder / "certificate.pem"))
        environment.setenv("no_proxy", "*")
        yield issuer


@pytest.fixture
def issuer(shared_issuer: FakeIssuer) -> FakeIssuer:
    """An issuer that is well, whatever the test before has made of it."""
    shared_issuer.recover()
    return shared_issuer


@pytest.fixture(scope="module")
def shared_entrance(
    shared_issuer: FakeIssuer, postgres_server: PostgresServer
) -> Iterator[TestClient]:
    with (
        postgres_server.ledger(SCHEMA) as database,
        serving_ledger(database, issuer=shared_issuer.settings()) as (client, _),
    ):
        join(client, "ann")
        yield client


@pytest.fixture
def visitor(shared_entrance: TestClient) -> TestClient:
    """A browser that was nowhere yet, in front of a server that knows ann and the issuer."""
    shared_entrance.cookies.clear()
    return shared_entrance


@pytest.fixture
def run(
    database: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
) -> Run:
    """Run a command on a ledger of the test's own, its roles apart; give exit, output, errors."""
    monkeypatch.setenv("DEALTRAIL_APP_URL", url(address(database, Role.APP)))
    monkeypatch.setenv("DEALTRAIL_PROJECTOR_URL", url(address(database, Role.PROJECTOR)))
    monkeypatch.setenv("DEALTRAIL_HOME", str(tmp_path / "home"))

    def run_command(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["dealtrail", *arguments])
        with pytest.raises(SystemExit) as stopped:
            main()
        printed = capfdbinary.readouterr()
        return int(stopped.value.code or 0), printed.out.decode(), printed.err.decode()

    return run_command


@pytest.fixture(scope="module")
async def work(chromium: Windows, postgres_server: PostgresServer) -> AsyncIterator[Work]:
    with (
        postgres_server.ledger(SCHEMA) as database,
        site_on(database) as (base, _, _),
    ):
        yield Work(Site(base, chromium))
