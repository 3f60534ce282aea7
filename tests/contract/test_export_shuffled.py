"""An export in any order, some of it twice, founds the same ledger: a log tells its own order."""

import csv
import io
import json
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from api.bootstrap import Ledger
from domain.replay import Event
from tests.contract.test_export_round_trip import fill
from tests.support.ledgers import SCHEMA, ledger_on
from tests.support.postgres import PostgresServer
from tests.support.round_trips import brought, exported

UPTO = 600


@pytest.fixture(scope="module")
def company(postgres_server: PostgresServer) -> Iterator[Ledger]:
    with postgres_server.ledger(SCHEMA, filled_by=fill) as dsn, ledger_on(dsn) as ledger:
        yield ledger


def shuffled(parts: Sequence[Any]) -> list[Any]:
    chosen = random.Random(5)
    doubled = [*parts, *chosen.sample(parts, len(parts) // 20)]
    return chosen.sample(doubled, len(doubled))


def mixed(content: bytes, name: str) -> bytes:
    """What an export holds, in another order and a twentieth of it twice."""
    if name == "ndjson":
        return b"".join(shuffled(content.splitlines(keepends=True)))
    if name == "cloudevents":
        return json.dumps(shuffled(json.loads(content))).encode()
    if name == "csv":
        text = io.StringIO()
        header, *rows = csv.reader(io.StringIO(content.decode(), newline=""))
        csv.writer(text).writerows([header, *shuffled(rows)])
        return text.getvalue().encode()
    table = pq.read_table(io.BytesIO(content))
    sink = io.BytesIO()
    pq.write_table(table.take(pa.array(shuffled(range(table.num_rows)))), sink)
    return sink.getvalue()


def log_of(ledger: Ledger) -> list[Event]:
    return [event for batch in ledger.store.log() for event in batch]


def in_order(events: Sequence[Event]) -> dict[str, list[UUID]]:
    """The events of each stream as they occurred, those of one moment as the log has them."""
    found: dict[str, list[UUID]] = {}
    for event in sorted(events, key=lambda one: one.occurred_at):
        found.setdefault(event.stream_id, []).append(event.event_id)
    return found


@pytest.mark.parametrize(
    ("name", "founding"),
    [("ndjson", True), ("ndjson", False), ("csv", True), ("cloudevents", True), ("parquet", True)],
)
def test_what_shares_a_moment_stands_as_it_did_in_whatever_order_it_comes(
    *, name: str, founding: bool, company: Ledger, database: str, tmp_path: Path
) -> None:
    content = mixed(exported(company, name, upto=UPTO), name)
    with ledger_on(database) as other:
        report = brought(other, tmp_path, content, name, founding=founding)

        assert report.rejects == ()
        assert in_order(log_of(other)) == in_order(log_of(company)[:UPTO])
