"""The embedded PostgreSQL: started by its first user, stopped by its last, and never in the way."""

import os
import pwd
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Event as Flag
from typing import Final

import psycopg
import pytest
from structlog.testing import capture_logs

from api.clock import Deadline
from api.storage import embedded_place
from api.storage.embedded import EmbeddedServer
from api.storage.embedded_account import Account, EmbeddedError
from api.storage.embedded_programs import Programs, bin_dirs, find_programs
from tests.support.postgres import home_of_run

AS_ROOT: Final = os.geteuid() == 0
USE_AND_WAIT: Final = """
import sys
from pathlib import Path
from api.storage.embedded import EmbeddedServer
server = EmbeddedServer(Path(sys.argv[1]), durable=False).start()
print(server.dsn(), flush=True)
sys.stdin.read()
server.stop()
"""


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder that is not there yet."""
    with home_of_run() as folder:
        yield folder / "home"


@pytest.fixture(scope="module")
def stopped() -> Iterator[Path]:
    """A home whose server was made, started and stopped."""
    with home_of_run() as folder:
        with share(folder / "home"):
            pass
        yield folder / "home"


@pytest.fixture
def used(home: Path, stopped: Path) -> Path:
    """A home that was used before, which is copied because to make one takes long."""
    subprocess.run(["cp", "--archive", stopped, home], check=True)
    return home


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Stands for the folder below /var/lib that root uses where a home is closed."""
    with home_of_run() as folder:
        monkeypatch.setattr(embedded_place, "SHARED", folder)
        yield folder


def share(home: Path) -> EmbeddedServer:
    return EmbeddedServer(home, durable=False)


def answer(server: EmbeddedServer, question: str) -> object:
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        row = connection.execute(question.encode()).fetchone()
    return row[0] if row is not None else None


def keep_a_fact(server: EmbeddedServer) -> None:
    with psycopg.connect(server.dsn()) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS fact")


def postmaster(server: EmbeddedServer) -> int:
    return int((server.place().data / "postmaster.pid").read_text().split()[0])


def as_account(account: Account, *command: str) -> subprocess.Popen[bytes]:
    if AS_ROOT:
        return subprocess.Popen(command, user=account.uid, group=account.gid)
    return subprocess.Popen(command)


def serving(dsn: str) -> bool:
    return psycopg.pq.PGconn.ping(dsn.encode()) == psycopg.pq.Ping.OK


def user_process(home: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", USE_AND_WAIT, str(home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def dsn_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_a_cold_start_serves_an_empty_database_with_checksums_and_no_locale(home: Path) -> None:
    with share(home) as server:
        assert answer(server, "SELECT current_database()") == "dealtrail"
        assert answer(server, "SELECT current_setting('data_checksums')") == "on"
        assert answer(server, "SELECT datcollate FROM pg_database WHERE datname = 'dealtrail'") == (
            "C"
        )
        assert answer(server, "SELECT current_setting('listen_addresses')") == ""
        assert server.place().socket_folder.stat().st_mode & 0o777 == 0o700
        assert server.place().data.name == f"pg{server.place().programs.major}"


def test_durability_is_on_unless_a_test_gives_it_up(used: Path) -> None:
    with EmbeddedServer(used) as server:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            assert answer(server, f"SELECT current_setting('{setting}')") == "on"


def test_data_survive_a_stop(used: Path) -> None:
    with share(used) as server:
        keep_a_fact(server)

    with share(used) as server:
        assert answer(server, "SELECT fact FROM kept") == 7


def test_a_second_user_joins_and_the_last_one_out_stops(used: Path) -> None:
    first, second = share(used).start(), share(used).start()
    dsn = first.dsn()
    assert postmaster(first) == postmaster(second)

    first.stop()
    assert serving(dsn)
    second.stop()
    assert not serving(dsn)


def test_users_that_start_at_once_share_one_server(home: Path) -> None:
    users = [user_process(home) for _ in range(4)]
    dsns = {dsn_of(user) for user in users}

    assert len(dsns) == 1
    assert serving(dsns.pop())
    for user in users:
        _, _ = user.communicate(timeout=60)
    assert [user.returncode for user in users] == [0, 0, 0, 0]


def test_a_killed_user_leaves_a_server_that_the_next_one_adopts_and_stops(used: Path) -> None:
    killed = user_process(used)
    dsn = dsn_of(killed)
    killed.kill()
    killed.communicate()
    assert serving(dsn)
    with psycopg.connect(dsn) as connection:
        started = connection.execute("SELECT pg_postmaster_start_time()").fetchone()

    with share(used) as server:
        assert started is not None
        assert answer(server, "SELECT pg_postmaster_start_time()") == started[0]
    assert not serving(dsn)


def test_a_killed_server_is_started_again_and_keeps_what_was_committed(used: Path) -> None:
    first = EmbeddedServer(used).start()
    keep_a_fact(first)
    os.kill(postmaster(first), signal.SIGKILL)

    with share(used) as second:
        assert answer(second, "SELECT fact FROM kept") == 7
        first.stop()
        assert serving(second.dsn())


def test_a_server_that_is_killed_while_it_is_used_is_started_again_by_itself(home: Path) -> None:
    with EmbeddedServer(home) as server, capture_logs(), server.kept_up():
        keep_a_fact(server)
        killed = postmaster(server)
        os.kill(killed, signal.SIGKILL)

        deadline, pause = Deadline.after(60), Flag()
        while not (serving(server.dsn()) and postmaster(server) != killed):
            assert not deadline.passed()
            pause.wait(0.05)
        assert answer(server, "SELECT fact FROM kept") == 7
        dsn = server.dsn()
    assert not serving(dsn)


def test_a_server_that_lost_its_socket_is_restarted(
    used: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.storage.embedded._SILENCE_SECONDS", 0.2)
    killed = user_process(used)
    dsn_of(killed)
    killed.kill()
    killed.communicate()
    for socket in (used / "postgres").resolve().glob("run*/.s.PGSQL.*"):
        socket.unlink()

    with share(used) as server:
        assert answer(server, "SELECT 1") == 1


def test_the_pid_file_of_a_dead_server_is_no_obstacle_when_its_number_is_taken(used: Path) -> None:
    with share(used) as server:
        file = server.place().data / "postmaster.pid"
        text = file.read_text()
        account = server.place().account
    stranger = as_account(account, "sleep", "60")
    try:
        file.write_text(text.replace(text.split()[0], str(stranger.pid), 1))
        os.chown(file, account.uid, account.gid)

        with share(used) as again:
            assert answer(again, "SELECT 1") == 1
    finally:
        stranger.kill()
        stranger.wait()


def test_a_server_survives_a_zombie_in_its_pid_file(used: Path) -> None:
    with share(used) as server:
        file = server.place().data / "postmaster.pid"
        text = file.read_text()
        account = server.place().account
    zombie = as_account(account, "true")
    os.waitid(os.P_PID, zombie.pid, os.WEXITED | os.WNOWAIT)
    file.write_text(text.replace(text.split()[0], str(zombie.pid), 1))
    os.chown(file, account.uid, account.gid)

    with share(used) as again:
        assert answer(again, "SELECT 1") == 1
    zombie.wait()


def test_data_that_were_half_made_are_made_again(home: Path) -> None:
    with share(home) as server:
        data = server.place().data
    data.rename(data.with_name(f"{data.name}.draft"))
    (data.with_name(f"{data.name}.draft") / "global" / "pg_control").unlink()

    with share(home) as server:
        assert answer(server, "SELECT 1") == 1


def test_a_forked_child_does_not_stop_its_parents_server(used: Path) -> None:
    with share(used) as server:
        child = os.fork()
        if child == 0:
            server.stop()
            os._exit(0)
        os.waitpid(child, 0)

        assert serving(server.dsn())


def test_a_long_or_odd_home_gets_its_socket_elsewhere(home: Path, shared: Path) -> None:
    odd = home / "it's, so (odd)" / ("long" * 30)

    with share(odd) as server:
        assert answer(server, "SELECT 1") == 1
        dsn = server.dsn()
    with share(odd) as server:
        assert server.dsn() == dsn
    assert (list(shared.iterdir()) != []) == AS_ROOT
    if not AS_ROOT:
        Path(str(psycopg.conninfo.conninfo_to_dict(dsn)["host"])).rmdir()


def test_a_folder_that_a_shell_would_not_leave_alone_is_refused(home: Path) -> None:
    home.mkdir()
    bin_dir = home / "$HOME"
    bin_dir.symlink_to(bin_dirs()[0])

    with pytest.raises(EmbeddedError, match=r"cannot be started with \$ in .*\$HOME"):
        EmbeddedServer(home, bin_dir=bin_dir).start()


def test_a_server_that_was_not_started_has_no_address(home: Path) -> None:
    with pytest.raises(EmbeddedError, match="not started"):
        share(home).dsn()


def test_programs_that_lack_one_are_refused_by_name(home: Path) -> None:
    with pytest.raises(EmbeddedError, match=r"/usr/share lacks one of the programs initdb"):
        EmbeddedServer(home, bin_dir=Path("/usr/share")).start()


def test_data_of_a_version_that_is_not_installed_are_not_passed_over(used: Path) -> None:
    with share(used) as server:
        data = server.place().data
    data.rename(data.with_name("pg99"))

    with pytest.raises(EmbeddedError, match=r"were written by PostgreSQL 99, found .*; install 99"):
        share(used).start()


def test_every_usable_set_of_programs_is_found() -> None:
    assert find_programs(bin_dir=None, major=None).folder == bin_dirs()[0]
    for folder in bin_dirs():
        assert isinstance(find_programs(bin_dir=folder, major=None), Programs)


if AS_ROOT:

    def test_root_steps_down(home: Path) -> None:
        with share(home) as server:
            owner = Path(f"/proc/{postmaster(server)}").stat().st_uid

            assert pwd.getpwuid(owner).pw_name in {"postgres", "nobody"}
            assert server.place().data.stat().st_uid == owner
            assert server.place().folder == home / "postgres"

    def test_a_home_that_is_closed_is_left_closed_and_linked_out_of(
        home: Path, shared: Path
    ) -> None:
        home.mkdir(mode=0o700)

        with share(home) as server:
            keep_a_fact(server)
            assert server.place().folder.parent == shared
        assert home.stat().st_mode & 0o777 == 0o700

        home.chmod(0o755)
        with share(home) as server:
            assert answer(server, "SELECT fact FROM kept") == 7

    def test_a_link_to_data_that_are_gone_is_not_taken_for_an_empty_ledger(home: Path) -> None:
        home.mkdir()
        (home / "postgres").symlink_to("/nonexistent/data")

        with pytest.raises(EmbeddedError, match="which is gone: bring the data back"):
            share(home).start()

    def test_programs_below_a_closed_folder_are_copied_out(home: Path, shared: Path) -> None:
        wheel = bin_dirs()[0].parents[1]
        closed = home.parent / "closed"
        closed.mkdir(mode=0o700)
        for package in (wheel, wheel.with_name(f"{wheel.name}.libs")):
            shutil.copytree(package, closed / package.name, symlinks=True)
        bin_dir = closed / wheel.name / "pginstall" / "bin"

        with EmbeddedServer(home, bin_dir=bin_dir, durable=False) as server:
            assert server.place().programs.folder.is_relative_to(shared)
            assert answer(server, "SELECT 1") == 1
        assert closed.stat().st_mode & 0o777 == 0o700
