"""`dealtrail bench`: what it answers, what it refuses, and that nothing of it stays behind."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from api.bench.cases import CASES
from api.bench.product import opened
from api.bench.served import Served
from api.bootstrap_server import build_app
from api.cli import main
from tests.support.browser import serving
from tests.support.client import TOKEN
from tests.support.postgres import home_of_run

PROGRAM = str(Path(sys.executable).with_name("dealtrail"))
SCHEMAS = "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'bench%'"
SECONDS = 100
FEW = ("--scale", "1000", "--rounds", "1")


@pytest.fixture
def temporary() -> Iterator[Path]:
    """The folder in which the command makes its own, empty."""
    with home_of_run() as folder:
        yield folder


@contextmanager
def bench(*arguments: str, temporary: Path) -> Iterator[subprocess.Popen[str]]:
    """Run the command; whatever the test says, it is not left running."""
    with subprocess.Popen(
        [PROGRAM, "bench", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(temporary)},
    ) as run:
        try:
            yield run
        finally:
            run.terminate()


@contextmanager
def served_in_a_thread(dsn: str, *, schema: str) -> Iterator[Served]:
    """Serve as `served` does, but in this process, which has the product imported."""
    with opened(dsn, schema=schema) as ledger, serving(build_app(ledger, token=TOKEN)) as base:
        ledger.worker.catch_up()
        yield Served(port=int(base.rpartition(":")[2]), token=TOKEN)


def test_a_case_runs_on_a_server_of_its_own_that_is_gone_afterwards(
    temporary: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    assert at_once(monkeypatch, "append-1-raw", *FEW, "--json") == 0
    out, err = capsys.readouterr()
    assert err == ""
    answer = json.loads(out)

    machine, (case,) = answer["machine"], answer["cases"]
    assert machine.keys() == {"cores", "load", "postgresql", "python", "events", "deals"}
    assert (machine["events"], machine["deals"]) == (1000, 25)
    assert (case["name"], case["goal"], case["rounds"]) == ("append-1-raw", 0.6, 1)
    assert case["ratio"] == case["against_seconds"] / case["seconds"]
    assert case["met"] == (case["ratio"] >= 0.6)
    assert not list(temporary.iterdir())


@pytest.mark.usefixtures("parts_in_threads")
@pytest.mark.parametrize(
    "names",
    [
        ("append-long-1000", "log-read", "get-deal-as-of"),
        ("get-deal-page", "totals", "list", "totals-history", "totals-growing"),
        ("frames-window", "frames", "difference-history", "difference"),
        ("rebuild", "rebuild-two", "board", "verdicts", "live-projections"),
    ],
)
def test_cases_run_in_schemas_of_their_own_in_a_database_that_is_named(
    names: tuple[str, ...],
    database: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("api.bench.projecting._REQUESTS", 64)  # one of each client
    if "get-deal-as-of" not in names:  # which starts the server as ever
        monkeypatch.setattr("api.bench.serving.served", served_in_a_thread)
    assert at_once(monkeypatch, *names, "--database-url", database, *FEW, "--json") == 0
    out, err = capsys.readouterr()
    answer = json.loads(out)

    # A server in a thread logs its requests here.
    assert [line for line in err.splitlines() if '"event":"request"' not in line] == []
    assert tuple(case["name"] for case in answer["cases"]) == names
    assert all(case["seconds"] > 0 and case["against_seconds"] > 0 for case in answer["cases"])
    with psycopg.connect(database) as connection:
        assert connection.execute(SCHEMAS).fetchall() == []


@pytest.mark.timeout(300)  # its cases are real work, and the machine may have other
def test_results_are_printed_as_they_come_and_an_interrupt_leaves_nothing(temporary: Path) -> None:
    with bench("append-*", *FEW, temporary=temporary) as run:
        assert run.stdout is not None
        lines = [run.stdout.readline() for _ in range(3)]
        run.send_signal(signal.SIGINT)
        run.communicate(timeout=SECONDS)

    assert "events 1000" in lines[0]
    assert lines[1].split() == ["case", "unit", "takes", "against", "ratio", "goal", "met"]
    assert lines[2].startswith("append-")
    assert run.returncode != 0
    assert not list(temporary.iterdir())


def at_once(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Run the command in this process, which spares its start."""
    monkeypatch.setattr(sys, "argv", ["dealtrail", "bench", *arguments])
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with pytest.raises(SystemExit) as stopped:
            main()
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    return int(stopped.value.code or 0)


def test_cases_are_listed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert at_once(monkeypatch, "--list") == 0

    listed = capsys.readouterr().out
    assert all(case.name in listed for case in CASES)


def test_an_unknown_case_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert at_once(monkeypatch, "append-65") == 2
    assert "append-65" in capsys.readouterr().err
