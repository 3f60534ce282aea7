"""The real command in processes of its own, with all that is needed to find and to kill them."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event as Flag
from typing import Final, Self

from api.clock import Deadline

ROOT: Final = Path(__file__).resolve().parents[3]
SCHEMA: Final = "dealtrail"
PATIENCE: Final = 120.0
"""How long a start may take before a run is given up; what it should take is measured."""

_PROGRAM: Final = "from api.cli import main; main()"
_PAUSE: Final = 0.02


class ServerDidNotComeUpError(Exception):
    """The command ended, or was never ready."""


class Server:
    """One home and the command that serves it, again and again, on one port."""

    def __init__(
        self, home: Path, *, command: str = "serve", database_url: str | None = None
    ) -> None:
        self.home = home
        self.port = _free_port()
        self._command = command
        self._database_url = database_url
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        """What all its processes have said."""
        return self.home / "output.log"

    @property
    def token(self) -> str:
        return (self.home / "token").read_text(encoding="utf-8").strip()

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "the server was not started"
        return self._process

    def command(self) -> list[str]:
        """What is started, again and again."""
        return [sys.executable, "-c", _PROGRAM, self._command]

    def start(self) -> None:
        """Start the command, as it was started the first time."""
        named = ("DATABASE_URL", "DEALTRAIL_")
        environment = {k: v for k, v in os.environ.items() if not k.startswith(named)}
        environment |= {
            "DEALTRAIL_HOME": str(self.home),
            "DEALTRAIL_PORT": str(self.port),
            "DEALTRAIL_SAMPLE": "none",
        }
        if self._database_url is not None:
            environment["DEALTRAIL_DATABASE_URL"] = self._database_url
        self.home.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                self.command(),
                cwd=ROOT,
                env=environment,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    @contextmanager
    def running(self) -> Iterator[Self]:
        """Serve for one `with` block, and leave no process behind."""
        self.start()
        try:
            self.wait_until_ready()
            yield self
        finally:
            if self.process.poll() is None:
                self.process.terminate()
            try:
                self.process.wait(PATIENCE)
            finally:
                for pid in self.tree():
                    _send(pid, signal.SIGKILL)

    def wait_until_ready(self, *, patience: float = PATIENCE) -> None:
        """Wait until the server says that it can record.

        Raises:
            ServerDidNotComeUpError: it ended, or never said so.
        """
        deadline, pause = Deadline.after(patience), Flag()
        while not self.ready():
            if self.process.poll() is not None or deadline.passed():
                words = self.log.read_text(errors="replace")[-2000:]
                message = f"exit {self.process.poll()} after {patience} s at the most: {words}"
                raise ServerDidNotComeUpError(message)
            pause.wait(_PAUSE)

    def ready(self) -> bool:
        try:
            return self.get("/readyz")[0] == 200
        except (OSError, http.client.HTTPException):
            return False

    def lag(self) -> int:
        """How many positions the views are behind."""
        return int(json.loads(self.get("/readyz")[1])["lag"])

    def wait_until_worked(self) -> None:
        """Wait until the views have reached what is recorded by now."""
        head = int(json.loads(self.get("/readyz")[1])["head"])
        deadline, pause = Deadline.after(PATIENCE), Flag()
        while json.loads(self.get("/readyz")[1])["views"] < head and not deadline.passed():
            pause.wait(_PAUSE)

    def get(self, path: str, *, timeout: float = 30.0) -> tuple[int, bytes]:
        connection = self.connect(timeout=timeout)
        try:
            connection.request("GET", path, headers=self.headers())
            with connection.getresponse() as answer:
                return answer.status, answer.read()
        finally:
            connection.close()

    def connect(self, *, timeout: float) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def headers(self, **more: str) -> dict[str, str]:
        token = self.token if (self.home / "token").exists() else "none-yet"
        return {"Authorization": f"Bearer {token}", **more}

    def children(self, *, of: str = "") -> list[int]:
        """The processes that the command started and whose command line holds `of`."""
        return [pid for pid in _children(self.process.pid) if of in _command_line(pid)]

    def worker(self) -> int | None:
        """The process that keeps the views, if it lives."""
        found = self.children(of="spawn_main")
        return found[0] if found else None

    def dsn(self) -> str:
        """Where a superuser reaches the embedded database, without being counted as its user."""
        host = next((self.home / "postgres").glob("run*"))
        return f"host={host} user=dealtrail dbname=dealtrail"

    def postmaster(self) -> int | None:
        """The first process of the embedded PostgreSQL, if it lives."""
        files = list((self.home / "postgres").glob("pg*/postmaster.pid"))
        pid = int(files[0].read_text().split()[0]) if files else None
        return pid if pid is not None and _alive(pid) else None

    def backends(self, *, of: str = "") -> list[int]:
        """The processes of PostgreSQL below its first, those whose title holds `of`."""
        first = self.postmaster()
        return [] if first is None else [p for p in _children(first) if of in _command_line(p)]

    def tree(self) -> list[int]:
        """Every process that lives because the command was started."""
        first = self.postmaster()
        database = [] if first is None else [first, *self.backends()]
        own = [self.process.pid] if self.process.poll() is None else []
        return [*own, *self.children(), *database]


def kill(*pids: int | None) -> None:
    """End processes as a power cut would: none of them gets to do anything more."""
    for pid in pids:
        _send(pid, signal.SIGKILL)


@contextmanager
def held(*pids: int | None) -> Iterator[None]:
    """Stop processes for one `with` block, as a machine does that swaps or is moved."""
    for pid in pids:
        _send(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            _send(pid, signal.SIGCONT)


def _send(pid: int | None, number: signal.Signals) -> None:
    if pid is not None:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _alive(pid: int) -> bool:
    return bool(_status(pid)) and _status(pid)[0] != "Z"


def _children(pid: int) -> list[int]:
    numbers = (int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit())
    return [n for n in numbers if (told := _status(n)) and told[0] != "Z" and int(told[1]) == pid]


def _status(pid: int) -> list[str]:
    """State, parent and what else the kernel tells; empty if the process is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""
