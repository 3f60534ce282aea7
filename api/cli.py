"""The command `dealtrail`: serves, imports, shows and sets, each through the same use cases."""

import sys
from importlib.metadata import version
from typing import Annotated, NoReturn

import typer

from api.cli_bench import add_bench_commands
from api.cli_context import add_context_commands
from api.cli_customers import add_customer_commands
from api.cli_events import add_events_command
from api.cli_exchange import add_exchange_commands
from api.cli_export import add_export_command
from api.cli_forecast import add_forecast_commands
from api.cli_keys import add_key_commands
from api.cli_projections import add_projection_commands
from api.cli_replay import add_replay_commands
from api.cli_report import add_report_command
from api.cli_sample import add_sample_commands
from api.cli_serve import add_serve_commands
from api.cli_show import add_show_commands
from api.cli_sql import add_sql_command
from api.cli_validate import add_validate_commands
from api.collecting import collect_seldom
from api.errors import ApplicationError
from api.exchange.lines import ExportRefusedError
from api.exchange.profile import ProfileRefusedError
from api.logs import configure_logs
from api.settings import SettingsError
from api.storage.embedded_account import EmbeddedError
from api.storage.errors import StorageError
from domain.errors import DomainError

EXPECTED = (
    ApplicationError,
    DomainError,
    EmbeddedError,
    ExportRefusedError,
    ProfileRefusedError,
    SettingsError,
    StorageError,
)
"""What may go wrong without being a fault of the program: one sentence on stderr, exit 1."""

app = typer.Typer(
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


add_serve_commands(app)
add_exchange_commands(app)
add_export_command(app)
add_sample_commands(app)
add_show_commands(app)
add_events_command(app)
add_projection_commands(app)
add_replay_commands(app)
add_forecast_commands(app)
add_customer_commands(app)
add_report_command(app)
add_context_commands(app)
add_key_commands(app)
add_sql_command(app)
add_bench_commands(app)
add_validate_commands(app)


def main() -> NoReturn:
    """Run a command: exit 0 if it did its work, 1 on failure, 2 on bad usage."""
    configure_logs()
    collect_seldom()
    try:
        app()
    except EXPECTED as error:
        sys.stderr.write(f"dealtrail: {error}\n")
        sys.exit(1)
    sys.exit(0)
