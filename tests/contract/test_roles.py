"""What making the roles of a ledger promises: the same ones, once, whoever else makes them too."""

import multiprocessing
import os
import random
import signal
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from api.all_projections import projections
from api.bootstrap import ledger_at
from api.rebuild import drop_previous, rebuild
from api.storage import connections
from api.storage.errors import MigrationError, RolesMissingError
from api.storage.grants import Separation
from api.storage.migrate import bring_up, migrate, missing
from api.storage.roles import Addresses, Login, Role
from tests.support.attacks import owner_of, session_of
from tests.support.log import SCHEMA, ask

FORK = multiprocessing.get_context("fork")
KILLS = 12


def own_logins(dsn: str) -> Addresses:
    """Roles of this database alone, which no other test has made."""
    return Addresses.on_embedded(dsn, schema=SCHEMA)


def left_to_do(superuser: str, addresses: Addresses) -> list[str]:
    """Give what a ledger lacks of what its roles shall be and hold."""
    with session_of(superuser) as connection:
        separation = Separation(connection, SCHEMA, addresses.logins)
        statements = [*separation.missing(secret=False), *separation.differences()]
        return [one.as_string(connection) for one in statements]


def works(addresses: Addresses) -> bool:
    """Append, project and rebuild, each under its own role."""
    with ledger_at(addresses, schema=SCHEMA) as ledger:
        ledger.store.start()
        ledger.store.append_blocking(ask("deal:3f0c1c7e-9d57-4e0e-9f57-5b1f3a1c0001"))
        ledger.worker.catch_up()
        swapped = rebuild(ledger.projecting, "spans", projections, processes=1).swapped
        drop_previous(ledger.projecting, "spans", projections)
        return swapped


def test_roles_are_made_once_and_the_owner_cannot_log_in(every_database: str) -> None:
    addresses = own_logins(every_database)
    migrate(every_database, schema=SCHEMA, logins=addresses.logins)

    assert left_to_do(every_database, addresses) == []
    assert migrate(every_database, schema=SCHEMA, logins=addresses.logins) == []
    assert works(addresses)
    assert left_to_do(every_database, addresses) == []
    with session_of(every_database) as superuser:
        owner = owner_of(superuser)
    with pytest.raises(psycopg.OperationalError, match="not permitted to log in"):
        psycopg.connect(make_conninfo(every_database, user=owner))


def test_several_may_make_the_same_roles_at_once(every_database: str) -> None:
    addresses = own_logins(every_database)

    def work(_: int) -> list[str]:
        return migrate(every_database, schema=SCHEMA, logins=addresses.logins)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))

    assert left_to_do(every_database, addresses) == []


def test_a_migration_that_is_killed_is_finished_by_the_next(every_database: str) -> None:
    addresses, chance = own_logins(every_database), random.Random(7)

    def work() -> None:
        migrate(every_database, schema=SCHEMA, logins=addresses.logins)
        os._exit(0)

    for _ in range(KILLS):
        process = FORK.Process(target=work)
        process.start()
        process.join(chance.uniform(0.02, 0.5))
        if process.pid is not None and process.is_alive():
            os.kill(process.pid, signal.SIGKILL)
        process.join()
    migrate(every_database, schema=SCHEMA, logins=addresses.logins)

    assert left_to_do(every_database, addresses) == []
    assert works(addresses)


def test_a_ledger_that_one_login_kept_is_taken_apart(every_database: str) -> None:
    shared, addresses = Addresses.shared(every_database), own_logins(every_database)
    migrate(every_database, schema=SCHEMA)
    assert works(shared)
    with ledger_at(shared, schema=SCHEMA) as ledger:
        rebuild(ledger.projecting, "progress", projections, processes=1)

    migrate(every_database, schema=SCHEMA, logins=addresses.logins)

    assert left_to_do(every_database, addresses) == []
    assert works(addresses)
    with ledger_at(addresses, schema=SCHEMA) as ledger:
        assert rebuild(ledger.projecting, "progress", projections, processes=1).swapped


def test_what_another_role_was_given_outlives_migrating_and_a_rebuild(every_database: str) -> None:
    addresses = own_logins(every_database)
    migrate(every_database, schema=SCHEMA, logins=addresses.logins)
    reports = _login(every_database, "")
    with session_of(every_database) as superuser:
        name = sql.Identifier(f"{superuser.info.dbname}_migrator")
        for statement in ("GRANT USAGE ON SCHEMA ledger TO {}", "GRANT SELECT ON spans TO {}"):
            superuser.execute(sql.SQL(statement).format(name))

    assert works(addresses)
    migrate(every_database, schema=SCHEMA, logins=addresses.logins)

    with session_of(reports) as session:
        assert session.execute("SELECT count(*) FROM spans").fetchone() == (0,)


def _login(superuser: str, options: str) -> str:
    """Make a login that is no superuser, and give its address of the same database."""
    with psycopg.connect(superuser, autocommit=True) as connection:
        name = f"{connection.info.dbname}_migrator"
        made = sql.SQL("CREATE ROLE {} LOGIN " + options).format(sql.Identifier(name))
        connection.execute(made)
        names = map(sql.Identifier, (connection.info.dbname, name))
        connection.execute(sql.SQL("GRANT CREATE ON DATABASE {} TO {}").format(*names))
    return make_conninfo(superuser, user=name)


def test_a_migrator_that_may_make_roles_needs_no_superuser(every_database: str) -> None:
    migrator = _login(every_database, "CREATEROLE")
    addresses = replace(own_logins(every_database), migrator=migrator)

    migrate(migrator, schema=SCHEMA, logins=addresses.logins)

    assert migrate(migrator, schema=SCHEMA, logins=addresses.logins) == []
    assert left_to_do(every_database, addresses) == []
    assert works(addresses)


def test_a_migrator_that_may_not_is_told_the_statements_that_somebody_else_runs(
    every_database: str,
) -> None:
    migrator = _login(every_database, "NOCREATEROLE")
    addresses = replace(own_logins(every_database), migrator=migrator)

    with pytest.raises(RolesMissingError) as refused:
        migrate(migrator, schema=SCHEMA, logins=addresses.logins)
    with psycopg.connect(every_database, autocommit=True) as superuser:
        untouched = missing(every_database, schema=SCHEMA)
        for statement in refused.value.statements:
            superuser.execute(statement.encode())

    assert "0001_log.sql" in untouched
    assert "0001_log.sql" in migrate(migrator, schema=SCHEMA, logins=addresses.logins)
    assert left_to_do(every_database, addresses) == []
    assert works(addresses)


def test_a_password_is_set_as_a_verifier_and_never_told(every_database: str) -> None:
    secret = "correct horse battery staple"
    addresses = own_logins(every_database)
    logins = {role: Login(login.name, secret) for role, login in addresses.logins.items()}
    poor = _login(every_database, "NOCREATEROLE")

    with pytest.raises(RolesMissingError) as refused:
        migrate(poor, schema=SCHEMA, logins=logins)
    migrate(every_database, schema=SCHEMA, logins=logins)

    with psycopg.connect(every_database) as superuser:
        row = superuser.execute(
            "SELECT rolpassword FROM pg_authid WHERE rolname = %s", [logins[Role.APP].name]
        ).fetchone()
    assert row is not None
    assert row[0].startswith("SCRAM-SHA-256$")
    assert secret not in f"{refused.value} {refused.value.statements} {logins}"


def test_opening_under_separate_roles_never_migrates(every_database: str) -> None:
    addresses = replace(own_logins(every_database), embedded=False)
    migrate(every_database, schema="other", logins=addresses.logins)

    with pytest.raises(MigrationError, match="dealtrail migrate"):
        bring_up(addresses, schema=SCHEMA)

    assert "0001_log.sql" in missing(every_database, schema=SCHEMA)
    migrate(every_database, schema=SCHEMA, logins=addresses.logins)
    bring_up(addresses, schema=SCHEMA)


def test_the_application_makes_nothing_in_the_database(every_database: str) -> None:
    addresses = own_logins(every_database)
    migrate(every_database, schema=SCHEMA, logins=addresses.logins)
    target = connections.conninfo(addresses.app, schema=SCHEMA)

    with psycopg.connect(target) as app, pytest.raises(psycopg.errors.InsufficientPrivilege):
        app.execute("CREATE TABLE mine ()")
