"""Exports of a ledger, and what becomes of them in another one."""

from collections.abc import Iterator
from pathlib import Path

from api.bootstrap import Ledger
from api.exchange.exporting import EXPORTS
from api.exchange.importing import FORMATS, LedgerContext, reader_for, run_import
from api.exchange.lines import ImportReport
from api.exports import Export, Tally
from api.moment import moment
from api.query.parser import parse
from api.query.question import LogQuestion
from tests.support.ledgers import NOW


def pieces(
    ledger: Ledger, name: str, query: str = "", *, after: int = 0, upto: int | None = None
) -> Iterator[bytes]:
    """Give the log, or what of it is asked for, in a format, piece by piece."""
    as_of = None if upto is None else f"position:{upto}"
    when = moment(ledger.store, as_of=as_of, effective_at=None, now=NOW)
    question = LogQuestion(query=parse(query), moment=when)
    return ledger.exports.written(Export(format=name, question=question, after=after), Tally(0))


def exported(
    ledger: Ledger, name: str, query: str = "", *, after: int = 0, upto: int | None = None
) -> bytes:
    return b"".join(pieces(ledger, name, query, after=after, upto=upto))


def brought(
    ledger: Ledger, folder: Path, content: bytes, name: str, *, founding: bool = True
) -> ImportReport:
    """Import what a ledger exported."""
    file = folder / f"brought.{EXPORTS[name].suffix}"
    file.write_bytes(content)
    (chosen,) = (one for one in FORMATS if one == name)
    reader = reader_for(chosen, [file], profile=None, known=LedgerContext(ledger.store))
    return run_import(ledger.store, reader, now=NOW, founding=founding)
