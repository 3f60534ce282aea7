"""Takes history out: the command `export`."""

import os
import pwd
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
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
from api.identity.accesses import Exported, Kind
from api.identity.permissions import OPERATOR
from api.moment import moment
from api.query.parser import parse
from api.query.question import LogQuestion, needs_views
from api.settings import Settings
from api.storage.requests import new_event_id

_LONGEST_REQUEST: Final = 2_000


def export_log(
    *,
    query: Annotated[
        str, typer.Argument(help="Only these, such as: type:discount_offered rep:ann.")
    ] = "",
    format_name: Annotated[str, typer.Option("--format", help=f"One of {', '.join(EXPORTS)}.")],
    out: Annotated[
        Path | None, typer.Option(help="The file, there once it is whole. Default: stdout.")
    ] = None,
    after: Annotated[int, typer.Option(min=0, help="Only what comes after this position.")] = 0,
    as_of: AsOf = None,
    effective_at: EffectiveAt = None,
    as_json: Json = False,
) -> None:
    """Write the log, or what of it is asked for, to a file that other programs read."""
    if format_name not in EXPORTS:
        message = f"{format_name!r} is not one of {', '.join(EXPORTS)}"
        raise typer.BadParameter(message, param_hint="--format")
    wanted = parse(query)
    with open_ledger(Settings.read()) as ledger:
        if needs_views(wanted):
            catch_up(ledger)
        asked = moment(ledger.store, as_of=as_of, effective_at=effective_at, now=clock.now())
        question = LogQuestion(query=wanted, moment=asked)
        export = Export(format=format_name, question=question, after=after)
        tally = _written(ledger, export, out)
    if out is not None:
        _say(export, tally, out, as_json=as_json)


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
