"""Commands that serve: `run`, `serve`, `work` and `migrate`."""

import secrets
import signal
import socket
import sys
from contextlib import AbstractContextManager
from pathlib import Path
from threading import Event as Flag
from types import FrameType
from typing import Final

import structlog
import typer
import uvicorn
from psycopg.conninfo import conninfo_to_dict

from api.bootstrap import Ledger, database, open_ledger
from api.bootstrap_server import build_app
from api.cli_exchange import load_sample
from api.http.limits import Limits
from api.http.wire import Wire
from api.import_process import importing
from api.imports import Uploads
from api.logs import configure_logs
from api.settings import Settings, SettingsError
from api.storage.errors import RolesMissingError
from api.storage.log_reader import LogReader
from api.storage.migrate import migrate
from api.storage.powers import powers
from api.worker_process import Kept, follow, working

PORTS_TRIED: Final = 50
"""How many ports after the wanted one are tried when it is taken."""
GRACE_SECONDS: Final = 7
"""How long requests in flight may take when the server is told to stop: longer than a write takes,
and short enough that all has ended 12 s after the signal."""


def run() -> None:
    """Serve; into an empty ledger, put the sample company first."""
    _leave_cleanly()
    settings = _settings()
    with database(settings):  # kept up between the two ledgers that are opened here
        if settings.sample == "company":
            _load_sample_if_empty(settings)
        with open_ledger(settings) as ledger:
            _serve(ledger, settings)


def _load_sample_if_empty(settings: Settings) -> None:
    with open_ledger(settings) as ledger:
        if ledger.store.head().position == 0:
            typer.echo("The ledger is empty: loading the sample company.")
            ledger.store.start()
            load_sample(ledger)


def serve() -> None:
    """Serve, with the worker that keeps the views."""
    _leave_cleanly()
    settings = _settings()
    with open_ledger(settings) as ledger:
        _serve(ledger, settings)


def work() -> None:
    """Keep the views up to date with the log until told to stop."""
    stop = Flag()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with open_ledger(_settings()) as ledger:
        _warn_of_powers(ledger.projecting)
        follow(ledger.worker, ledger.audit, stop)


def migrate_ledger() -> None:
    """Bring the ledger's schema up to this version."""
    settings = Settings.read()
    with database(settings) as addresses:
        if addresses.migrator is None:
            message = "DEALTRAIL_MIGRATOR_URL: needed to migrate, as the user who may"
            raise SettingsError(message)
        try:
            applied = migrate(
                addresses.migrator, schema=settings.schema_name, logins=addresses.logins
            )
        except RolesMissingError as error:
            typer.echo("".join(f"{statement};\n" for statement in error.statements), nl=False)
            raise
    typer.echo("\n".join(f"applied {name}" for name in applied) or "nothing to apply")


def _settings() -> Settings:
    settings = Settings.read()
    configure_logs(settings.log_level)
    return settings


def _serve(ledger: Ledger, settings: Settings) -> None:
    for store in {one.dsn: one for one in (ledger.store, ledger.projecting)}.values():
        _warn_of_powers(store)
    token = token_of(settings.home)
    listener = _listen(settings.host, settings.port)
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    typer.echo(f"Dealtrail serves on http://{shown}:{port}")
    typer.echo(f"Sign in: http://{shown}:{port}/sign-in?token={token}")
    with listener, _working(ledger, settings) as worker, _importing(ledger, settings) as uploads:
        app = build_app(
            ledger,
            token=token,
            uploads=uploads,
            issuer=settings.issuer,
            worker_pid=lambda: worker.pid,
            limits=Limits(requests_a_minute=settings.rate_limit),
        )
        config = uvicorn.Config(
            app,
            http=Wire,
            ws="none",
            log_config=None,  # its messages go where ours go
            log_level=settings.log_level,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
        _Server(config, stopping=app.state.services.stopping).run(sockets=[listener])


def _working(ledger: Ledger, settings: Settings) -> AbstractContextManager[Kept]:
    projecting = ledger.projecting
    return working(projecting.dsn, schema=projecting.schema, log_level=settings.log_level)


def _importing(ledger: Ledger, settings: Settings) -> AbstractContextManager[Uploads]:
    uploads = Uploads(settings.home, most=settings.upload_limit << 20)
    store = ledger.store
    return importing(store.dsn, schema=store.schema, uploads=uploads, log_level=settings.log_level)


class _Server(uvicorn.Server):
    """A server that ends its streams as soon as it is told to stop, so that none holds it up."""

    def __init__(self, config: uvicorn.Config, *, stopping: Flag) -> None:
        super().__init__(config)
        self._stopping = stopping

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Take the signal to stop."""
        self._stopping.set()
        super().handle_exit(sig, frame)


def _warn_of_powers(store: LogReader) -> None:
    """Say it plainly where the log is kept by triggers alone, because one login may do all."""
    if found := powers(store):
        structlog.get_logger("dealtrail.privileges").warning(
            "privileges do not separate; see docs/operations.md",
            login=conninfo_to_dict(store.dsn).get("user"),
            because=", ".join(found),
        )


def _leave_cleanly() -> None:
    """Let a signal end the command through its `with` blocks, so that the database stops too.

    The server hands a signal on when it has stopped; the default would end the process there.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit(0))


def token_of(home: Path) -> str:
    """Give the token of this home, made at the first start and readable by its owner only.

    Raises:
        SettingsError: the file is there and others may read it.
    """
    file = home / "token"
    home.mkdir(parents=True, exist_ok=True)
    try:
        file.touch(mode=0o600, exist_ok=False)
    except FileExistsError:
        if file.stat().st_mode & 0o077:
            message = f"others may read {file}: set its mode to 0600, or remove it for a new token"
            raise SettingsError(message) from None
    else:
        file.write_text(secrets.token_urlsafe(32), encoding="utf-8")
    return file.read_text(encoding="utf-8").strip()


def _listen(host: str, port: int) -> socket.socket:
    """Give a socket on the wanted port, or on the next free one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for candidate in range(port, min(port + PORTS_TRIED, 65536)):
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, candidate))
            listener.listen(2048)
        except OSError:
            listener.close()
        else:
            return listener
    message = f"no port from {port} to {port + PORTS_TRIED - 1} is free on {host}"
    raise SettingsError(message)
