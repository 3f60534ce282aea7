"""Imports of uploaded files: what was asked, how far each is, and where its files wait."""

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final, LiteralString, Self, TypeAlias
from uuid import UUID

from uuid_utils.compat import uuid7

from api.errors import KeyReusedError, TooManyWaitingError, UnknownThingError
from api.exchange.importing import Format
from api.identity.permissions import Identity
from api.storage.log_reader import LogReader

ImportJson: TypeAlias = dict[str, Any]

MAX_WAITING: Final = 16
"""Uploads that may wait at once, so that their files fill no disk."""
MAX_LISTED: Final = 1_000
MAX_HELD: Final = 4
"""Uploads that are put aside at once; another one takes the place of the oldest."""
FIRST_REJECTS: Final = 100
"""Rejects that an import itself shows; the rest is paged."""
_FOLDER: Final = "uploads"
HELD: Final = ".held"
"""Ends the name of a file that was put aside."""
_LAST: Final = UUID(int=2**128 - 1)

_SELECT: Final[LiteralString] = (
    "SELECT id, state, format, file, profile, declared, founding, dry_run, bytes, sha256, caller,"
    " received_at, began_at, told_at, ended_at, attempts, cancelling, step, bytes_to_read,"
    " bytes_read, rows_read, events_made, duplicates, rejects, position, report, problem, key,"
    " body_hash"
    " FROM imports"
)
_NAMES: Final = _SELECT.removeprefix("SELECT ").removesuffix(" FROM imports").split(", ")
_ONE: Final[LiteralString] = _SELECT + " WHERE id = %(id)s"
_OF_KEY: Final[LiteralString] = _SELECT + " WHERE caller = %(caller)s AND key = %(key)s"
_PAGE: Final[LiteralString] = _SELECT + " WHERE id < %(before)s ORDER BY id DESC LIMIT %(limit)s"
_WAITING: Final[LiteralString] = (
    "SELECT count(*) FROM imports WHERE state IN ('waiting', 'running')"
)
_ASK: Final[LiteralString] = (
    "INSERT INTO imports (id, caller, key, body_hash, credential, received_at, format, file,"
    " profile, declared, founding, dry_run, bytes, sha256) VALUES (%(id)s, %(caller)s, %(key)s,"
    " %(body_hash)s, %(credential)s, %(received_at)s, %(format)s, %(file)s, %(profile)s,"
    " %(declared)s, %(founding)s, %(dry_run)s, %(bytes)s, %(sha256)s)"
    " ON CONFLICT (caller, key) DO NOTHING RETURNING 1"
)
_CANCEL: Final[LiteralString] = (
    "UPDATE imports SET cancelling = true,"
    " state = CASE state WHEN 'waiting' THEN 'cancelled' ELSE state END,"
    " ended_at = CASE state WHEN 'waiting' THEN %(now)s ELSE ended_at END"
    " WHERE id = %(id)s AND state IN ('waiting', 'running') RETURNING 1"
)
_REJECTS: Final[LiteralString] = (
    "SELECT number, file, row, reason FROM import_rejects"
    " WHERE import_id = %(id)s AND number > %(after)s ORDER BY number LIMIT %(limit)s"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What somebody wants imported, beside the bytes.

    `profile` names one that comes with the product, `declared` is the text of one of their own.
    """

    format: Format
    file: str
    profile: str | None
    # Not in the name of a request: what was sent before there was any is still known by its key.
    declared: str | None = field(default=None, repr=False)
    founding: bool
    dry_run: bool


class Upload:
    """Bytes on their way to the disk, under the id that their import will have.

    Until the import is asked for, nobody looks at the file; it goes with the `with` block unless
    it was kept.
    """

    def __init__(self, folder: Path) -> None:
        self.id = uuid7()
        self.size = 0
        self._path = folder / str(self.id)
        self._file = self._path.open("xb")
        self._digest = hashlib.sha256()
        self._kept = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        if not self._kept:
            self._path.unlink(missing_ok=True)

    def write(self, part: bytes) -> None:
        self._file.write(part)
        self._digest.update(part)
        self.size += len(part)

    def keep(self) -> str:
        """Put everything on the disk to stay, and give its SHA-256."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._kept = True
        return self._digest.hexdigest()

    def hold(self) -> UUID:
        """Put it aside until whoever sent it has said what it is, and give what it is held under.

        It stays until `MAX_HELD` others were put aside after it, or until it is asked for.
        """
        self.keep()
        held = [*self._path.parent.glob(f"*{HELD}")]
        for path in sorted(held, key=lambda one: one.stat().st_mtime)[: 1 - MAX_HELD]:
            path.unlink(missing_ok=True)
        self._path.rename(self._path.with_suffix(HELD))
        return self.id

    def drop(self) -> None:
        """Let it go after all."""
        self._kept = False


@dataclass(frozen=True, slots=True)
class Uploads:
    """Where uploads wait, how many bytes each may have, and who is told that one has come."""

    home: Path
    most: int = 512 << 20
    received: Callable[[], None] = lambda: None

    @property
    def folder(self) -> Path:
        return self.home / _FOLDER


NO_UPLOADS: Final = Uploads(Path(os.devnull), most=0)
"""For a server that takes none."""


class Imports:
    """The imports of a ledger; the files of those that were asked for here wait in the folder."""

    def __init__(self, store: LogReader, clock: Callable[[], datetime], uploads: Uploads) -> None:
        self.uploads = uploads
        self._store = store
        self._clock = clock

    def receive(self) -> Upload:
        """Give room for an upload.

        Raises:
            TooManyWaitingError: too many wait already.
        """
        ((waiting,),) = self._store.rows(_WAITING, {})
        if waiting >= MAX_WAITING:
            raise TooManyWaitingError(f"{waiting} imports wait already; come back later")
        self.uploads.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return Upload(self.uploads.folder)

    def held(self, name: UUID) -> Path:
        """Give the file of an upload that was put aside.

        Raises:
            UnknownThingError: it is not there any more.
        """
        path = self.uploads.folder / f"{name}{HELD}"
        if not path.is_file():
            raise UnknownThingError("the file is not held here any more; choose it again")
        return path

    def ask(
        self, upload: Upload, asked: Asked, *, identity: Identity, key: str, name: str
    ) -> tuple[ImportJson, bool]:
        """Have an upload imported; the second part says whether this key asked for it before.

        `name` tells the request from others beside its bytes.

        Raises:
            KeyReusedError: the key asked for something else.
        """
        digest = upload.keep()
        named = f"{name}\n{digest}" + (f"\n{asked.declared}" if asked.declared else "")
        body_hash = hashlib.sha256(named.encode()).hexdigest()
        values = {
            "id": upload.id,
            "caller": identity.actor,
            "key": key,
            "body_hash": body_hash,
            "credential": identity.credential,
            "received_at": self._clock(),
            "format": asked.format,
            "file": asked.file,
            "profile": asked.profile,
            "declared": asked.declared,
            "founding": asked.founding,
            "dry_run": asked.dry_run,
            "bytes": upload.size,
            "sha256": digest,
        }
        if self._store.rows(_ASK, values):
            return self.one(upload.id), False
        upload.drop()
        (row,) = self._store.rows(_OF_KEY, values)
        if row[-1] != body_hash:
            raise KeyReusedError(f"the key {key!r} was used for another import")
        return self._with_rejects(row), True

    def one(self, import_id: UUID) -> ImportJson:
        """Give an import with its first rejects.

        Raises:
            UnknownThingError: there is none with this id.
        """
        rows = self._store.rows(_ONE, {"id": import_id})
        if not rows:
            raise UnknownThingError(f"there is no import {import_id}")
        return self._with_rejects(rows[0])

    def page(self, *, before: UUID | None, limit: int) -> list[ImportJson]:
        """Give imports, the latest first, those before one if its id is given."""
        rows = self._store.rows(_PAGE, {"before": before or _LAST, "limit": limit})
        return [_import_json(row) for row in rows]

    def rejects(self, import_id: UUID, *, after: int, limit: int) -> list[ImportJson]:
        """Give rejects of an import in the order of its files and rows, with their numbers.

        Raises:
            UnknownThingError: there is no import with this id.
        """
        if not self._store.rows(_ONE, {"id": import_id}):
            raise UnknownThingError(f"there is no import {import_id}")
        rows = self._store.rows(_REJECTS, {"id": import_id, "after": after, "limit": limit})
        return [dict(zip(("number", "file", "row", "reason"), row, strict=True)) for row in rows]

    def cancel(self, import_id: UUID) -> ImportJson:
        """End an import that has not ended; what it has appended stays.

        Raises:
            UnknownThingError: there is none with this id.
        """
        self._store.rows(_CANCEL, {"id": import_id, "now": self._clock()})
        return self.one(import_id)

    def _with_rejects(self, row: tuple[Any, ...]) -> ImportJson:
        told = _import_json(row) | {"declared": row[_NAMES.index("declared")]}
        if told["report"] is not None:
            first = self.rejects(row[0], after=0, limit=FIRST_REJECTS)
            told["report"]["rejects"] = [
                {name: one[name] for name in ("file", "row", "reason")} for one in first
            ]
        return told


def _import_json(row: tuple[Any, ...]) -> ImportJson:
    """Give an import as a list has it: without its rejects and the text of its profile."""
    told: Mapping[str, Any] = dict(zip(_NAMES, row, strict=True))
    progress = ("step", "bytes_to_read", "bytes_read", "rows_read", "events_made", "duplicates")
    own = ("format", "file", "profile", "founding", "dry_run", "bytes", "sha256", "received_at")
    return {
        "import_id": str(told["id"]),
        "state": told["state"],
        **{name: told[name] for name in own},
        "received_from": told["caller"],
        **{name: told[name] for name in ("began_at", "ended_at", "attempts", "cancelling")},
        "progress": {
            **{name: told[name] for name in (*progress, "rejects")},
            "told_at": told["told_at"],
        },
        "position": told["position"],
        "report": told["report"],
        "problem": told["problem"],
    }
