"""Changes of single fields put together by the moment at which they were made."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TypeVar

Change = TypeVar("Change")


def moments(
    changes: Iterable[tuple[datetime, str, Change]],
) -> Iterator[tuple[datetime, int, dict[str, Change]]]:
    """What changed at each moment, by field, in order; the second part counts from 1.

    A field that changed twice in one moment makes a second of it, in the order given.
    """
    found: dict[tuple[datetime, int], dict[str, Change]] = {}
    for at, name, change in changes:
        number = 1
        while name in found.setdefault((at, number), {}):
            number += 1
        found[at, number][name] = change
    for at, number in sorted(found):
        yield at, number, found[at, number]


def moment_id(deal: str, at: str, number: int) -> str:
    """The name of a moment, the same in every export that has it."""
    return f"{deal}:{at}" + (f"#{number}" if number > 1 else "")
