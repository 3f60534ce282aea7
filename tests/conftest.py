"""What all tests share: real servers, the shared data, and that a skip can be forbidden."""

import gc
import os
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Final, TypeVar

import pytest
import structlog
from hypothesis import settings

from tests.support import postgres
from tests.support.ledgers import SCHEMA

ROOT: Final = Path(__file__).resolve().parents[1]
SHARED: Final = ROOT.parent / "shared"
REQUIRE_ALL: Final = os.environ.get("REQUIRE_ALL") == "1"
Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)
_LINE: Final = structlog.processors.KeyValueRenderer(key_order=["event"])
_RUN_HOME: Final = pytest.StashKey[ExitStack]()
_YOUNG: Final = 50_000
"""New objects between two looks for cycles; the usual 700 come with every drawn example."""


def pytest_configure(config: pytest.Config) -> None:
    # Modules and tests stay to the end: to look for cycles among them finds none.
    gc.set_threshold(_YOUNG)
    # How long an example takes is the machine's matter, which may have other things to do.
    settings.register_profile("unhurried", deadline=None)
    settings.load_profile("unhurried")
    # Without this, an error would be drawn with the values of all variables, which takes minutes.
    structlog.configure(processors=[structlog.processors.format_exc_info, _LINE])
    if postgres.HOME_VARIABLE not in os.environ:
        config.stash[_RUN_HOME] = ExitStack()
        home = config.stash[_RUN_HOME].enter_context(postgres.home_of_run())
        os.environ[postgres.HOME_VARIABLE] = str(home)


def pytest_collection_finish() -> None:
    gc.freeze()


def pytest_unconfigure(config: pytest.Config) -> None:
    if _RUN_HOME in config.stash:
        config.stash[_RUN_HOME].close()
        del os.environ[postgres.HOME_VARIABLE]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    return _never_skipped((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    return _never_skipped((yield))


def _never_skipped(report: Report) -> Report:
    """Turns a skip into a failure under `REQUIRE_ALL=1`; an expected failure stays what it is."""
    if REQUIRE_ALL and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped under REQUIRE_ALL=1: {report.longreprtext}"
    return report


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.PostgresServer]:
    """The PostgreSQL that is shipped."""
    with postgres.running("shipped") as server:
        yield server


@pytest.fixture(scope="session", params=list(postgres.programs()))
def every_postgres_server(request: pytest.FixtureRequest) -> Iterator[postgres.PostgresServer]:
    """Each PostgreSQL that the storage promises hold on: the shipped one, and Debian's if there."""
    with postgres.running(request.param) as server:
        yield server


@pytest.fixture
def database(postgres_server: postgres.PostgresServer) -> Iterator[str]:
    """The address of a database of this test's own, with an empty ledger in it."""
    with postgres_server.ledger(SCHEMA) as dsn:
        yield dsn


@pytest.fixture
def every_database(every_postgres_server: postgres.PostgresServer) -> Iterator[str]:
    """The address of an empty database of this test's own, on each PostgreSQL in turn."""
    with every_postgres_server.database() as dsn:
        yield dsn


@pytest.fixture
def parts_in_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rebuild in threads: the parts are the same, and no process has to import the product."""
    monkeypatch.setattr("api.rebuild._executor", ThreadPoolExecutor)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder with the exports and examples that the product is held against."""
    if not SHARED.is_dir():
        pytest.skip("the shared data do not lie beside the repository")
    return SHARED
