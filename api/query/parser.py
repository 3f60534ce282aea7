"""Reads a query of the log, and says where one cannot be read."""

import re
from typing import Final, cast

from api.query.errors import QueryError
from api.query.fields import check
from api.query.tree import (
    COMPARISONS,
    EVERYTHING,
    Between,
    Comparison,
    Given,
    Leaf,
    Query,
    Term,
    Word,
    all_of,
    any_of,
    negated,
)

MAX_LENGTH: Final = 2_000
"""Characters of a query."""
MAX_TERMS: Final = 50
MAX_VALUES: Final = 50
"""Values that one term lists."""
MAX_DEPTH: Final = 10
"""How deep parentheses and negations go."""

_SPACE: Final = re.compile(r"\s*")
_FIELD: Final = re.compile(r"[A-Za-z_][\w-]*(?:\.[\w-]+)*")
_BARE: Final = re.compile(r'[^\s(),"]+')
_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_KEYWORD: Final = re.compile(r"(and|or|not)(?=[\s()]|$)", re.IGNORECASE)
_NEGATION: Final = re.compile(r"-|not(?=[\s(])", re.IGNORECASE)
# The longer ones first; `=` says the same as `:`.
_COMPARISON: Final = re.compile("|".join(["!=", *sorted(COMPARISONS, key=len, reverse=True), "="]))
_COMPARING: Final = tuple("<>=!:")


def parse(text: str) -> Query:
    """Read a query; one that says nothing holds for every event.

    Raises:
        QueryError: it cannot be read, or is longer or deeper than a query may be.
    """
    if len(text) > MAX_LENGTH:
        expected = f"expected at most {MAX_LENGTH} characters, not {len(text)}"
        raise QueryError(expected, column=MAX_LENGTH + 1)
    return _Reading(text).query()


class _Reading:
    """A query that is being read, from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._terms = 0

    def query(self) -> Query:
        self._skip()
        if self._ended:
            return EVERYTHING
        query = self._any(0)
        if not self._ended:
            raise self._error("expected a term; this parenthesis was never opened")
        return query

    def _any(self, depth: int) -> Query:
        parts = [self._all(depth)]
        while self._keyword("or"):
            parts.append(self._all(depth))
        return any_of(parts)

    def _all(self, depth: int) -> Query:
        parts = [self._part(depth)]
        while self._keyword("and") or not (self._ended or self._sees("or") or self._next(")")):
            parts.append(self._part(depth))
        return all_of(parts)

    def _part(self, depth: int) -> Query:
        if depth > MAX_DEPTH:
            raise self._error(f"expected at most {MAX_DEPTH} parentheses and negations in another")
        if self._take(_NEGATION):
            self._skip()
            return negated(self._part(depth + 1))
        if not self._next("("):
            return self._term()
        opened = self._column
        self._advance(1)
        inner = self._any(depth + 1)
        if not self._next(")"):
            raise self._error(f'expected ")", which closes the parenthesis of column {opened}')
        self._advance(1)
        return inner

    def _term(self) -> Query:
        column = self._column
        if self._ended or self._sees("and|or|not") or not (name := self._take(_FIELD)):
            raise self._error("expected a term such as type:discount_offered")
        self._terms += 1
        if self._terms > MAX_TERMS:
            raise QueryError(f"expected at most {MAX_TERMS} terms", column=column)
        comparison = self._take(_COMPARISON)
        if not comparison:
            expected = f'expected ":" or a comparison after {name!r}, as in {name}:value'
            raise self._error(expected)
        leaf = self._leaf(Word(name, column), comparison)
        self._skip()
        check(leaf)
        return negated(leaf) if comparison == "!=" else leaf

    def _leaf(self, name: Word, comparison: str) -> Leaf:
        same = comparison in {":", "=", "!="}
        column = self._column
        bare = _BARE.match(self._text, self._at)
        if same and bare and bare[0] == "*":
            self._at = bare.end()
            return Given(name)
        if same and bare and ".." in bare[0]:
            self._at = bare.end()
            return self._range(name, bare[0], column)
        values = [self._value()]
        while self._next(","):
            self._at += 1
            values.append(self._value())
        if len(values) > MAX_VALUES:
            raise QueryError(f"expected at most {MAX_VALUES} values", column=values[-1].column)
        return Term(name, ":" if same else cast("Comparison", comparison), tuple(values))

    def _range(self, name: Word, text: str, column: int) -> Between:
        since, _, until = text.partition("..")
        if not since and not until:
            raise QueryError("expected a beginning or an end of the range", column=column)
        end = Word(until, column + len(since) + 2) if until else None
        return Between(name, Word(since, column) if since else None, end)

    def _value(self) -> Word:
        column = self._column
        if self._next('"'):
            quoted = _QUOTED.match(self._text, self._at)
            if quoted is None:
                raise self._error("this quotation mark is never closed")
            self._at = quoted.end()
            return Word(_ESCAPED.sub(r"\1", quoted[1]), column)
        bare = _BARE.match(self._text, self._at)
        if bare is None:
            raise self._error("expected a value; one with spaces stands between quotation marks")
        if bare[0].startswith(_COMPARING):
            raise self._error(f"expected a value, not {bare[0][0]!r}; put it in quotation marks")
        self._at = bare.end()
        return Word(bare[0], column)

    @property
    def _column(self) -> int:
        return self._at + 1

    @property
    def _ended(self) -> bool:
        return self._at >= len(self._text)

    def _next(self, text: str) -> bool:
        return self._text.startswith(text, self._at)

    def _sees(self, words: str) -> bool:
        found = _KEYWORD.match(self._text, self._at)
        return found is not None and found[1].lower() in words.split("|")

    def _keyword(self, word: str) -> bool:
        if not self._sees(word):
            return False
        self._advance(len(word))
        return True

    def _take(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self._text, self._at)
        if found is None:
            return ""
        self._at = found.end()
        return found[0]

    def _advance(self, count: int) -> None:
        self._at += count
        self._skip()

    def _skip(self) -> None:
        space = _SPACE.match(self._text, self._at)
        self._at = space.end() if space else self._at

    def _error(self, expected: str) -> QueryError:
        return QueryError(expected, column=self._column)
