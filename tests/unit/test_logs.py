"""A log line is one JSON object, in UTC, that holds no secret and moves no terminal.

Holds `docs/guarantees.md`, G50.
"""

import errno
import io
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from secrets import token_urlsafe
from types import SimpleNamespace

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from api.logs import configure_logs, masked
from tests.support.logged import Lines, logged

TOKEN = "bV2_x8Zr0cQkT-9sLw4mYh1NfJ6pDgAeUoRiXtCvB3q"
KEY = f"dtk_8f3kd92l_{TOKEN}"


@pytest.fixture
def lines() -> Iterator[Lines]:
    with logged() as found:
        yield found


def test_a_line_is_an_object_with_its_level_and_its_instant_in_utc(lines: Lines) -> None:
    structlog.get_logger().info("said", number=1)

    (line,) = lines.told()
    assert (line["event"], line["level"], line["number"]) == ("said", "info", 1)
    assert datetime.fromisoformat(line["timestamp"]).tzinfo == UTC


@given(text=st.text(alphabet=st.characters(exclude_categories=())))
def test_whatever_is_said_is_one_line_and_reads_back(text: str) -> None:
    with logged() as lines:
        structlog.get_logger().info("said", vetted=True, text=text)

    written = lines.getvalue()
    assert written.count(b"\n") == 1
    assert written.endswith(b"\n")
    assert json.loads(written)["text"] == text


@pytest.mark.parametrize("text", ["\n", "\x00", "\x1b[2J", "\x7f", "\x9b2J", "\u2028", "\u202e"])
def test_what_moves_a_terminal_is_escaped(lines: Lines, text: str) -> None:
    structlog.get_logger().warning(f"a{text}b")

    written = lines.getvalue().decode()
    assert text not in written.removesuffix("\n")
    assert lines.told()[0]["event"] == f"a{text}b"


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        (f"the token is {TOKEN}.", TOKEN),
        (f"key {KEY} was used", TOKEN),
        ("GET /sign-in?token=short&next=/", "short"),
        ("Authorization: Bearer abc.def", "abc.def"),
        ("{'authorization': 'Basic dXNlcjpwYXNz'}", "dXNlcjpwYXNz"),
        ("Cookie: session=5f4dcc3b", "5f4dcc3b"),
        ('{"password": "hunter2"}', "hunter2"),
        ("eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln is expired", "eyJzdWIiOiJhIn0"),
        ("cannot reach postgresql://app:hunter2@db:5432/deals", "hunter2"),
        ("password=hunter2 host=db", "hunter2"),
    ],
)
def test_a_secret_is_masked_wherever_it_stands(lines: Lines, text: str, secret: str) -> None:
    log = structlog.get_logger()
    log.info(text)
    log.info("nested", given={"inside": [text]})
    log.error("failed", exc_info=ValueError(text))
    logging.getLogger("some.library").warning("it said %s", text)

    assert len(lines.told()) == 4
    assert secret.encode() not in lines.getvalue()
    assert lines.getvalue().count(b"***") >= 4


@given(st.builds(token_urlsafe, st.just(32)))
def test_every_token_of_ours_is_known_by_its_form(token: str) -> None:
    assert token not in masked(f"it was {token}, or not")


@pytest.mark.parametrize(
    "text",
    [
        "01936f3c-7d2e-7c3a-9d1e-2f4b5c6d7e8f",
        "4bf92f3577b34da6a3ce929d0e0e4736",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "a_name_that_is_as_long_as_a_token_is_itself",
        "/v1/deals/{deal_id}/events",
        "postgresql:///dealtrail?host=/run",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert masked(text) == text


class Told(BaseModel):
    """Something with a value that a person gave."""

    number: int


def test_a_traceback_tells_places_and_no_values(lines: Lines) -> None:
    def careless(customer: str) -> None:
        try:
            Told.model_validate({"number": customer})
        except ValueError as error:
            message = f"it failed\nDETAIL: {customer}"
            raise RuntimeError(message) from error

    try:
        careless("Jane Doe of Acme")
    except RuntimeError:
        structlog.get_logger().exception("failed")

    (line,) = lines.told()
    assert "Jane Doe" not in lines.getvalue().decode()
    assert [one["type"] for one in line["exception"]] == [
        "builtins.RuntimeError",
        "pydantic_core._pydantic_core.ValidationError",
    ]
    assert line["exception"][0]["message"] == "it failed"
    assert line["exception"][0]["at"][-1].endswith(" careless")


def test_errors_told_together_are_each_told(lines: Lines) -> None:
    both = ExceptionGroup("both", [ValueError("one"), KeyError("two")])

    structlog.get_logger().error("failed", exc_info=both)

    told = [one["message"] for one in lines.told()[0]["exception"]]
    assert told == ["both (2 sub-exceptions)", "one", "'two'"]


def test_an_endless_recursion_is_told_shortly(lines: Lines) -> None:
    def again() -> None:
        again()

    try:
        again()
    except RecursionError:
        structlog.get_logger().exception("failed")

    assert len(lines.told()[0]["exception"][0]["at"]) == 40


def test_libraries_are_heard_in_the_same_form_and_from_warning_up(lines: Lines) -> None:
    logging.getLogger("some.library").info("of no interest")
    logging.getLogger("some.library").log(35, "between two levels")

    (line,) = lines.told()
    assert (line["logger"], line["level"]) == ("some.library", "warning")


def test_the_level_decides_what_is_said() -> None:
    said = {}
    for level in ("debug", "info", "warning", "error"):
        with logged(level) as lines:
            log = structlog.get_logger()
            for name in ("debug", "info", "warning", "error"):
                getattr(log, name)(name)
            logging.getLogger("some.library").debug("library")
        said[level] = [line["event"] for line in lines.told()]

    assert said == {
        "debug": ["debug", "info", "warning", "error", "library"],
        "info": ["info", "warning", "error"],
        "warning": ["warning", "error"],
        "error": ["error"],
    }


class FullDisk(io.RawIOBase):
    """Where nothing can be written any more."""

    def writable(self) -> bool:
        return True

    def write(self, _: object) -> int:
        raise OSError(errno.ENOSPC, "no space left")


def test_a_log_that_cannot_be_written_stops_nobody(
    lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr", SimpleNamespace(buffer=FullDisk()))
    configure_logs("info")

    structlog.get_logger().info("said")

    assert lines.getvalue() == b""
