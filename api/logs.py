"""How the program logs: one JSON object a line, in UTC, without secrets or values of variables."""

import json
import logging
import re
import sys
import traceback
from collections.abc import Iterator
from contextlib import suppress
from typing import BinaryIO, Final, Literal, TypeAlias, cast

import orjson
import structlog
from structlog.typing import EventDict, WrappedLogger

LogLevel: TypeAlias = Literal["debug", "info", "warning", "error"]
VETTED: Final = "vetted"
"""Says of a line that no value in it can hold a secret, so that it is not searched for any."""

_MASK: Final = "***"
_MOST_ERRORS: Final = 8
"""Errors told of one chain, the outermost first."""
_MOST_PLACES: Final = 40
"""Places told of one error, the innermost: an endless recursion has thousands."""
_MOST_CHARACTERS: Final = 500

_SECRET: Final = re.compile(
    r"\bdtk_[\w-]+"  # an API key
    r"|(?<![\w-])(?=[\w-]*(?-i:[A-Z]))[\w-]{43}(?![\w-])"  # 256 bits: a server's token, a session
    r"|\beyJ[\w-]+\.[\w-]+\.[\w-]*"  # a signed token of an issuer
    r"|(?P<scheme>\b(?:bearer|basic) +)[^\s\"'\\,;]+"
    r"|(?P<name>(?:token|passw(?:or)?d|secret|authorization|cookie|api_?key)"
    r"\\?[\"']? ?[=:] ?\\?[\"']?(?:(?:bearer|basic) +)?)[^\s\"'\\&,]+"
    r"|(?P<login>://[^\s/:@\"]*:)[^\s/@\"]+(?=@)",  # the password in the address of a database
    re.IGNORECASE | re.ASCII,
)
_CONTROLS: Final = re.compile("[\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
"""What JSON lets through and a terminal obeys, or a reader does not see."""


class _StandardError:
    """Wherever standard error leads at that moment; a line that cannot be written is dropped."""

    def write(self, line: bytes) -> None:
        with suppress(OSError, ValueError):
            sys.stderr.buffer.write(line)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            sys.stderr.buffer.flush()


class _Forwarded(logging.Handler):
    """Takes what libraries log in the standard way into the one pipeline."""

    def emit(self, record: logging.LogRecord) -> None:
        log = structlog.get_logger(record.name)
        level = min(record.levelno // 10 * 10, logging.CRITICAL)  # libraries have levels between
        log.log(level, record.getMessage(), logger=record.name, exc_info=record.exc_info)


def configure_logs(level: LogLevel = "info", *, to: BinaryIO | None = None) -> None:
    """Log lines from `level` up as JSON, on standard error if nothing else is said.

    Libraries are heard from `warning` up, unless everything is wanted.
    """
    threshold = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _with_exception,
            _written,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.BytesLoggerFactory(to or cast("BinaryIO", _StandardError())),
        cache_logger_on_first_use=True,
    )
    root = logging.getLogger()
    root.handlers[:] = [_Forwarded()]
    root.setLevel(threshold if level == "debug" else max(threshold, logging.WARNING))
    logging.captureWarnings(capture=True)


def masked(text: str) -> str:
    """Give a text with its secrets replaced: keys, tokens, cookies, passwords, by their form."""
    return _SECRET.sub(_mask, text)


def _mask(found: re.Match[str]) -> str:
    # Of what names a secret the name stays, so that a reader knows what was here.
    return (found["scheme"] or found["name"] or found["login"] or "") + _MASK


def _with_exception(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    given = event.pop("exc_info", None)
    if given is True:
        given = sys.exc_info()
    error = given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        event["exception"] = [_told(one) for one in _chain(error)]
    return event


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Give an error and those that led to it."""
    ahead: list[BaseException] = [error]
    for _ in range(_MOST_ERRORS):
        if not ahead:
            return
        error = ahead.pop(0)
        yield error
        if isinstance(error, BaseExceptionGroup):
            ahead += error.exceptions
        before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        ahead += [before] if before else []


def _told(error: BaseException) -> dict[str, object]:
    """Tell an error by its places and the first line of its message: the others quote values."""
    places = [
        f"{frame.f_globals.get('__name__', '?')}:{line} {frame.f_code.co_name}"
        for frame, line in traceback.walk_tb(error.__traceback__)
    ]
    message, _, _ = str(error).strip().partition("\n")
    return {
        "type": f"{type(error).__module__}.{type(error).__qualname__}",
        "message": message[:_MOST_CHARACTERS],
        "at": places[-_MOST_PLACES:],
    }


def _written(_: WrappedLogger, __: str, event: EventDict) -> bytes:
    vetted = event.pop(VETTED, False)
    try:
        line = orjson.dumps(event, default=str)
    except TypeError:  # a lone surrogate, a key that is no text
        line = json.dumps(event, default=str).encode()
    if not vetted:
        line = masked(line.decode()).encode()
    if line.isascii() and b"\x7f" not in line:
        return line
    return _CONTROLS.sub(_escaped, line.decode()).encode()


def _escaped(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"
