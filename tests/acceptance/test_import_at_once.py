"""An import of lines that another one brings meanwhile, under ids that it makes itself."""

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import pytest

from api.bootstrap import Ledger
from api.exchange.importing import LedgerContext, Step, reader_for, run_import
from api.exchange.lines import ImportReport
from tests.support.ledgers import NOW, SCHEMA, ledger_on
from tests.support.postgres import PostgresServer
from tests.support.round_trips import exported

Told: TypeAlias = dict[str, Any]

NOTES: Final = 700
"""Of each deal, so that two fit into no window."""

TOLD_EVERY: Final = 500
"""Lines between two words on how many were read; what is told of fewer is the last word."""


def deal(name: str) -> list[Told]:
    """A deal of which each line was caused by the one before, and the last corrects the first."""
    account = {"id": "acme", "name": "Acme"}
    said: list[tuple[str, Told]] = [
        ("deal_opened", {"name": name, "account": account, "owner": "ann"}),
        *(("note_added", {"text": f"note {number}"}) for number in range(1, NOTES)),
        ("event_amended", {"event_id": f"{name}:1", "reason": "typo", "data": {"text": "Note"}}),
    ]
    return [
        {"stream": f"deal:{name}", "external_id": f"{name}:{number}", "type": kind, "actor": "ann"}
        | {"occurred_at": f"2025-01-08T{number // 60:02}:{number % 60:02}:00Z", "data": data}
        | ({"caused_by": f"{name}:{number - 1}"} if number else {})
        for number, (kind, data) in enumerate(said)
    ]


LINES: Final = [*deal("A"), *deal("B")]
FIRST: Final = [line for line in LINES if int(line["external_id"][2:]) < NOTES // 2]


def take(
    ledger: Ledger,
    file: Path,
    lines: Sequence[Told],
    *,
    later: int = 0,
    progress: Callable[[Step, int], None] | None = None,
) -> ImportReport:
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    reader = reader_for("ndjson", [file], profile=None, known=LedgerContext(ledger.store))
    now = NOW + timedelta(seconds=later)
    return run_import(ledger.store, reader, now=now, progress=progress)


def facts(ledger: Ledger) -> list[Told]:
    """What the log says, with the source's names in the place of our ids."""
    rows = [json.loads(row) for row in exported(ledger, "ndjson").splitlines()]
    names = {row["event_id"]: row["external_id"] for row in rows}
    for row in rows:
        if "event_id" in row["data"]:
            row["data"]["event_id"] = names[row["data"]["event_id"]]
        if "caused_by" in row:
            row["caused_by"] = names[row["caused_by"]]
        row.pop("position")
        row.pop("event_id")
    return sorted(rows, key=lambda row: str(row["external_id"]))


@pytest.fixture
def ledger(database: str) -> Iterator[Ledger]:
    with ledger_on(database) as opened:
        yield opened


@pytest.mark.parametrize("lines", [FIRST, LINES], ids=["a part", "the same"])
@pytest.mark.parametrize("moment", ["read", "appended"])
def test_what_another_import_brings_meanwhile_is_referred_to_as_the_log_has_it(
    *,
    moment: Literal["read", "appended"],
    lines: list[Told],
    ledger: Ledger,
    postgres_server: PostgresServer,
    tmp_path: Path,
) -> None:
    others: list[ImportReport] = []

    def meanwhile(step: Step, count: int) -> None:
        if step == moment and count != TOLD_EVERY and not others:
            others.append(take(ledger, tmp_path / "other.ndjson", lines, later=5))

    report = take(ledger, tmp_path / "one.ndjson", LINES, progress=meanwhile)

    (other,) = others
    assert (report.rejects, other.rejects) == ((), ())
    assert report.events_made + other.events_made == len(LINES)
    with postgres_server.ledger(SCHEMA) as alone, ledger_on(alone) as quiet:
        take(quiet, tmp_path / "one.ndjson", LINES)
        assert facts(ledger) == facts(quiet)


def test_an_export_of_what_two_ledgers_imported_finds_it_under_its_ids_there(
    ledger: Ledger, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    """Its causes and corrections name the ids of the ledger that it is from."""
    with postgres_server.ledger(SCHEMA) as there, ledger_on(there) as other:
        take(other, tmp_path / "lines.ndjson", LINES, later=5)
        export = [json.loads(row) for row in exported(other, "ndjson").splitlines()]
        told = facts(other)
    take(ledger, tmp_path / "lines.ndjson", FIRST)

    report = take(ledger, tmp_path / "export.ndjson", export)

    assert (report.rejects, report.duplicates) == ((), len(FIRST))
    assert facts(ledger) == told
