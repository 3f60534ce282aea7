"""Exports of a ledger, and what becomes of them in another one."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from api.bootstrap import Ledger
from api.exchange.exporting import EXPORTS
from api.exchange.importing import FORMATS, LedgerContext, reader_for, run_import
from api.exchange.lines import ImportReport
from api.exports import Export, Tally
from tests.support.ledgers import NOW


def pieces(ledger: Ledger, name: str, **more: Any) -> Iterator[bytes]:
    """Give the whole log in a format, piece by piece."""
    upto = ledger.store.head().position
    return ledger.exports.written(Export(format=name, **{"upto": upto} | more), Tally(0))


def exported(ledger: Ledger, name: str, **more: Any) -> bytes:
    return b"".join(pieces(ledger, name, **more))


def brought(
    ledger: Ledger, folder: Path, content: bytes, name: str, *, founding: bool = True
) -> ImportReport:
    """Import what a ledger exported."""
    file = folder / f"brought.{EXPORTS[name].suffix}"
    file.write_bytes(content)
    (chosen,) = (one for one in FORMATS if one == name)
    reader = reader_for(chosen, [file], profile=None, known=LedgerContext(ledger.store))
    return run_import(ledger.store, reader, now=NOW, founding=founding)
