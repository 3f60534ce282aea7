"""A server that is told to stop finishes what is under way, lets nobody wait, and is gone soon.

Holds `docs/guarantees.md`, G53.
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
from tests.support.roles import url

PROGRAM: Final = str(Path(sys.executable).with_name("dealtrail"))
STOP_SECONDS: Final = 12
PATIENCE: Final = 60.0
OPENING: Final = {
    "type": "deal_opened",
    "data": {"name": "Fleet", "account": {"id": "acme", "name": "Acme"}, "owner": "ann"},
}
WAITS: Final = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"


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

    def ask(self, line: HTTPConnection, path: str, *events: Any) -> None:
        if events:
            body = json.dumps({"events": events})
            line.request("POST", path, body=body, headers=self.headers(path))
        else:
            line.request("GET", path, headers=self.headers(path))

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
            [PROGRAM, "serve"], env=environment, stdout=subprocess.PIPE, stderr=errors, text=True
        ) as process,
    ):
        try:
            yield Running(process, home)
        finally:
            process.kill()


def waits_for_a_lock(database: str) -> bool:
    deadline, pause = Deadline.after(PATIENCE), Flag()
    with psycopg.connect(database, autocommit=True) as connection:
        while not deadline.passed():
            if connection.execute(WAITS).fetchone() != (0,):
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
def test_what_is_under_way_ends_and_the_server_is_gone_in_time(
    database: str, tmp_path: Path
) -> None:
    home, log = tmp_path / "home", tmp_path / "log"
    with (
        serve(database, home, log) as server,
        closing(server.connected()) as append,
        closing(server.connected()) as stream,
        closing(server.connected()) as probe,
        psycopg.connect(database) as other,
    ):
        assert readiness(server, probe) == 200
        server.ask(stream, "/v1/events/stream")
        followed = stream.getresponse()
        assert followed.readline() == b"retry: 1000\n"
        other.execute("SELECT FROM dealtrail.log_head FOR UPDATE")
        server.ask(append, "/v1/deals", OPENING)
        assert waits_for_a_lock(database)

        server.process.terminate()
        followed.read()
        after_the_signal = readiness(server, probe)
        other.rollback()
        answer = append.getresponse()
        body = json.loads(answer.read())
        code = server.process.wait(STOP_SECONDS)

        assert after_the_signal in (503, None)
        assert readiness(server, server.connected()) is None
        assert (answer.status, body["position"]) == (201, 1)
        assert code == 0
        assert other.execute("SELECT position FROM dealtrail.log_head").fetchone() == (1,)
    lines = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
    routes = [line["route"] for line in lines if line["event"] == "request"]
    assert {"/v1/deals", "/v1/events/stream"} <= set(routes)
    assert server.token not in log.read_text("utf-8")


@pytest.mark.slow
def test_neither_a_client_that_never_ends_nor_a_busy_worker_holds_the_stop_up(
    database: str, tmp_path: Path
) -> None:
    home, log = tmp_path / "home", tmp_path / "log"
    with (
        serve(database, home, log) as server,
        closing(server.connected()) as slow,
        closing(server.connected()) as append,
        psycopg.connect(database) as other,
    ):
        assert readiness(server, append) == 200
        slow.putrequest("POST", "/v1/deals")
        for name, value in (*server.headers("slow").items(), ("Content-Length", "1000")):
            slow.putheader(name, value)
        slow.endheaders(b'{"events": [')
        other.execute("LOCK TABLE dealtrail.projections IN ACCESS EXCLUSIVE MODE")
        server.ask(append, "/v1/deals", OPENING)
        assert append.getresponse().status == 201
        assert waits_for_a_lock(database)

        server.process.terminate()

        assert server.process.wait(STOP_SECONDS) == 0
    assert all(json.loads(line) for line in log.read_text("utf-8").splitlines())
