"""Reads a form with a file as it comes: the file to the disk, the other fields into memory."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from api.web.reads import FormError, TooLargeError

MOST_FIELD_BYTES: Final = 1 << 18
"""Of all fields but the file together; the longest is a profile."""
MAX_PARTS: Final = 32
MAX_FILE_NAME: Final = 200
_WRITTEN_AT_ONCE: Final = 1 << 20
_NO_NAME: Final = re.compile(r"[/\\:\x00-\x1f\x7f]")


class Sink(Protocol):
    """Where the bytes of the file go."""

    def write(self, part: bytes) -> None:
        """Take some more."""
        ...


@dataclass(frozen=True, slots=True)
class SentForm:
    """What a form sent: its fields, what the file is called, and how many bytes it has."""

    fields: Mapping[str, str]
    file: str
    size: int


async def read_upload(
    content_type: str, body: AsyncIterator[bytes], sink: Sink, *, field: str, most: int
) -> SentForm:
    """Read a form of `multipart/form-data`, whose file of at most `most` bytes is in `field`.

    Raises:
        FormError: it is no such form, or was cut short.
        TooLargeError: the file or the fields have more bytes than are read.
    """
    kind, parameters = parse_options_header(content_type)
    if kind != b"multipart/form-data" or b"boundary" not in parameters:
        raise FormError("The form must be sent as multipart/form-data.")
    try:
        parts = _Parts(parameters[b"boundary"], field=field, most=most)
        async for chunk in body:
            parts.take(chunk)
            if len(parts.held) >= _WRITTEN_AT_ONCE:
                await asyncio.to_thread(sink.write, parts.released())
    except FormParserError as error:
        raise FormError("The form cannot be read.") from error
    if not parts.ended:
        raise FormError("The form was cut short; nothing of it was taken.")
    await asyncio.to_thread(sink.write, parts.released())
    return SentForm(parts.texts(), plain_name(parts.file), parts.size)


class _Parts:
    """The parts of a form that is being read; `held` are bytes of the file that nobody took yet."""

    def __init__(self, boundary: bytes, *, field: str, most: int) -> None:
        self.held = bytearray()
        self.file = ""
        self.size = 0
        self.ended = False
        self._field = field
        self._most = most
        self._fields: dict[str, bytearray] = {}
        self._fields_size = 0
        self._parts = 0
        self._name = ""
        self._header = b""
        self._value = b""
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._part,
                "on_header_field": self._header_name,
                "on_header_value": self._header_value,
                "on_header_end": self._header_end,
                "on_part_data": self._data,
                "on_end": self._end,
            },
        )

    def take(self, chunk: bytes) -> None:
        self._parser.write(chunk)

    def released(self) -> bytes:
        """Give the bytes that are held, and hold them no more."""
        part = bytes(self.held)
        self.held.clear()
        return part

    def texts(self) -> dict[str, str]:
        return {name: value.decode("utf-8", "replace") for name, value in self._fields.items()}

    def _part(self) -> None:
        self._parts += 1
        self._name = ""
        if self._parts > MAX_PARTS:
            raise FormError(f"A form has at most {MAX_PARTS} fields.")

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        if self._header.lower() == b"content-disposition":
            _, named = parse_options_header(self._value)
            self._name = named.get(b"name", b"").decode("utf-8", "replace")
            if self._name == self._field:
                self.file = named.get(b"filename", b"").decode("utf-8", "replace")
            else:
                self._fields[self._name] = bytearray()  # the last of a name counts
        self._header = self._value = b""

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._name == self._field:
            self.size += end - start
            if self.size > self._most:
                raise TooLargeError(self._most)
            self.held += data[start:end]
            return
        self._fields_size += end - start
        if self._fields_size > MOST_FIELD_BYTES:
            raise TooLargeError(MOST_FIELD_BYTES)
        self._fields.setdefault(self._name, bytearray()).extend(data[start:end])

    def _end(self) -> None:
        self.ended = True


def plain_name(name: str) -> str:
    """What a file is called, as the API takes it: one line, no folder, not hidden."""
    return _NO_NAME.sub("_", name).lstrip(".")[:MAX_FILE_NAME]
