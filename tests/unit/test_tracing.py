"""A trace is read as the W3C's Trace Context has it, and what is malformed is as if not there.

Holds `docs/guarantees.md`, G52.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.http.tracing import read_trace

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
GOOD = f"00-{TRACE}-{PARENT}-01"


def read(*values: str) -> str | None:
    found = read_trace([(b"host", b"localhost"), *((b"traceparent", v.encode()) for v in values)])
    return None if found is None else found.trace_id


def test_a_trace_is_read_and_answered_with_a_span_of_ours() -> None:
    first = read_trace([(b"traceparent", GOOD.encode())])
    second = read_trace([(b"traceparent", GOOD.encode())])

    assert first
    assert second
    assert first.trace_id == TRACE
    assert first.response == f"00-{TRACE}-{first.span_id}-01"
    assert first.span_id not in {PARENT, second.span_id}
    assert len(bytes.fromhex(first.span_id)) == 8


@pytest.mark.parametrize(("flags", "answered"), [("00", "00"), ("01", "01"), ("fe", "00")])
def test_only_whether_it_is_sampled_is_taken_from_the_flags(flags: str, answered: str) -> None:
    found = read_trace([(b"traceparent", f"00-{TRACE}-{PARENT}-{flags}".encode())])

    assert found
    assert found.response.endswith(f"-{answered}")


@pytest.mark.parametrize("value", [f"01-{TRACE}-{PARENT}-01", f"cc-{TRACE}-{PARENT}-01-later"])
def test_of_a_later_version_the_known_fields_are_read(value: str) -> None:
    assert read(value) == TRACE


@pytest.mark.parametrize(
    "value",
    [
        "",
        "00",
        GOOD.upper(),
        f" {GOOD}",
        f"{GOOD} ",
        f"{GOOD}\n",
        f"{GOOD}-",
        f"{GOOD}-more",
        f"ff-{TRACE}-{PARENT}-01",
        f"cc-{TRACE}-{PARENT}-01.later",
        f"00-{'0' * 32}-{PARENT}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE[:-1]}-{PARENT}-01",
        f"00-{TRACE}0-{PARENT}-01",
        f"00-{TRACE[:-1]}g-{PARENT}-01",
        f"00-{TRACE}-{PARENT}-1",
        f"0-{TRACE}-{PARENT}-01",
        f"00_{TRACE}_{PARENT}_01",
    ],
)
def test_what_is_malformed_is_ignored(value: str) -> None:
    assert read(value) is None


def test_two_are_none() -> None:
    assert read(GOOD, GOOD) is None


@given(st.binary(max_size=80))
def test_no_bytes_break_it(value: bytes) -> None:
    read_trace([(b"traceparent", value)])
