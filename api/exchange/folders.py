"""Exports of several files: which file holds what, told by its name."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from api.exchange.lines import ExportRefusedError

_NUMBERED: Final = re.compile(r"(.*?)(?:[-_. ]v\d)?[-_. ]?(\d*)")
"""A name, the version of the API that gave it, and the number of the part that a file holds."""


@dataclass(frozen=True, slots=True)
class Folder:
    """The files by what they hold; a thing may have been split over several, in order."""

    by_kind: dict[str, tuple[Path, ...]]
    others: tuple[Path, ...]

    @property
    def all(self) -> list[Path]:
        return [path for paths in self.by_kind.values() for path in paths]


def find_files(
    paths: Sequence[Path], kind_of: Callable[[Path], str | None], *, expected: str
) -> Folder:
    """The files of these folders and paths.

    Raises:
        ExportRefusedError: a path is not there, or no file holds anything.
    """
    found: dict[str, list[Path]] = {}
    others: list[Path] = []
    for path in _files(paths):
        kind = kind_of(path)
        if kind is None:
            others.append(path)
        else:
            found.setdefault(kind, []).append(path)
    if not found:
        raise ExportRefusedError(expected, file=str(paths[0]))
    return Folder({kind: tuple(files) for kind, files in found.items()}, tuple(others))


def numbered(kinds: Iterable[str], suffix: str) -> Callable[[Path], str | None]:
    """What a file holds by its name, which may end with the number of its part."""
    known = set(kinds)

    def kind_of(path: Path) -> str | None:
        name, _ = _parts(path)
        return name if name in known and path.suffix.lower() == suffix else None

    return kind_of


def _parts(path: Path) -> tuple[str, int]:
    match = _NUMBERED.fullmatch(path.stem.lower())
    if match is None:
        return path.stem.lower(), 0
    return match[1], int(match[2] or 0)


def _files(paths: Sequence[Path]) -> list[Path]:
    files: list[Path] = []
    for path in paths:
        if not path.exists():
            raise ExportRefusedError("no such file or folder", file=str(path))
        if path.is_dir():
            files += sorted((one for one in path.iterdir() if one.is_file()), key=_parts)
        else:
            files.append(path)
    return files
