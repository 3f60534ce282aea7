"""A function fits on a screen, and a file in the head."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
FUNCTION_LINES: Final = 40
FILE_LINES: Final = 400
SCRIPT_LINES: Final = 20


def sources() -> Iterator[Path]:
    for package in ("domain", "projections", "api"):
        yield from sorted((ROOT / package).rglob("*.py"))


def long_functions(source: str) -> list[str]:
    return [
        f"{node.name}, line {node.lineno}"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno >= FUNCTION_LINES
    ]


def test_no_function_is_longer_than_forty_lines() -> None:
    found = {str(path.relative_to(ROOT)): long_functions(path.read_text()) for path in sources()}

    assert {path: names for path, names in found.items() if names} == {}


def test_no_file_is_longer_than_four_hundred_lines() -> None:
    lengths = {
        str(path.relative_to(ROOT)): path.read_text().count("\n")
        for path in [*sources(), *sorted((ROOT / "tests").rglob("*.py"))]
    }

    assert {path: length for path, length in lengths.items() if length > FILE_LINES} == {}


def test_a_script_is_short_and_says_what_it_does() -> None:
    scripts = sorted((ROOT / "scripts").iterdir())

    for script in scripts:
        lines = script.read_text().splitlines()
        assert len(lines) < SCRIPT_LINES, script.name
        assert lines[1].startswith("# "), script.name
        assert "set -euo pipefail" in lines, script.name
        assert script.stat().st_mode & 0o111 == 0o111, script.name
    assert scripts


def test_a_function_of_forty_one_lines_would_be_found() -> None:
    body = "\n".join("    pass" for _ in range(FUNCTION_LINES))

    assert long_functions(f"def long():\n{body}\n") == ["long, line 1"]
    assert long_functions(f"def short():\n{body[:-9]}\n") == []
