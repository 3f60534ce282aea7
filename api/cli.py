"""The command `dealtrail`: serves, imports, shows and sets, each through the same use cases."""

import ast
import sys
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Final, NoReturn

import typer
from typer.core import TyperCommand, TyperGroup

from api.collecting import collect_seldom
from api.errors import ApplicationError
from api.logs import configure_logs
from api.storage.embedded_account import EmbeddedError
from api.storage.errors import StorageError
from domain.errors import DomainError

COMMANDS: Final = {
    "run": "api.cli_serve:run",
    "serve": "api.cli_serve:serve",
    "work": "api.cli_serve:work",
    "migrate": "api.cli_serve:migrate_ledger",
    "import": "api.cli_exchange:import_files",
    "export": "api.cli_export:export_log",
    "events": "api.cli_events:events",
    "deals": "api.cli_show:deals",
    "show": "api.cli_show:show",
    "review": "api.cli_show:review",
    "customers": "api.cli_customers:customers",
    "replay": "api.cli_replay:replay",
    "forecast": "api.cli_forecast:forecast",
    "report": "api.cli_report:report",
    "sql": "api.cli_sql:sql",
    "sample": "api.cli_sample:sample",
    "projections": "api.cli_projections:show_projections",
    "rebuild": "api.cli_projections:rebuild_projection",
    "resume": "api.cli_projections:resume",
    "calendar": "api.cli_context:calendar",
    "process": "api.cli_context:process",
    "policy": "api.cli_context:policy",
    "quota": "api.cli_context:quota",
    "member": "api.cli_context:member",
    "keys": "api.cli_keys:app",
    "bench": "api.cli_bench:bench",
    "validate": "api.cli_validate:validate",
}
"""Where each command stands: a function, or a group of commands that is all of its module."""


class _Commands(TyperGroup):
    """Imports the command that is asked for, and none to list them: all together take seconds."""

    def list_commands(self, ctx: Any) -> list[str]:
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Give what a list says of a command; `resolve_command` gives the command itself."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        return TyperCommand(cmd_name, help=_docstring(*COMMANDS[cmd_name].split(":")))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, command, rest = super().resolve_command(ctx, args)
        return name, _imported(name) if name in COMMANDS else command, rest


def _docstring(module: str, name: str) -> str | None:
    """Read the docstring of a function, or else of its module, from the source."""
    file = f"{module.removeprefix('api.')}.py"
    source = ast.parse(Path(__file__).with_name(file).read_bytes())
    named = (one for one in source.body if isinstance(one, ast.FunctionDef) and one.name == name)
    return ast.get_docstring(next(named, source))


def _imported(cmd_name: str) -> Any:
    module, _, name = COMMANDS[cmd_name].partition(":")
    found = getattr(import_module(module), name)
    if not isinstance(found, typer.Typer):
        alone = typer.Typer(add_completion=False)
        alone.command(cmd_name)(found)
        found = alone
    command = typer.main.get_command(found)
    command.name = cmd_name
    return command


app = typer.Typer(
    cls=_Commands,
    name="dealtrail",
    help="An event-sourced opportunity tracker for B2B sales teams.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"dealtrail {version('dealtrail')}")
        raise typer.Exit


@app.callback()
def dealtrail(
    show_version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version.")
    ] = False,
) -> None:
    """Follow deals as events, and ask what was known and true at any instant."""


def _expected() -> tuple[type[Exception], ...]:
    """Give what may go wrong without being a fault of the program: one sentence on stderr, exit 1.

    The models that some of it comes with take longer to import than all that a list of commands
    needs.
    """
    from api.exchange.lines import ExportRefusedError  # noqa: PLC0415
    from api.exchange.profile import ProfileRefusedError  # noqa: PLC0415
    from api.settings import SettingsError  # noqa: PLC0415

    plain = (ApplicationError, DomainError, EmbeddedError, StorageError)
    return (*plain, ExportRefusedError, ProfileRefusedError, SettingsError)


def main() -> NoReturn:
    """Run a command: exit 0 if it did its work, 1 on failure, 2 on bad usage."""
    configure_logs()
    collect_seldom()
    try:
        app()
    except SystemExit:
        raise
    except _expected() as error:
        sys.stderr.write(f"dealtrail: {error}\n")
        sys.exit(1)
    sys.exit(0)
