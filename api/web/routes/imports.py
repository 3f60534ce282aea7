"""The pages of imports: send a file, see how far it is, and what came of it."""

import asyncio
from contextlib import AbstractAsyncContextManager
from typing import Annotated, Final, Protocol

from fastapi import Query, Request
from fastapi.responses import HTMLResponse, Response

from api.identity.permissions import Action, Identity, may
from api.imports import Upload
from api.web.imports_page import PATH, ImportForm, import_page, imports_page
from api.web.reads import Answer, FormError, PageError, TooLargeError
from api.web.site import SITE, Part, Section, Site, Tab, new_router, reader_of, redirect
from api.web.uploads import MOST_FIELD_BYTES, SentForm, read_upload

FILE: Final = "file"
"""The field of the form that holds the file."""


class ImportReads(Protocol):
    """What the pages ask, and what their forms do."""

    @property
    def most(self) -> int:
        """How many bytes a file may have."""
        ...

    def listed(self, reader: Identity, *, before: str | None, address: str) -> Answer:
        """The imports there were, and what may be sent."""
        ...

    def one(self, reader: Identity, import_id: str, *, after: int, address: str) -> Answer:
        """How far an import is, and what it came to."""
        ...

    def cancel(self, reader: Identity, import_id: str) -> None:
        """End an import."""
        ...

    def receiving(self, reader: Identity) -> AbstractAsyncContextManager[Upload]:
        """Room for a file."""
        ...

    def ask(self, reader: Identity, form: SentForm, upload: Upload, *, dry_run: bool) -> str:
        """Have a file imported; raises `FormError`."""
        ...

    def keep(self, form: SentForm, upload: Upload) -> str | None:
        """Put a file aside until its form is right."""
        ...

    def propose(self, reader: Identity, form: SentForm, held: str | None) -> str:
        """Propose a profile; raises `FormError`."""
        ...


READS: Final = Part[ImportReads]()
router: Final = new_router()


def imports_section(reads: ImportReads) -> Section:
    """The pages over these answers."""
    tab = Tab(PATH, lambda _: "Imports", lambda reader: may(reader, Action.READ_IMPORTS))
    return Section(router, (READS.given(reads),), tab)


@router.get(PATH)
def imports(
    request: Request, before: Annotated[str | None, Query(max_length=64)] = None
) -> Response:
    site, reads = SITE.of(request), READS.of(request)

    def fill(reader: Identity) -> HTMLResponse:
        answer = reads.listed(reader, before=before or None, address=_address(request))
        return site.page(request, "imports.html", tab=PATH, page=imports_page(answer))

    return site.show(request, fill)


@router.get(PATH + "/{import_id}")
def one_import(
    request: Request, import_id: str, after: Annotated[int, Query(ge=0, le=2**62)] = 0
) -> Response:
    site, reads = SITE.of(request), READS.of(request)

    def fill(reader: Identity) -> HTMLResponse:
        answer = reads.one(reader, import_id, after=after, address=_address(request))
        return site.page(request, "import.html", tab=PATH, page=import_page(answer))

    return site.show(request, fill)


@router.post(PATH + "/{import_id}/cancel")
def cancel(request: Request, import_id: str) -> Response:
    reads = READS.of(request)

    def fill(reader: Identity) -> Response:
        reads.cancel(reader, import_id)
        return redirect(f"{PATH}/{import_id}")

    return SITE.of(request).show(request, fill)


@router.post(PATH)
async def send(request: Request) -> Response:
    return await _Sending(SITE.of(request), READS.of(request)).answer(request)


class _Sending:
    """Takes the form with a file, and answers with the import, a proposal, or what is wrong."""

    def __init__(self, site: Site, reads: ImportReads) -> None:
        self._site = site
        self._reads = reads

    async def answer(self, request: Request) -> Response:
        reader = reader_of(request)
        if reader is None:
            return self._site.show(request, lambda _: redirect(PATH))
        try:
            self._ensure_room(request)
            async with self._reads.receiving(reader) as upload:
                form = await read_upload(
                    request.headers.get("content-type", ""),
                    request.stream(),
                    upload,
                    field=FILE,
                    most=self._reads.most,
                )
                return await asyncio.to_thread(self._done, request, reader, form, upload)
        except FormError as error:
            refused = ImportForm(field=error.field, error=str(error))
            return await asyncio.to_thread(self._again, request, reader, refused, error.status)
        except PageError as error:
            return await asyncio.to_thread(self._site.problem, request, error)

    def _ensure_room(self, request: Request) -> None:
        """Refuse what says that it is too large before any of it comes."""
        stated = request.headers.get("content-length", "")
        most = self._reads.most
        if stated.isascii() and stated.isdigit() and int(stated) > most + MOST_FIELD_BYTES:
            raise TooLargeError(most)

    def _done(self, request: Request, reader: Identity, form: SentForm, upload: Upload) -> Response:
        wanted = form.fields.get("do")
        if wanted == "propose":
            return self._proposed(request, reader, form, upload)
        try:
            import_id = self._reads.ask(reader, form, upload, dry_run=wanted == "try")
        except FormError as error:
            return self._wrong(request, reader, form, self._reads.keep(form, upload), error)
        return redirect(f"{PATH}/{import_id}")

    def _proposed(
        self, request: Request, reader: Identity, form: SentForm, upload: Upload
    ) -> Response:
        held = self._reads.keep(form, upload)
        try:
            proposal = self._reads.propose(reader, form, held)
        except FormError as error:
            return self._wrong(request, reader, form, held, error)
        values = {**form.fields, "declared": proposal, "profile": ""}
        shown = ImportForm(values, held=held, file=_name(form), proposed=True)
        return self._again(request, reader, shown, 200)

    def _wrong(
        self,
        request: Request,
        reader: Identity,
        form: SentForm,
        held: str | None,
        error: FormError,
    ) -> Response:
        lost = error.field == FILE and not form.size
        kept = None if lost else held
        shown = ImportForm(form.fields, error.field, str(error), kept, _name(form))
        return self._again(request, reader, shown, error.status)

    def _again(self, request: Request, reader: Identity, form: ImportForm, status: int) -> Response:
        def fill(_: Identity) -> HTMLResponse:
            page = imports_page(self._reads.listed(reader, before=None, address=PATH), form)
            return self._site.page(request, "imports.html", tab=PATH, status=status, page=page)

        return self._site.show(request, fill)


def _name(form: SentForm) -> str:
    return form.file or form.fields.get("name", "")


def _address(request: Request) -> str:
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")
