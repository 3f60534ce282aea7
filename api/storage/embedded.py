"""A private PostgreSQL for who has none: started by its first user, stopped by its last."""

import fcntl
import os
import shlex
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event as Flag
from threading import Thread
from typing import Final, Self

import psycopg
import structlog
from psycopg import pq, sql
from psycopg.conninfo import make_conninfo

from api.clock import Deadline
from api.storage.embedded_account import EmbeddedError
from api.storage.embedded_place import SOCKET_NAME, Place, find_place

USER: Final = "dealtrail"
DATABASE: Final = "dealtrail"

_START_SECONDS: Final = 120
"""Replaying the write-ahead log after a crash may take this long."""

_SILENCE_SECONDS: Final = 10
"""A server that runs and for so long does not even refuse has lost its socket, or hangs."""

_LOOK_SECONDS: Final = 0.5
"""How long a server may be dead before it is started again."""

_TUNING: Final = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "effective_cache_size": "1GB",
    "maintenance_work_mem": "128MB",
    "work_mem": "16MB",
    "max_wal_size": "1GB",
    "wal_compression": "on",
    "random_page_cost": "1.1",
    "jit": "off",
    # Containers give 64 MB of shared memory, which one parallel hash join can use up.
    "max_parallel_workers_per_gather": "0",
    # A week of logs, each day over that of the week before.
    "logging_collector": "on",
    "log_filename": "%a.log",
    "log_truncate_on_rotation": "on",
    "log_rotation_age": "1d",
    "log_rotation_size": "0",
}
_FORGETFUL: Final = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class EmbeddedServer:
    """One user's share in the PostgreSQL of one home; many may share, in any process.

    A killed user leaves the server running: whoever comes next adopts it, and stops it if they
    are the last. `durable=False` gives up crash safety for speed, for tests.
    """

    def __init__(self, home: Path, *, bin_dir: Path | None = None, durable: bool = True) -> None:
        self._home = home
        self._bin_dir = bin_dir
        self._durable = durable
        self._share: _Share | None = None

    def start(self) -> Self:
        """Makes the data if there are none, and starts or joins the server.

        Raises:
            EmbeddedError: if that cannot be done.
        """
        if self._share is not None:
            raise EmbeddedError("this share in the embedded PostgreSQL is already started")
        try:
            place = find_place(self._home, bin_dir=self._bin_dir)
            with _gate(place):
                self._share = self._join(place)
        except OSError as error:
            raise EmbeddedError(f"cannot start PostgreSQL for {self._home}: {error}") from error
        return self

    def stop(self) -> None:
        """Gives the share back; the last one stops the server. Does nothing if not started."""
        share, self._share = self._share, None
        if share is None or share.owner != os.getpid():
            return  # a forked child must not stop its parent's server
        with _gate(share.place):
            try:
                if share.alone() and share.cluster.pids():
                    share.cluster.stop()
            finally:
                share.leave()

    @contextmanager
    def kept_up(self) -> Iterator[Self]:
        """Until the block ends, a server that was killed is started again."""
        stop = Flag()
        arguments = (self._started(), stop)
        keeper = Thread(target=_keep, args=arguments, name="postgresql-keeper", daemon=True)
        keeper.start()
        try:
            yield self
        finally:
            stop.set()
            keeper.join()

    def dsn(self, database: str = DATABASE) -> str:
        return self._started().cluster.dsn(database)

    def place(self) -> Place:
        return self._started().place

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _started(self) -> "_Share":
        if self._share is None:
            raise EmbeddedError("the embedded PostgreSQL is not started")
        return self._share

    def _join(self, place: Place) -> "_Share":
        share = _Share(place, durable=self._durable)
        try:
            share.cluster.ensure_data()
            share.cluster.ensure_serving(alone=share.alone)
            share.cluster.ensure_database()
        except BaseException:
            share.leave()
            raise
        return share


class _Share:
    """A shared lock that the kernel gives up with the process, however that ends."""

    def __init__(self, place: Place, *, durable: bool) -> None:
        self.place = place
        self.cluster = _Cluster(place, durable=durable)
        self.owner = os.getpid()
        self._lock = os.open(place.folder / "users.lock", os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_SH)

    def alone(self) -> bool:
        """Whether nobody else uses the server; asked and acted on behind the gate only."""
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        fcntl.flock(self._lock, fcntl.LOCK_SH)
        return True

    def leave(self) -> None:
        os.close(self._lock)


class _Cluster:
    """The data and the server of one place; used behind the gate only."""

    def __init__(self, place: Place, *, durable: bool) -> None:
        self._place = place
        self._durable = durable

    def dsn(self, database: str) -> str:
        host = str(self._place.socket_folder)
        return make_conninfo(host=host, user=USER, dbname=database, connect_timeout=10)

    def ensure_data(self) -> None:
        """Makes the data aside and moves them into place, so that they are whole or absent."""
        place = self._place
        place.account.make_private(place.socket_folder)
        if place.data.exists():
            place.account.make_private(place.data)
            return
        draft = place.data.with_name(f"{place.data.name}.draft")
        if draft.exists():
            shutil.rmtree(draft)
        place.account.make_private(draft)
        # Whoever gets to the socket is trusted: its folder lets in the account and root only.
        options = ["-U", USER, "--auth-local=trust", "--auth-host=reject", "-E", "UTF8"]
        options += ["--no-locale", "--data-checksums", *([] if self._durable else ["--no-sync"])]
        self._run("initdb", "-D", str(draft), *options)
        draft.rename(place.data)

    def ensure_serving(self, *, alone: Callable[[], bool]) -> None:
        """Adopts a server that answers, and starts one if none does."""
        if self._answers():
            return
        if self.pids():
            if not alone():
                raise EmbeddedError(f"the PostgreSQL in {self._place.data} does not answer")
            self.stop()
        self._forget_dead_server()
        self._start()

    def ensure_database(self) -> None:
        with psycopg.connect(self.dsn("postgres"), autocommit=True) as connection:
            found = connection.execute("SELECT FROM pg_database WHERE datname = %s", [DATABASE])
            if found.fetchone() is None:
                statement = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE))
                connection.execute(statement)

    def stop(self) -> None:
        self._run("pg_ctl", "-D", str(self._place.data), "-w", "-m", "fast", "stop")

    def lives(self) -> bool:
        """Whether its first process does: the others end soon after it."""
        first = _pids_by_file(self._place.data / "postmaster.pid")
        if not Path("/proc/self/cwd").exists():
            return bool(first)
        return any(_works_in(Path(f"/proc/{pid}"), self._place.data) for pid in first)

    def pids(self) -> list[int]:
        """The live processes of the server: all that work in the data folder.

        The pid file is no proof. A killed server leaves it behind, its number may by now be
        another program's, and a zombie's number counts as alive to PostgreSQL itself.
        """
        if not Path("/proc/self/cwd").exists():
            return _pids_by_file(self._place.data / "postmaster.pid")
        workers = (path for path in Path("/proc").iterdir() if path.name.isdigit())
        return [int(path.name) for path in workers if _works_in(path, self._place.data)]

    def _answers(self) -> bool:
        """Asked of the socket first: beyond a container's wall a server shows no process."""
        deadline = Deadline.after(_SILENCE_SECONDS)
        recovering = False
        while (answer := self._ping()) is not pq.Ping.OK:
            if answer is pq.Ping.REJECT and not recovering:
                recovering, deadline = True, Deadline.after(_START_SECONDS)
            if answer is not pq.Ping.REJECT and not self.pids():
                return False
            if deadline.passed():
                return False
            time.sleep(0.05)
        return True

    def _ping(self) -> pq.Ping:
        # The compiled psycopg gives a bare number here.
        return pq.Ping(pq.PGconn.ping(self.dsn("postgres").encode()))

    def _forget_dead_server(self) -> None:
        """Removes the lock files of a server of which no process lives.

        PostgreSQL does so itself unless the number in them is taken: by a zombie that nobody
        reaps, as in a container without an init, or by another program of the same account.
        """
        if not Path("/proc/self/cwd").exists():
            return
        socket = self._place.socket_folder / SOCKET_NAME
        for file in (self._place.data / "postmaster.pid", socket, Path(f"{socket}.lock")):
            file.unlink(missing_ok=True)

    def _start(self) -> None:
        settings = {**_TUNING, **({} if self._durable else _FORGETFUL)}
        settings["unix_socket_directories"] = str(self._place.socket_folder)
        options = " ".join(shlex.quote(f"--{key}={value}") for key, value in settings.items())
        data = self._place.data
        command = ["-D", str(data), "-l", str(data / "start.log"), "-o", options]
        try:
            self._run("pg_ctl", "-w", "-t", str(_START_SECONDS), *command, "start")
        except EmbeddedError as error:
            raise EmbeddedError(f"{error} {self._last_words()}") from None

    def _last_words(self) -> str:
        logs = [self._place.data / "start.log", *(self._place.data / "log").glob("*.log")]
        found = sorted(
            (log for log in logs if log.exists()), key=lambda log: log.stat().st_mtime_ns
        )
        if not found:
            return "(no log was written)"
        newest = found[-1]
        lines = newest.read_text(errors="replace").splitlines()
        fatal = [line for line in lines if "FATAL:" in line or "PANIC:" in line]
        return f"({newest}: {fatal[-1]})" if fatal else f"({newest})"

    def _run(self, program: str, *arguments: str) -> None:
        place = self._place
        code, output = place.account.run(place.programs.path(program), *arguments)
        if code != 0:
            said = " ".join(output.split()[-40:])
            raise EmbeddedError(f"{program} failed as {place.account.name} ({place.data}): {said}")


def _keep(share: _Share, stop: Flag) -> None:
    log = structlog.get_logger("dealtrail.postgresql")
    while not stop.wait(_LOOK_SECONDS):
        if share.cluster.lives():
            continue
        log.warning("PostgreSQL ended and is started again")
        try:
            with _gate(share.place):
                share.cluster.ensure_serving(alone=share.alone)
        except (EmbeddedError, OSError) as error:
            log.warning("PostgreSQL cannot be started yet", reason=str(error))


@contextmanager
def _gate(place: Place) -> Iterator[None]:
    """One starter or stopper at a time."""
    lock = os.open(place.folder / "start.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _works_in(process: Path, folder: Path) -> bool:
    try:
        return (process / "cwd").readlink() == folder
    except OSError:  # it has ended, is a zombie, or is somebody else's
        return False


def _pids_by_file(file: Path) -> list[int]:
    try:
        pid = int(file.read_text().split()[0])
        os.kill(pid, 0)
    except (OSError, ValueError, IndexError):
        return []
    return [pid]
