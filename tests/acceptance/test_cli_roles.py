"""`dealtrail migrate` makes the roles, and what serves afterwards cannot do more than it needs."""

import sys
from collections.abc import Callable, Iterator

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from api.cli import main
from tests.support.client import client_on
from tests.support.postgres import PostgresServer
from tests.support.roles import url

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command under the settings given; give exit, output and errors."""

    def run_command(*arguments: str, **settings: str) -> tuple[int, str, str]:
        with monkeypatch.context() as patched:
            for name, value in settings.items():
                patched.setenv(f"DEALTRAIL_{name}", value)
            patched.setattr(sys, "argv", ["dealtrail", *arguments])
            with pytest.raises(SystemExit) as stopped:
                main()
        printed = capsys.readouterr()
        return int(stopped.value.code or 0), printed.out, printed.err

    return run_command


@pytest.fixture
def empty(postgres_server: PostgresServer) -> Iterator[str]:
    """The address of a database in which nothing was migrated."""
    with postgres_server.database() as dsn:
        yield dsn


def settings_of(database: str, *, migrator: str | None = None) -> dict[str, str]:
    """Give addresses of roles that nobody has made yet."""
    with psycopg.connect(database) as connection:
        name = connection.info.dbname
    own = {role: f"{name}_{role.lower()}" for role in ("APP", "PROJECTOR", "AUDITOR")}
    addresses = {f"{role}_URL": make_conninfo(database, user=user) for role, user in own.items()}
    addresses["MIGRATOR_URL"] = migrator or database
    return {name: url(dsn) for name, dsn in addresses.items()}


@pytest.mark.usefixtures("parts_in_threads")
def test_migrating_makes_the_roles_and_opening_needs_no_migrator(run: Run, empty: str) -> None:
    settings = settings_of(empty)
    serving = {name: value for name, value in settings.items() if name != "MIGRATOR_URL"}

    without_roles = run("deals", **serving)
    without = run("migrate", **serving)
    code, out, _ = run("migrate", **settings)

    assert without_roles[0] == without[0] == 1
    assert "does not exist" in without_roles[2]
    assert "DEALTRAIL_MIGRATOR_URL" in without[2]
    assert code == 0
    assert "applied 0001_log.sql" in out
    assert run("deals", **serving)[0] == 0
    assert run("rebuild", "spans", **serving)[0] == 0


def test_who_may_make_no_roles_gets_the_statements_to_hand_on(run: Run, empty: str) -> None:
    with psycopg.connect(empty, autocommit=True) as superuser:
        poor = f"{superuser.info.dbname}_poor"
        superuser.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(poor)))
        settings = settings_of(empty, migrator=make_conninfo(empty, user=poor))

        code, out, error = run("migrate", **settings)
        superuser.execute(out.encode())

    assert code == 1
    assert out.count("CREATE ROLE") == 4
    assert error.count("\n") == 1
    assert "statements above" in error
    assert run("migrate", **settings)[0] == 0


@pytest.mark.parametrize("apart", [True, False])
def test_readiness_says_whether_privileges_separate(database: str, *, apart: bool) -> None:
    with client_on(database, apart=apart) as client:
        assert client.get("/readyz").json()["privileges"] == ("separate" if apart else "shared")
