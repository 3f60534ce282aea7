"""The worked examples that the metrics were defined with, where they lie beside the repository."""

import json
import os
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest

_FILE: Final = Path(__file__).parents[2].parent / "shared" / "metrics_examples.json"


@cache
def _by_id() -> dict[str, dict[str, Any]]:
    return {one["id"]: one for one in json.loads(_FILE.read_text(encoding="utf-8"))}


def worked_example(example_id: str) -> dict[str, Any]:
    """The example's `input` and `expect`; skips the test where the file is missing."""
    if not _FILE.exists():
        reason = f"{_FILE.name} is not beside this repository"
        if os.environ.get("REQUIRE_ALL") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return _by_id()[example_id]
