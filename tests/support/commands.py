"""What a test says of commands that it runs in this process."""

import json
from collections.abc import Callable
from typing import Any

Run = Callable[..., tuple[int, str, str]]
"""Runs a command with its arguments; gives exit, output and errors."""


def answered(out: str) -> Any:
    return json.loads(out)
