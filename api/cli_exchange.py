"""Brings history in: the command `import`, and the loading of the sample company."""

import json
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Final

import typer

from api import clock
from api.bootstrap import Ledger, open_ledger
from api.cli_output import Json, print_json, progress_bars
from api.exchange.importing import FORMATS, Format, LedgerContext, reader_for, run_import
from api.exchange.lines import ImportReport, Reader
from api.exchange.profile import load_profile
from api.exchange.proposing import propose_profile
from api.people import People
from api.settings import Settings

_FEW: Final = 20
"""Rejects that are printed one by one; --json gives all of them."""


def import_files(
    *,
    paths: Annotated[list[Path], typer.Argument(help="Files, or the folder of an export.")],
    format_name: Annotated[str, typer.Option("--format", help=f"One of {', '.join(FORMATS)}.")],
    profile: Annotated[
        str | None, typer.Option(help="YAML file that declares what the source does not say.")
    ] = None,
    founding: Annotated[
        bool, typer.Option(help="Into an empty ledger, with the source's own recording times.")
    ] = False,
    dry_run: Annotated[bool, typer.Option(help="Report what would happen; write nothing.")] = False,
    guess: Annotated[
        bool, typer.Option(help="Propose a profile for the files; import nothing.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Import history from a CRM export; the same import again changes nothing."""
    chosen = _format(format_name)
    declared = load_profile(profile) if profile else None
    if guess:
        typer.echo(propose_profile(chosen, paths, declared=declared))
        return
    with open_ledger(Settings.read()) as ledger:
        ledger.store.start()
        known = LedgerContext(ledger.store)
        reader = reader_for(chosen, paths, profile=declared, known=known, now=clock.now())
        report = _run(ledger, reader, founding=founding, dry_run=dry_run)
    if as_json:
        print_json(report.to_json())
    else:
        _print_report(report)


def _run(ledger: Ledger, reader: Reader, *, founding: bool, dry_run: bool) -> ImportReport:
    with progress_bars() as bars:
        tasks = {
            "read": bars.add_task("Lines read", total=None),
            "appended": bars.add_task("Events in the log", total=None),
        }
        report = run_import(
            ledger.store,
            reader,
            now=clock.now(),
            founding=founding,
            dry_run=dry_run,
            progress=lambda step, count: bars.advance(tasks[step], count),
        )
    if not dry_run:
        People(ledger.store).remember(report.names)
        catch_up(ledger)
    return report


def load_sample(ledger: Ledger, *, seed: int | None = None) -> ImportReport:
    """Import the sample company, with its people's names, and bring the views up."""
    with TemporaryDirectory(prefix="dealtrail-sample-") as folder:
        file = Path(folder) / "sample-company.ndjson"
        with file.open("w", encoding="utf-8") as lines:
            lines.writelines(sample_texts(seed))
        reader = reader_for("ndjson", [file], profile=None, known=LedgerContext(ledger.store))
        report = run_import(ledger.store, reader, now=clock.now(), founding=True)
    People(ledger.store).remember(_names(ledger))
    catch_up(ledger)
    return report


def _names(ledger: Ledger) -> dict[str, str]:
    """Give the names of the company's people, whose ids are their names in lower case."""
    known = ledger.context.known(ledger.store.head().position)
    return {one.rep: one.rep.replace("-", " ").title() for one in known.memberships}


def catch_up(ledger: Ledger) -> None:
    """Bring the views to the head of the log, with a bar while a terminal is there."""
    with progress_bars() as bars:
        task = bars.add_task("Projections", total=None)
        ledger.worker.catch_up(
            progress=lambda reached, head: bars.update(task, completed=reached, total=head)
        )


def sample_texts(seed: int | None) -> Iterator[str]:
    """Give the lines of the sample company as they are written to a file."""
    # Here because all other commands, and most servers, start without it.
    from api.sample.company import lines  # noqa: PLC0415

    chosen = {} if seed is None else {"seed": seed}
    for line in lines(now=clock.now(), **chosen):
        yield json.dumps(line, ensure_ascii=False) + "\n"


def _format(name: str) -> Format:
    for known in FORMATS:
        if known == name:
            return known
    message = f"{name!r} is not one of {', '.join(FORMATS)}"
    raise typer.BadParameter(message, param_hint="--format")


def _print_report(report: ImportReport) -> None:
    would = "would be " if report.dry_run else ""
    typer.echo(f"{report.rows_read} rows read, {report.events_made} events {would}made", nl=False)
    typer.echo(f" of {report.deals} deals; {report.duplicates} were known; {report.gaps} gaps")
    for note in report.notes:
        typer.echo(f"note: {note}")
    for what in report.not_expressible:
        typer.echo(f"not expressible: {what}")
    for reject in report.rejects[:_FEW]:
        typer.echo(f"rejected: {reject.file}, row {reject.row}: {reject.reason}")
    if len(report.rejects) > _FEW:
        typer.echo(f"... and {len(report.rejects) - _FEW} more rejects (--json lists all)")
