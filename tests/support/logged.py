"""What the program logs while a block runs, read back line by line."""

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog

from api.logs import LogLevel, configure_logs


class Lines(io.BytesIO):
    """Where lines are written, and what they say."""

    def told(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.getvalue().splitlines()]


@contextmanager
def logged(level: LogLevel = "info") -> Iterator[Lines]:
    """Log as the program does, into memory; afterwards nothing is set."""
    root = logging.getLogger()
    handlers, threshold = root.handlers[:], root.level
    lines = Lines()
    configure_logs(level, to=lines)
    try:
        yield lines
    finally:
        structlog.reset_defaults()
        root.handlers[:] = handlers
        root.setLevel(threshold)
        logging.captureWarnings(capture=False)
