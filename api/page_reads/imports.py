"""Answers the pages of imports, takes files that browsers send, and proposes profiles for them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from uuid import UUID, uuid4

from api.errors import KeyReusedError, TooManyWaitingError, UnknownThingError
from api.exchange.archives import unpack
from api.exchange.importing import FOLDERS, FORMATS, Format
from api.exchange.lines import ExportRefusedError
from api.exchange.profile import SHIPPED, ProfileRefusedError, profile_of
from api.exchange.proposing import propose_profile
from api.http.problems import RequestRefusedError
from api.http.slots import Slots
from api.identity.permissions import Action, Identity, may
from api.imports import Asked, Imports, Upload
from api.page_reads.door import Door, refused_as_pages
from api.people import People
from api.web.reads import FormError, NoSuchPageError, NotNowError
from api.web.uploads import SentForm, plain_name

PATH: Final = "/imports"
MAX_ROWS: Final = 50
MAX_REJECTS: Final = 100
MOST_PROPOSED: Final = 16 << 20
"""Bytes of a file for which a profile is proposed: all of it is read, while others wait."""
_UNPACKED: Final = 8
_CHUNK: Final = 1 << 20


class ImportReads:
    """What the pages of imports ask, and what their forms do, as `/v1/imports` does it."""

    def __init__(self, door: Door, imports: Imports, *, slots: Slots, people: People) -> None:
        self._door = door
        self._imports = imports
        self._slots = slots
        self._people = people

    @property
    def most(self) -> int:
        """How many bytes a file may have."""
        return self._imports.uploads.most

    def listed(self, reader: Identity, *, before: str | None, address: str) -> dict[str, Any]:
        """Give the imports there were, the latest first, and what may be sent."""
        self._door.enter(reader, Action.READ_IMPORTS, address)
        with refused_as_pages():
            rows = self._imports.page(before=_id_or_none(before), limit=MAX_ROWS + 1)
        page = rows[:MAX_ROWS]
        return {
            "imports": page,
            "next": page[-1]["import_id"] if len(rows) > MAX_ROWS else None,
            "before": before,
            "names": self._people.names(),
            "may_import": may(reader, Action.IMPORT) and self.most > 0,
            "most": self.most,
            "profiles": sorted(one.stem for one in SHIPPED.glob("*.yaml")),
            "key": str(uuid4()),
        }

    def one(self, reader: Identity, import_id: str, *, after: int, address: str) -> dict[str, Any]:
        """Give how far an import is and what it came to, with its rejects after a number."""
        self._door.enter(reader, Action.READ_IMPORTS, address)
        named = _named(import_id)
        with refused_as_pages():
            told = self._imports.one(named)
            rejects = self._imports.rejects(named, after=after, limit=MAX_REJECTS + 1)
        return {
            "import": told,
            "rejects": rejects[:MAX_REJECTS],
            "after": after,
            "next": rejects[MAX_REJECTS - 1]["number"] if len(rejects) > MAX_REJECTS else None,
            "names": self._people.names(),
            "may_import": may(reader, Action.IMPORT),
        }

    def cancel(self, reader: Identity, import_id: str) -> None:
        """End an import that has not ended; what it has appended stays."""
        self._door.enter(reader, Action.IMPORT, f"{PATH}/{import_id}/cancel")
        with refused_as_pages():
            self._imports.cancel(_named(import_id))

    @asynccontextmanager
    async def receiving(self, reader: Identity) -> AsyncIterator[Upload]:
        """Give room for a file, which is gone after the block unless somebody asked to keep it.

        Raises:
            NotForYouError: the reader may not import.
            NotNowError: too many files come in, or wait, already.
            FormError: the form did not come in time.
        """
        await asyncio.to_thread(self._door.enter, reader, Action.IMPORT, PATH)
        try:
            slot = self._slots.take()
            try:
                upload = await asyncio.to_thread(self._imports.receive)
                try:
                    yield upload
                finally:
                    await asyncio.to_thread(upload.__exit__)
            finally:
                slot.release()
        except TooManyWaitingError as error:
            raise NotNowError(f"{error.detail}.") from error
        except RequestRefusedError as error:
            refused = NotNowError if error.status == NotNowError.status else FormError
            raise refused(f"{error.detail}.") from error

    def ask(self, reader: Identity, form: SentForm, upload: Upload, *, dry_run: bool) -> str:
        """Have a file imported that came with a form, or before it; give the id of the import.

        Raises:
            FormError: what was filled in cannot be done.
        """
        self._door.enter(reader, Action.IMPORT, PATH)
        asked = self._asked(form, dry_run=dry_run)
        held = self._brought(form, upload)
        with refused_as_pages():
            try:
                told, _ = self._imports.ask(
                    upload,
                    asked,
                    identity=reader,
                    key=_key(form),
                    name=f"POST {PATH} {asked}",
                )
            except KeyReusedError as error:
                message = "This form was sent before with something else. Load the page anew."
                raise FormError(message) from error
        if held is not None:
            held.unlink(missing_ok=True)
        self._imports.uploads.received()
        return str(told["import_id"])

    def keep(self, form: SentForm, upload: Upload) -> str | None:
        """Put aside a file whose form is to be corrected; give what it is held under."""
        return str(upload.hold()) if form.size else form.fields.get("held") or None

    def propose(self, reader: Identity, form: SentForm, held: str | None) -> str:
        """Propose a profile for a file that was put aside; nothing is imported.

        Raises:
            FormError: there is none to propose.
        """
        self._door.enter(reader, Action.IMPORT, PATH)
        chosen = _format(form)
        path = self._held(held)
        if path.stat().st_size > MOST_PROPOSED:
            message = "The file is too large to look at here; `dealtrail import --guess` reads any."
            raise FormError(message, field="file")
        name = _file_name(form)
        with TemporaryDirectory(dir=path.parent) as folder:
            try:
                files = unpack(path, name=name, into=Path(folder), most=_UNPACKED * MOST_PROPOSED)
                paths = [Path(folder)] if chosen in FOLDERS else sorted(files)
                return propose_profile(chosen, paths, declared=None)
            except (ExportRefusedError, ProfileRefusedError) as error:
                raise FormError(str(error).replace(folder, name), field="file") from error

    def _asked(self, form: SentForm, *, dry_run: bool) -> Asked:
        fields = form.fields
        declared = fields.get("declared", "").strip() or None
        profile = fields.get("profile") or None
        if declared and profile:
            message = "One profile is enough: choose one, or write one below."
            raise FormError(message, field="profile")
        try:
            if declared:
                profile_of(declared, name="that is written below")
        except ProfileRefusedError as error:
            raise FormError(str(error), field="declared") from error
        if profile and profile not in {one.stem for one in SHIPPED.glob("*.yaml")}:
            raise FormError("There is no such profile.", field="profile")
        return Asked(
            format=_format(form),
            file=_file_name(form),
            profile=profile,
            declared=declared,
            founding=fields.get("founding") == "1",
            dry_run=dry_run,
        )

    def _brought(self, form: SentForm, upload: Upload) -> Path | None:
        """See that the upload has the file; one that was put aside is copied, and given."""
        if form.size:
            return None
        held = self._held(form.fields.get("held"))
        with held.open("rb") as file:
            while part := file.read(_CHUNK):
                upload.write(part)
        return held

    def _held(self, name: str | None) -> Path:
        try:
            return self._imports.held(UUID(name or ""))
        except ValueError as error:
            raise FormError("Choose a file that is not empty.", field="file") from error
        except UnknownThingError as error:
            raise FormError(f"{error.detail}.".capitalize(), field="file") from error


def _format(form: SentForm) -> Format:
    for known in FORMATS:
        if known == form.fields.get("format"):
            return known
    raise FormError("Choose what the file is.", field="format")


def _file_name(form: SentForm) -> str:
    name = form.file or plain_name(form.fields.get("name", ""))
    if not name:
        raise FormError("Choose a file.", field="file")
    return name


def _key(form: SentForm) -> str:
    """Give the key that the page was made with; a form without one is sent once."""
    try:
        return str(UUID(form.fields.get("key", "")))
    except ValueError:
        return str(uuid4())


def _named(import_id: str) -> UUID:
    try:
        return UUID(import_id)
    except ValueError as error:
        raise NoSuchPageError(f"There is no import {import_id}.") from error


def _id_or_none(text: str | None) -> UUID | None:
    """An address that somebody changed by hand begins at the latest."""
    try:
        return UUID(text) if text else None
    except ValueError:
        return None
