"""Only `api/clock.py` reads the clock, so that a replay gives tomorrow what it gives today."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
READER: Final = ROOT / "api" / "clock.py"
BANNED: Final = {"now", "utcnow", "today", "time", "time_ns", "localtime", "gmtime"}
CLOCKS: Final = {"datetime", "date", "time"}


def readings(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Attribute(attr=name, value=ast.Name(id=owner) | ast.Attribute(attr=owner)):
                if name in BANNED and owner in CLOCKS and f"{owner}.{name}" != "datetime.time":
                    yield f"{owner}.{name}, line {node.lineno}"
            case ast.ImportFrom(module="time", names=names, lineno=line):
                yield from (f"{n.name}, line {line}" for n in names if n.name in BANNED)
            case _:
                continue


def test_only_the_clock_reads_the_clock() -> None:
    files = [
        path
        for package in ("domain", "projections", "api")
        for path in (ROOT / package).rglob("*.py")
    ]
    found = {
        str(path.relative_to(ROOT)): list(readings(path.read_text()))
        for path in files
        if path != READER
    }

    assert {path: places for path, places in found.items() if places} == {}
    assert list(readings(READER.read_text()))


def test_every_way_to_read_the_clock_is_found() -> None:
    for line in (
        "datetime.now(UTC)",
        "datetime.datetime.utcnow()",
        "date.today()",
        "time.time()",
        "from time import time",
        "field(default_factory=datetime.now)",
    ):
        assert list(readings(line)), line
    for line in ("clock.now()", "time.monotonic()", "datetime.time(9)", "stamp.now"):
        assert not list(readings(line)), line
