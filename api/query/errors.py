"""What is wrong with a query, where, and what may have been meant."""

from collections.abc import Iterable
from difflib import get_close_matches

from api.errors import MalformedRequestError


class QueryError(MalformedRequestError):
    """A query cannot be read or answered.

    `column` counts characters from 1, and is 0 where the mistake is not in the text of a query;
    `expected` says what would have been right there, `meant` the name that comes closest.
    """

    def __init__(
        self, expected: str, *, column: int, field: str = "q", meant: str | None = None
    ) -> None:
        where = f"{field}, column {column}" if column else field
        hint = f"; did you mean {meant}?" if meant else ""
        super().__init__(f"{where}: {expected}{hint}", field=field)
        self.expected = expected
        self.column = column
        self.meant = meant


def closest(name: str, known: Iterable[str]) -> str | None:
    """Give the known name that somebody most likely meant."""
    return next(iter(get_close_matches(name, list(known), n=1, cutoff=0.6)), None)
