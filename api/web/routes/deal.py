"""The page of a deal."""

from typing import Annotated, Protocol

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response

from api.identity.permissions import Identity
from api.web.deal_page import ZOOMS, deal_page
from api.web.reads import Answer
from api.web.routes.board import PATH as BOARD
from api.web.site import Moment, Section, Site, moment_asked


class DealReads(Protocol):
    """What the page of a deal asks; `as_of` and `effective_at` come as the reader typed them."""

    def deal(
        self, reader: Identity, deal_id: str, *, as_of: str | None, effective_at: str | None
    ) -> Answer:
        """One deal with its progress, pressure, history, stages and quarters."""
        ...


def deal_section(reads: DealReads) -> Section:
    """The pages of deals over these answers."""

    def add(router: APIRouter, site: Site) -> None:
        @router.get("/deals/{deal_id}")
        def deal(
            *,
            request: Request,
            deal_id: str,
            as_of: Moment = None,
            effective_at: Moment = None,
            everything: Annotated[str, Query(alias="all")] = "",
            zoom: str = "1",
        ) -> Response:
            asked = moment_asked(as_of, effective_at)
            closer = _zoom(zoom)
            view = {"all": "1" if everything == "1" else "", "zoom": closer}

            def fill(reader: Identity) -> HTMLResponse:
                answer = reads.deal(reader, deal_id, as_of=asked[0], effective_at=asked[1])
                page = deal_page(
                    answer, asked=asked, everything=everything == "1", zoom=closer or 1
                )
                return site.page(request, "deal.html", tab=BOARD, page=page, view=view, zooms=ZOOMS)

            return site.show(request, fill)

    return Section(add)


def _zoom(value: str) -> int | None:
    """None for the whole deal, so that its address stays short."""
    return int(value) if value in {str(zoom) for zoom in ZOOMS[1:]} else None
