"""The command `sql`: asks the ledger as an auditor, who may read everything and change nothing."""

import csv
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import psycopg
import typer

from api.audit.page import page
from api.bootstrap import database, ledger_at
from api.cli_exchange import catch_up
from api.cli_output import Json, print_json, print_table
from api.errors import MalformedRequestError
from api.exchange.export_tables import cell
from api.settings import Settings
from api.storage.connections import audit_conninfo
from api.storage.migrate import bring_up

Session: TypeAlias = psycopg.Connection[tuple[Any, ...]]


def sql(
    *,
    file: Annotated[
        str | None, typer.Argument(help="A file with one question; - for standard input.")
    ] = None,
    as_json: Json = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print the answer as CSV.")] = False,
    url: Annotated[
        bool, typer.Option("--url", help="Print the auditor's address, for psql and others.")
    ] = False,
    describe: Annotated[
        bool, typer.Option("--describe", help="Print what may be asked, as docs/audit-sql.md.")
    ] = False,
) -> None:
    """Ask a question in SQL as an auditor, of the views that docs/audit-sql.md describes."""
    if [file is not None, url, describe].count(True) != 1:
        raise typer.BadParameter("give one question, or --url, or --describe")
    question = _read(file) if file else None
    with _auditor(Settings.read()) as session:
        if url:
            typer.echo(session.info.dsn)
        elif describe:
            typer.echo(page(session), nl=False)
        elif question:
            _print(*_answer(session, question), as_json=as_json, as_csv=as_csv)


def _read(file: str) -> str:
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise MalformedRequestError(f"{file}: {error}", field="file") from error


@contextmanager
def _auditor(settings: Settings) -> Iterator[Session]:
    """Open a session of the auditor, with everything brought up to the head of the log."""
    schema = settings.schema_name
    with database(settings) as addresses:
        bring_up(addresses, schema=schema)
        with ledger_at(addresses, schema=schema) as ledger:
            catch_up(ledger)
            ledger.audit.catch_up()
        target = audit_conninfo(addresses.auditor, schema=schema)
        with psycopg.connect(target) as session:
            yield session


def _answer(session: Session, question: str) -> tuple[list[str], Sequence[Sequence[object]]]:
    """Ask one question.

    Raises:
        MalformedRequestError: the database refuses it, and says where and why.
    """
    try:
        # As bytes: the question is the auditor's own text, and the session's rights bound it.
        cursor = session.execute(question.encode())
        rows = cursor.fetchall() if cursor.description else []
    except psycopg.Error as error:
        raise MalformedRequestError(_refusal(error, question)) from error
    return [column.name for column in cursor.description or ()], rows


def _refusal(error: psycopg.Error, question: str) -> str:
    said = error.diag.message_primary or str(error).strip() or type(error).__name__
    place = error.diag.statement_position
    if place is None:
        return said
    before = question[: int(place) - 1]
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    return f"line {line}, column {column}: {said}"


def _print(
    names: Sequence[str], rows: Sequence[Sequence[object]], *, as_json: bool, as_csv: bool
) -> None:
    if as_json:
        print_json([dict(zip(names, map(_plain, row), strict=True)) for row in rows])
    elif as_csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(names)
        writer.writerows([_csv_cell(value) for value in row] for row in rows)
    else:
        print_table(names, rows)


def _plain(value: object) -> object:
    """Give a value as JSON has it: decimals and spans of time as text, as everywhere else."""
    return str(value) if isinstance(value, Decimal | timedelta) else value


def _csv_cell(value: object) -> object:
    """Give a value as a cell; only a text may look like a formula."""
    return value if isinstance(value, int | float | Decimal) else cell(value)
