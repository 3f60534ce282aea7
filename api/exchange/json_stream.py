"""JSON files of any size: the records at the places asked for, one at a time."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TextIO, TypeAlias

import orjson

from api.exchange.lines import ExportRefusedError, JsonObject
from api.exchange.records import BadRecordError, NumberText
from api.exchange.texts import open_text, undecodable
from api.unique_names import unique_names

Place: TypeAlias = tuple[str, ...]
"""Keys from the top of a file down to a value; see `ELEMENT` and `ANY_KEY`."""
ELEMENT: Final = "[]"
"""In a place: every element of an array."""
ANY_KEY: Final = "*"
"""In a place: every key of an object."""
MAX_RECORD: Final = 16 << 20
"""Characters of one record; a deal with its whole history has some hundred thousand."""

_CHUNK: Final = 1 << 16
_NEAR: Final = 16
"""Characters before the end of what was read in which an error may only mean that more comes."""
_EXPONENT: Final = 2
"""Characters that may follow a number and yet be no end of it, until a digit comes."""
_BLANKS: Final = " \t\r\n"


class _BrokenError(ValueError):
    """The text is no JSON; the message says why."""


@dataclass(frozen=True, slots=True)
class Found:
    """A value and where it was: the keys on the way, and which record it is or comes after."""

    keys: Place
    value: object
    row: int
    beside: bool = False

    def record(self, file: str) -> "JsonRecord":
        """The value as a record; BadRecordError if it is no object."""
        if not isinstance(self.value, dict):
            raise BadRecordError("expected an object")
        return JsonRecord(file, self.row, self.value, self.keys)


@dataclass(frozen=True, slots=True)
class JsonRecord:
    """One object of a file, and where it stands."""

    file: str
    row: int
    content: JsonObject
    keys: Place

    @property
    def place(self) -> JsonObject:
        return {"file": self.file, "row": self.row}


def _unique(pairs: list[tuple[str, object]]) -> JsonObject:
    return unique_names(pairs, lambda name: _BrokenError(f"the key {name!r} is given twice"))


def _no_constant(name: str) -> object:
    raise _BrokenError(f"{name} is not JSON")


def with_numbers(value: object) -> object:
    """Give a decoded value with its numbers as JSON has them.

    Raises:
        BadRecordError: one has so many digits that nothing could compute with it.
    """
    if isinstance(value, NumberText):
        try:
            return json.loads(value)
        except ValueError as error:
            raise BadRecordError("a number of too many digits") from error
    if isinstance(value, dict):
        return {name: with_numbers(part) for name, part in value.items()}
    return [with_numbers(part) for part in value] if isinstance(value, list) else value


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_unique,
    parse_float=NumberText,
    parse_int=NumberText,
    parse_constant=_no_constant,
)


def decoded(text: str) -> object:
    """A whole document, its numbers as they are written; ValueError if it is none."""
    value: object = _DECODER.decode(text)
    _ensure_unicode(text, value)
    return value


@dataclass(slots=True)
class _Text:
    """The part of a file that was read and not yet decoded."""

    file: TextIO
    held: str = ""
    at: int = 0
    ended: bool = False

    def peek(self) -> str:
        """The next character that is no blank; empty at the end of the file."""
        while True:
            while self.at < len(self.held) and self.held[self.at] in _BLANKS:
                self.at += 1
            if self.at < len(self.held):
                return self.held[self.at]
            if self.ended:
                return ""
            self._read_on()

    def _read_on(self) -> None:
        rest = self.held[self.at :]
        more = self.file.read(max(_CHUNK, len(rest)))
        self.ended = not more
        self.held, self.at = rest + more, 0

    def step(self, expected: str) -> str:
        """Pass over the next character, which must be one of the expected."""
        found = self.peek()
        if not found:
            raise _BrokenError("cut short")
        if found not in expected:
            raise _BrokenError(f"not JSON: expected one of {expected!r}, not {found!r}")
        self.at += 1
        return found

    def value(self) -> object:
        """The next value, as a whole."""
        if not self.peek():
            raise _BrokenError("cut short")
        while True:
            try:
                value, end = _DECODER.raw_decode(self.held, self.at)
            except json.JSONDecodeError as error:
                self._ensure_more_may_help(error)
            except RecursionError as error:
                raise _BrokenError("nested too deeply") from error
            else:
                # A number near the end of what was read may go on: 1 is followed by e+9.
                if end + _EXPONENT < len(self.held) or self.ended:
                    _ensure_unicode(self.held[self.at : end], value)
                    self.at = end
                    return value
            self._read_on()

    def _ensure_more_may_help(self, error: json.JSONDecodeError) -> None:
        open_string = error.msg.startswith("Unterminated string")
        if not open_string and error.pos < len(self.held) - _NEAR:
            raise _BrokenError(f"not JSON: {error.msg}") from error
        if self.ended:
            raise _BrokenError(f"cut short, or not JSON: {error.msg}") from error
        if len(self.held) - self.at > MAX_RECORD:
            raise _BrokenError(f"a record of more than {MAX_RECORD} characters") from error


def _ensure_unicode(text: str, value: object) -> None:
    """Refuse half a character, which JSON can escape and no text can hold."""
    if "\\u" in text:
        try:
            orjson.dumps(value)
        except TypeError as error:
            raise _BrokenError("holds half a character, so it is not Unicode") from error


@dataclass(slots=True)
class JsonStream:
    """The records of one file at the given places; what lies beside them is passed over.

    A file may hold several documents one after the other, as pages of an answer that were
    written into one file. `beside` are places of values about the records, not counted.
    """

    path: Path
    places: Sequence[Place]
    expected: str
    """What a file of this kind is, for whoever gave another."""
    beside: Sequence[Place] = ()
    encoding: str | None = None
    _text: _Text = field(init=False)
    _row: int = field(default=0, init=False)
    _reached: bool = field(default=False, init=False)

    def __iter__(self) -> Iterator[Found]:
        """Every record in the order of the file, numbered from 1.

        Raises:
            ExportRefusedError: no text, no JSON, cut short, or no such place in it.
        """
        with open_text(self.path, self.encoding) as file:
            self._text = _Text(file)
            try:
                yield from self._documents()
            except _BrokenError as error:
                raise ExportRefusedError(
                    str(error), file=self.path.name, row=self._row + 1
                ) from error
            except UnicodeError as error:
                raise undecodable(self.path, error) from error
        if not self._reached:
            raise ExportRefusedError(
                f"another format: expected {self.expected}", file=self.path.name
            )

    def _documents(self) -> Iterator[Found]:
        self._row, self._reached = 0, False
        if self._text.peek() not in ("{", "["):
            raise _BrokenError(f"another format: expected {self.expected}")
        while self._text.peek():
            yield from self._walk(())

    def _walk(self, keys: Place) -> Iterator[Found]:
        # An array may hold records where an object would be one itself.
        if self._text.peek() == "[" and self._leads(keys, array=True):
            yield from self._array(keys)
        elif any(_is_at(keys, place) for place in self.places):
            value = self._text.value()
            self._row += 1
            self._reached = True
            yield Found(keys, value, self._row)
        elif any(_is_at(keys, place) for place in self.beside):
            yield Found(keys, self._text.value(), self._row, beside=True)
        elif self._text.peek() == "{" and self._leads(keys, array=False):
            yield from self._object(keys)
        elif self._text.value() is None:
            # Some sources write so that there are none.
            self._leads(keys, array=True)

    def _leads(self, keys: Place, *, array: bool) -> bool:
        """Whether a container here is on the way to a record."""
        leads = False
        for place in (*self.places, *self.beside):
            on_way = len(keys) < len(place) and _is_at(keys, place[: len(keys)])
            if on_way and (place[len(keys)] == ELEMENT) == array:
                leads = True
                self._reached |= place in self.places and len(place) == len(keys) + 1
        return leads

    def _object(self, keys: Place) -> Iterator[Found]:
        self._text.step("{")
        # Where any key names records, an object without keys holds none of them.
        self._reached |= self._text.peek() == "}" and any(
            _is_at((*keys, ANY_KEY), place[: len(keys) + 1]) for place in self.places
        )
        while self._text.peek() != "}":
            if self._text.peek() != '"':
                self._text.step('"')
            key = str(self._text.value())
            self._text.step(":")
            yield from self._walk((*keys, key))
            if self._text.peek() != "}":
                self._text.step(",")
        self._text.step("}")

    def _array(self, keys: Place) -> Iterator[Found]:
        self._text.step("[")
        while self._text.peek() != "]":
            yield from self._walk((*keys, ELEMENT))
            if self._text.peek() != "]":
                self._text.step(",")
        self._text.step("]")


def _is_at(keys: Place, place: Place) -> bool:
    return len(keys) == len(place) and all(
        there in (key, ANY_KEY) if key != ELEMENT else there == ELEMENT
        for key, there in zip(keys, place, strict=True)
    )
