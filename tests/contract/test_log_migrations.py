"""What migrating promises: each file once, in order, unchanged, whoever else does it too."""

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from api.storage.errors import MigrationError
from api.storage.migrate import Migration, migrate, missing, shipped

FIRST = Migration("0001_a.sql", "CREATE TABLE a (n integer); INSERT INTO a VALUES (1);")
SECOND = Migration("0002_b.sql", "CREATE TABLE b (n integer);")
BROKEN = Migration("0002_b.sql", "CREATE TABLE b (n integer); SELECT nonsense;")


def made_of(schema: str) -> list[str]:
    """Give all that migrating makes."""
    return [*(step.name for step in shipped()), f"{schema}_audit_v1"]


def names(dsn: str) -> list[str]:
    with psycopg.connect(dsn) as connection:
        rows = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'led'")
        return sorted(row[0] for row in rows)


def test_what_is_missing_is_applied_once(every_database: str) -> None:
    expected = made_of("led")

    assert missing(every_database, schema="led") == expected
    assert migrate(every_database, schema="led") == expected
    assert migrate(every_database, schema="led") == []
    assert missing(every_database, schema="led") == []


def test_ledgers_lie_beside_each_other(every_database: str) -> None:
    migrate(every_database, schema="one")

    assert missing(every_database, schema="two") != []
    assert migrate(every_database, schema="two") != []


def test_several_may_migrate_at_once(every_database: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda _: migrate(every_database, schema="led"), range(8)))

    assert sorted(name for applied in done for name in applied) == made_of("led")


def test_a_broken_file_leaves_the_whole_files_before_it(every_database: str) -> None:
    with pytest.raises(psycopg.errors.UndefinedColumn):
        migrate(every_database, schema="led", migrations=[FIRST, BROKEN])

    assert names(every_database) == ["a", "migrations"]
    assert migrate(every_database, schema="led", migrations=[FIRST, SECOND]) == ["0002_b.sql"]


def test_a_file_that_was_changed_after_it_was_applied_is_refused(every_database: str) -> None:
    migrate(every_database, schema="led", migrations=[FIRST])
    changed = Migration(FIRST.name, FIRST.text + " ")

    with pytest.raises(MigrationError, match=r"0001_a\.sql was changed"):
        migrate(every_database, schema="led", migrations=[changed, SECOND])

    assert names(every_database) == ["a", "migrations"]


def test_a_ledger_of_a_newer_version_is_refused(every_database: str) -> None:
    migrate(every_database, schema="led", migrations=[FIRST, SECOND])

    with pytest.raises(MigrationError, match="newer"):
        migrate(every_database, schema="led", migrations=[FIRST])


def test_a_schema_that_could_be_misread_is_refused(every_database: str) -> None:
    with pytest.raises(ValueError, match="lower-case"):
        migrate(every_database, schema='led", public')
