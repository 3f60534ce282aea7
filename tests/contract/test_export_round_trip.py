"""What a ledger exports founds another one on the same facts, byte for byte, in every format."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from api.bootstrap import Ledger
from api.exchange.exporting import EXPORTS
from api.sample.company import lines as sample_lines
from tests.support.ledgers import NOW, SCHEMA, filling, ledger_on
from tests.support.postgres import PostgresServer
from tests.support.round_trips import brought, exported

SAMPLE = filling(lambda: list(sample_lines(now=NOW)), founding=True)


@pytest.fixture(scope="module")
def company(postgres_server: PostgresServer) -> Iterator[Ledger]:
    with postgres_server.ledger(SCHEMA, filled_by=SAMPLE) as dsn, ledger_on(dsn) as ledger:
        yield ledger


@pytest.mark.parametrize("name", EXPORTS)
def test_the_sample_company_comes_back_as_it_was(
    company: Ledger, database: str, tmp_path: Path, name: str
) -> None:
    lines = exported(company, "ndjson")
    with ledger_on(database) as other:
        report = brought(other, tmp_path, exported(company, name), name)

        assert (report.rejects, report.duplicates) == ((), 0)
        assert exported(other, "ndjson") == lines
