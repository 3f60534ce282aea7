"""The short form of `scripts/soak`: a few seconds on a real server that was made to leak."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.crash.server import Server
from tests.support.postgres import home_of_run
from tests.support.soak.run import Plan, soak
from tests.support.soak.verdict import findings

_LEAKS = """
import threading, time
kept = []
def leak():
    while True:
        kept.append(b"x" * (1 << 20))
        time.sleep(0.1)
if __name__ == "__main__":
    threading.Thread(target=leak, daemon=True).start()
    from api.cli import main
    main()
"""
LEAKED_A_MINUTE = 100.0
"""MB; ten each second are leaked, and on a busy machine fewer."""


class Leaking(Server):
    """The command of the product, with a thread that gives no memory back."""

    def command(self) -> list[str]:
        return [sys.executable, "-c", _LEAKS, "serve"]


@pytest.fixture
def home() -> Iterator[Path]:
    with home_of_run() as folder:
        yield folder / "home"


@pytest.mark.slow
def test_a_soak_serves_its_clients_and_sees_a_leak(home: Path) -> None:
    plan = Plan(minutes=0.06, filled=100, appends=20, reads=10, clients=2, followers=2)

    soaked = soak(Leaking(home), plan)

    figures = {one.what: one for one in findings(soaked)}
    assert figures["memory of the server, MB a minute"].figure > LEAKED_A_MINUTE
    assert figures["answers of 5xx"].held, soaked.seen.odd
    assert figures["other answers than were asked for, or none"].held, soaked.seen.odd
    assert {kind for kind, _ in soaked.seen.statuses} == {
        "fill",
        "append",
        "read",
        "as_of",
        "follow",
    }
    assert soaked.seen.followed > 0
    assert {"events", "requests", "spans"} <= {table.name for table in soaked.tables}
