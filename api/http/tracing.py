"""Reads the trace that a request belongs to, as the W3C's Trace Context has it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from secrets import token_hex
from typing import Final

from fastapi import Request
from starlette.types import Scope

_HEADER: Final = b"traceparent"
_PARENT: Final = re.compile(
    rb"(?P<version>[0-9a-f]{2})-(?P<trace>[0-9a-f]{32})-(?P<parent>[0-9a-f]{16})"
    rb"-(?P<flags>[0-9a-f]{2})(?P<more>-.*)?"
)
_FIRST_VERSION: Final = b"00"
_NO_VERSION: Final = b"ff"
_SAMPLED: Final = 1


@dataclass(frozen=True, slots=True)
class Trace:
    """The trace of a request, and the span that is our part of it; both in hexadecimal."""

    trace_id: str
    span_id: str
    sampled: bool

    @property
    def response(self) -> str:
        """What `traceresponse` answers: the trace, our span, and whether it is sampled."""
        return f"00-{self.trace_id}-{self.span_id}-{int(self.sampled):02x}"


def read_trace(headers: Iterable[tuple[bytes, bytes]]) -> Trace | None:
    """Give the trace that a request names, None where it names none or not as the rules say.

    Of a version after the first only the fields of the first are read.
    """
    named = [value for name, value in headers if name == _HEADER]
    found = _PARENT.fullmatch(named[0]) if len(named) == 1 else None
    if found is None or found["version"] == _NO_VERSION:
        return None
    if found["version"] == _FIRST_VERSION and found["more"] is not None:
        return None
    if not found["trace"].strip(b"0") or not found["parent"].strip(b"0"):
        return None
    sampled = bool(int(found["flags"], 16) & _SAMPLED)
    return Trace(found["trace"].decode(), token_hex(8), sampled)


def trace_of(scope: Scope) -> Trace | None:
    """Give the trace that was read from a request."""
    trace = scope.get("trace")
    return trace if isinstance(trace, Trace) else None


def correlation_of(request: Request) -> str | None:
    """Give what the events of a request are part of where they name nothing: its trace."""
    trace = trace_of(request.scope)
    return None if trace is None else trace.trace_id
