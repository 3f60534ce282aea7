"""A server that is told to stop finishes what is under way, lets nobody wait, and is gone soon.

Holds `docs/guarantees.md`, G22 and G53.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from threading import Event as Flag
from typing import Any, Final
from urllib.parse import urlsplit

import psycopg
import pytest

from api.clock import Deadline
from tests.support.crash.server import ROOT
from tests.support.roles import url

SERVE: Final = (sys.executable, "-c", "from api.cli import main; main()", "serve")
STOP_SECONDS: Final = 12
PATIENCE: Final = 60.0
OPENING: Final = {
    "type": "deal_opened",
    "data": {"name": "Fleet", "account": {"id": "acme", "name": "Acme"}, "owner": "ann"},
}
WAITS: Final = (
    "SELECT count(*) >= %s FROM pg_stat_activity"
    " WHERE wait_event_type = 'Lock' AND datname = current_database()"
)


class Running:
    """A server in a process of its own, and how to ask it."""

    def __init__(self, process: "subprocess.Popen[str]", home: Path) -> None:
        assert process.stdout is not None
        self.process = process
        self.place = urlsplit(process.stdout.readline().split()[-1])
        self.token = (home / "token").read_text()

    def connected(self) -> HTTPConnection:
        assert self.place.hostname
        return HTTPConnection(self.place.hostname, self.place.port, timeout=PATIENCE)

    def ask(self, line: HTTPConnection, path: str, *events: Any, key: str = "k") -> None:
        if events:
            body = json.dumps({"events": events})
            line.request("POST", path, body=body, headers=self.headers(key))
        else:
            line.request("GET", path, headers=self.headers(key))

    def headers(self, key: str) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {self.token}",
            "Idempotency-Key": key,
            "Content-Type": "application/json",
        }


@contextmanager
def serve(database: str, home: Path, log: Path) -> Iterator[Running]:
    environment = {
        "DEALTRAIL_DATABASE_URL": url(database),
        "DEALTRAIL_HOME": str(home),
        "DEALTRAIL_PORT": "18100",
        "PATH": "/usr/bin:/bin",
    }
    with (
        log.open("wb") as errors,
        subprocess.Popen(
            SERVE, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True
        ) as process,
    ):
        try:
            yield Running(process, home)
        finally:
            process.kill()


def waits_for_a_lock(database: str, *, so_many: int) -> bool:
    deadline, pause = Deadline.after(PATIENCE), Flag()
    with psycopg.connect(database, autocommit=True) as connection:
        while not deadline.passed():
            if connection.execute(WAITS, (so_many,)).fetchone() == (True,):
                return True
            pause.wait(0.02)
    return False


def readiness(server: Running, line: HTTPConnection) -> int | None:
    """The status, None where nobody listens any more."""
    try:
        server.ask(line, "/readyz")
        answer = line.getresponse()
        answer.read()
    except (OSError, HTTPException):
        return None
    return answer.status


@pytest.mark.slow
def test_what_is_under_way_ends_and_nothing_holds_the_stop_up(
    database: str, tmp_path: Path
) -> None:
    home, log = tmp_path / "home", tmp_path / "log"
    with (
        serve(database, home, log) as server,
        closing(server.connected()) as append,
        closing(server.connected()) as stream,
        closing(server.connected()) as probe,
        closing(server.connected()) as slow,
        psycopg.connect(database) as other,
        psycopg.connect(database) as busy,
    ):
        assert readiness(server, probe) == 200
        server.ask(stream, "/v1/events/stream")
        followed = stream.getresponse()
        assert followed.readline() == b"retry: 1000\n"
        keep_the_worker_busy(server, busy, database)
        begin_and_never_end(server, slow)
        other.execute("SELECT FROM dealtrail.log_head FOR UPDATE")
        server.ask(append, "/v1/deals", OPENING)
        assert waits_for_a_lock(database, so_many=2)

        server.process.terminate()
        followed.read()
        after_the_signal = readiness(server, probe)
        other.rollback()
        answer = append.getresponse()
        body = json.loads(answer.read())
        code = server.process.wait(STOP_SECONDS)

        assert after_the_signal in (503, None)
        assert readiness(server, server.connected()) is None
        assert (answer.status, body["position"]) == (201, 2)
        assert code == 0
        assert other.execute("SELECT position FROM dealtrail.log_head").fetchone() == (2,)
    lines = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
    routes = [line["route"] for line in lines if line["event"] == "request"]
    assert {"/v1/deals", "/v1/events/stream"} <= set(routes)
    assert server.token not in log.read_text("utf-8")


def keep_the_worker_busy(server: Running, other: psycopg.Connection[Any], database: str) -> None:
    """Give it something to take in and let it wait for that as long as the other session lives."""
    other.execute("LOCK TABLE dealtrail.projections IN ACCESS EXCLUSIVE MODE")
    with closing(server.connected()) as line:
        server.ask(line, "/v1/deals", OPENING, key="first")
        assert line.getresponse().status == 201
    assert waits_for_a_lock(database, so_many=1)


def begin_and_never_end(server: Running, line: HTTPConnection) -> None:
    line.putrequest("POST", "/v1/deals")
    for name, value in (*server.headers("slow").items(), ("Content-Length", "1000")):
        line.putheader(name, value)
    line.endheaders(b'{"events": [')
