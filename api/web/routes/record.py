"""What the forms of deals send to: it opens them, and records and corrects their events."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Final, Protocol, TypeAlias
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from api.identity.permissions import Identity
from api.web.forms import read_form
from api.web.reads import Answer, FormError, NotNowError, PageError
from api.web.record_form import Filled, Ground, opening_form, refused
from api.web.routes.board import PATH as BOARD
from api.web.routes.deal import DealPages, DealReads, DealWish
from api.web.site import Section, Site, local, reader_of, redirect, to_sign_in

OPENING: Final = "/deals/new"
MOST_BYTES: Final = 1 << 20
"""As long as a body of the API may be."""


class RecordReads(DealReads, Protocol):
    """What the forms show beside the page of a deal."""

    def opening(self, reader: Identity) -> Answer:
        """What a new deal may name."""
        ...


class DealWrites(Protocol):
    """What the forms do; both give the deal and its new events, and raise `PageError`."""

    async def open_deal(self, request: Request, form: Mapping[str, str]) -> Answer:
        """Open a deal."""
        ...

    async def append(self, request: Request, deal_id: str, form: Mapping[str, str]) -> Answer:
        """Record events of a deal, or undo one."""
        ...


Form: TypeAlias = Mapping[str, str]
Do: TypeAlias = Callable[[Form], Awaitable[Answer]]
Show: TypeAlias = Callable[[Identity, Filled | None], HTMLResponse]
"""Shows a form, empty or as it was sent."""


def record_section(reads: RecordReads, writes: DealWrites) -> Section:
    """The forms of deals over these answers; before the pages of deals, of which `new` is none."""

    def add(router: APIRouter, site: Site) -> None:
        _add_opening(router, site, reads, writes)
        _add_recording(router, site, reads, writes)

    return Section(add)


def _add_opening(router: APIRouter, site: Site, reads: RecordReads, writes: DealWrites) -> None:
    def shown(request: Request) -> Show:
        def show(reader: Identity, sent: Filled | None) -> HTMLResponse:
            answer = reads.opening(reader)
            typed = sent.values if sent else {}
            form = opening_form(Ground(answer, answer["offers"], request.query_params, typed))
            form = refused(form, answer, sent) if sent else form
            status = sent.error.status if sent else 200
            return site.page(
                request,
                "new_deal.html",
                tab=BOARD,
                status=status,
                form=form,
                accounts=answer["offers"]["accounts"],
            )

        return show

    @router.get(OPENING)
    def opening(request: Request) -> Response:
        return site.show(request, lambda reader: shown(request)(reader, None))

    @router.post(OPENING)
    async def open_deal(request: Request) -> Response:
        return await _done(request, site, partial(writes.open_deal, request), shown(request))


def _add_recording(router: APIRouter, site: Site, reads: RecordReads, writes: DealWrites) -> None:
    pages = DealPages(site, reads)

    @router.get("/deals/{deal_id}/record")
    def record_page(request: Request, deal_id: str) -> Response:
        """Lead on from where a form was shown again, or sent without a session."""
        query = f"?{request.url.query}" if request.url.query else ""
        return redirect(f"/deals/{quote(deal_id, safe='')}{query}")

    @router.post("/deals/{deal_id}/record")
    async def record(request: Request, deal_id: str) -> Response:
        def show(reader: Identity, sent: Filled | None) -> HTMLResponse:
            return pages.show(request, reader, DealWish(deal_id), sent)

        return await _done(request, site, partial(writes.append, request, deal_id), show)


async def _done(request: Request, site: Site, do: Do, show: Show) -> Response:
    """Do what a form asks for and lead to what came of it; or show the form again, and why."""
    form = await read_form(request, most=MOST_BYTES)
    if reader_of(request) is None:
        return to_sign_in(request)
    try:
        return redirect(_target(await do(form), form))
    except PageError as error:
        refusal = error

    def fill(reader: Identity) -> HTMLResponse:
        try:
            if not isinstance(refusal, FormError):
                raise refusal
            return show(reader, Filled(form, refusal))
        except NotNowError as error:
            return _send_again(request, site, form, error)

    return await asyncio.to_thread(site.show, request, fill)


def _send_again(request: Request, site: Site, form: Form, error: NotNowError) -> HTMLResponse:
    """Keep what was typed on a page that needs nothing of the log."""
    page = site.page(
        request,
        "send_again.html",
        tab=BOARD,
        status=error.status,
        action=request.url.path,
        form=form,
        detail=str(error),
    )
    page.headers["Retry-After"] = str(error.retry_after)
    return page


def _target(done: Answer, form: Form) -> str:
    """Where the form asks to come back to, else the new events in the ledger of their deal."""
    if form.get("back"):
        return local(form["back"])
    recorded = urlencode([("recorded", one) for one in done["event_ids"]])
    return f"/deals/{done['deal_id']}?{recorded}#e-{done['event_ids'][0]}"
