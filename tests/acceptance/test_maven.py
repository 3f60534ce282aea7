"""The Maven table, which is large and real: it imports whole, and nothing is claimed from it."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.bootstrap import Ledger
from api.exchange.importing import LedgerContext, reader_for, run_import
from api.exchange.lines import ImportReport
from api.exchange.profile import load_profile
from domain.events.base import type_name
from tests.support.client import client_on
from tests.support.exports import MAVEN
from tests.support.ledgers import NOW, SCHEMA, ledger_on
from tests.support.postgres import PostgresServer

pytestmark = pytest.mark.timeout(300)  # it is large, and the machine may have other work

AGAIN = 10
"""Of the rows one in so many is imported again, for each is looked up alone."""


@dataclass(frozen=True, slots=True)
class Maven:
    """A ledger that was founded with the table."""

    ledger: Ledger
    file: Path
    report: ImportReport


def imported(ledger: Ledger, file: Path, *, founding: bool = False) -> ImportReport:
    known = LedgerContext(ledger.store)
    reader = reader_for("csv", [file], profile=load_profile("maven"), known=known)
    return run_import(ledger.store, reader, now=NOW, founding=founding)


@pytest.fixture(scope="module")
def maven(postgres_server: PostgresServer, shared_data: Path) -> Iterator[Maven]:
    file = shared_data / MAVEN
    with postgres_server.ledger(SCHEMA) as dsn, ledger_on(dsn) as ledger:
        yield Maven(ledger, file, imported(ledger, file, founding=True))


def ask(client: TestClient, path: str) -> Any:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_maven_table_imports_whole_and_once(maven: Maven, tmp_path: Path) -> None:
    report = maven.report

    assert (report.rows_read, report.deals, report.rejects, report.gaps) == (8800, 8800, (), 500)
    counts = Counter(
        type_name(type(event.data)) for batch in maven.ledger.store.log() for event in batch
    )
    assert (counts["deal_won"], counts["deal_lost"], counts["deal_opened"]) == (4238, 2473, 8800)

    some = tmp_path / maven.file.name
    head, *rows = maven.file.read_text(encoding="utf-8").splitlines(keepends=True)
    some.write_text(head + "".join(rows[::AGAIN]), encoding="utf-8")
    again = imported(maven.ledger, some)
    assert (again.rows_read, again.events_made, again.rejects) == (880, 0, ())


def test_the_months_that_end_a_quarter_of_the_maven_table_have_other_win_rates(
    maven: Maven,
) -> None:
    maven.ledger.worker.catch_up()
    last, others = [], []
    with client_on(maven.ledger.store.dsn) as client:
        for name in ("FY2017Q1", "FY2017Q2", "FY2017Q3", "FY2017Q4"):
            rates = ask(client, f"/v1/quarters/{name}/close-pattern")["win_rates"]
            months = [month["share"] for month in rates["months"] if month["share"] is not None]
            last.append(months[-1])
            others += months[:-1]
            assert rates["last_against_others"]["finding"] in ("higher", None)

            pressure = ask(client, f"/v1/quarters/{name}/pressure")
            main = pressure["window_effect"]
            assert (main["n"], main["mean"], main["p"], main["finding"]) == (0, None, None, None)
            assert pressure["cost"]["excess"]["amount"] == "0.00"
            assert pressure["shares"]["shaped"]["count"] == 0
            assert "consistent with quota pressure" not in str(pressure)

    assert len(last) == 4
    assert all(0.78 <= share <= 0.83 for share in last)
    assert len(others) == 6
    assert all(0.485 <= share <= 0.57 for share in others)
