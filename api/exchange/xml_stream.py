"""XML files of any size: one tag after the other, and nothing that could make more of a file."""

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final, cast
from xml.parsers import expat

from api.exchange.lines import ExportRefusedError
from api.exchange.metering import open_bytes

MAX_TOKEN: Final = 16 << 20
"""Bytes between two tags; a longer stretch is one value that fills the memory."""
MAX_DEPTH: Final = 64
"""Levels of nesting; a log needs a handful."""

_CHUNK: Final = 1 << 16
_GZIP: Final = b"\x1f\x8b"


class _RefusedXmlError(ValueError):
    """The text is XML that is not read."""


@dataclass(frozen=True, slots=True)
class Tag:
    """The start or the end of an element, by its name without a prefix."""

    starts: bool
    name: str
    attributes: dict[str, str]
    depth: int
    text: str = ""
    """What stood inside, at the end of an element."""


@dataclass(slots=True)
class _Collector:
    """What the parser has found since it was asked last."""

    tags: list[Tag] = field(default_factory=list)
    texts: list[list[str]] = field(default_factory=list)

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self.texts) >= MAX_DEPTH:
            raise _RefusedXmlError(f"nested more than {MAX_DEPTH} levels deep")
        self.texts.append([])
        self.tags.append(Tag(True, _local(name), attributes, len(self.texts)))  # noqa: FBT003

    def end(self, name: str) -> None:
        depth = len(self.texts)
        text = "".join(self.texts.pop()).strip()
        self.tags.append(Tag(False, _local(name), {}, depth, text))  # noqa: FBT003

    def text(self, text: str) -> None:
        if self.texts:
            self.texts[-1].append(text)


def xml_tags(path: Path, *, root: str, encoding: str | None = None) -> Iterator[Tag]:
    """Every tag of a file, which may be compressed with gzip.

    A document type declaration is refused: with it, a few lines can stand for gigabytes, or
    for other files.

    Raises:
        ExportRefusedError: no XML, cut short, another root, or XML that is not read.
    """
    found = _Collector()
    parser = expat.ParserCreate(encoding)
    parser.buffer_text = True
    parser.StartElementHandler = found.start
    parser.EndElementHandler = found.end
    parser.CharacterDataHandler = found.text
    parser.StartDoctypeDeclHandler = _no_declaration
    rooted = False
    try:
        with _opened(path) as file:
            for tags in _parsed(parser, found, file):
                yield from _rooted(tags, root) if not rooted else tags
                rooted = True
    except _RefusedXmlError as error:
        raise _refused(path, str(error), parser) from error
    except expat.ExpatError as error:
        raise _refused(path, _reason(error), parser) from error
    except (LookupError, ValueError) as error:
        raise _refused(path, f"in an encoding that is not read: {error}", parser) from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise _refused(path, "cut short, or not gzip", parser) from error


def _parsed(parser: expat.XMLParserType, found: _Collector, file: IO[bytes]) -> Iterator[list[Tag]]:
    silent = 0
    for last, chunk in _chunks(file):
        parser.Parse(chunk, last)
        silent = 0 if found.tags else silent + len(chunk)
        if silent > MAX_TOKEN:
            raise _RefusedXmlError(f"more than {MAX_TOKEN} bytes without a tag")
        if found.tags:
            yield found.tags
            found.tags = []


def _rooted(tags: list[Tag], root: str) -> list[Tag]:
    if tags[0].name != root:
        raise _RefusedXmlError(f"another format: expected <{root}>")
    return tags


def _opened(path: Path) -> IO[bytes]:
    try:
        with path.open("rb") as file:
            zipped = file.read(2) == _GZIP
        return cast("IO[bytes]", gzip.open(path)) if zipped else open_bytes(path)
    except OSError as error:
        raise ExportRefusedError(f"cannot be read: {error.strerror}", file=path.name) from error


def _chunks(file: IO[bytes]) -> Iterator[tuple[bool, bytes]]:
    while chunk := file.read(_CHUNK):
        yield False, chunk
    yield True, b""


def _no_declaration(*_: object) -> None:
    raise _RefusedXmlError("a document type declaration, which is not read")


def _reason(error: expat.ExpatError) -> str:
    cut = (
        expat.errors.codes[expat.errors.XML_ERROR_NO_ELEMENTS],
        expat.errors.codes[expat.errors.XML_ERROR_UNCLOSED_TOKEN],
        expat.errors.codes[expat.errors.XML_ERROR_PARTIAL_CHAR],
    )
    text = expat.ErrorString(error.code)
    return f"cut short: {text}" if error.code in cut else f"not XML: {text}"


def _refused(path: Path, reason: str, parser: expat.XMLParserType) -> ExportRefusedError:
    return ExportRefusedError(reason, file=path.name, row=parser.CurrentLineNumber)


def _local(name: str) -> str:
    return name.rpartition(":")[2]
