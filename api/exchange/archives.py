"""What was uploaded as files on the disk: one file, or those of an archive that hides no bomb."""

import gzip
import stat
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final, Protocol

from api.exchange.lines import ExportRefusedError

ZIP: Final = b"PK\x03\x04"
GZIP: Final = b"\x1f\x8b"
MAX_MEMBERS: Final = 1_000
"""Files of one archive; an export has some dozen."""
MAX_RATIO: Final = 200
"""How many times as large as the archive its content may be; logs in XML come to thirty."""
ALWAYS_UNPACKED: Final = 64 << 20
"""Bytes that any archive may come to, however small it is."""

_EMPTY_ZIP: Final = b"PK\x05\x06"
_END: Final = b"PK\x05\x06"
_END_SIZE: Final = 22
_DIRECTORY_SIZE: Final = slice(12, 16)
_ZIP64: Final = b"PK\x06\x07"
_ZIP64_SIZE: Final = 20
_COMMENT: Final = 1 << 16
_DIRECTORY: Final = 1 << 20
"""Bytes of the list of members; each takes 46 and its name."""
_CHUNK: Final = 1 << 20
_ENCRYPTED: Final = 0x1
_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_MAX_NAME: Final = 200
_OF_THE_SYSTEM: Final = ("__MACOSX", ".DS_Store", "Thumbs.db")
"""What systems put into archives by themselves, and no export holds."""


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


@dataclass(slots=True)
class _Budget:
    """How many bytes may still come out of an archive."""

    archive: str
    left: int

    def spend(self, size: int) -> None:
        self.left -= size
        if self.left < 0:
            raise ExportRefusedError(
                "unpacks to more than is read: more than its size can mean, or than the limit",
                file=self.archive,
            )


def unpack(upload: Path, *, name: str, into: Path, most: int) -> list[Path]:
    """The files of an upload, in a folder that is there and empty.

    A zip gives its members, each under its own name without the folders before it; a gzip file
    gives its content, called as it is without `.gz`; any other file is itself. `most` bounds the
    bytes of all of them.

    Raises:
        ExportRefusedError: an archive that is broken, encrypted, nested, or not what it says; a
            name that leads out of the folder; more than is read.
    """
    with upload.open("rb") as file:
        head = file.read(len(ZIP))
    allowed = min(most, max(ALWAYS_UNPACKED, MAX_RATIO * upload.stat().st_size))
    budget = _Budget(name, allowed)
    try:
        if head in (ZIP, _EMPTY_ZIP):
            return list(_zip_members(upload, into, budget))
        if head.startswith(GZIP):
            with gzip.open(upload) as content:
                plain = name[: -len(".gz")] if name.lower().endswith(".gz") else name
                return [_written(content, into / _plain_name(plain, name), budget)]
    except (zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise ExportRefusedError(
            f"the archive is broken or cut short: {error}", file=name
        ) from error
    except (NotImplementedError, RuntimeError, UnicodeError, ValueError, OSError) as error:
        raise ExportRefusedError(f"the archive cannot be read: {error}", file=name) from error
    target = into / _plain_name(name, name)
    target.hardlink_to(upload)
    return [target]


def _zip_members(upload: Path, into: Path, budget: _Budget) -> Iterator[Path]:
    _check_directory(upload, budget.archive)
    with zipfile.ZipFile(upload) as archive:
        members = [one for one in archive.infolist() if not _is_of_the_system(one)]
        if len(members) > MAX_MEMBERS:
            raise ExportRefusedError(f"more than {MAX_MEMBERS} files", file=budget.archive)
        seen: set[str] = set()
        for member in members:
            name = _member_name(member, budget.archive)
            if name.lower() in seen:
                raise ExportRefusedError(f"{name!r} is in it twice", file=budget.archive)
            seen.add(name.lower())
            with archive.open(member) as content:
                yield _written(content, into / name, budget)
        if not seen:
            raise ExportRefusedError("the archive holds no file", file=budget.archive)


def _check_directory(upload: Path, name: str) -> None:
    """Refuse a list of members that is too long to be read, before it is.

    The end of an archive that needs 64 bits is refused: no upload is so large, and its numbers
    would be believed before those that are checked here.
    """
    with upload.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - _END_SIZE - _COMMENT - _ZIP64_SIZE))
        tail = file.read()
    end = len(tail) - _END_SIZE
    if not (tail[end:].startswith(_END) and tail.endswith(b"\0\0")):
        end = tail.rfind(_END)
    if end < 0:
        raise ExportRefusedError("the archive is broken or cut short: no end", file=name)
    if _ZIP64 in tail[max(0, end - _ZIP64_SIZE) : end]:
        raise ExportRefusedError("an archive of the kind for more than 4 GiB", file=name)
    if int.from_bytes(tail[end:][_DIRECTORY_SIZE], "little") > _DIRECTORY:
        raise ExportRefusedError(f"more than {MAX_MEMBERS} files", file=name)


def _is_of_the_system(member: zipfile.ZipInfo) -> bool:
    parts = PurePosixPath(member.filename).parts
    return member.is_dir() or any(part in _OF_THE_SYSTEM for part in parts)


def _member_name(member: zipfile.ZipInfo, archive: str) -> str:
    """The name of a file without its folders; refused if it is none, or cannot be read."""
    shown = repr(member.filename[:_MAX_NAME])
    path = PurePosixPath(member.filename)
    if (
        path.is_absolute()
        or ".." in path.parts
        or "\\" in member.filename
        or ":" in member.filename
    ):
        raise ExportRefusedError(f"{shown} leads out of the archive", file=archive)
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        raise ExportRefusedError(f"{shown} is no file but a link or a device", file=archive)
    if member.flag_bits & _ENCRYPTED:
        raise ExportRefusedError(f"{shown} is encrypted", file=archive)
    if member.compress_type not in _METHODS:
        raise ExportRefusedError(f"{shown} is compressed in a way that is not read", file=archive)
    return _plain_name(path.name, archive)


def _plain_name(name: str, archive: str) -> str:
    if not name.isprintable() or len(name) > _MAX_NAME or name in ("", ".", "..") or "/" in name:
        raise ExportRefusedError(
            f"a file needs a name of one line and at most {_MAX_NAME} characters", file=archive
        )
    return name


def _written(content: _Readable, target: Path, budget: _Budget) -> Path:
    # The sizes that an archive states are not believed: what comes out is counted.
    with target.open("xb") as file:
        first = True
        while chunk := content.read(_CHUNK):
            if first and chunk.startswith((ZIP, GZIP)):
                raise ExportRefusedError(
                    f"{target.name!r} is an archive itself", file=budget.archive
                )
            first = False
            budget.spend(len(chunk))
            file.write(chunk)
    return target
