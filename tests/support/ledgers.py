"""A ledger on a database of the test's own, and lines imported into it."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from api.bootstrap import Ledger
from api.exchange.importing import LedgerContext, reader_for, run_import
from api.exchange.lines import ImportReport
from tests.support.postgres import Fill
from tests.support.roles import under_roles

SCHEMA: Final = "dealtrail"
NOW: Final = datetime(2026, 11, 1, 12, tzinfo=UTC)
Line = Mapping[str, object]


@contextmanager
def ledger_on(database: str) -> Iterator[Ledger]:
    """Open a ledger that can be appended to."""
    with under_roles(database, schema=SCHEMA) as ledger:
        ledger.store.start()
        yield ledger


def filling(lines: Callable[[], Sequence[Line]], *, founding: bool = False) -> Fill:
    """Give what fills a ledger with lines, known by the name of the function that gives these."""

    @wraps(lines)
    def fill(database: str) -> None:
        with TemporaryDirectory() as folder, ledger_on(database) as ledger:
            import_lines(ledger, Path(folder), lines(), founding=founding)

    return fill


def import_lines(
    ledger: Ledger, folder: Path, lines: Sequence[Line], *, founding: bool = False
) -> ImportReport:
    """Import lines as a file of Dealtrail's own, and bring the views up."""
    file = folder / "lines.ndjson"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    reader = reader_for("ndjson", [file], profile=None, known=LedgerContext(ledger.store))
    report = run_import(ledger.store, reader, now=NOW, founding=founding)
    ledger.worker.catch_up()
    return report
