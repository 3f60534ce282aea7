"""The page of a deal."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Annotated, Final, Protocol, TypeAlias

from fastapi import Query, Request
from fastapi.responses import HTMLResponse, Response

from api.identity.permissions import Identity
from api.web.deal_page import ZOOMS, deal_page
from api.web.form_parts import Filled
from api.web.inspected import inspected_of
from api.web.ledger_rows import tips_of
from api.web.reads import Answer, MovedOnError, NoSuchPageError
from api.web.record_panel import record_panel
from api.web.record_words import CORRECTED
from api.web.routes.board import PATH as BOARD
from api.web.site import SITE, Asked, Moment, Part, Section, Site, moment_asked, new_router

MOST_MARKED: Final = 50
"""New events that a page marks at most."""
MOST_OTHERS: Final = 10
"""Events that were judged and not marked, with their facts; of more a link to the whole page."""
Recorded: TypeAlias = Annotated[list[str] | tuple[()], Query(max_length=MOST_MARKED)]


class DealReads(Protocol):
    """What the page of a deal asks; `as_of` and `effective_at` come as the reader typed them."""

    def deal(
        self, reader: Identity, deal_id: str, *, as_of: str | None, effective_at: str | None
    ) -> Answer:
        """One deal with its progress, pressure, history, stages and quarters.

        And with what may be recorded of it, None for who only reads and for a past moment.
        """
        ...


@dataclass(frozen=True, slots=True)
class DealWish:
    """Which deal a reader asks for, and how; `recorded` are the events that are told as new."""

    deal_id: str
    asked: Asked = (None, None)
    everything: bool = False
    zoom: int | None = None
    recorded: tuple[str, ...] = ()
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DealPages:
    """Shows the pages of deals."""

    site: Site
    reads: DealReads

    def show(
        self, request: Request, reader: Identity, wish: DealWish, sent: Filled | None = None
    ) -> HTMLResponse:
        """Give the page of a deal, with a form that could not be done as it was sent."""
        as_of, effective_at = wish.asked
        answer = self.reads.deal(reader, wish.deal_id, as_of=as_of, effective_at=effective_at)
        moved = sent is not None and isinstance(sent.error, MovedOnError)
        page = deal_page(
            answer,
            asked=wish.asked,
            everything=wish.everything or moved,
            zoom=wish.zoom or 1,
            recorded=wish.recorded,
        )
        return self.site.page(
            request,
            "deal.html",
            tab=BOARD,
            status=sent.error.status if sent else 200,
            page=page,
            panel=record_panel(answer, wish.query, sent),
            view={"all": "1" if wish.everything else "", "zoom": wish.zoom},
            zooms=ZOOMS,
            most_others=MOST_OTHERS,
            corrections=CORRECTED,
            told_of_new=bool(wish.recorded),
        )

    def tips(self, request: Request, reader: Identity, deal_id: str, asked: Asked) -> Response:
        """Give what the chart of a deal tells of its events, as data."""
        answer = self.reads.deal(reader, deal_id, as_of=asked[0], effective_at=asked[1])
        told = {key: asdict(tip) for key, tip in tips_of(answer).items()}
        return self.site.data(request, told)

    def inspected(
        self, request: Request, reader: Identity, wish: DealWish, event_id: str
    ) -> Response:
        """Give all that is told of one event, as a piece of the page."""
        as_of, effective_at = wish.asked
        answer = self.reads.deal(reader, wish.deal_id, as_of=as_of, effective_at=effective_at)
        event = inspected_of(answer, event_id, asked=wish.asked, everything=wish.everything)
        if event is None:
            message = f"There is no event {event_id} of this deal that was known at this moment."
            raise NoSuchPageError(message)
        return self.site.piece(request, "inspected.html", page=event, zoom=wish.zoom)


READS: Final = Part[DealReads]()
router: Final = new_router()


def deal_section(reads: DealReads) -> Section:
    """The pages of deals over these answers."""
    return Section(router, (READS.given(reads),))


def _pages(request: Request) -> DealPages:
    return DealPages(SITE.of(request), READS.of(request))


@router.get("/deals/{deal_id}")
def deal(
    *,
    request: Request,
    deal_id: str,
    as_of: Moment = None,
    effective_at: Moment = None,
    everything: Annotated[str, Query(alias="all")] = "",
    zoom: str = "1",
    recorded: Recorded = (),
) -> Response:
    pages = _pages(request)
    wish = DealWish(
        deal_id,
        asked=moment_asked(as_of, effective_at),
        everything=everything == "1",
        zoom=_zoom(zoom),
        recorded=tuple(recorded),
        query=dict(request.query_params),
    )
    return pages.site.show(request, lambda reader: pages.show(request, reader, wish))


@router.get("/deals/{deal_id}/tips")
def tips(
    request: Request, deal_id: str, as_of: Moment = None, effective_at: Moment = None
) -> Response:
    pages, asked = _pages(request), moment_asked(as_of, effective_at)
    return pages.site.show(request, lambda reader: pages.tips(request, reader, deal_id, asked))


@router.get("/deals/{deal_id}/events/{event_id}")
def inspected(
    *,
    request: Request,
    deal_id: str,
    event_id: str,
    as_of: Moment = None,
    effective_at: Moment = None,
    everything: Annotated[str, Query(alias="all")] = "",
    zoom: str = "1",
) -> Response:
    pages = _pages(request)
    wish = DealWish(
        deal_id,
        asked=moment_asked(as_of, effective_at),
        everything=everything == "1",
        zoom=_zoom(zoom),
        query=dict(request.query_params),
    )
    return pages.site.show(request, lambda reader: pages.inspected(request, reader, wish, event_id))


def _zoom(value: str) -> int | None:
    """None for the whole deal, so that its address stays short."""
    return int(value) if value in {str(zoom) for zoom in ZOOMS[1:]} else None
