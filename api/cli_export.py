"""Takes history out: the command `export`."""

import os
import pwd
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from inspect import signature
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, Annotated, Final

import typer

from api import clock
from api.bootstrap import Ledger, open_ledger
from api.cli_exchange import catch_up
from api.cli_output import AsOf, EffectiveAt, Json, print_json, progress_bars
from api.errors import MalformedRequestError
from api.exchange.exporting import EXPORTS
from api.exports import Export, Tally
from api.http.log import filters
from api.identity.accesses import Exported, Kind
from api.identity.permissions import OPERATOR
from api.lists_log import LogFilters
from api.moment import moment
from api.settings import Settings
from api.storage.requests import new_event_id

_LONGEST_REQUEST: Final = 2_000
_FILTERS: Final = tuple(signature(filters).parameters)


def add_export_command(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("export")(export_log)


def export_log(
    *,
    format_name: Annotated[str, typer.Option("--format", help=f"One of {', '.join(EXPORTS)}.")],
    out: Annotated[
        Path | None, typer.Option(help="The file, there once it is whole. Default: stdout.")
    ] = None,
    after: Annotated[int, typer.Option(min=0, help="Only what comes after this position.")] = 0,
    only: Annotated[
        list[str] | None,
        typer.Option(help=f"A filter, such as owner=ann: {', '.join(_FILTERS)}. May be repeated."),
    ] = None,
    as_of: AsOf = None,
    effective_at: EffectiveAt = None,
    as_json: Json = False,
) -> None:
    """Write the log, or what of it is asked for, to a file that other programs read."""
    if format_name not in EXPORTS:
        message = f"{format_name!r} is not one of {', '.join(EXPORTS)}"
        raise typer.BadParameter(message, param_hint="--format")
    wanted = _filters(only or [])
    with open_ledger(Settings.read()) as ledger:
        if wanted.need_views:
            catch_up(ledger)
        asked = moment(ledger.store, as_of=as_of, effective_at=effective_at, now=clock.now())
        export = Export(
            format=format_name,
            filters=replace(wanted, occurred_by=asked.cut),
            after=after,
            upto=asked.position,
        )
        tally = _written(ledger, export, out)
    if out is not None:
        _say(export, tally, out, as_json=as_json)


def _filters(given: Sequence[str]) -> LogFilters:
    """Read the filters as `/v1/events` does."""
    values: dict[str, str] = {}
    for one in given:
        name, _, value = one.partition("=")
        if name not in _FILTERS or not value or name in values:
            message = f"{one!r} is no filter, or the second of its name: {', '.join(_FILTERS)}"
            raise typer.BadParameter(message, param_hint="--only")
        values[name] = value
    return filters(**values)


def _written(ledger: Ledger, export: Export, out: Path | None) -> Tally:
    """Write an export, and keep that it was asked for and what was given out."""
    tally, named = Tally(export.after), str(new_event_id())
    asked = Exported(export.format, after=export.after, upto=export.upto)
    _note(ledger, "export", asked, named)
    try:
        with _target(out) as file, progress_bars() as bars:
            task = bars.add_task("Positions", total=export.upto, completed=export.after)
            for piece in ledger.exports.written(export, tally):
                file.write(piece)
                bars.update(task, completed=tally.position)
    finally:
        given = replace(asked, upto=tally.position, events=tally.events)
        _note(ledger, "exported", given, named)
    return tally


def _note(ledger: Ledger, kind: Kind, exported: Exported, named: str) -> None:
    """Keep an export under the account of this machine that makes it."""
    identity = replace(OPERATOR, credential=f"account {_account()}")
    request = shlex.join(["dealtrail", *sys.argv[1:]])[:_LONGEST_REQUEST]
    ledger.accesses.note(identity, kind, request=request, request_id=named, exported=exported)


def _account() -> str:
    # Not what the environment says: anybody may set that.
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


@contextmanager
def _target(out: Path | None) -> Iterator[IO[bytes]]:
    """Open a file beside the one that is asked for, which takes its place once all is written."""
    if out is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    try:
        with NamedTemporaryFile(dir=out.parent, prefix=f".{out.name}.", delete=False) as file:
            beside = Path(file.name)
            try:
                yield file
                file.flush()
                os.fsync(file.fileno())
                beside.replace(out)
            finally:
                beside.unlink(missing_ok=True)
    except OSError as error:
        message = f"--out: {out} cannot be written: {error.strerror}"
        raise MalformedRequestError(message, field="out") from error


def _say(export: Export, tally: Tally, out: Path, *, as_json: bool) -> None:
    if as_json:
        told = {"file": str(out), "format": export.format, "after": export.after}
        print_json(told | {"position": export.upto, "events": tally.events})
        return
    typer.echo(f"{tally.events} events in {out}; the next export goes on --after {export.upto}")
