"""A disk that is full: nothing that was acknowledged is lost, and with room again it goes on.

Holds `docs/guarantees.md`, G22. The disk is a small one in memory that only the server sees, which
takes Linux and the right to mount; without them there is no test here.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import count
from pathlib import Path
from threading import Event as Flag

import psycopg
import pytest

from api.clock import Deadline
from tests.support.crash.clients import Line
from tests.support.crash.server import PATIENCE, Server
from tests.support.postgres import home_of_run

MEGABYTES = 120
_NUMBERS = count(1)


def may_mount() -> bool:
    program = shutil.which("unshare")
    if program is None or os.geteuid() != 0:
        return False
    mount = [program, "--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    return subprocess.run(mount, capture_output=True, check=False).returncode == 0


class SmallDisk(Server):
    """A server whose database lies on a disk of its own."""

    @property
    def disk(self) -> Path:
        """Its folder as the server sees it."""
        return Path(f"/proc/{self.process.pid}/root{self.home}/postgres")

    def command(self) -> list[str]:
        size = f"size={MEGABYTES}m,mode=0711"
        mount = f'mkdir -p "$0" && mount -t tmpfs -o {size} tmpfs "$0" && exec "$@"'
        folder = str(self.home / "postgres")
        return ["unshare", "--mount", "sh", "-c", mount, folder, *super().command()]

    def fill(self) -> None:
        with suppress(OSError), (self.disk / "ballast").open("wb", buffering=0) as ballast:
            while True:
                ballast.write(bytes(4096))

    def empty(self) -> None:
        (self.disk / "ballast").unlink()

    def begin_a_segment(self) -> None:
        """Make the database need room for its write-ahead log, too."""
        host = next(self.disk.glob("run*"))  # as this process sees it, so not `dsn`
        with (
            suppress(psycopg.Error),
            psycopg.connect(host=str(host), user="dealtrail", dbname="dealtrail") as other,
        ):
            other.execute("SELECT pg_switch_wal()")


@pytest.fixture
def server() -> Iterator[SmallDisk]:
    with home_of_run() as folder, SmallDisk(folder / "home").running() as server:
        yield server


def append(line: Line, key: str) -> tuple[int, bytes, dict[str, str]] | None:
    deal = {"name": "Renewal", "account": {"id": "acme", "name": "Acme"}, "owner": "ann"}
    opened = {"type": "deal_opened", "data": deal}
    note = {"type": "note_added", "data": {"text": "so long " * 500}}
    body = json.dumps({"events": [opened, note]}).encode()
    return line.ask("POST", "/v1/deals", body, Idempotency_Key=key, Content_Type="application/json")


def until_refused(line: Line, told: dict[str, bytes]) -> str:
    """Append until there is no room; give the key that was refused."""
    deadline = Deadline.after(PATIENCE)
    while not deadline.passed():
        key = f"key-{next(_NUMBERS)}"
        answer = append(line, key)
        assert answer is not None
        assert answer[0] in {201, 503}, answer
        if answer[0] == 503:
            assert "retry-after" in answer[2]
            return key
        told[key] = answer[1]
    pytest.fail("the disk never became full")


def until_nothing_is_told(told: dict[str, bytes]) -> None:
    """Wait until what was left of the disk's files is used up, so that the next append waits."""
    seen, pause = -1, Flag()
    while len(told) > seen:
        seen = len(told)
        pause.wait(1.0)


if may_mount():

    @pytest.mark.slow
    def test_a_full_disk_loses_nothing_and_stops_nothing_for_good(server: SmallDisk) -> None:
        line, other, told = Line(server), Line(server), dict[str, bytes]()
        for _ in range(10):
            key = f"key-{next(_NUMBERS)}"
            answer = append(line, key)
            assert answer is not None
            assert answer[0] == 201
            told[key] = answer[1]

        server.fill()
        with ThreadPoolExecutor(2) as pool:
            filled = pool.submit(until_refused, line, told)
            until_nothing_is_told(told)
            server.begin_a_segment()
            switched = pool.submit(until_refused, other, told)
            assert not server.ready()
        refused = [filled.result(), switched.result()]
        server.empty()
        server.wait_until_ready()

        deadline = Deadline.after(PATIENCE)
        for key in refused:
            while (answer := append(line, key)) is None or answer[0] != 201:
                assert not deadline.passed()
                Flag().wait(0.1)
            told[key] = answer[1]
        for key, first in told.items():
            again = append(line, key)
            assert again is not None
            assert again[1] == first
        line.hang_up()
        other.hang_up()
        log = json.loads(server.get("/v1/events?limit=1000")[1])["events"]
        assert [event["position"] for event in log] == list(range(1, 2 * len(told) + 1))
