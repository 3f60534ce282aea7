"""The page on the HTTP API lists every problem that the code can answer, and every limit."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TypeGuard

from api import errors as application
from api.http import bulk, limits, problems, wire
from api.http.body import MAX_BODY, MAX_DEPTH, MAX_VALUES
from api.http.intents import MAX_EVENTS
from api.imports import MAX_WAITING
from domain import errors as domain

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/api.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `([a-z_]+)` \| (\d{3}) \| .+ \|$", re.MULTILINE)
CODE = re.compile(r"[a-z]{2,}(_[a-z]+)*")
FROM_THE_FRAMEWORK = {("not_found", 404), ("method_not_allowed", 405)}


def codes_of_errors() -> Iterator[tuple[str, int]]:
    for kind, status in problems.STATUSES.items():
        if issubclass(kind, domain.DomainError | application.ApplicationError):
            yield kind.code, status
    for kind, code in problems._STORAGE_CODES.items():
        found = next(base for base in kind.__mro__ if base in problems.STATUSES)
        yield code, problems.STATUSES[found]


def codes_in_calls() -> Iterator[str]:
    for file in (ROOT / "api").rglob("*.py"):
        for call in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if is_refusal(call):
                texts = (
                    str(n.value) for n in ast.walk(call.args[1]) if isinstance(n, ast.Constant)
                )
                yield from (text for text in texts if CODE.fullmatch(text))


def is_refusal(node: ast.AST) -> TypeGuard[ast.Call]:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in {"RequestRefusedError", "problem"}
        and len(node.args) > 1
    )


def test_the_page_lists_every_code_and_no_other() -> None:
    told = {(code, int(status)) for code, status in ROW.findall(PAGE)}
    of_errors = set(codes_of_errors()) | FROM_THE_FRAMEWORK
    of_the_wire = {(code, status) for status, code in wire._CODES.items()}
    named = {code for code, _ in of_errors | of_the_wire} | set(codes_in_calls())

    assert of_errors | of_the_wire <= told
    assert {code for code, _ in told} == named


def test_the_page_states_the_limits_of_the_code() -> None:
    usual = limits.Limits()
    stated = [
        f"| address | {limits.MAX_TARGET:,} bytes |",
        f"{limits.MAX_HEAD >> 10} KiB, {limits.MAX_HEADERS} headers",
        f"| time for them | {usual.head_seconds:g} s |",
        f"{MAX_BODY >> 20} MiB, {MAX_DEPTH} levels deep, {MAX_VALUES:,} values,",
        f"{MAX_EVENTS} events",
        f"{bulk.MAX_BYTES >> 20} MiB, {bulk.MAX_LINES:,} lines of {bulk.MAX_LINE >> 20} MiB",
        f"{usual.body_grace_seconds:g} s, and then a second for each",
        f"each {usual.body_bytes_a_second >> 10} KiB",
        f"{limits.MAX_CONNECTIONS} / {limits.MAX_STREAMS} / {limits.MAX_BULKS}",
        f"| uploads at once / imports that wait | {limits.MAX_UPLOADS} / {MAX_WAITING} |",
        f"takes nothing for {usual.stall_seconds:g} seconds",
    ]

    assert [one for one in stated if one not in PAGE] == []
