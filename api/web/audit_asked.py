"""What the audit explorer is asked for, as its address has it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

Side: TypeAlias = Literal["after", "before"]
FILTERS: Final = ("type", "deal", "rep", "verdict", "recorded_from", "recorded_to")
"""Fields that stand beside the query: each is a term of it."""
NEWEST: Final = "-position"
_DIGITS: Final = 18


@dataclass(frozen=True, slots=True)
class Cursor:
    """The event that a page lies after, or before, in the order of time."""

    side: Side
    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LogAsked:
    """A question about the log; what is empty was not asked for."""

    q: str = ""
    filters: Mapping[str, str] = field(default_factory=dict)
    sort: str = NEWEST
    by: str = ""
    as_of: str | None = None
    effective_at: str | None = None
    cursor: Cursor | None = None

    @property
    def kept(self) -> dict[str, str]:
        """What the address of another page of the same question holds, but its moment."""
        order = {} if self.sort == NEWEST else {"sort": self.sort}
        return {"q": self.q, **self.filters, **order, "by": self.by}


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong with a field; of a query the column at which, counted from 1.

    `meant` is the name that was probably meant.
    """

    field: str
    column: int
    expected: str
    meant: str | None


def asked_of(parameters: Mapping[str, str]) -> LogAsked:
    """Read an address; a field that was left empty asks for nothing."""
    given = {name: text for name, value in parameters.items() if (text := value.strip())}
    by = [given[name] for name in ("by", "then") if name in given]
    return LogAsked(
        q=given.get("q", ""),
        filters={name: given[name] for name in FILTERS if name in given},
        sort=given.get("sort", NEWEST),
        by=",".join(by),
        as_of=given.get("as_of"),
        effective_at=given.get("effective_at"),
        cursor=_cursor(given),
    )


def _cursor(given: Mapping[str, str]) -> Cursor | None:
    """An address that somebody changed by hand begins at the first page."""
    sides: tuple[Side, ...] = ("after", "before")
    for side in sides:
        text = given.get(side, "")
        if text.isascii() and text.isdigit() and len(text) <= _DIGITS:
            return Cursor(side, int(text))
    return None
