"""The page on which a version of a process is checked and published."""

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Annotated, Final, Protocol

from fastapi import Query, Request
from fastapi.responses import HTMLResponse, Response

from api.identity.permissions import Identity
from api.web.asof import query_of
from api.web.form_parts import Filled
from api.web.publish_page import PATH, PROCESS, PublishPage, is_checked, publish_page
from api.web.publish_text import MOST_TEXT
from api.web.reads import Answer, FormError, PageError
from api.web.routes.process import PATH as PROCESSES
from api.web.sending import Form, Shown, done
from api.web.site import (
    SITE,
    Part,
    Section,
    Site,
    new_router,
    reader_of,
    redirect,
    to_sign_in,
)
from api.web.uploads import read_upload

FILE: Final = "file"
_MOST_FILE_BYTES: Final = 4 * MOST_TEXT


class Publishing(Protocol):
    """What the page asks, and what its form does; all raise `PageError`."""

    def draft(self, reader: Identity, process: str | None, *, seen: int | None) -> Answer:
        """What a new version begins with, and the versions published after a position."""
        ...

    async def check(self, request: Request, form: Mapping[str, str]) -> Answer:
        """What a version would do better without; it is not published."""
        ...

    async def publish(self, request: Request, form: Mapping[str, str]) -> Answer:
        """Publish a version; its process and number."""
        ...


class _Held:
    """The bytes of a small file."""

    def __init__(self) -> None:
        self.bytes = bytearray()

    def write(self, part: bytes) -> None:
        self.bytes += part

    def text(self) -> str:
        if not self.bytes:
            raise FormError("Choose a file that is not empty.", field=FILE)
        try:
            return self.bytes.decode("utf-8-sig").replace("\r\n", "\n")
        except UnicodeDecodeError as error:
            raise FormError("The file is not text in UTF-8.", field=FILE) from error


class _Pages:
    """Shows the page as the answers have it."""

    def __init__(self, site: Site, publishing: Publishing) -> None:
        self._site = site
        self._publishing = publishing

    def new(self, request: Request, reader: Identity, process: str | None) -> HTMLResponse:
        return self._shown(request, publish_page(self._draft(reader, process)))

    def sent(self, request: Request, reader: Identity, sent: Filled) -> HTMLResponse:
        answer = self._draft(reader, sent.values.get(PROCESS), seen=int(sent.values["seen"]))
        return self._shown(request, publish_page(answer, sent=sent), status=sent.error.status)

    def checked(self, request: Request, reader: Identity, form: Form, found: Answer) -> Response:
        answer = self._draft(reader, form[PROCESS])
        return self._shown(request, publish_page(answer, checked=(form, found)))

    def loaded(self, request: Request, reader: Identity, process: str, text: str) -> HTMLResponse:
        return self._shown(request, publish_page(self._draft(reader, process), text=text))

    def unloaded(
        self, request: Request, reader: Identity, process: str, error: FormError
    ) -> HTMLResponse:
        page = publish_page(self._draft(reader, process), file_error=str(error))
        return self._shown(request, page, status=error.status)

    def _draft(self, reader: Identity, process: str | None, *, seen: int | None = None) -> Answer:
        return self._publishing.draft(reader, (process or "").strip() or None, seen=seen)

    def _shown(self, request: Request, page: PublishPage, *, status: int = 200) -> HTMLResponse:
        return self._site.page(request, "publish.html", tab=PROCESSES, status=status, page=page)


PUBLISHING: Final = Part[Publishing]()
router: Final = new_router()


def publish_section(publishing: Publishing) -> Section:
    """The page over these answers."""
    return Section(router, (PUBLISHING.given(publishing),))


def _pages(request: Request) -> _Pages:
    return _Pages(SITE.of(request), PUBLISHING.of(request))


@router.get(PATH)
def publish_form(
    request: Request, process: Annotated[str | None, Query(max_length=200)] = None
) -> Response:
    pages = _pages(request)
    return SITE.of(request).show(request, lambda reader: pages.new(request, reader, process))


@router.post(PATH)
async def publish(request: Request) -> Response:
    pages, publishing = _pages(request), PUBLISHING.of(request)

    async def do(form: Form) -> Shown:
        if not is_checked(form):
            found = await publishing.check(request, form)
            return lambda reader: pages.checked(request, reader, form, found)
        told = await publishing.publish(request, form)
        named = {"process": told["process"], "version": told["version"]}
        target = PROCESSES + query_of(named | {"published": told["version"]})
        return lambda _: redirect(target)

    return await done(request, SITE.of(request), do, partial(pages.sent, request), tab=PROCESSES)


@router.get(PATH + "/file")
def file_page() -> Response:
    """Lead on from where a file was shown, or sent without a session."""
    return redirect(PATH)


@router.post(PATH + "/file")
async def load(request: Request) -> Response:
    if reader_of(request) is None:
        return to_sign_in(request)
    site, pages = SITE.of(request), _pages(request)
    process, held = "", _Held()
    try:
        kind = request.headers.get("content-type", "")
        sent = await read_upload(kind, request.stream(), held, field=FILE, most=_MOST_FILE_BYTES)
        process = sent.fields.get(PROCESS, "")
        show = partial(pages.loaded, request, process=process, text=held.text())
    except FormError as error:
        show = partial(pages.unloaded, request, process=process, error=error)
    except PageError as error:
        return await asyncio.to_thread(site.problem, request, error)
    return await asyncio.to_thread(site.show, request, lambda reader: show(reader=reader))
