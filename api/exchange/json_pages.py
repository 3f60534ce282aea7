"""Answers of an API in pages: all records of all files, and no page missing at the end."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from api.exchange.folders import Folder
from api.exchange.json_stream import ANY_KEY, ELEMENT, Found, JsonRecord, JsonStream, Place
from api.exchange.lines import ExportRefusedError, Findings
from api.exchange.texts import open_text

_HEAD: Final = 1 << 10
"""Characters in which a file shows how it begins."""

Take = Callable[[JsonRecord], None]


@dataclass(frozen=True, slots=True)
class Pages:
    """How an API pages its answers, and the files in which they lie."""

    folder: Folder
    places: Sequence[Place]
    paging: Sequence[Place]
    """Where a page says whether another one follows."""
    follows: Callable[[object], bool]
    expected: str
    encoding: str | None = None
    bare: Sequence[str] = ()
    """Kinds that a file may hold as an array of records, without pages."""
    named: Mapping[str, Sequence[Place]] = field(default_factory=dict)
    """Where else the records of a kind may be: in pages under the name of what they are of."""

    def each(self, kind: str, findings: Findings, take: Take) -> None:
        """Give every record; one that cannot be taken is a reject.

        Raises:
            ExportRefusedError: another structure, cut short, or the last page is not there.
        """
        if kind not in self.folder.by_kind:
            findings.lacks(f"{kind}: the export has no such file")
        unfinished: dict[str, str] = {}
        for path in self.folder.by_kind.get(kind, ()):
            for found in self._stream(path, kind):
                answer = self._answer(found)
                if not found.beside:
                    unfinished.pop(answer, None)
                    _give(found, path, findings, take)
                elif self.follows(found.value):
                    unfinished[answer] = path.name
                else:
                    unfinished.pop(answer, None)
        for answer, file in unfinished.items():
            whose = f" of {answer!r}" if answer else ""
            raise ExportRefusedError(
                f"cut short: the page after the last one{whose} is not there", file=file
            )

    def _answer(self, found: Found) -> str:
        """What tells the pages of one answer from those of others in a file: a key, or nothing."""
        named = {place[0] for place in (*self.places, *self.paging)} - {ANY_KEY}
        return "" if found.keys[0] in named else found.keys[0]

    def file(self, kind: str) -> str:
        """The file in which a kind is, or would be."""
        return next((path.name for path in self.folder.by_kind.get(kind, ())), f"{kind}.json")

    def _stream(self, path: Path, kind: str) -> JsonStream:
        bare = kind in self.bare and self._is_bare(path)
        return JsonStream(
            path,
            places=[(ELEMENT,)] if bare else (*self.places, *self.named.get(kind, ())),
            beside=self.paging,
            expected=self.expected,
            encoding=self.encoding,
        )

    def _is_bare(self, path: Path) -> bool:
        """Whether the first element of a file's array is a record and no page of records."""
        try:
            with open_text(path, self.encoding) as file:
                if not file.read(_HEAD).lstrip().startswith("["):
                    return False
        except UnicodeDecodeError:
            return False  # whoever reads the pages says where
        elements = JsonStream(
            path, places=[(ELEMENT,)], expected=self.expected, encoding=self.encoding
        )
        first = next((found.value for found in elements), None)
        return isinstance(first, dict) and not any(place[-2] in first for place in self.places)


def _give(found: Found, path: Path, findings: Findings, take: Take) -> None:
    findings.rows_read += 1
    try:
        take(found.record(path.name))
    except ValueError as error:
        findings.reject(path.name, found.row, str(error))
