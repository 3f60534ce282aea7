"""What the forms of deals send to: it opens them, and records and corrects their events."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Final, Protocol, TypeAlias
from urllib.parse import quote, urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse, Response

from api.identity.permissions import Identity
from api.web.form_parts import Filled
from api.web.reads import Answer
from api.web.record_form import Ground, opening_form, refused
from api.web.routes.board import PATH as BOARD
from api.web.routes.deal import DealPages, DealReads, DealWish
from api.web.sending import Form, Shown, done
from api.web.site import SITE, Part, Section, local, new_router, redirect

OPENING: Final = "/deals/new"


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


Shows: TypeAlias = Callable[[Identity, Filled | None], HTMLResponse]
"""Shows a form, empty or as it was sent."""


READS: Final = Part[RecordReads]()
WRITES: Final = Part[DealWrites]()
router: Final = new_router()


def record_section(reads: RecordReads, writes: DealWrites) -> Section:
    """The forms of deals over these answers; before the pages of deals, of which `new` is none."""
    return Section(router, (READS.given(reads), WRITES.given(writes)))


@router.get(OPENING)
def opening(request: Request) -> Response:
    show = _opening(request)
    return SITE.of(request).show(request, lambda reader: show(reader, None))


@router.post(OPENING)
async def open_deal(request: Request) -> Response:
    do = partial(_led, partial(WRITES.of(request).open_deal, request))
    return await done(request, SITE.of(request), do, _opening(request), tab=BOARD)


def _opening(request: Request) -> Shows:
    site, reads = SITE.of(request), READS.of(request)

    def show(reader: Identity, sent: Filled | None) -> HTMLResponse:
        answer = reads.opening(reader)
        typed = sent.values if sent else {}
        form = opening_form(Ground(answer, answer["offers"], request.query_params, typed))
        form = refused(form, sent, ()) if sent else form
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


@router.get("/deals/{deal_id}/record")
def record_page(request: Request, deal_id: str) -> Response:
    """Lead on from where a form was shown again, or sent without a session."""
    query = f"?{request.url.query}" if request.url.query else ""
    return redirect(f"/deals/{quote(deal_id, safe='')}{query}")


@router.post("/deals/{deal_id}/record")
async def record(request: Request, deal_id: str) -> Response:
    pages = DealPages(SITE.of(request), READS.of(request))

    def show(reader: Identity, sent: Filled | None) -> HTMLResponse:
        return pages.show(request, reader, DealWish(deal_id), sent)

    do = partial(_led, partial(WRITES.of(request).append, request, deal_id))
    return await done(request, pages.site, do, show, tab=BOARD)


async def _led(do: Callable[[Form], Awaitable[Answer]], form: Form) -> Shown:
    """Do what a form asks for, and lead to what came of it."""
    target = _target(await do(form), form)
    return lambda _: redirect(target)


def _target(done: Answer, form: Form) -> str:
    """Where the form asks to come back to, else the new events in the ledger of their deal."""
    if form.get("back"):
        return local(form["back"])
    recorded = urlencode([("recorded", one) for one in done["event_ids"]])
    return f"/deals/{done['deal_id']}?{recorded}#e-{done['event_ids'][0]}"
