"""A projection is made anew beside the live one, compared and swapped, whatever else goes on.

Holds `docs/guarantees.md`: projections can be made again without a stop.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event as Flag
from typing import LiteralString

import pytest

from api import rebuild as rebuilding
from api.all_projections import projections
from api.bootstrap import Ledger
from api.rebuild import RebuildRefusedError, drop_previous, rebuild
from projections.facts import Rows
from tests.support.ledgers import SCHEMA, filling, import_lines, ledger_on
from tests.support.postgres import PostgresServer
from tests.support.projected import late_lines, snapshot
from tests.support.thirty import Line, thirty_lines

NAMES = [projection.name for projection in projections()]


def company() -> list[Line]:
    return [*thirty_lines(), *late_lines()]


fill = filling(company)


@pytest.fixture
def ledger(postgres_server: PostgresServer) -> Iterator[Ledger]:
    with postgres_server.ledger(SCHEMA, filled_by=fill) as dsn, ledger_on(dsn) as ledger:
        yield ledger


def one(connection: Rows, query: str) -> object:
    row = connection.execute(query.encode()).fetchone()
    return row[0] if row else None


@pytest.mark.usefixtures("parts_in_threads")
@pytest.mark.parametrize("name", NAMES)
def test_a_rebuild_in_parts_gives_the_rows_that_were_live(ledger: Ledger, name: str) -> None:
    ensure_rebuilt_the_same(ledger, name, processes=2)


@pytest.mark.parametrize("processes", [1, 2])
def test_a_rebuild_in_one_process_or_several_gives_the_rows_that_were_live(
    ledger: Ledger, processes: int
) -> None:
    ensure_rebuilt_the_same(ledger, "progress", processes=processes)


def ensure_rebuilt_the_same(ledger: Ledger, name: str, *, processes: int) -> None:
    live = snapshot(ledger)

    rebuilt = rebuild(ledger.projecting, name, projections, processes=processes)

    assert rebuilt.equal is True
    assert rebuilt.swapped
    assert snapshot(ledger) == live


def test_drift_is_told_and_mended(ledger: Ledger) -> None:
    live = snapshot(ledger)
    with ledger.projecting.connection() as connection:
        connection.execute(
            "UPDATE spans SET owner = 'nobody' WHERE until_position IS NULL"
            " AND deal_id = (SELECT deal_id FROM spans ORDER BY deal_id LIMIT 1)"
        )

    checked = rebuild(ledger.projecting, "spans", projections, processes=1, swap=False)
    drifted = snapshot(ledger)
    rebuilt = rebuild(ledger.projecting, "spans", projections, processes=1)

    assert (checked.equal, checked.swapped) == (False, False)
    assert drifted != live
    assert rebuilt.equal is False
    assert snapshot(ledger) == live


@pytest.mark.parametrize("name", ["spans", "contexts"])
def test_the_tables_after_a_swap_are_made_like_those_before(ledger: Ledger, name: str) -> None:
    with ledger.projecting.connection() as connection:
        before = _shape(connection)
    rebuild(ledger.projecting, name, projections, processes=1)
    rebuild(ledger.projecting, name, projections, processes=1)

    with ledger.projecting.connection() as connection:
        assert _shape(connection) == before


def _shape(connection: Rows) -> list[object]:
    queries: tuple[LiteralString, ...] = (
        (
            "SELECT indexname, replace(indexdef, schemaname, '') FROM pg_indexes"
            " WHERE schemaname = current_schema() ORDER BY 1"
        ),
        (
            "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)"
            " FROM pg_constraint"
            " WHERE connamespace = current_schema()::regnamespace ORDER BY 1, 2"
        ),
        (
            "SELECT table_name, column_name, data_type, is_nullable, column_default, is_identity"
            " FROM information_schema.columns WHERE table_schema = current_schema()"
            " ORDER BY 1, 2"
        ),
        (
            "SELECT stxrelid::regclass::text, pg_get_statisticsobjdef_expressions(s.oid)"
            " FROM pg_statistic_ext s JOIN pg_class c ON c.oid = stxrelid"
            " WHERE relnamespace = current_schema()::regnamespace ORDER BY 1"
        ),
        (
            "SELECT indexrelid::regclass::text FROM pg_index JOIN pg_class c ON c.oid = indexrelid"
            " WHERE indisclustered AND relnamespace = current_schema()::regnamespace ORDER BY 1"
        ),
    )
    return [connection.execute(query).fetchall() for query in queries]


def test_what_was_live_is_kept_until_it_is_dropped(ledger: Ledger) -> None:
    def kept(connection: Rows) -> object:
        return one(connection, "SELECT to_regclass(current_schema() || '_previous.spans')::text")

    rebuild(ledger.projecting, "spans", projections, processes=1)
    with ledger.projecting.connection() as connection:
        assert kept(connection) == "dealtrail_previous.spans"
        drop_previous(ledger.projecting, "spans", projections)
        assert kept(connection) is None


def test_the_live_projection_follows_the_log_after_a_swap(ledger: Ledger, tmp_path: Path) -> None:
    rebuild(ledger.projecting, "spans", projections, processes=1)
    before = snapshot(ledger)

    line = {
        "stream": "deal:D1",
        "external_id": "after/1",
        "type": "owner_changed",
        "occurred_at": "2025-05-01T00:00:00Z",
        "actor": "ann",
        "data": {"owner": "ben"},
    }
    import_lines(ledger, tmp_path, [line])

    assert len(snapshot(ledger)["spans"]) == len(before["spans"]) + 1
    assert rebuild(ledger.projecting, "spans", projections, processes=1).equal is True


def test_readers_are_answered_while_a_projection_is_swapped(ledger: Ledger) -> None:
    done = Flag()

    def read() -> set[object]:
        seen: set[object] = set()
        while not done.is_set():
            with ledger.projecting.connection() as connection:
                seen.add(one(connection, "SELECT count(*) FROM spans"))
        return seen

    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(read)
        for _ in range(3):
            rebuild(ledger.projecting, "spans", projections, processes=1)
        done.set()
        assert len(reading.result()) == 1


def test_one_rebuild_at_a_time(ledger: Ledger) -> None:
    with (
        rebuilding._alone(ledger.projecting, "spans"),
        pytest.raises(RebuildRefusedError, match="already"),
    ):
        rebuild(ledger.projecting, "spans", projections)


def test_an_unknown_projection_is_named(ledger: Ledger) -> None:
    with pytest.raises(RebuildRefusedError, match="'spams'; there are"):
        rebuild(ledger.projecting, "spams", projections)


def test_progress_is_told(ledger: Ledger) -> None:
    told: list[tuple[str, int, int]] = []

    rebuild(ledger.projecting, "spans", projections, told=lambda *step: told.append(step))

    phases = list(dict.fromkeys(phase for phase, _, _ in told))
    assert phases == ["loading", "filling", "indexing", "comparing", "swapping"]
    assert all(done <= total for _, done, total in told)
    last = {phase: (done, total) for phase, done, total in told}
    assert all(done == total for phase, (done, total) in last.items() if phase != "comparing")
