"""What a query of the log says, as a tree, and how it is written."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias, get_args

Comparison: TypeAlias = Literal[":", "<", "<=", ">", ">="]
COMPARISONS: Final[tuple[Comparison, ...]] = get_args(Comparison)
_BARE: Final = re.compile(r"[\w@#%+/-][\w@#%+/.:-]*")
"""What is written without quotes."""


@dataclass(frozen=True, slots=True)
class Word:
    """A name or a value, and the column of the query that it begins at.

    The column is 0 where no query names it: the term comes from a parameter of its own.
    """

    text: str
    column: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Term:
    """A field compared with a value; `:` holds for any one of several."""

    field: Word
    comparison: Comparison
    values: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class Between:
    """A field in a range that holds its beginning and not its end; None is without end."""

    field: Word
    since: Word | None
    until: Word | None


@dataclass(frozen=True, slots=True)
class Given:
    """A field that says something at all, written `field:*`."""

    field: Word


@dataclass(frozen=True, slots=True)
class Not:
    """What does not hold, or cannot be told."""

    part: "Query"


@dataclass(frozen=True, slots=True)
class AllOf:
    """What holds where every part does; without parts, everything."""

    parts: tuple["Query", ...] = ()


@dataclass(frozen=True, slots=True)
class AnyOf:
    """What holds where some part does."""

    parts: tuple["Query", ...]


Leaf: TypeAlias = Term | Between | Given
Query: TypeAlias = Leaf | Not | AllOf | AnyOf
EVERYTHING: Final = AllOf()


def all_of(parts: Iterable[Query]) -> Query:
    """Join parts by and, in the one form that a query has: no and within an and."""
    flat = [own for part in parts for own in (part.parts if isinstance(part, AllOf) else (part,))]
    return flat[0] if len(flat) == 1 else AllOf(tuple(flat))


def any_of(parts: Iterable[Query]) -> Query:
    """Join parts by or, of which there is at least one: no or within an or."""
    flat = [own for part in parts for own in (part.parts if isinstance(part, AnyOf) else (part,))]
    return flat[0] if len(flat) == 1 else AnyOf(tuple(flat))


def negated(part: Query) -> Query:
    """Say the opposite; twice is what it was."""
    return part.part if isinstance(part, Not) else Not(part)


def term(name: str, *values: str, comparison: Comparison = ":") -> Term:
    """Make a term that no text says."""
    return Term(Word(name), comparison, tuple(map(Word, values)))


def leaves(query: Query) -> Iterable[Leaf]:
    """Give the terms of a query, from left to right."""
    match query:
        case Not(part):
            yield from leaves(part)
        case AllOf(parts) | AnyOf(parts):
            for part in parts:
                yield from leaves(part)
        case _:
            yield query


def fields_of(query: Query) -> frozenset[str]:
    """Give the names of the fields that a query asks about."""
    return frozenset(leaf.field.text for leaf in leaves(query))


def render(query: Query) -> str:
    """Write a query, so that it is read as the same tree."""
    match query:
        case AllOf(parts):
            return " ".join(_part(part) for part in parts)
        case AnyOf(parts):
            return " or ".join(
                _part(part) if isinstance(part, AnyOf) else render(part) for part in parts
            )
        case Not(part):
            return f"-{_part(part)}"
        case Term(name, comparison, values):
            return f"{name.text}{comparison}{','.join(_value(value) for value in values)}"
        case Between(name, since, until):
            return f"{name.text}:{_value(since) if since else ''}..{_value(until) if until else ''}"
        case Given(name):
            return f"{name.text}:*"


def _part(query: Query) -> str:
    return f"({render(query)})" if isinstance(query, AllOf | AnyOf) else render(query)


def _value(value: Word) -> str:
    text = value.text
    if _BARE.fullmatch(text) and ".." not in text and not text.endswith("."):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
