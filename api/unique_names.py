"""JSON objects with one meaning: no name is given twice."""

from collections.abc import Callable, Sequence
from typing import Any


def unique_names(
    pairs: Sequence[tuple[str, Any]], refusal: Callable[[str], Exception]
) -> dict[str, Any]:
    """Make an object of its pairs, as a hook of `json`.

    Raises:
        Exception: what `refusal` gives for the first name that comes again.
    """
    content = dict(pairs)
    if len(content) != len(pairs):
        names = [name for name, _ in pairs]
        raise refusal(next(name for name in names if names.count(name) > 1))
    return content
